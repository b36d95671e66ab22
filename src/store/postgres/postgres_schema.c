/* The versions of the schema. The migrations are files below db/postgres, embedded into the
 * program: NNNN_P_name[.own|.adopted][.alone].up.sql or .down.sql, the parts P of a version in
 * their order. For our own table a version is one transaction; for an adopted one, which others
 * work with meanwhile, each part is, and the statements of an `alone` part stand alone, so that
 * indexes are built while others write. Every part can be run again after it was interrupted. */
#include "base/check.h"
#include "base/embedded.h"
#include "log/log.h"
#include "store/postgres/postgres_store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SQL_BYTES_MAX ((size_t)1 << 20)
/* How long a change of the table waits for those who use it, before it lets them pass. */
#define LOCK_TIMEOUT "SET LOCAL lock_timeout = '3s';\n"
#define LOCK_TRIES 20
/* Replicas that start together take turns. */
#define TURN_TRIES_PAUSE_MS 100
#define TURN_TRIES 6000

/* One migration under way. */
struct migration {
    struct postgres_connection *connection;
    struct postgres_layout layout;
    struct store_version version;
    bool begun; /* a layout is kept, whatever the version */
    struct buffer *report;
    bool dry_run;
};

static int64_t version_of(const struct embedded_file *file) {
    return strtoll(file->name, NULL, 10);
}

static bool name_has(const struct embedded_file *file, const char *part) {
    return strstr(file->name, part) != NULL;
}

static int64_t newest_known(void) {
    int64_t newest = 0;
    for (size_t i = 0; i < embedded_postgres_migrations_count; i++)
        if (version_of(&embedded_postgres_migrations[i]) > newest)
            newest = version_of(&embedded_postgres_migrations[i]);
    return newest;
}

/* Whether a file is a part of this version in this direction, for this kind of table. */
static bool is_part(const struct embedded_file *file, int64_t version, bool up, bool adopted) {
    if (version_of(file) != version || !name_has(file, up ? ".up.sql" : ".down.sql"))
        return false;
    return !name_has(file, adopted ? ".own." : ".adopted.");
}

static enum status read_version(struct migration *migration, struct error *error) {
    struct postgres_rows rows;
    migration->version = (struct store_version){.known = newest_known()};
    enum status status =
        postgres_query(migration->connection,
                       "SELECT to_regclass('posthaste_schema_migrations') IS NOT NULL,"
                       " to_regclass('posthaste_layout') IS NOT NULL",
                       NULL, &rows, error);
    if (status != STATUS_OK)
        return status;
    bool versioned = text_equal_string(postgres_text(&rows, 0, 0), "t");
    migration->begun = text_equal_string(postgres_text(&rows, 0, 1), "t");
    postgres_rows_deinit(&rows);
    if (!versioned)
        return STATUS_OK;
    status =
        postgres_query(migration->connection,
                       "SELECT max(version) FROM posthaste_schema_migrations", NULL, &rows, error);
    if (status == STATUS_OK) {
        migration->version.current = postgres_number(&rows, 0, 0);
        postgres_rows_deinit(&rows);
    }
    return status;
}

/* Runs `sql`, or shows it. What waits for a lock too long is tried again. */
static enum status run_sql(struct migration *migration, struct text sql, struct error *error) {
    if (migration->dry_run) {
        buffer_append(migration->report, sql);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    for (int i = 0; i < LOCK_TRIES; i++) {
        status = postgres_execute(migration->connection, sql.data, error);
        if (status == STATUS_OK || strstr(error->text, "lock timeout") == NULL)
            break;
        log_info("the table is in use; trying again", LOG_NONE);
        struct error ignored;
        postgres_execute(migration->connection, "ROLLBACK", &ignored);
    }
    if (status != STATUS_OK) {
        struct error ignored;
        postgres_execute(migration->connection, "ROLLBACK", &ignored);
    }
    return status;
}

/* Each statement of a part alone: an index that is built while others write is no transaction. */
static enum status run_alone(struct migration *migration, struct text sql, struct error *error) {
    struct text rest = sql;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && rest.data != NULL) {
        struct text statement = text_trim(text_cut(&rest, ';'));
        struct buffer one;
        if (statement.len == 0)
            continue;
        buffer_init(&one, SQL_BYTES_MAX);
        buffer_append(&one, statement);
        buffer_append_string(&one, ";\n");
        status = run_sql(migration, buffer_view(&one), error);
        buffer_deinit(&one);
    }
    return status;
}

/* What notes that the version is there, or gone. */
static void append_note(int64_t version, bool up, struct buffer *sql) {
    if (up)
        buffer_printf(sql,
                      "INSERT INTO posthaste_schema_migrations (version) VALUES (%lld)"
                      " ON CONFLICT DO NOTHING;\n",
                      (long long)version);
    else if (version <= 1)
        buffer_append_string(sql, "DROP TABLE posthaste_layout, posthaste_schema_migrations;\n");
    else
        buffer_printf(sql, "DELETE FROM posthaste_schema_migrations WHERE version = %lld;\n",
                      (long long)version);
}

static const char *const bookkeeping =
    "CREATE TABLE IF NOT EXISTS posthaste_schema_migrations (version bigint PRIMARY KEY,"
    " applied_at timestamptz NOT NULL DEFAULT now());\n"
    "CREATE TABLE IF NOT EXISTS posthaste_layout (name text PRIMARY KEY, value text NOT NULL);\n";

/* Keeps what was found out about the table, so that it is the same ever after. */
static void append_layout(const struct migration *migration, struct buffer *sql) {
    buffer_append_string(sql, bookkeeping);
    for (size_t fact = 0; fact < POSTGRES_FACTS; fact++) {
        const char *value = migration->layout.facts[fact];
        if (value[0] == '\0')
            continue;
        buffer_printf(sql, "INSERT INTO posthaste_layout (name, value) VALUES ('%s', ",
                      postgres_fact_name((enum postgres_fact)fact));
        postgres_quote_string(sql, text_of(value));
        buffer_append_string(sql, ") ON CONFLICT DO NOTHING;\n");
    }
}

/* An index whose making was interrupted is there but of no use. */
static enum status drop_broken_indexes(struct migration *migration, struct error *error) {
    const char *table = migration->layout.facts[FACT_TABLE];
    struct postgres_rows rows;
    enum status status = postgres_query(
        migration->connection,
        "SELECT i.indexrelid::regclass FROM pg_index AS i WHERE NOT i.indisvalid"
        " AND i.indrelid = to_regclass($1) AND starts_with(i.indexrelid::regclass::text,"
        " 'posthaste_')",
        table, &rows, error);
    if (status != STATUS_OK)
        return status;
    for (size_t row = 0; row < rows.count && status == STATUS_OK; row++) {
        struct buffer sql;
        buffer_init(&sql, SQL_BYTES_MAX);
        buffer_printf(&sql, "DROP INDEX CONCURRENTLY %s;\n", postgres_text(&rows, row, 0).data);
        status = run_sql(migration, buffer_view(&sql), error);
        buffer_deinit(&sql);
    }
    postgres_rows_deinit(&rows);
    return status;
}

/* The whole version as one transaction. */
static enum status step_own(struct migration *migration, int64_t version, bool up,
                            struct error *error) {
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_append_string(&sql, "BEGIN;\n" LOCK_TIMEOUT);
    if (up)
        append_layout(migration, &sql);
    for (size_t i = 0; i < embedded_postgres_migrations_count; i++) {
        const struct embedded_file *file = &embedded_postgres_migrations[i];
        if (is_part(file, version, up, false))
            postgres_layout_render(&migration->layout, (struct text){file->data, file->len}, &sql);
    }
    append_note(version, up, &sql);
    buffer_append_string(&sql, "COMMIT;\n");
    check(!sql.overflowed);
    enum status status = run_sql(migration, buffer_view(&sql), error);
    buffer_deinit(&sql);
    return status;
}

/* One part of a version, a transaction of its own unless it is made of such statements. */
static enum status run_part(struct migration *migration, const struct embedded_file *file,
                            struct error *error) {
    struct buffer sql;
    bool alone = name_has(file, ".alone.");
    buffer_init(&sql, SQL_BYTES_MAX);
    if (!alone)
        buffer_append_string(&sql, "BEGIN;\n" LOCK_TIMEOUT);
    postgres_layout_render(&migration->layout, (struct text){file->data, file->len}, &sql);
    if (!alone)
        buffer_append_string(&sql, "COMMIT;\n");
    check(!sql.overflowed);
    enum status status = alone ? run_alone(migration, buffer_view(&sql), error)
                               : run_sql(migration, buffer_view(&sql), error);
    buffer_deinit(&sql);
    return status;
}

static enum status run_note(struct migration *migration, int64_t version, bool up, bool begin,
                            struct error *error) {
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_append_string(&sql, "BEGIN;\n");
    if (begin)
        append_layout(migration, &sql);
    else
        append_note(version, up, &sql);
    buffer_append_string(&sql, "COMMIT;\n");
    enum status status = run_sql(migration, buffer_view(&sql), error);
    buffer_deinit(&sql);
    return status;
}

static enum status step_adopted(struct migration *migration, int64_t version, bool up,
                                struct error *error) {
    enum status status = up ? run_note(migration, version, up, true, error) : STATUS_OK;
    if (status == STATUS_OK && up && !migration->dry_run)
        status = drop_broken_indexes(migration, error);
    for (size_t i = 0; i < embedded_postgres_migrations_count && status == STATUS_OK; i++) {
        const struct embedded_file *file = &embedded_postgres_migrations[i];
        if (is_part(file, version, up, true))
            status = run_part(migration, file, error);
        if (status != STATUS_OK)
            error_wrap(error, "%s", file->name);
    }
    return status == STATUS_OK ? run_note(migration, version, up, false, error) : status;
}

static enum status step(struct migration *migration, int64_t version, bool up,
                        struct error *error) {
    enum status status = postgres_layout_is_adopted(&migration->layout)
                             ? step_adopted(migration, version, up, error)
                             : step_own(migration, version, up, error);
    if (status != STATUS_OK)
        return error_wrap(error, "version %lld", (long long)version);
    if (migration->dry_run)
        return STATUS_OK;
    buffer_printf(migration->report, "%s version %lld\n", up ? "applied" : "took back",
                  (long long)version);
    log_info("schema migrated", LOG_INT("version", up ? version : version - 1));
    return STATUS_OK;
}

/* Whoever waits must not do so within a statement: an index that is built waits for all that are
 * under way, its own kin included. */
static enum status take_turn(struct migration *migration, struct error *error) {
    for (int i = 0; i < TURN_TRIES; i++) {
        struct postgres_rows rows;
        enum status status =
            postgres_query(migration->connection,
                           "SELECT pg_try_advisory_lock(hashtextextended('posthaste migrate', 0))",
                           NULL, &rows, error);
        if (status != STATUS_OK)
            return status;
        bool taken = text_equal_string(postgres_text(&rows, 0, 0), "t");
        postgres_rows_deinit(&rows);
        if (taken)
            return STATUS_OK;
        const struct timespec pause = {0, TURN_TRIES_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    return error_set(error, STATUS_UNAVAILABLE, "another posthaste has been migrating for long");
}

static enum status refuse_newer(const struct store_version *version, struct error *error) {
    return error_set(error, STATUS_BROKEN,
                     "the database is at schema version %lld and this program knows %lld; use a"
                     " newer posthaste, or `posthaste migrate down` of the one that wrote it",
                     (long long)version->current, (long long)version->known);
}

static enum status migrate_up(struct migration *migration, struct error *error) {
    const struct store_version version = migration->version;
    if (version.current < version.known && !migration->dry_run)
        postgres_layout_describe(&migration->layout, migration->report);
    enum status status = STATUS_OK;
    for (int64_t next = version.current + 1; next <= version.known && status == STATUS_OK; next++)
        status = step(migration, next, true, error);
    return status;
}

/* What was begun and never came to its end is taken back as well. */
static enum status migrate_down(struct migration *migration, struct error *error) {
    if (migration->version.current == 0 && !migration->begun)
        return STATUS_OK;
    return step(migration, migration->version.current > 0 ? migration->version.current : 1, false,
                error);
}

/* Opens a connection without a limit of time: building an index may take long. */
static enum status migration_open(struct migration *migration, struct store *store,
                                  struct error *error) {
    struct postgres_options options = postgres_store_of(store)->options;
    options.timeout_ms = 0;
    enum status status = postgres_connection_open(&migration->connection, &options, error);
    if (status == STATUS_OK)
        status = read_version(migration, error);
    if (status == STATUS_OK && migration->version.current > migration->version.known)
        status = refuse_newer(&migration->version, error);
    return status;
}

enum action { UP, DOWN, PLAN };

static enum status migrate(struct store *store, enum action action, struct buffer *report,
                           struct error *error) {
    struct migration migration = {.report = report, .dry_run = action == PLAN};
    enum status status = migration_open(&migration, store, error);
    if (status == STATUS_OK)
        status = take_turn(&migration, error);
    if (status == STATUS_OK)
        status = read_version(&migration, error);
    if (status == STATUS_OK)
        status = postgres_layout_find(&migration.layout, &postgres_store_of(store)->wishes,
                                      migration.connection, error);
    if (status == STATUS_OK)
        status = action == DOWN ? migrate_down(&migration, error) : migrate_up(&migration, error);
    postgres_connection_close(migration.connection);
    return status;
}

enum status postgres_schema_version(struct store *store, struct store_version *version,
                                    struct error *error) {
    struct migration migration = {0};
    struct postgres_options options = postgres_store_of(store)->options;
    enum status status = postgres_connection_open(&migration.connection, &options, error);
    if (status == STATUS_OK)
        status = read_version(&migration, error);
    *version = migration.version;
    postgres_connection_close(migration.connection);
    return status;
}

enum status postgres_schema_up(struct store *store, struct buffer *report, struct error *error) {
    return migrate(store, UP, report, error);
}

enum status postgres_schema_down(struct store *store, struct buffer *report, struct error *error) {
    return migrate(store, DOWN, report, error);
}

enum status postgres_schema_plan(struct store *store, struct buffer *report, struct error *error) {
    return migrate(store, PLAN, report, error);
}
