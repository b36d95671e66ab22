#include "store/sqlite/sqlite_store.h"

#include <stdio.h>

static void bind_optional_time(sqlite3_stmt *insert, int parameter, int64_t at_ms) {
    if (at_ms > 0)
        sqlite3_bind_int64(insert, parameter, at_ms);
    else
        sqlite3_bind_null(insert, parameter);
}

static void bind_optional_text(sqlite3_stmt *insert, int parameter, struct text text) {
    if (text.len > 0)
        sqlite_bind_view(insert, parameter, text);
    else
        sqlite3_bind_null(insert, parameter);
}

static enum status insert_message(struct sqlite_connection *connection, sqlite3_stmt *insert,
                                  const struct message_draft *draft, int64_t now_ms,
                                  struct error *error) {
    sqlite_bind_view(insert, 1, draft->recipient);
    sqlite_bind_view(insert, 2, draft->content);
    sqlite3_bind_int64(insert, 3, draft->priority);
    sqlite3_bind_int64(insert, 4, now_ms);
    bind_optional_time(insert, 5, draft->due_at_ms > now_ms ? draft->due_at_ms : 0);
    bind_optional_time(insert, 6, draft->expires_at_ms);
    sqlite3_bind_int64(insert, 7, draft->max_attempts);
    bind_optional_text(insert, 8, draft->metadata);
    bind_optional_text(insert, 9, draft->provider);
    return sqlite_run(connection, insert, error);
}

static enum status insert_key(struct sqlite_connection *connection,
                              const struct message_draft *draft, int64_t id, int64_t now_ms,
                              struct error *error) {
    sqlite3_stmt *insert = sqlite_statement(connection, SQLITE_INSERT_KEY, error);
    if (insert == NULL)
        return error->status;
    sqlite_bind_view(insert, 1, draft->key);
    sqlite_bind_view(insert, 2, draft->fingerprint);
    sqlite3_bind_int64(insert, 3, id);
    sqlite3_bind_int64(insert, 4, now_ms);
    enum status status = sqlite_run(connection, insert, error);
    if (status == STATUS_OK && sqlite3_changes(connection->db) == 0)
        return error_set(error, STATUS_CONFLICT, "the idempotency key is there already");
    return status;
}

static enum status forget_keys(struct sqlite_connection *connection, int64_t now_ms,
                               struct error *error) {
    sqlite3_stmt *forget = sqlite_statement(connection, SQLITE_FORGET_KEYS, error);
    if (forget == NULL)
        return error->status;
    sqlite3_bind_int64(forget, 1, now_ms - STORE_KEY_AGE_MS);
    return sqlite_run(connection, forget, error);
}

static enum status insert_all(struct store_session *session, const struct message_draft *drafts,
                              size_t count, struct message_id *ids, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    sqlite3_stmt *insert = sqlite_statement(connection, SQLITE_INSERT_MESSAGE, error);
    if (insert == NULL)
        return error->status;
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    enum status status = STATUS_OK;
    bool keyed = false;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = insert_message(connection, insert, &drafts[i], now_ms, error);
        int64_t id = sqlite3_last_insert_rowid(connection->db);
        snprintf(ids[i].text, sizeof ids[i].text, "%lld", (long long)id);
        if (status != STATUS_OK || drafts[i].key.len == 0)
            continue;
        keyed = true;
        status = insert_key(connection, &drafts[i], id, now_ms, error);
    }
    return status == STATUS_OK && keyed ? forget_keys(connection, now_ms, error) : status;
}

enum status sqlite_insert(struct store_session *session, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error) {
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    status = insert_all(session, drafts, count, ids, error);
    return sqlite_write_end(session, status, error);
}

enum status sqlite_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                             struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        sqlite3_stmt *row = sqlite_statement(connection, SQLITE_FIND_KEY, error);
        if (row == NULL)
            return error->status;
        sqlite_bind_view(row, 1, keys[i].key);
        status = sqlite_next(connection, row, &keys[i].found, error);
        if (status != STATUS_OK || !keys[i].found)
            continue;
        snprintf(keys[i].fingerprint, sizeof keys[i].fingerprint, "%s",
                 sqlite_column_view(row, 0).data);
        snprintf(keys[i].id.text, sizeof keys[i].id.text, "%lld",
                 (long long)sqlite3_column_int64(row, 1));
        keys[i].created_at_ms = sqlite3_column_int64(row, 2);
        sqlite3_reset(row);
    }
    return status;
}
