/* The versions of the schema. The migrations are files below db/sqlite, embedded into the program:
 * NNNN_name.up.sql and NNNN_name.down.sql. */
#include "base/check.h"
#include "base/embedded.h"
#include "log/log.h"
#include "store/sqlite/sqlite_store.h"

#include <stdlib.h>
#include <string.h>

static const char *const version_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)";

static int64_t version_of(const struct embedded_file *file) {
    return strtoll(file->name, NULL, 10);
}

static bool has_suffix(const struct embedded_file *file, const char *suffix) {
    size_t name = strlen(file->name), end = strlen(suffix);
    return name > end && strcmp(file->name + name - end, suffix) == 0;
}

static const struct embedded_file *find_file(int64_t version, const char *suffix) {
    for (size_t i = 0; i < embedded_sqlite_migrations_count; i++) {
        const struct embedded_file *file = &embedded_sqlite_migrations[i];
        if (version_of(file) == version && has_suffix(file, suffix))
            return file;
    }
    return NULL;
}

static int64_t newest_known(void) {
    int64_t newest = 0;
    for (size_t i = 0; i < embedded_sqlite_migrations_count; i++)
        if (version_of(&embedded_sqlite_migrations[i]) > newest)
            newest = version_of(&embedded_sqlite_migrations[i]);
    return newest;
}

/* Statements that come before the schema is known to be there are not kept. */
static enum status query_number(struct sqlite_connection *connection, const char *sql,
                                int64_t *value, struct error *error) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);
    if (result != SQLITE_OK)
        return sqlite_failure(connection, result, error);
    enum status status = sqlite_read_number(connection, statement, value, error);
    sqlite3_finalize(statement);
    return status;
}

static enum status read_version(struct sqlite_connection *connection, struct store_version *version,
                                struct error *error) {
    int64_t has_table = 0;
    *version = (struct store_version){.known = newest_known()};
    enum status status = query_number(connection,
                                      "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                                      " AND name = 'schema_migrations'",
                                      &has_table, error);
    if (status != STATUS_OK || has_table == 0)
        return status;
    return query_number(connection, "SELECT max(version) FROM schema_migrations", &version->current,
                        error);
}

static enum status refuse_newer(const struct store_version *version, struct error *error) {
    return error_set(error, STATUS_BROKEN,
                     "the database is at schema version %lld and this program knows %lld; use a"
                     " newer posthaste, or `posthaste migrate down` of the one that wrote it",
                     (long long)version->current, (long long)version->known);
}

static enum status refuse_foreign(struct sqlite_connection *connection, struct error *error) {
    int64_t foreign = 0;
    enum status status = query_number(connection,
                                      "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                                      " AND name IN ('messages', 'attempts', 'claims', 'counts')",
                                      &foreign, error);
    if (status == STATUS_OK && foreign > 0)
        return error_set(error, STATUS_BROKEN,
                         "the file has tables named like posthaste's that posthaste did not make;"
                         " name another file in STORE_URL");
    return status;
}

static enum status note_step(struct sqlite_connection *connection, int64_t version, bool up,
                             struct error *error) {
    const struct embedded_file *file = find_file(version, ".up.sql");
    char *sql = up ? sqlite3_mprintf("INSERT INTO schema_migrations (version, name)"
                                     " VALUES (%lld, %Q)",
                                     (long long)version, file->name)
                   : sqlite3_mprintf("DELETE FROM schema_migrations WHERE version = %lld",
                                     (long long)version);
    check(sql != NULL);
    enum status status = sqlite_execute(connection, sql, error);
    sqlite3_free(sql);
    return status;
}

/* One version up or down within the transaction that is open. */
static enum status step(struct sqlite_connection *connection, int64_t version, bool up,
                        struct error *error) {
    const struct embedded_file *file = find_file(version, up ? ".up.sql" : ".down.sql");
    if (file == NULL)
        return error_set(error, STATUS_BROKEN, "this program has no migration %lld",
                         (long long)version);
    enum status status = sqlite_execute(connection, file->data, error);
    if (status == STATUS_OK)
        status = note_step(connection, version, up, error);
    return status != STATUS_OK ? error_wrap(error, "%s", file->name) : STATUS_OK;
}

/* Does the next step, if there is one, in a transaction of its own: two processes that start
 * together find each other's steps done. `*version` is what was found at its beginning. */
static enum status migrate_once(struct sqlite_connection *connection, bool up,
                                struct store_version *version, struct error *error) {
    enum status status = sqlite_begin(connection, error);
    if (status != STATUS_OK)
        return status;
    status = read_version(connection, version, error);
    if (status == STATUS_OK && version->current > version->known)
        status = refuse_newer(version, error);
    if (status == STATUS_OK && version->current == 0 && up)
        status = refuse_foreign(connection, error);
    bool wanted = up ? version->current < version->known : version->current > 0;
    if (status == STATUS_OK && wanted)
        status = sqlite_execute(connection, version_table, error);
    if (status == STATUS_OK && wanted)
        status = step(connection, version->current + (up ? 1 : 0), up, error);
    if (status == STATUS_OK && wanted)
        return sqlite_commit(connection, error);
    sqlite_rollback(connection);
    return status;
}

static enum status migrate_up(struct sqlite_connection *connection, struct buffer *report,
                              struct error *error) {
    for (;;) {
        struct store_version version;
        enum status status = migrate_once(connection, true, &version, error);
        if (status != STATUS_OK || version.current >= version.known)
            return status;
        buffer_printf(report, "applied %s\n", find_file(version.current + 1, ".up.sql")->name);
        log_info("schema migrated", LOG_INT("version", version.current + 1));
    }
}

static enum status migrate_down(struct sqlite_connection *connection, struct buffer *report,
                                struct error *error) {
    struct store_version version;
    enum status status = migrate_once(connection, false, &version, error);
    if (status == STATUS_OK && version.current > 0)
        buffer_printf(report, "took back %s\n", find_file(version.current, ".up.sql")->name);
    return status;
}

enum status sqlite_schema_version(struct store *store, struct store_version *version,
                                  struct error *error) {
    struct sqlite_connection connection;
    enum status status = sqlite_connection_open(&connection, sqlite_store_of(store)->path, error);
    if (status != STATUS_OK)
        return status;
    status = read_version(&connection, version, error);
    sqlite_connection_close(&connection);
    return status;
}

enum status sqlite_schema_up(struct store *store, struct buffer *report, struct error *error) {
    struct sqlite_connection connection;
    enum status status = sqlite_connection_open(&connection, sqlite_store_of(store)->path, error);
    if (status != STATUS_OK)
        return status;
    status = migrate_up(&connection, report, error);
    sqlite_connection_close(&connection);
    return status;
}

enum status sqlite_schema_down(struct store *store, struct buffer *report, struct error *error) {
    struct sqlite_connection connection;
    enum status status = sqlite_connection_open(&connection, sqlite_store_of(store)->path, error);
    if (status != STATUS_OK)
        return status;
    status = migrate_down(&connection, report, error);
    sqlite_connection_close(&connection);
    return status;
}

enum status sqlite_schema_plan(struct store *store, struct buffer *report, struct error *error) {
    struct store_version version;
    enum status status = sqlite_schema_version(store, &version, error);
    if (status == STATUS_OK && version.current > version.known)
        return refuse_newer(&version, error);
    for (int64_t next = version.current + 1; status == STATUS_OK && next <= version.known; next++)
        buffer_append_string(report, find_file(next, ".up.sql")->data);
    return status;
}
