/* Claims: one row of the claims table per batch, nothing written to the messages. */
#include "base/check.h"
#include "store/sqlite/sqlite_ids.h"
#include "store/sqlite/sqlite_store.h"

/* What the claims table says at the beginning of a claim. */
struct claims_seen {
    struct sqlite_ids held;        /* messages of live claims */
    struct sqlite_ids lost;        /* messages of claims that are over */
    struct sqlite_ids lost_claims; /* the claims of those */
};

static void claims_seen_deinit(struct claims_seen *seen) {
    sqlite_ids_deinit(&seen->held);
    sqlite_ids_deinit(&seen->lost);
    sqlite_ids_deinit(&seen->lost_claims);
}

static enum status see_claims(struct store_session *session, int64_t now_ms,
                              struct claims_seen *seen, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    const struct sqlite_owner *self = &sqlite_store_of(session->store)->owner;
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_SELECT_CLAIMS, error);
    if (row == NULL)
        return error->status;
    bool found = true;
    enum status status = STATUS_OK;
    while ((status = sqlite_next(connection, row, &found, error)) == STATUS_OK && found) {
        bool over = sqlite3_column_int64(row, 2) <= now_ms ||
                    sqlite_owner_is_dead(self, sqlite3_column_int64(row, 1));
        sqlite_ids_parse(over ? &seen->lost : &seen->held, sqlite_column_view(row, 3));
        if (over)
            sqlite_ids_add(&seen->lost_claims, sqlite3_column_int64(row, 0));
    }
    sqlite_ids_sort(&seen->held);
    return status;
}

/* Counts an attempt, because the request may have been made, and leaves the message due. */
static enum status take_back(struct sqlite_connection *connection, int64_t message_id,
                             int64_t now_ms, size_t *taken_over, struct error *error) {
    sqlite3_stmt *update = sqlite_statement(connection, SQLITE_TAKE_BACK, error);
    if (update == NULL)
        return error->status;
    sqlite3_bind_int64(update, 1, message_id);
    sqlite_bind_view(update, 2, TEXT_LITERAL(ATTEMPT_LEASE_EXPIRED_TEXT));
    bool found = false;
    enum status status = sqlite_next(connection, update, &found, error);
    if (status != STATUS_OK || !found)
        return status;
    struct attempt attempt = {.number = sqlite3_column_int64(update, 0),
                              .at_ms = now_ms,
                              .class = ATTEMPT_LEASE_EXPIRED,
                              .excerpt = ATTEMPT_LEASE_EXPIRED_TEXT};
    status = sqlite_run(connection, update, error);
    if (status == STATUS_OK)
        status = sqlite_insert_attempt(connection, message_id, &attempt, error);
    *taken_over += 1;
    return status;
}

static enum status end_lost_claims(struct sqlite_connection *connection,
                                   const struct claims_seen *seen, int64_t now_ms,
                                   size_t *taken_over, struct error *error) {
    sqlite3_stmt *end = sqlite_statement(connection, SQLITE_DELETE_CLAIM, error);
    enum status status = end != NULL ? STATUS_OK : error->status;
    for (size_t i = 0; i < seen->lost_claims.count && status == STATUS_OK; i++) {
        sqlite3_bind_int64(end, 1, seen->lost_claims.items[i]);
        status = sqlite_run(connection, end, error);
    }
    for (size_t i = 0; i < seen->lost.count && status == STATUS_OK; i++)
        status = take_back(connection, seen->lost.items[i], now_ms, taken_over, error);
    return status;
}

static enum status promote_due(struct sqlite_connection *connection, int64_t now_ms,
                               struct error *error) {
    sqlite3_stmt *promote = sqlite_statement(connection, SQLITE_PROMOTE_DUE, error);
    if (promote == NULL)
        return error->status;
    sqlite3_bind_int64(promote, 1, now_ms);
    return sqlite_run(connection, promote, error);
}

/* Reads what is due and held by nobody, and writes its ids to `json`. */
static enum status read_ready(struct sqlite_connection *connection, const struct sqlite_ids *held,
                              size_t messages_max, struct claim *claim, struct error *error) {
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_SELECT_READY, error);
    if (row == NULL)
        return error->status;
    bool found = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && claim->count < messages_max) {
        status = sqlite_next(connection, row, &found, error);
        if (status != STATUS_OK || !found)
            break;
        if (sqlite_ids_contain(held, sqlite3_column_int64(row, 0)))
            continue;
        struct message *message = &claim->messages[claim->count++];
        status = sqlite_read_message(row, &claim->arena, message, error);
    }
    sqlite3_reset(row);
    return status;
}

static enum status write_claim(struct store_session *session, struct claim *claim,
                               int64_t lease_until_ms, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    struct sqlite_store *store = sqlite_store_of(session->store);
    sqlite3_stmt *insert = sqlite_statement(connection, SQLITE_INSERT_CLAIM, error);
    if (insert == NULL)
        return error->status;
    struct buffer json;
    buffer_init(&json, SQLITE_IDS_JSON_BYTES_MAX);
    sqlite_ids_write_unsettled(&json, claim);
    random_uuid(&store->random, claim->token);
    sqlite3_bind_int64(insert, 1, store->owner.id);
    sqlite_bind_view(insert, 2, text_of(claim->token));
    sqlite3_bind_int64(insert, 3, lease_until_ms);
    sqlite_bind_view(insert, 4, buffer_view(&json));
    enum status status = sqlite_run(connection, insert, error);
    claim->id = sqlite3_last_insert_rowid(connection->db);
    buffer_deinit(&json);
    return status;
}

static enum status claim_ready(struct store_session *session, const struct claim_request *request,
                               const struct claims_seen *seen, struct claim_result *result,
                               struct error *error) {
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    struct claim *claim = claim_create(request->messages_max);
    enum status status =
        read_ready(sqlite_connection_of(session), &seen->held, request->messages_max, claim, error);
    if (status == STATUS_OK && claim->count > 0)
        status = write_claim(session, claim, now_ms + request->lease_ms, error);
    if (status == STATUS_OK && claim->count > 0)
        result->claim = claim;
    else
        claim_destroy(claim);
    return status;
}

static enum status read_next_due(struct sqlite_connection *connection, int64_t now_ms,
                                 struct claim_result *result, struct error *error) {
    sqlite3_stmt *next = sqlite_statement(connection, SQLITE_NEXT_DUE, error);
    if (next == NULL)
        return error->status;
    int64_t next_ms = -1;
    enum status status = sqlite_read_number(connection, next, &next_ms, error);
    if (next_ms >= 0)
        result->next_due_in_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    return status;
}

/* The writing part, run within a transaction. */
static enum status claim_in_transaction(struct store_session *session,
                                        const struct claim_request *request,
                                        struct claim_result *result, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    struct claims_seen seen = {0};
    enum status status = see_claims(session, now_ms, &seen, error);
    if (status == STATUS_OK)
        status = end_lost_claims(connection, &seen, now_ms, &result->taken_over, error);
    if (status == STATUS_OK)
        status = promote_due(connection, now_ms, error);
    if (status == STATUS_OK)
        status = claim_ready(session, request, &seen, result, error);
    if (status == STATUS_OK)
        status = read_next_due(connection, now_ms, result, error);
    claims_seen_deinit(&seen);
    return status;
}

/* Whether anything is due, held or not, and else when the next thing will be: read without a lock,
 * so that an idle dispatcher writes nothing. */
static enum status look(struct store_session *session, bool *due, struct claim_result *result,
                        struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
    sqlite3_stmt *any = sqlite_statement(connection, SQLITE_ANY_DUE, error);
    if (any == NULL)
        return error->status;
    sqlite3_bind_int64(any, 1, now_ms);
    int64_t is_due = 0;
    enum status status = sqlite_read_number(connection, any, &is_due, error);
    *due = is_due != 0;
    if (status == STATUS_OK && !*due)
        status = read_next_due(connection, now_ms, result, error);
    return status;
}

enum status sqlite_claim(struct store_session *session, const struct claim_request *request,
                         struct claim_result *result, struct error *error) {
    bool due = false;
    enum status status = look(session, &due, result, error);
    if (status != STATUS_OK || !due)
        return status;
    status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    status = claim_in_transaction(session, request, result, error);
    status = sqlite_write_end(session, status, error);
    if (status != STATUS_OK) {
        claim_destroy(result->claim);
        *result = (struct claim_result){.next_due_in_ms = -1};
    }
    return status;
}

enum status sqlite_extend(struct store_session *session, const struct claim *claim,
                          int64_t lease_ms, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *update = sqlite_statement(connection, SQLITE_EXTEND_CLAIM, error);
    status = update != NULL ? STATUS_OK : error->status;
    if (status == STATUS_OK) {
        int64_t now_ms = clock_wall_ms(sqlite_store_of(session->store)->clock);
        sqlite3_bind_int64(update, 1, claim->id);
        sqlite_bind_view(update, 2, text_of(claim->token));
        sqlite3_bind_int64(update, 3, now_ms + lease_ms);
        status = sqlite_run(connection, update, error);
    }
    if (status == STATUS_OK && sqlite3_changes(connection->db) == 0)
        status = error_set(error, STATUS_CONFLICT, "the claim was lost");
    return sqlite_write_end(session, status, error);
}
