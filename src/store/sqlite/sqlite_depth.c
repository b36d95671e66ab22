#include "store/sqlite/sqlite_store.h"

static enum status count_by_status(struct sqlite_connection *connection, struct store_depth *depth,
                                   struct error *error) {
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_COUNT_BY_STATUS, error);
    if (row == NULL)
        return error->status;
    bool found = true;
    enum status status = STATUS_OK;
    while ((status = sqlite_next(connection, row, &found, error)) == STATUS_OK && found) {
        enum message_state state;
        if (message_state_from_name(sqlite_column_view(row, 0), &state))
            depth->messages[state] = sqlite3_column_int64(row, 1);
    }
    return status;
}

static enum status read_depth(struct sqlite_connection *connection, int64_t now_ms,
                              struct store_depth *depth, struct error *error) {
    sqlite3_stmt *claimed = sqlite_statement(connection, SQLITE_COUNT_CLAIMED, error);
    sqlite3_stmt *oldest = sqlite_statement(connection, SQLITE_OLDEST_DUE, error);
    if (claimed == NULL || oldest == NULL)
        return error->status;
    enum status status = count_by_status(connection, depth, error);
    if (status == STATUS_OK)
        status = sqlite_read_number(connection, claimed, &depth->messages[MESSAGE_SENDING], error);
    depth->messages[MESSAGE_PENDING] -= depth->messages[MESSAGE_SENDING];
    int64_t oldest_ms = -1;
    sqlite3_bind_int64(oldest, 1, now_ms);
    if (status == STATUS_OK)
        status = sqlite_read_number(connection, oldest, &oldest_ms, error);
    if (oldest_ms >= 0)
        depth->oldest_due_age_ms = now_ms > oldest_ms ? now_ms - oldest_ms : 0;
    return status;
}

enum status sqlite_depth(struct store_session *session, struct store_depth *depth,
                         struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    /* One snapshot, so that the numbers fit together. */
    enum status status = sqlite_execute(connection, "BEGIN", error);
    if (status != STATUS_OK)
        return status;
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    status = read_depth(connection, now_ms, depth, error);
    sqlite_rollback(connection);
    return status;
}
