/* Settling: one transaction for many outcomes of many claims, written only while every one of the
 * claims bears its token. */
#include "base/check.h"
#include "base/json_writer.h"
#include "store/postgres/postgres_array.h"
#include "store/postgres/postgres_store.h"

#define SETTLE_BYTES_MAX ((size_t)64 << 20)

/* The parameters of posthaste_settle, in its order; unsent is JSON, the others are arrays. */
enum parameter {
    CLAIMS,
    TOKENS,
    SENT_IDS,
    PROVIDER_IDS,
    COUNTED,
    UNSENT,
    ENDED,
    SHRUNK,
    GONE,
    PARAMETERS,
};

struct request {
    struct buffer buffers[PARAMETERS];
    struct json_writer unsent;
    bool gives_back;
};

static void request_init(struct request *request) {
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (i == UNSENT)
            buffer_init(&request->buffers[i], SETTLE_BYTES_MAX);
        else
            postgres_array_open(&request->buffers[i], SETTLE_BYTES_MAX);
    }
    request->unsent = json_writer_on(&request->buffers[UNSENT]);
    json_array_open(&request->unsent);
    request->gives_back = false;
}

static void request_deinit(struct request *request) {
    for (size_t i = 0; i < PARAMETERS; i++)
        buffer_deinit(&request->buffers[i]);
}

static void add_sent(struct request *request, const struct message *message,
                     const struct outcome *outcome) {
    postgres_array_add_text(&request->buffers[SENT_IDS], text_of(message->id.text));
    postgres_array_add_text(&request->buffers[PROVIDER_IDS], text_of(outcome->provider_id));
    postgres_array_add_number(&request->buffers[COUNTED], outcome_attempts(outcome));
}

static void add_unsent(struct request *request, const struct message *message,
                       const struct outcome *outcome) {
    struct json_writer *json = &request->unsent;
    const struct attempt *attempt = &outcome->attempt;
    json_object_open(json);
    json_member_string(json, "id", message->id.text);
    json_member_string(json, "kind",
                       outcome->kind == OUTCOME_RETRY     ? "retry"
                       : outcome->kind == OUTCOME_EXPIRED ? "expired"
                                                          : "failed");
    json_member_int64(json, "delay_ms", outcome->delay_ms);
    json_member_int64(json, "counted", outcome_attempts(outcome));
    json_member_int64(json, "number", attempt->number);
    json_member_int64(json, "at_ms", attempt->at_ms);
    json_member_string(json, "class", attempt_class_name(attempt->class));
    json_member_int64(json, "http_status", attempt->http_status);
    json_member_string(json, "excerpt", attempt->excerpt);
    json_member_int64(json, "duration_ms", attempt->duration_ms);
    json_object_close(json);
}

static void add_settlement(struct request *request, const struct settlement *settlement) {
    const struct claim *claim = settlement->claim;
    bool last = claim->unsettled == settlement->count, shrinks = false;
    postgres_array_add_number(&request->buffers[CLAIMS], claim->id);
    postgres_array_add_text(&request->buffers[TOKENS], text_of(claim->token));
    for (size_t i = 0; i < settlement->count; i++) {
        const struct message *message = &claim->messages[settlement->indexes[i]];
        const struct outcome *outcome = settlement->outcomes[i];
        if (outcome->kind == OUTCOME_SENT) {
            add_sent(request, message, outcome);
            continue;
        }
        shrinks = true;
        request->gives_back = request->gives_back || outcome->kind == OUTCOME_RELEASED;
        postgres_array_add_text(&request->buffers[GONE], text_of(message->id.text));
        if (outcome->kind != OUTCOME_RELEASED)
            add_unsent(request, message, outcome);
    }
    if (last)
        postgres_array_add_number(&request->buffers[ENDED], claim->id);
    else if (shrinks)
        postgres_array_add_number(&request->buffers[SHRUNK], claim->id);
}

static enum status send_request(struct store_session *session, struct request *request,
                                struct postgres_rows *rows, struct error *error) {
    const char *parameters[PARAMETERS];
    json_array_close(&request->unsent);
    for (size_t i = 0; i < PARAMETERS; i++) {
        struct buffer *buffer = &request->buffers[i];
        parameters[i] = i == UNSENT ? buffer_view(buffer).data : postgres_array_close(buffer);
        if (parameters[i] == NULL || buffer->overflowed)
            return error_set(error, STATUS_FULL, "the outcomes take more than %zu bytes",
                             SETTLE_BYTES_MAX);
    }
    return postgres_run(postgres_session_of(session)->connection, POSTGRES_SETTLE, parameters, rows,
                        error);
}

static bool holds(const struct postgres_rows *held, const struct claim *claim) {
    for (size_t row = 0; row < held->count; row++)
        if (postgres_number(held, row, 0) == claim->id)
            return true;
    return false;
}

/* One try with all that are not known to be lost; `*left` counts them before and after. When some
 * turn out to be lost nothing was written, and `*left` has fallen. */
static enum status try_settle(struct store_session *session, struct settlement *settlements,
                              size_t count, size_t *left, struct error *error) {
    struct request request;
    struct postgres_rows held = {0};
    request_init(&request);
    for (size_t i = 0; i < count; i++)
        if (!settlements[i].conflict)
            add_settlement(&request, &settlements[i]);
    enum status status = send_request(session, &request, &held, error);
    if (status == STATUS_OK && held.count == *left && request.gives_back)
        atomic_fetch_add(&postgres_store_of(session->store)->given_back, 1);
    request_deinit(&request);
    if (status != STATUS_OK)
        return status;
    *left = held.count;
    for (size_t i = 0; i < count; i++)
        settlements[i].conflict = settlements[i].conflict || !holds(&held, settlements[i].claim);
    postgres_rows_deinit(&held);
    return STATUS_OK;
}

enum status postgres_settle(struct store_session *session, struct settlement *settlements,
                            size_t count, struct error *error) {
    size_t before = 0, left = count;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && left > 0 && left != before) {
        before = left;
        status = try_settle(session, settlements, count, &left, error);
    }
    return status;
}
