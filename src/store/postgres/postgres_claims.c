#include "base/check.h"
#include "store/postgres/postgres_store.h"

#include <stdio.h>
#include <string.h>

static int64_t now_us(void) {
    return clock_monotonic_us(&clock_system);
}

/* Where to claim from: "" for everything. */
static const char *mark_of(struct store_session *session) {
    struct postgres_mark *mark = &postgres_session_of(session)->mark;
    uint64_t given_back = atomic_load(&postgres_store_of(session->store)->given_back);
    if (mark->given_back != given_back || now_us() >= mark->rescan_us)
        *mark = (struct postgres_mark){.given_back = given_back,
                                       .rescan_us = now_us() + POSTGRES_RESCAN_US};
    return mark->current.text;
}

/* A claim that was full leaves a backlog; the mark follows it with some delay, because the ids of
 * transactions that are under way come in late. */
static void move_mark(struct postgres_mark *mark, const struct claim *claim, bool full) {
    if (!full) {
        mark->current = mark->next = (struct message_id){""};
        return;
    }
    if (mark->next.text[0] != '\0' && now_us() < mark->next_since_us + POSTGRES_MARK_US)
        return;
    mark->current = mark->next;
    mark->next = claim->messages[claim->count - 1].id;
    mark->next_since_us = now_us();
}

static enum status read_claimed(struct store_session *session, struct claim *claim,
                                size_t messages_max, struct error *error) {
    struct postgres_session *postgres = postgres_session_of(session);
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)claim->id);
    struct postgres_rows rows;
    enum status status = postgres_run(postgres->connection, POSTGRES_CLAIMED,
                                      (const char *const[]){id}, &rows, error);
    if (status != STATUS_OK)
        return status;
    check(rows.count <= messages_max);
    for (; status == STATUS_OK && claim->count < rows.count; claim->count++)
        status = postgres_read_message(&rows, claim->count, &claim->arena,
                                       &claim->messages[claim->count], error);
    postgres_rows_deinit(&rows);
    return status;
}

static void new_token(struct store_session *session, char token[UUID_TEXT_BYTES]) {
    struct postgres_store *store = postgres_store_of(session->store);
    monitor_lock(&store->monitor);
    random_uuid(&store->random, token);
    monitor_unlock(&store->monitor);
}

/* Makes the record; `*claim_id` stays 0 when nothing was due. */
static enum status make_record(struct store_session *session, const struct claim_request *request,
                               struct claim *claim, struct claim_result *result,
                               struct error *error) {
    struct postgres_session *postgres = postgres_session_of(session);
    char messages_max[24], lease_ms[24];
    snprintf(messages_max, sizeof messages_max, "%zu", request->messages_max);
    snprintf(lease_ms, sizeof lease_ms, "%lld", (long long)request->lease_ms);
    const char *const parameters[] = {
        messages_max, lease_ms,         postgres_store_of(session->store)->owner,
        claim->token, mark_of(session), postgres->abandoned};
    struct postgres_rows rows;
    enum status status =
        postgres_run(postgres->connection, POSTGRES_CLAIM, parameters, &rows, error);
    if (status != STATUS_OK)
        return status;
    claim->id = postgres_number(&rows, 0, 0);
    result->taken_over = (size_t)postgres_number(&rows, 0, 1);
    if (!postgres_is_null(&rows, 0, 2))
        result->next_due_in_ms = postgres_number(&rows, 0, 2);
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}

/* Two steps, so that a record is never open while rows travel. What fails in between leaves a
 * claim that nobody has; its token is remembered, and the next claim ends it. */
static enum status claim_into(struct store_session *session, const struct claim_request *request,
                              struct claim *claim, struct claim_result *result,
                              struct error *error) {
    struct postgres_session *postgres = postgres_session_of(session);
    enum status status = make_record(session, request, claim, result, error);
    if (status == STATUS_OK)
        postgres->abandoned[0] = '\0';
    if (status == STATUS_OK && claim->id != 0)
        status = read_claimed(session, claim, request->messages_max, error);
    /* All its messages were deleted meanwhile, or nobody knows whether it was made. */
    bool nobodys = status != STATUS_OK || (claim->id != 0 && claim->count == 0);
    if (nobodys && (claim->id != 0 || postgres->abandoned[0] == '\0'))
        snprintf(postgres->abandoned, sizeof postgres->abandoned, "%s", claim->token);
    return status;
}

enum status postgres_claim(struct store_session *session, const struct claim_request *request,
                           struct claim_result *result, struct error *error) {
    struct postgres_mark *mark = &postgres_session_of(session)->mark;
    struct claim *claim = claim_create(request->messages_max);
    new_token(session, claim->token);
    enum status status = claim_into(session, request, claim, result, error);
    if (status != STATUS_OK) {
        claim_destroy(claim);
        *result = (struct claim_result){.next_due_in_ms = -1};
        return status;
    }
    bool passed_over = mark->current.text[0] != '\0';
    move_mark(mark, claim, claim->count == request->messages_max);
    postgres_compact(session);
    if (claim->count > 0) {
        result->claim = claim;
        return STATUS_OK;
    }
    claim_destroy(claim);
    /* What lies before the mark is looked at before we say that nothing is due. */
    return passed_over ? postgres_claim(session, request, result, error) : STATUS_OK;
}

enum status postgres_extend(struct store_session *session, const struct claim *claim,
                            int64_t lease_ms, struct error *error) {
    char id[24], lease[24];
    snprintf(id, sizeof id, "%lld", (long long)claim->id);
    snprintf(lease, sizeof lease, "%lld", (long long)lease_ms);
    struct postgres_rows rows;
    enum status status = postgres_run(postgres_session_of(session)->connection, POSTGRES_EXTEND,
                                      (const char *const[]){id, claim->token, lease}, &rows, error);
    if (status != STATUS_OK)
        return status;
    bool extended = postgres_number(&rows, 0, 0) == 1;
    postgres_rows_deinit(&rows);
    return extended ? STATUS_OK : error_set(error, STATUS_CONFLICT, "the claim was lost");
}
