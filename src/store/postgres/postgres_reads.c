#include "base/check.h"
#include "store/postgres/postgres_array.h"
#include "store/postgres/postgres_store.h"

#include <stdio.h>
#include <string.h>

/* As MESSAGE_COLUMNS in statements.def. */
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
};

static bool copy_column(const struct postgres_rows *rows, size_t row, enum column column,
                        struct arena *arena, struct text *target) {
    struct text value = postgres_text(rows, row, column);
    if (column == COLUMN_METADATA && value.len > MESSAGE_METADATA_BYTES_MAX)
        value.len = 0; /* it makes no sense in part */
    else if (column != COLUMN_METADATA && value.len > ERROR_TEXT_BYTES_MAX)
        value = text_utf8_prefix(value, ERROR_TEXT_BYTES_MAX);
    *target = arena_copy(arena, value);
    return target->data != NULL;
}

/* The database leaves out what is longer than we read. */
static bool copy_content(const struct postgres_rows *rows, size_t row, struct arena *arena,
                         struct text *target) {
    *target = (struct text){0};
    if (postgres_is_null(rows, row, COLUMN_CONTENT))
        return true;
    *target = postgres_text_restore(arena, postgres_text(rows, row, COLUMN_CONTENT));
    return target->data != NULL;
}

enum status postgres_read_message(const struct postgres_rows *rows, size_t row, struct arena *arena,
                                  struct message *message, struct error *error) {
    *message = (struct message){
        .priority = postgres_number(rows, row, COLUMN_PRIORITY),
        .attempts = postgres_number(rows, row, COLUMN_ATTEMPTS),
        .due_at_ms = postgres_number(rows, row, COLUMN_DUE_AT),
        .created_at_ms = postgres_number(rows, row, COLUMN_CREATED_AT),
        .sent_at_ms = postgres_number(rows, row, COLUMN_SENT_AT),
        .expires_at_ms = postgres_number(rows, row, COLUMN_EXPIRES_AT),
        .max_attempts = postgres_number(rows, row, COLUMN_MAX_ATTEMPTS),
    };
    struct text id = postgres_text(rows, row, COLUMN_ID);
    if (id.len > MESSAGE_ID_BYTES_MAX)
        return error_set(error, STATUS_BROKEN, "an id is longer than %d bytes: %.40s",
                         MESSAGE_ID_BYTES_MAX, id.data);
    memcpy(message->id.text, id.data, id.len);
    if (!message_state_from_name(postgres_text(rows, row, COLUMN_STATUS), &message->state))
        return error_set(error, STATUS_BROKEN, "message %s has an unknown status",
                         message->id.text);
    if (copy_column(rows, row, COLUMN_RECIPIENT, arena, &message->recipient) &&
        copy_content(rows, row, arena, &message->content) &&
        copy_column(rows, row, COLUMN_METADATA, arena, &message->metadata) &&
        copy_column(rows, row, COLUMN_PROVIDER, arena, &message->provider) &&
        copy_column(rows, row, COLUMN_PROVIDER_ID, arena, &message->provider_id) &&
        copy_column(rows, row, COLUMN_ERROR, arena, &message->error))
        return STATUS_OK;
    return error_set(error, STATUS_FULL, "the messages take too much memory");
}

enum status postgres_read_rows(struct store_session *session, enum postgres_statement which,
                               const char *const *parameters, struct postgres_rows *rows,
                               struct error *error) {
    struct postgres_connection *connection = postgres_session_of(session)->connection;
    enum status status = postgres_run(connection, which, parameters, rows, error);
    if (status == STATUS_UNAVAILABLE)
        status = postgres_run(connection, which, parameters, rows, error);
    return status;
}

bool postgres_id_parameter(struct text id, char parameter[MESSAGE_ID_BYTES_MAX + 1]) {
    if (id.len > MESSAGE_ID_BYTES_MAX || memchr(id.data, '\0', id.len) != NULL ||
        text_utf8_count(id) < 0)
        return false;
    memcpy(parameter, id.data, id.len);
    parameter[id.len] = '\0';
    return true;
}

static enum status not_found(struct error *error) {
    return error_set(error, STATUS_NOT_FOUND, "there is no message with this id");
}

enum status postgres_get(struct store_session *session, struct text id, struct arena *arena,
                         struct message *message, struct error *error) {
    char parameter[MESSAGE_ID_BYTES_MAX + 1];
    if (!postgres_id_parameter(id, parameter))
        return not_found(error);
    struct postgres_rows rows;
    enum status status =
        postgres_read_rows(session, POSTGRES_GET, (const char *const[]){parameter}, &rows, error);
    if (status != STATUS_OK)
        return status;
    status =
        rows.count > 0 ? postgres_read_message(&rows, 0, arena, message, error) : not_found(error);
    postgres_rows_deinit(&rows);
    return status;
}

static void read_attempt(const struct postgres_rows *rows, size_t row, struct attempt *attempt) {
    attempt->number = postgres_number(rows, row, 0);
    attempt->at_ms = postgres_number(rows, row, 1);
    attempt->http_status = postgres_number(rows, row, 3);
    attempt->duration_ms = postgres_number(rows, row, 5);
    attempt->class = ATTEMPT_INVALID;
    attempt_class_from_name(postgres_text(rows, row, 2), &attempt->class);
    attempt_set_excerpt(attempt, postgres_text(rows, row, 4));
}

enum status postgres_attempts(struct store_session *session, struct text id, struct arena *arena,
                              struct attempt_list *attempts, struct error *error) {
    char parameter[MESSAGE_ID_BYTES_MAX + 1];
    if (!postgres_id_parameter(id, parameter))
        return STATUS_OK;
    struct postgres_rows rows;
    enum status status = postgres_read_rows(session, POSTGRES_ATTEMPTS,
                                            (const char *const[]){parameter}, &rows, error);
    if (status != STATUS_OK)
        return status;
    if (rows.count > 0)
        attempts->items = arena_alloc(arena, rows.count * sizeof *attempts->items);
    if (rows.count > 0 && attempts->items == NULL)
        status = error_set(error, STATUS_FULL, "the attempts take too much memory");
    for (; status == STATUS_OK && attempts->count < rows.count; attempts->count++)
        read_attempt(&rows, attempts->count, &attempts->items[attempts->count]);
    postgres_rows_deinit(&rows);
    return status;
}

static void read_depth(const struct postgres_rows *rows, struct store_depth *depth) {
    for (size_t row = 0; row < rows->count; row++) {
        struct text name = postgres_text(rows, row, 0);
        enum message_state state;
        if (message_state_from_name(name, &state))
            depth->messages[state] += postgres_number(rows, row, 1);
        else if (!postgres_is_null(rows, row, 1))
            depth->oldest_due_age_ms = postgres_number(rows, row, 1);
    }
    depth->messages[MESSAGE_PENDING] -= depth->messages[MESSAGE_SENDING];
    /* The clock of a row's default and ours may differ by a moment. */
    if (depth->oldest_due_age_ms < -1)
        depth->oldest_due_age_ms = 0;
}

enum status postgres_depth(struct store_session *session, struct store_depth *depth,
                           struct error *error) {
    struct postgres_rows rows;
    enum status status = postgres_read_rows(session, POSTGRES_DEPTH, NULL, &rows, error);
    if (status != STATUS_OK)
        return status;
    read_depth(&rows, depth);
    postgres_rows_deinit(&rows);
    postgres_compact(session);
    return STATUS_OK;
}
