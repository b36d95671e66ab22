/* /api/v1/messages */
#include "api/api_internal.h"
#include "api/enrich.h"
#include "api/message_input.h"
#include "api/message_json.h"
#include "base/check.h"
#include "metrics/metrics.h"

#define LIST_LIMIT_DEFAULT 50
#define CURSOR_RULE "must be the next_cursor of an earlier answer"

/* An accepted request that waits for its commit. Lives in the request's arena. */
struct creation {
    struct acceptance acceptance; /* first: an acceptance is a creation */
    struct api *api;
    struct request *request;
    struct message_input input;
};

static void write_created(const struct creation *creation, struct json_writer *json) {
    const struct acceptance *acceptance = &creation->acceptance;
    if (!creation->input.many) {
        struct message message = {
            .id = acceptance->ids[0],
            .recipient = acceptance->drafts[0].recipient,
            .content = acceptance->drafts[0].content,
            .priority = acceptance->drafts[0].priority,
            .created_at_ms = clock_wall_ms(creation->api->options.clock),
            .state = MESSAGE_PENDING,
        };
        message_json_members(json, &message);
    } else {
        json_member_int64(json, "count", (int64_t)acceptance->count);
    }
    json_key(json, "ids");
    json_array_open(json);
    for (size_t i = 0; i < acceptance->count; i++)
        json_value_string(json, acceptance->ids[i].text);
    json_array_close(json);
}

/* Called by the acceptor's thread. */
static void on_accepted(struct acceptance *acceptance, const struct error *error) {
    struct creation *creation = (struct creation *)acceptance;
    struct request *request = creation->request;
    if (error != NULL) {
        message_input_deinit(&creation->input);
        answer_failure(request, error);
        return;
    }
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_created(creation, &answer.json);
    json_object_close(&answer.json);
    message_input_deinit(&creation->input);
    answer_send(&answer, request, 201);
}

/* application/json with any parameters; a client that names no type is taken at its word. */
static bool is_json(struct request *request) {
    struct text type = request_header(request, "Content-Type");
    if (type.data == NULL)
        return true;
    return text_equal_ignoring_case(text_trim(text_cut(&type, ';')),
                                    TEXT_LITERAL("application/json"));
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

void messages_create(struct call *call) {
    if (!is_json(call->request)) {
        answer_error(call->request, 415, "unsupported_media_type",
                     "send JSON, with Content-Type: application/json", NULL);
        return;
    }
    struct message_input input;
    struct message_input_fault fault;
    if (message_input_parse(&input, request_body(call->request), call->api->options.content_max,
                            request_arena(call->request), &fault))
        submit(call, &input);
    else
        refuse_input(call->request, &fault);
}

/* Reads ?status=&limit=&cursor=; false when it has answered. Only the store knows what is an id
 * and what is none. */
static bool read_query(struct call *call, struct store_query *query) {
    struct text status = request_query(call->request, "status");
    struct text limit = request_query(call->request, "limit");
    struct text cursor = request_query(call->request, "cursor");
    int64_t number = LIST_LIMIT_DEFAULT;
    *query = (struct store_query){.any_state = status.len == 0, .before = cursor};
    const char *field = NULL, *text = NULL;
    if (!query->any_state && !message_state_from_name(status, &query->state)) {
        field = "status";
        text = "must be one of pending, sending, sent, failed, cancelled, expired, delivered,"
               " undelivered, unknown";
    } else if (limit.len > 0 &&
               (!text_to_int64(limit, &number) || number < 1 || number > STORE_LIST_LIMIT_MAX)) {
        field = "limit";
        text = "must be a whole number from 1 to 1000";
    } else if (cursor.len > MESSAGE_ID_BYTES_MAX) {
        field = "cursor";
        text = CURSOR_RULE;
    }
    query->limit = (size_t)number;
    if (field != NULL)
        answer_error(call->request, 422, "invalid_field", text, field);
    return field == NULL;
}

static void send_page(struct call *call, const struct store_page *page) {
    const struct cache_entry *entries = enrich_find(call->api->options.cache, page->messages,
                                                    page->count, request_arena(call->request));
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_key(json, "messages");
    json_array_open(json);
    for (size_t i = 0; i < page->count; i++) {
        json_object_open(json);
        message_json_members(json, &page->messages[i]);
        if (entries != NULL)
            enrich_members(json, &entries[i]);
        json_object_close(json);
    }
    json_array_close(json);
    json_member_string(json, "next_cursor",
                       page->more ? page->messages[page->count - 1].id.text : NULL);
    json_object_close(json);
    answer_send(&answer, call->request, 200);
}

void messages_list(struct call *call) {
    struct store_query query;
    if (!read_query(call, &query))
        return;
    struct store_page page;
    struct error error;
    struct store_session *session = NULL;
    enum status status = api_borrow_session(call->api, &session, &error);
    if (status == STATUS_OK) {
        status = store_list(session, &query, request_arena(call->request), &page, &error);
        api_return_session(call->api, session);
    }
    if (status == STATUS_OK)
        send_page(call, &page);
    else if (status == STATUS_INVALID)
        answer_error(call->request, 422, "invalid_field", CURSOR_RULE, "cursor");
    else
        answer_failure(call->request, &error);
}

static enum status read_one(struct call *call, struct message *message,
                            struct attempt_list *attempts, struct error *error) {
    struct arena *arena = request_arena(call->request);
    struct store_session *session = NULL;
    enum status status = api_borrow_session(call->api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_get(session, call->id, arena, message, error);
    if (status == STATUS_OK)
        status = store_attempts(session, call->id, arena, attempts, error);
    api_return_session(call->api, session);
    return status;
}

void messages_get(struct call *call) {
    struct message message;
    struct attempt_list attempts;
    struct error error;
    if (read_one(call, &message, &attempts, &error) != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    message_json_members(&answer.json, &message);
    message_json_attempts(&answer.json, &attempts);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}
