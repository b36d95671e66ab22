/* POST /api/v1/messages: one message, or a list; streams are in bulk.c. */
#include "api/api_internal.h"
#include "api/bulk.h"
#include "api/idempotency.h"
#include "api/message_input.h"
#include "api/message_json.h"
#include "base/check.h"
#include "metrics/metrics.h"

/* An accepted request that waits for its commit. Lives in the request's arena. */
struct creation {
    struct acceptance acceptance; /* first: an acceptance is a creation */
    struct api *api;
    struct request *request;
    struct message_input input;
};

static void write_message(const struct creation *creation, struct json_writer *json) {
    const struct acceptance *acceptance = &creation->acceptance;
    const struct message_draft *draft = &acceptance->drafts[0];
    int64_t now_ms = clock_wall_ms(creation->api->options.clock);
    bool at_once = draft->due_at_ms <= now_ms && acceptance->repeated == 0;
    struct message message = {
        .id = acceptance->ids[0],
        .recipient = draft->recipient,
        .content = draft->content,
        .priority = draft->priority,
        .due_at_ms = at_once ? 0 : draft->due_at_ms,
        .expires_at_ms = draft->expires_at_ms,
        .max_attempts = draft->max_attempts,
        .metadata = draft->metadata,
        .provider = draft->provider,
        .created_at_ms = acceptance->created_at_ms > 0 ? acceptance->created_at_ms : now_ms,
        .state = MESSAGE_PENDING,
    };
    message_json_members(json, &message);
}

static void write_created(const struct creation *creation, struct json_writer *json) {
    const struct acceptance *acceptance = &creation->acceptance;
    if (creation->input.many)
        json_member_int64(json, "count", (int64_t)acceptance->count);
    else
        write_message(creation, json);
    json_key(json, "ids");
    json_array_open(json);
    for (size_t i = 0; i < acceptance->count; i++)
        json_value_string(json, acceptance->ids[i].text);
    json_array_close(json);
}

static void answer_created(struct creation *creation) {
    struct request *request = creation->request;
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_created(creation, &answer.json);
    json_object_close(&answer.json);
    if (creation->acceptance.repeated > 0)
        request_add_header(request, "Idempotent-Replayed", "true");
    message_input_deinit(&creation->input);
    answer_send(&answer, request, 201);
}

/* Called by the acceptor's thread. */
static void on_accepted(struct acceptance *acceptance, const struct error *error) {
    struct creation *creation = (struct creation *)acceptance;
    if (error == NULL && !acceptance->mismatch) {
        answer_created(creation);
        return;
    }
    message_input_deinit(&creation->input);
    if (error != NULL)
        answer_failure(creation->request, error);
    else
        answer_error(creation->request, 422, "idempotency_mismatch",
                     "this key was used for something else; give each request a key of its own",
                     "Idempotency-Key");
}

static void refuse_input(struct request *request, const struct message_input_fault *fault) {
    metrics_add(METRIC_REFUSED, 1);
    if (fault->syntax)
        answer_error(request, 400, "invalid_json", fault->text, NULL);
    else
        answer_error(request, 422, "invalid_field", fault->text,
                     fault->field[0] != '\0' ? fault->field : NULL);
}

static void submit(struct call *call, const struct message_input *input) {
    struct arena *arena = request_arena(call->request);
    struct creation *creation = arena_alloc(arena, sizeof *creation);
    struct message_id *ids = arena_alloc(arena, input->count * sizeof *ids);
    check(creation != NULL && ids != NULL); /* the arena holds any input that was parsed */
    *creation = (struct creation){
        .acceptance = {.drafts = input->drafts,
                       .count = input->count,
                       .ids = ids,
                       .done = on_accepted},
        .api = call->api,
        .request = call->request,
        .input = *input,
    };
    request_defer(call->request);
    if (acceptor_submit(call->api->acceptor, &creation->acceptance))
        return;
    struct error error;
    error_set(&error, STATUS_FULL, "too many messages wait to be stored; try again");
    on_accepted(&creation->acceptance, &error);
}

/* The key of the request; false when it has answered. */
static bool read_key(struct call *call, struct idempotency *request) {
    struct text key = request_header(call->request, "Idempotency-Key");
    *request = (struct idempotency){
        .owner = call->caller.key != NULL ? text_of(call->caller.key->name) : TEXT_LITERAL(""),
        .key = key,
        .body = request_body(call->request),
    };
    if (key.data == NULL || message_input_is_key(key))
        return true;
    answer_error(call->request, 422, "invalid_field", "must be 1 to 255 visible ASCII characters",
                 "Idempotency-Key");
    return false;
}

static void create_from_json(struct call *call, const struct idempotency *key) {
    struct message_input input;
    struct message_input_fault fault;
    const struct message_rules rules = api_message_rules(call->api);
    struct arena *arena = request_arena(call->request);
    if (!message_input_parse(&input, request_body(call->request), &rules, arena, &fault)) {
        refuse_input(call->request, &fault);
        return;
    }
    bool applied = idempotency_apply(key, input.drafts, input.count, arena);
    check(applied); /* the arena holds any input that was parsed */
    submit(call, &input);
}

void messages_create(struct call *call) {
    struct idempotency key;
    if (!read_key(call, &key))
        return;
    switch (bulk_kind_of(call->request)) {
    case BULK_NDJSON: bulk_read(call, &key, BULK_NDJSON); return;
    case BULK_CSV: bulk_read(call, &key, BULK_CSV); return;
    case BULK_JSON: create_from_json(call, &key); return;
    default:
        answer_error(call->request, 415, "unsupported_media_type",
                     "send application/json, application/x-ndjson or text/csv", NULL);
    }
}
