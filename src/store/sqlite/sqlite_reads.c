#include "base/check.h"
#include "store/sqlite/sqlite_store.h"

#include <stdio.h>

enum column {
    COLUMN_ID,
    COLUMN_RECIPIENT,
    COLUMN_CONTENT,
    COLUMN_STATUS,
    COLUMN_PRIORITY,
    COLUMN_ATTEMPTS,
    COLUMN_DUE_AT,
    COLUMN_CREATED_AT,
    COLUMN_SENT_AT,
    COLUMN_PROVIDER_ID,
    COLUMN_ERROR,
    COLUMN_EXPIRES_AT,
    COLUMN_MAX_ATTEMPTS,
    COLUMN_METADATA,
    COLUMN_PROVIDER,
    COLUMN_CLAIMED,
};

/* Anybody may write into the table, so no length can be relied on: what is longer than we read
 * comes out as {NULL, 0} (content: "too long"), empty (metadata, which makes no sense in part) or
 * cut (the rest). */
static bool copy_column(sqlite3_stmt *row, enum column column, struct arena *arena,
                        struct text *target) {
    struct text value = sqlite_column_view(row, column);
    if (column == COLUMN_CONTENT && value.len > MESSAGE_CONTENT_BYTES_MAX) {
        *target = (struct text){0};
        return true;
    }
    if (column == COLUMN_METADATA && value.len > MESSAGE_METADATA_BYTES_MAX)
        value.len = 0;
    else if (column != COLUMN_METADATA && column != COLUMN_CONTENT &&
             value.len > ERROR_TEXT_BYTES_MAX)
        value.len = ERROR_TEXT_BYTES_MAX;
    *target = arena_copy(arena, value);
    return target->data != NULL;
}

enum status sqlite_read_message(sqlite3_stmt *row, struct arena *arena, struct message *message,
                                struct error *error) {
    *message = (struct message){
        .priority = sqlite3_column_int64(row, COLUMN_PRIORITY),
        .attempts = sqlite3_column_int64(row, COLUMN_ATTEMPTS),
        .due_at_ms = sqlite3_column_int64(row, COLUMN_DUE_AT),
        .created_at_ms = sqlite3_column_int64(row, COLUMN_CREATED_AT),
        .sent_at_ms = sqlite3_column_int64(row, COLUMN_SENT_AT),
        .expires_at_ms = sqlite3_column_int64(row, COLUMN_EXPIRES_AT),
        .max_attempts = sqlite3_column_int64(row, COLUMN_MAX_ATTEMPTS),
    };
    snprintf(message->id.text, sizeof message->id.text, "%lld",
             (long long)sqlite3_column_int64(row, COLUMN_ID));
    if (!message_state_from_name(sqlite_column_view(row, COLUMN_STATUS), &message->state))
        return error_set(error, STATUS_BROKEN, "message %s has an unknown status",
                         message->id.text);
    if (message->state == MESSAGE_PENDING && sqlite3_column_int(row, COLUMN_CLAIMED) != 0)
        message_state_move(&message->state, MESSAGE_SENDING);
    if (copy_column(row, COLUMN_RECIPIENT, arena, &message->recipient) &&
        copy_column(row, COLUMN_CONTENT, arena, &message->content) &&
        copy_column(row, COLUMN_METADATA, arena, &message->metadata) &&
        copy_column(row, COLUMN_PROVIDER, arena, &message->provider) &&
        copy_column(row, COLUMN_PROVIDER_ID, arena, &message->provider_id) &&
        copy_column(row, COLUMN_ERROR, arena, &message->error))
        return STATUS_OK;
    return error_set(error, STATUS_FULL, "the messages take too much memory");
}

static enum status not_found(struct error *error) {
    return error_set(error, STATUS_NOT_FOUND, "there is no message with this id");
}

enum status sqlite_get(struct store_session *session, struct text id, struct arena *arena,
                       struct message *message, struct error *error) {
    int64_t number = 0;
    if (!message_id_to_number(id, &number))
        return not_found(error);
    struct sqlite_connection *connection = sqlite_connection_of(session);
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_GET_MESSAGE, error);
    if (row == NULL)
        return error->status;
    sqlite3_bind_int64(row, 1, number);
    bool found = false;
    enum status status = sqlite_next(connection, row, &found, error);
    if (status == STATUS_OK)
        status = found ? sqlite_read_message(row, arena, message, error) : not_found(error);
    sqlite3_reset(row);
    return status;
}

static bool read_attempt(sqlite3_stmt *row, struct arena *arena, struct attempt_list *list) {
    /* Rows come one by one and their number is unknown; the arena keeps them in one piece by
     * doubling. */
    bool full = (list->count & (list->count - 1)) == 0;
    if (full) {
        size_t size = list->count > 0 ? list->count * 2 : 1;
        struct attempt *items = arena_alloc(arena, size * sizeof *items);
        if (items == NULL)
            return false;
        for (size_t i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    struct attempt *attempt = &list->items[list->count++];
    attempt->number = sqlite3_column_int64(row, 0);
    attempt->at_ms = sqlite3_column_int64(row, 1);
    attempt->http_status = sqlite3_column_int64(row, 3);
    attempt->duration_ms = sqlite3_column_int64(row, 5);
    attempt->class = ATTEMPT_INVALID;
    attempt_class_from_name(sqlite_column_view(row, 2), &attempt->class);
    attempt_set_excerpt(attempt, sqlite_column_view(row, 4));
    return true;
}

enum status sqlite_attempts(struct store_session *session, struct text id, struct arena *arena,
                            struct attempt_list *attempts, struct error *error) {
    int64_t number = 0;
    if (!message_id_to_number(id, &number))
        return STATUS_OK;
    struct sqlite_connection *connection = sqlite_connection_of(session);
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_GET_ATTEMPTS, error);
    if (row == NULL)
        return error->status;
    sqlite3_bind_int64(row, 1, number);
    bool found = true;
    enum status status = STATUS_OK;
    while ((status = sqlite_next(connection, row, &found, error)) == STATUS_OK && found) {
        if (read_attempt(row, arena, attempts))
            continue;
        status = error_set(error, STATUS_FULL, "the attempts take too much memory");
        break;
    }
    sqlite3_reset(row);
    return status;
}
