/* Settling: one transaction for many outcomes of many claims, each claim fenced by its token. */
#include "base/check.h"
#include "store/sqlite/sqlite_ids.h"
#include "store/sqlite/sqlite_store.h"

enum status sqlite_insert_attempt(struct sqlite_connection *connection, int64_t message_id,
                                  const struct attempt *attempt, struct error *error) {
    sqlite3_stmt *insert = sqlite_statement(connection, SQLITE_INSERT_ATTEMPT, error);
    if (insert == NULL)
        return error->status;
    sqlite3_bind_int64(insert, 1, message_id);
    sqlite3_bind_int64(insert, 2, attempt->number);
    sqlite3_bind_int64(insert, 3, attempt->at_ms);
    sqlite_bind_view(insert, 4, text_of(attempt_class_name(attempt->class)));
    sqlite3_bind_int64(insert, 5, attempt->http_status);
    sqlite_bind_view(insert, 6, text_of(attempt->excerpt));
    sqlite3_bind_int64(insert, 7, attempt->duration_ms);
    return sqlite_run(connection, insert, error);
}

static void bind_sent(sqlite3_stmt *update, const struct outcome *outcome, int64_t now_ms) {
    sqlite3_bind_int64(update, 2, now_ms);
    sqlite3_bind_int64(update, 4, outcome_attempts(outcome));
    if (outcome->provider_id[0] != '\0')
        sqlite_bind_view(update, 3, text_of(outcome->provider_id));
    else
        sqlite3_bind_null(update, 3);
}

static void bind_failure(sqlite3_stmt *update, const struct outcome *outcome, int64_t now_ms) {
    if (outcome->kind == OUTCOME_RETRY)
        sqlite3_bind_int64(update, 2, now_ms + outcome->delay_ms);
    else
        sqlite3_bind_int64(update, 2, outcome_attempts(outcome));
    sqlite_bind_view(update, 3, text_of(outcome->attempt.excerpt));
}

/* Moves one message; a released one needs no write, because a claim writes nothing to it. */
static enum status settle_message(struct sqlite_connection *connection, int64_t message_id,
                                  const struct outcome *outcome, int64_t now_ms,
                                  struct error *error) {
    static const enum sqlite_statement updates[] = {
        [OUTCOME_SENT] = SQLITE_SETTLE_SENT,
        [OUTCOME_RETRY] = SQLITE_SETTLE_RETRY,
        [OUTCOME_FAILED] = SQLITE_SETTLE_FAILED,
        [OUTCOME_EXPIRED] = SQLITE_SETTLE_EXPIRED,
    };
    if (outcome->kind == OUTCOME_RELEASED)
        return STATUS_OK;
    sqlite3_stmt *update = sqlite_statement(connection, updates[outcome->kind], error);
    if (update == NULL)
        return error->status;
    sqlite3_bind_int64(update, 1, message_id);
    if (outcome->kind == OUTCOME_SENT)
        bind_sent(update, outcome, now_ms);
    else
        bind_failure(update, outcome, now_ms);
    enum status status = sqlite_run(connection, update, error);
    bool moved = status == STATUS_OK && sqlite3_changes(connection->db) > 0;
    if (moved && outcome->kind != OUTCOME_SENT)
        status = sqlite_insert_attempt(connection, message_id, &outcome->attempt, error);
    return status;
}

static enum status still_holds(struct sqlite_connection *connection, const struct claim *claim,
                               bool *holds, struct error *error) {
    sqlite3_stmt *find = sqlite_statement(connection, SQLITE_FIND_CLAIM, error);
    if (find == NULL)
        return error->status;
    sqlite3_bind_int64(find, 1, claim->id);
    sqlite_bind_view(find, 2, text_of(claim->token));
    int64_t found = 0;
    enum status status = sqlite_read_number(connection, find, &found, error);
    *holds = found == 1;
    return status;
}

/* Takes the settled messages off the claim, or ends it with its last one. */
static enum status shrink_claim(struct sqlite_connection *connection, const struct claim *claim,
                                bool last, struct error *error) {
    enum sqlite_statement which = last ? SQLITE_DELETE_CLAIM : SQLITE_SHRINK_CLAIM;
    sqlite3_stmt *change = sqlite_statement(connection, which, error);
    if (change == NULL)
        return error->status;
    struct buffer json;
    buffer_init(&json, SQLITE_IDS_JSON_BYTES_MAX);
    sqlite3_bind_int64(change, 1, claim->id);
    if (!last) {
        sqlite_ids_write_unsettled(&json, claim);
        sqlite_bind_view(change, 2, buffer_view(&json));
    }
    enum status status = sqlite_run(connection, change, error);
    buffer_deinit(&json);
    return status;
}

static enum status settle_claim(struct store_session *session, struct settlement *settlement,
                                int64_t now_ms, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    struct claim *claim = settlement->claim;
    bool holds = false;
    enum status status = still_holds(connection, claim, &holds, error);
    settlement->conflict = status == STATUS_OK && !holds;
    if (!holds)
        return status;
    for (size_t i = 0; i < settlement->count && status == STATUS_OK; i++) {
        int64_t id = 0;
        const struct message *message = &claim->messages[settlement->indexes[i]];
        bool numeric = text_to_int64(text_of(message->id.text), &id);
        check(numeric);
        status = settle_message(connection, id, settlement->outcomes[i], now_ms, error);
    }
    bool last = claim->unsettled == settlement->count;
    return status == STATUS_OK ? shrink_claim(connection, claim, last, error) : status;
}

enum status sqlite_settle(struct store_session *session, struct settlement *settlements,
                          size_t count, struct error *error) {
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = settle_claim(session, &settlements[i], now_ms, error);
    return sqlite_write_end(session, status, error);
}
