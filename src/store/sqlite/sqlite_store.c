#include "store/sqlite/sqlite_store.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A full disk leaves a log whose pages may need more room in the database than there is. Until all
 * of them are there, each write goes to the end of the log and takes what space is made; so they
 * are moved before the next write, not after it. Nobody is waited for: a reader that is in the way
 * now will hardly be there at the next write. True when the log is written from its beginning. */
static bool empty_log(struct sqlite_connection *connection) {
    sqlite3_busy_timeout(connection->db, 0);
    int result =
        sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    sqlite3_busy_timeout(connection->db, SQLITE_BUSY_TIMEOUT_MS);
    return result == SQLITE_OK;
}

enum status sqlite_write_begin(struct store_session *session, struct error *error) {
    struct sqlite_store *store = sqlite_store_of(session->store);
    struct sqlite_connection *connection = sqlite_connection_of(session);
    monitor_lock(&store->writer);
    if (store->log_is_in_the_way)
        store->log_is_in_the_way = !empty_log(connection);
    enum status status = sqlite_begin(connection, error);
    if (status != STATUS_OK)
        monitor_unlock(&store->writer);
    return status;
}

enum status sqlite_write_end(struct store_session *session, enum status status,
                             struct error *error) {
    struct sqlite_store *store = sqlite_store_of(session->store);
    struct sqlite_connection *connection = sqlite_connection_of(session);
    if (status == STATUS_OK)
        status = sqlite_commit(connection, error);
    else
        sqlite_rollback(connection);
    if (status == STATUS_FULL || status == STATUS_UNAVAILABLE)
        store->log_is_in_the_way = true;
    monitor_unlock(&store->writer);
    return status;
}

static enum status session_open(struct store_session **session, struct store *store,
                                struct error *error) {
    struct sqlite_session *opened = memory_zeroed(1, sizeof *opened);
    opened->session.store = store;
    enum status status =
        sqlite_connection_open(&opened->connection, sqlite_store_of(store)->path, error);
    if (status != STATUS_OK) {
        free(opened);
        return status;
    }
    *session = &opened->session;
    return STATUS_OK;
}

static void session_close(struct store_session *session) {
    sqlite_connection_close(sqlite_connection_of(session));
    free(session);
}

static void close_store(struct store *store) {
    struct sqlite_store *sqlite = sqlite_store_of(store);
    sqlite_owner_deinit(&sqlite->owner);
    monitor_deinit(&sqlite->writer);
    free(sqlite->path);
    free(sqlite);
}

static const struct store_ops sqlite_ops = {
    .kind = "sqlite",
    .close = close_store,
    .session_open = session_open,
    .session_close = session_close,
    .insert = sqlite_insert,
    .find_keys = sqlite_find_keys,
    .claim = sqlite_claim,
    .settle = sqlite_settle,
    .extend = sqlite_extend,
    .get = sqlite_get,
    .attempts = sqlite_attempts,
    .list = sqlite_list,
    .count = sqlite_count,
    .change = sqlite_change,
    .audit_add = sqlite_audit_add,
    .audit_list = sqlite_audit_list,
    .job_create = sqlite_job_create,
    .job_list = sqlite_job_list,
    .job_advance = sqlite_job_advance,
    .depth = sqlite_depth,
    .version = sqlite_schema_version,
    .migrate_up = sqlite_schema_up,
    .migrate_down = sqlite_schema_down,
    .migrate_plan = sqlite_schema_plan,
};

/* "sqlite:x.db", "sqlite:/var/x.db", and the form with an empty host, "sqlite:///var/x.db". */
static const char *path_of(const char *location) {
    return strncmp(location, "///", 3) == 0 ? location + 2 : location;
}

static enum status refuse_other(struct store *store, struct error *error) {
    struct store_version version;
    enum status status = sqlite_schema_version(store, &version, error);
    if (status != STATUS_OK || version.current == version.known)
        return status;
    return error_set(error, STATUS_BROKEN,
                     "the database is at schema version %lld and this program needs %lld; run"
                     " `posthaste migrate up` (or set AUTO_MIGRATE=true)",
                     (long long)version.current, (long long)version.known);
}

static enum status migrate(struct store *store, bool never, struct error *error) {
    if (never)
        return refuse_other(store, error);
    struct buffer report;
    buffer_init(&report, ERROR_TEXT_BYTES_MAX * 16);
    enum status status = sqlite_schema_up(store, &report, error);
    buffer_deinit(&report);
    return status;
}

enum status store_sqlite_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error) {
    const char *path = path_of(location);
    if (path[0] == '\0' || strncmp(path, ":memory:", 8) == 0)
        return error_set(error, STATUS_INVALID,
                         "STORE_URL must name a file, like sqlite:posthaste.db (or be memory:)");
    struct sqlite_store *sqlite = memory_zeroed(1, sizeof *sqlite);
    sqlite->store.ops = &sqlite_ops;
    sqlite->clock = options->clock;
    sqlite->random = random_from_system();
    enum status status = sqlite_owner_init(&sqlite->owner, path, &sqlite->random, error);
    if (status != STATUS_OK) {
        free(sqlite);
        return status;
    }
    sqlite->path = memory_copy_string(path);
    monitor_init(&sqlite->writer);
    if (!options->leave_schema)
        status = migrate(&sqlite->store, options->migrate == STORE_MIGRATE_NEVER, error);
    if (status != STATUS_OK) {
        close_store(&sqlite->store);
        return status;
    }
    *store = &sqlite->store;
    return STATUS_OK;
}
