#include "cli/mock_provider.h"

#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "cli/mock_delay.h"
#include "cli/mock_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_BODY_BYTES_MAX ((size_t)1024 * 1024)
#define REPORT_BYTES_MAX ((size_t)1024 * 1024 * 1024)
#define IDLE_TIMEOUT_S 300
#define ANSWER_BYTES_MAX 256

struct mock_provider {
    struct server *server;
    struct mock_delay *delay;
    struct mock_record record;
    struct monitor monitor;
    /* guarded by the monitor */
    struct mock_behaviour standing;
    struct mock_behaviour passing;
    int64_t passing_times; /* how many requests the passing one is still for */
    struct random random;
};

/* One request to /send that is not answered at once. */
struct exchange {
    struct mock_delayed delayed;
    struct mock_provider *provider;
    struct text id;
    struct mock_plan plan;
};

struct message {
    struct text to;
    struct text content;
    bool complete;
};

static void respond_json(struct request *request, unsigned status, struct text json) {
    request_respond(request, status, "application/json", json);
}

static void respond_buffer(struct request *request, struct buffer *json) {
    if (json->overflowed)
        respond_json(request, 500,
                     TEXT_LITERAL("{\"error\":\"Too large\","
                                  "\"message\":\"ask for less, as /received?id=X\"}"));
    else
        respond_json(request, 200, buffer_view(json));
    buffer_deinit(json);
}

static struct text string_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return (struct text){0};
    return (struct text){json_string_value(value), json_string_length(value)};
}

static struct message message_of(const json_t *root) {
    struct message message = {string_member(root, "to"), string_member(root, "content"), false};
    if (message.to.data == NULL)
        message.to = string_member(root, "phone_number");
    message.complete = message.to.data != NULL && message.content.data != NULL;
    return message;
}

/* The body with a member "padding" at its end that makes it `bytes` long, where that is more. */
static struct text pad(struct request *request, struct text body, size_t bytes) {
    const struct text opening = TEXT_LITERAL(",\"padding\":\"");
    const struct text closing = TEXT_LITERAL("\"}");
    size_t kept = body.len - 1;
    char *padded = NULL;
    if (bytes > kept + opening.len + closing.len)
        padded = arena_alloc(request_arena(request), bytes);
    if (padded == NULL)
        return body;
    memcpy(padded, body.data, kept);
    memcpy(padded + kept, opening.data, opening.len);
    memset(padded + kept + opening.len, 'x', bytes - kept - opening.len - closing.len);
    memcpy(padded + bytes - closing.len, closing.data, closing.len);
    return (struct text){padded, bytes};
}

static int write_answer(struct mock_provider *provider, const struct mock_plan *plan,
                        char json[ANSWER_BYTES_MAX]) {
    if (plan->refused)
        return snprintf(json, ANSWER_BYTES_MAX,
                        "{\"error\":\"Missing required fields\","
                        "\"message\":\"to and content are required\"}");
    if (plan->fate != MOCK_ACCEPT)
        return snprintf(json, ANSWER_BYTES_MAX,
                        "{\"error\":\"Simulated failure\",\"message\":\"status %u as asked for\"}",
                        plan->status);
    char uuid[UUID_TEXT_BYTES];
    monitor_lock(&provider->monitor);
    struct random random = random_from_seed(random_next(&provider->random));
    monitor_unlock(&provider->monitor);
    random_uuid(&random, uuid);
    return snprintf(json, ANSWER_BYTES_MAX, "{\"message\":\"Accepted\",\"messageId\":\"%s\"}",
                    uuid);
}

static void end(struct mock_provider *provider, struct request *request, struct text id,
                const struct mock_plan *plan) {
    mock_record_end(&provider->record, id, plan->fate);
    if (plan->fate == MOCK_RESET) {
        request_abort(request, true);
        return;
    }
    if (plan->status == 204 || plan->status == 304) {
        request_respond(request, plan->status, NULL, (struct text){0});
        return;
    }
    if (plan->retry_after_s >= 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld", (long long)plan->retry_after_s);
        request_add_header(request, "Retry-After", seconds);
    }
    char json[ANSWER_BYTES_MAX];
    struct text body = {json, (size_t)write_answer(provider, plan, json)};
    check(body.len < sizeof json);
    respond_json(request, plan->status,
                 plan->body_bytes > 0 ? pad(request, body, plan->body_bytes) : body);
}

static void on_wake(struct mock_delayed *delayed, bool due) {
    struct exchange *exchange = (struct exchange *)delayed;
    if (due) {
        end(exchange->provider, delayed->request, exchange->id, &exchange->plan);
        return;
    }
    mock_record_end(&exchange->provider->record, exchange->id, MOCK_HANG);
    request_abort(delayed->request, false);
}

static struct mock_plan next_plan(struct mock_provider *provider) {
    monitor_lock(&provider->monitor);
    bool passing = provider->passing_times > 0;
    provider->passing_times -= passing;
    struct mock_plan plan =
        mock_behaviour_plan(passing ? &provider->passing : &provider->standing, &provider->random);
    monitor_unlock(&provider->monitor);
    return plan;
}

static void defer(struct mock_provider *provider, struct request *request, struct text id,
                  const struct mock_plan *plan) {
    struct exchange *exchange = arena_alloc(request_arena(request), sizeof *exchange);
    check(exchange != NULL);
    *exchange = (struct exchange){
        .delayed = {.request = request}, .provider = provider, .id = id, .plan = *plan};
    int64_t latency_ms = plan->fate == MOCK_HANG ? MOCK_DELAY_NEVER : plan->latency_ms;
    request_defer(request);
    if (!mock_delay_give(provider->delay, &exchange->delayed, latency_ms))
        on_wake(&exchange->delayed, false);
}

static void on_send(struct mock_provider *provider, struct request *request) {
    struct text body = request_body(request);
    json_t *root = json_loadb(body.data, body.len, 0, NULL);
    struct message message = message_of(root);
    struct mock_plan plan = next_plan(provider);
    if (plan.fate == MOCK_ACCEPT && !message.complete) {
        plan.fate = MOCK_FAIL;
        plan.status = 400;
        plan.refused = true;
    }
    struct mock_arrival arrival = {.request = request,
                                   .id = request_header(request, "Idempotency-Key"),
                                   .to = message.to,
                                   .content = message.content,
                                   .fate = plan.fate,
                                   .status = plan.status};
    mock_record_arrival(&provider->record, &arrival);
    json_decref(root);
    if (plan.fate == MOCK_HANG || plan.latency_ms > 0)
        defer(provider, request, arrival.id, &plan);
    else
        end(provider, request, arrival.id, &plan);
}

static void on_received(struct mock_provider *provider, struct request *request) {
    struct text id = request_query(request, "id");
    struct buffer json;
    buffer_init(&json, REPORT_BYTES_MAX);
    if (id.data != NULL)
        mock_record_write_count(&provider->record, id, &json);
    else
        mock_record_write_counts(&provider->record, &json);
    respond_buffer(request, &json);
}

static void on_clear(struct mock_provider *provider, struct request *request) {
    mock_record_clear(&provider->record);
    request_respond(request, 204, NULL, (struct text){0});
}

static void on_stats(struct mock_provider *provider, struct request *request) {
    struct buffer json;
    buffer_init(&json, REPORT_BYTES_MAX);
    mock_record_write_sums(&provider->record, &json);
    respond_buffer(request, &json);
}

static void on_requests(struct mock_provider *provider, struct request *request) {
    struct text word = request_query(request, "limit");
    int64_t limit = MOCK_REQUESTS_KEPT;
    if (word.data != NULL && (!text_to_int64(word, &limit) || limit < 0)) {
        respond_json(request, 400,
                     TEXT_LITERAL("{\"error\":\"Invalid limit\","
                                  "\"message\":\"limit must be a whole number\"}"));
        return;
    }
    struct buffer json;
    buffer_init(&json, REPORT_BYTES_MAX);
    mock_record_write_requests(&provider->record, (size_t)limit, &json);
    respond_buffer(request, &json);
}

static void respond_invalid(struct request *request, const struct error *error) {
    struct buffer buffer;
    buffer_init(&buffer, 8 * sizeof error->text);
    struct json_writer json = json_writer_on(&buffer);
    json_object_open(&json);
    json_member_string(&json, "error", "Invalid behaviour");
    json_member_string(&json, "message", error->text);
    json_object_close(&json);
    respond_json(request, 400, buffer_view(&buffer));
    buffer_deinit(&buffer);
}

static void on_behave(struct mock_provider *provider, struct request *request) {
    struct mock_behaviour behaviour;
    int64_t times = 0;
    struct error error;
    if (mock_behaviour_from_json(&behaviour, &times, request_body(request), &error) != STATUS_OK) {
        respond_invalid(request, &error);
        return;
    }
    monitor_lock(&provider->monitor);
    provider->passing_times = times;
    *(times > 0 ? &provider->passing : &provider->standing) = behaviour;
    monitor_unlock(&provider->monitor);
    struct buffer buffer;
    buffer_init(&buffer, REPORT_BYTES_MAX);
    struct json_writer json = json_writer_on(&buffer);
    mock_behaviour_write(&behaviour, times, &json);
    respond_buffer(request, &buffer);
}

static void on_health(struct mock_provider *provider, struct request *request) {
    (void)provider;
    respond_json(request, 200,
                 TEXT_LITERAL("{\"status\":\"healthy\",\"service\":\"mock-provider\"}"));
}

static const struct route {
    const char *method;
    const char *path;
    void (*handle)(struct mock_provider *provider, struct request *request);
} routes[] = {
    {"POST", "/send", on_send},        {"POST", "/", on_send},
    {"GET", "/received", on_received}, {"DELETE", "/received", on_clear},
    {"GET", "/stats", on_stats},       {"GET", "/requests", on_requests},
    {"POST", "/behave", on_behave},    {"GET", "/health", on_health},
};

static void handle(struct request *request, void *context) {
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (text_equal_string(request_path(request), routes[i].path) &&
            text_equal_string(request_method(request), routes[i].method)) {
            routes[i].handle(context, request);
            return;
        }
    }
    respond_json(request, 404,
                 TEXT_LITERAL("{\"error\":\"Not found\",\"message\":\"no such route\"}"));
}

struct mock_provider_options mock_provider_standard(void) {
    return (struct mock_provider_options){
        .bind = "127.0.0.1", .port = 3001, .threads = 1, .behaviour = mock_behaviour_normal()};
}

static void deinit(struct mock_provider *provider) {
    mock_record_deinit(&provider->record);
    monitor_deinit(&provider->monitor);
    free(provider);
}

enum status mock_provider_create(struct mock_provider **out,
                                 const struct mock_provider_options *options, struct error *error) {
    struct mock_provider *provider = memory_zeroed(1, sizeof *provider);
    mock_record_init(&provider->record);
    monitor_init(&provider->monitor);
    provider->standing = options->behaviour;
    provider->random = random_from_system();
    struct server_options server = {.bind = options->bind,
                                    .port = options->port,
                                    .threads = options->threads,
                                    .connections_max = MOCK_PROVIDER_CONNECTIONS_MAX,
                                    .idle_timeout_s = IDLE_TIMEOUT_S,
                                    .body_bytes_max = REQUEST_BODY_BYTES_MAX,
                                    .handle = handle,
                                    .context = provider};
    enum status status = mock_delay_create(&provider->delay, on_wake, error);
    if (status != STATUS_OK)
        goto fail;
    status = server_create(&provider->server, &server, error);
    if (status != STATUS_OK)
        goto fail_delay;
    *out = provider;
    return STATUS_OK;
fail_delay:
    mock_delay_stop(provider->delay);
    mock_delay_destroy(provider->delay);
fail:
    deinit(provider);
    return status;
}

uint16_t mock_provider_port(const struct mock_provider *provider) {
    return server_port(provider->server);
}

struct mock_sums mock_provider_sums(struct mock_provider *provider) {
    return mock_record_sums(&provider->record);
}

void mock_provider_destroy(struct mock_provider *provider) {
    check(provider != NULL);
    server_stop_listening(provider->server);
    mock_delay_stop(provider->delay);
    server_destroy(provider->server);
    mock_delay_destroy(provider->delay);
    deinit(provider);
}
