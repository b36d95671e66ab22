#include "store/postgres/postgres_store.h"

#include "base/check.h"
#include "base/memory.h"
#include "store/postgres/postgres_array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void postgres_compact(struct store_session *session) {
    struct postgres_store *store = postgres_store_of(session->store);
    int64_t now_us = clock_monotonic_us(&clock_system), due_us = atomic_load(&store->compact_us);
    if (now_us < due_us ||
        !atomic_compare_exchange_strong(&store->compact_us, &due_us, now_us + POSTGRES_COMPACT_US))
        return;
    char rows_max[16];
    snprintf(rows_max, sizeof rows_max, "%d", POSTGRES_COMPACT_ROWS);
    int64_t added = POSTGRES_COMPACT_ROWS;
    for (int i = 0; i < POSTGRES_COMPACT_ROUNDS && added == POSTGRES_COMPACT_ROWS; i++) {
        struct postgres_rows rows;
        struct error ignored;
        if (postgres_run(postgres_session_of(session)->connection, POSTGRES_COMPACT,
                         (const char *const[]){rows_max}, &rows, &ignored) != STATUS_OK)
            return;
        added = postgres_number(&rows, 0, 0);
        postgres_rows_deinit(&rows);
    }
}

static enum status session_open(struct store_session **session, struct store *store,
                                struct error *error) {
    struct postgres_session *opened = memory_zeroed(1, sizeof *opened);
    opened->session.store = store;
    enum status status =
        postgres_connection_open(&opened->connection, &postgres_store_of(store)->options, error);
    if (status != STATUS_OK) {
        free(opened);
        return status;
    }
    *session = &opened->session;
    return STATUS_OK;
}

static void session_close(struct store_session *session) {
    struct postgres_session *postgres = postgres_session_of(session);
    postgres_connection_close(postgres->connection);
    free(postgres->greeting);
    free(postgres);
}

/* The channel's name comes from the database; a connection that listens is made with it. */
static enum status watch_open(struct store_session **session, struct store *store,
                              struct error *error) {
    struct store_session *opened;
    enum status status = session_open(&opened, store, error);
    if (status != STATUS_OK)
        return status;
    struct postgres_session *postgres = postgres_session_of(opened);
    struct postgres_rows rows;
    status =
        postgres_query(postgres->connection, "SELECT 'LISTEN ' || quote_ident(posthaste_channel())",
                       NULL, &rows, error);
    if (status == STATUS_OK) {
        struct postgres_options options = postgres_store_of(store)->options;
        postgres->greeting = memory_copy_string(postgres_text(&rows, 0, 0).data);
        options.greeting = postgres->greeting;
        postgres_rows_deinit(&rows);
        postgres_connection_close(postgres->connection);
        postgres->connection = NULL;
        status = postgres_connection_open(&postgres->connection, &options, error);
    }
    if (status != STATUS_OK)
        session_close(opened);
    else
        *session = opened;
    return status;
}

static enum status watch(struct store_session *session, int64_t wait_ms, bool *told,
                         struct error *error) {
    return postgres_watch(postgres_session_of(session)->connection, wait_ms, told, error);
}

static void watch_end(struct store_session *session) {
    postgres_connection_interrupt(postgres_session_of(session)->connection);
}

static bool can_watch(const struct store *store) {
    const struct postgres_store *postgres = (const struct postgres_store *)store;
    return postgres->wishes.listen && !postgres->options.pooled;
}

static void close_store(struct store *store) {
    struct postgres_store *postgres = postgres_store_of(store);
    monitor_deinit(&postgres->monitor);
    postgres_wishes_deinit(&postgres->wishes);
    free(postgres->url);
    free(postgres);
}

static const struct store_ops postgres_ops = {
    .kind = "postgres",
    .close = close_store,
    .session_open = session_open,
    .session_close = session_close,
    .insert = postgres_insert,
    .find_keys = postgres_find_keys,
    .claim = postgres_claim,
    .settle = postgres_settle,
    .extend = postgres_extend,
    .get = postgres_get,
    .attempts = postgres_attempts,
    .list = postgres_list,
    .count = postgres_count,
    .change = postgres_change,
    .audit_add = postgres_audit_add,
    .audit_list = postgres_audit_list,
    .job_create = postgres_job_create,
    .job_list = postgres_job_list,
    .job_advance = postgres_job_advance,
    .depth = postgres_depth,
    .can_watch = can_watch,
    .watch_open = watch_open,
    .watch = watch,
    .watch_end = watch_end,
    .version = postgres_schema_version,
    .migrate_up = postgres_schema_up,
    .migrate_down = postgres_schema_down,
    .migrate_plan = postgres_schema_plan,
};

static void name_owner(struct postgres_store *postgres) {
    char host[64] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    snprintf(postgres->owner, sizeof postgres->owner, "%s %ld", host, (long)getpid());
}

static enum status refuse_old(const struct store_version *version, struct error *error) {
    return error_set(error, STATUS_BROKEN,
                     "the database is at schema version %lld and this program needs %lld; run"
                     " `posthaste migrate up` (or set AUTO_MIGRATE=true)",
                     (long long)version->current, (long long)version->known);
}

static enum status prepare_schema(struct store *store, bool migrate, struct error *error) {
    struct store_version version;
    enum status status = postgres_schema_version(store, &version, error);
    if (status == STATUS_OK && version.current < version.known && !migrate)
        return refuse_old(&version, error);
    if (status != STATUS_OK || version.current == version.known)
        return status;
    struct buffer report;
    buffer_init(&report, ERROR_TEXT_BYTES_MAX * 64);
    status = postgres_schema_up(store, &report, error);
    buffer_deinit(&report);
    return status;
}

enum status store_postgres_open(struct store **store, const char *location,
                                const struct store_options *options, struct error *error) {
    struct postgres_store *postgres = memory_zeroed(1, sizeof *postgres);
    postgres->store.ops = &postgres_ops;
    postgres->url = memory_copy_string(options->url);
    postgres->random = random_from_system();
    postgres->options = (struct postgres_options){
        .url = postgres->url,
        .timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : STORE_TIMEOUT_MS,
        .pooled = options->pooled,
    };
    (void)location;
    postgres_wishes_init(&postgres->wishes, options);
    monitor_init(&postgres->monitor);
    name_owner(postgres);
    enum status status = STATUS_OK;
    if (!options->leave_schema)
        status = prepare_schema(&postgres->store, options->migrate == STORE_MIGRATE_ALWAYS, error);
    if (status != STATUS_OK) {
        close_store(&postgres->store);
        return status;
    }
    *store = &postgres->store;
    return STATUS_OK;
}
