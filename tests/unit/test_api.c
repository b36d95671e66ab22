#include "support/test.h"

#include "api/api.h"
#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BODY_BYTES_MAX (16 * 1024 * 1024)
#define MESSAGES "/api/v1/messages"
#define GOOD "{\"to\":\"+15551234567\",\"content\":\"hello\"}"
#define CLIENTS 1000
#define DESCRIPTORS_FOR_CLIENTS (2 * CLIENTS + 100)

/* The API on a store in memory; the dispatcher is stopped, and nobody is where it sends to. */
struct fixture {
    struct faults faults;
    struct fake_clock clock;
    struct store *store;
    struct store_session *session;
    struct sender *sender;
    struct dispatcher *dispatcher;
    struct events *events;
    struct api *api;
    struct http_answer answer; /* the last one */
};

static void start_dispatcher(struct fixture *fixture) {
    struct error error;
    const struct sender_options sender_options = {.provider = "webhook",
                                                  .webhook_url = "http://127.0.0.1:1/",
                                                  .webhook_auth_header = "X-Key",
                                                  .webhook_auth_key = "",
                                                  .webhook_timeout_ms = 1000};
    assert_int_equal(sender_create(&fixture->sender, &sender_options, &error), STATUS_OK);
    const struct dispatcher_options options = {.store = fixture->store,
                                               .sender = fixture->sender,
                                               .clock = &fixture->clock.clock,
                                               .batch_size = 2,
                                               .poll_interval_ms = 1000,
                                               .max_in_flight = 4,
                                               .retry = {.base_ms = 1, .cap_ms = 1},
                                               .lease_ms = 60000,
                                               .content_max = 160};
    assert_int_equal(dispatcher_create(&fixture->dispatcher, &options, &error), STATUS_OK);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error;
    fake_clock_init(&fixture->clock);
    fixture->store = faulty_store_open(&fixture->faults);
    assert_int_equal(store_session_open(&fixture->session, fixture->store, &error), STATUS_OK);
    start_dispatcher(fixture);
    struct random random = random_from_seed(1);
    fixture->events = events_create(&fixture->clock.clock, &random);
    const struct api_options options = {.bind = "localhost",
                                        .store = fixture->store,
                                        .dispatcher = fixture->dispatcher,
                                        .clock = &fixture->clock.clock,
                                        .events = fixture->events,
                                        .content_max = 160,
                                        .body_bytes_max = BODY_BYTES_MAX,
                                        .connections_max = 1000,
                                        .idle_timeout_s = 60,
                                        .request_timeout_s = 60};
    *state = fixture;
    return api_create(&fixture->api, &options, &error);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    api_destroy(fixture->api);
    dispatcher_destroy(fixture->dispatcher);
    events_destroy(fixture->events);
    sender_destroy(fixture->sender);
    store_session_close(fixture->session);
    store_close(fixture->store);
    http_answer_deinit(&fixture->answer);
    free(fixture);
    return 0;
}

/* The body of the answer, which must have this status. */
static const char *ask(struct fixture *fixture, const char *head, const char *body,
                       int64_t status) {
    http_answer_deinit(&fixture->answer);
    fixture->answer = http_ask(api_port(fixture->api), head, body);
    if (fixture->answer.status != status)
        fail_msg("%s %s: %s%s", head, body, fixture->answer.head, fixture->answer.body);
    return fixture->answer.body;
}

static void assert_has(const char *answer, const char *part) {
    if (strstr(answer, part) == NULL)
        fail_msg("no \"%s\" in: %.*s", part, TEXT_ARGUMENT(text_of(answer)));
}

static void assert_error(struct fixture *fixture, const char *code, const char *field) {
    char expected[300];
    const char *body = fixture->answer.body;
    snprintf(expected, sizeof expected, "{\"error\":{\"code\":\"%s\",\"message\":\"", code);
    assert_true(text_starts_with(text_of(body), expected));
    assert_has(fixture->answer.head, "\r\nContent-Type: application/json\r\n");
    if (field == NULL) {
        assert_null(strstr(body, "\"field\""));
        return;
    }
    snprintf(expected, sizeof expected, "\",\"field\":\"%s\"}}", field);
    assert_has(body, expected);
}

static struct store_depth depth_of(struct fixture *fixture) {
    struct store_depth depth;
    struct error error;
    assert_int_equal(store_depth(fixture->session, &depth, &error), STATUS_OK);
    return depth;
}

/* Creating messages */

static void a_message_is_created(void **state) {
    const char *body = ask(*state, "POST " MESSAGES,
                           "{\"phone\":\"+15551234567\",\"content\":\"say \\\"hi\\\" \\u00e9\","
                           "\"priority\":5}",
                           201);
    assert_string_equal(
        body, "{\"id\":\"1\",\"to\":\"+15551234567\",\"content\":\"say \\\"hi\\\" \xC3\xA9\","
              "\"encoding\":\"gsm-7\",\"segments\":1,"
              "\"status\":\"pending\",\"priority\":5,\"metadata\":null,\"provider\":null,"
              "\"attempt_count\":0,\"max_attempts\":null,"
              "\"created_at\":\"2025-10-09T08:53:20.000Z\",\"due_at\":null,"
              "\"expires_at\":null,\"sent_at\":null,\"provider_id\":null,\"error\":null,"
              "\"phoneNumber\":\"+15551234567\",\"retryCount\":0,\"retry_count\":0,"
              "\"createdAt\":\"2025-10-09T08:53:20.000Z\",\"ids\":[\"1\"]}");
    assert_has(((struct fixture *)*state)->answer.head, "\r\nContent-Type: application/json\r\n");
    assert_int_equal(depth_of(*state).messages[MESSAGE_PENDING], 1);
}

static void many_messages_are_created(void **state) {
    const char *body =
        ask(*state, "POST " MESSAGES, "{\"messages\":[" GOOD "," GOOD "," GOOD "]}", 201);
    assert_string_equal(body, "{\"count\":3,\"ids\":[\"1\",\"2\",\"3\"]}");
    body = ask(*state, "POST " MESSAGES, "{\"messages\":[" GOOD "]}", 201);
    assert_string_equal(body, "{\"count\":1,\"ids\":[\"4\"]}");
}

static void bad_messages_are_refused_whole(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, "POST " MESSAGES, "{\"messages\":[" GOOD ",{\"to\":\"x\"}]}", 422);
    assert_error(fixture, "invalid_field", "messages[1].content");
    ask(fixture, "POST " MESSAGES, "{\"to\":\"+15551234567\",\"content\":\"x\",\"<\\u00e9\":1}",
        422);
    assert_error(fixture, "invalid_field", "<\xC3\xA9");
    ask(fixture, "POST " MESSAGES, "[]", 422);
    assert_error(fixture, "invalid_field", NULL);
    ask(fixture, "POST " MESSAGES, "", 400);
    assert_error(fixture, "invalid_json", NULL);
    ask(fixture, "POST " MESSAGES, "{\"to\":\"\\u0000\"}", 400);
    assert_error(fixture, "invalid_json", NULL);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 0);
}

static void other_types_than_json_are_refused(void **state) {
    static const char *const good[] = {"", "\nContent-Type: application/json",
                                       "\nContent-Type: APPLICATION/JSON ; charset=utf-8"};
    static const char *const bad[] = {"\nContent-Type: text/plain",
                                      "\nContent-Type: application/jsonp",
                                      "\nContent-Type: application/x-www-form-urlencoded",
                                      "\nContent-Type: text/plain;application/json"};
    char head[200];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(head, sizeof head, "POST " MESSAGES "%s", good[i]);
        ask(*state, head, GOOD, 201);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(head, sizeof head, "POST " MESSAGES "%s", bad[i]);
        ask(*state, head, GOOD, 415);
        assert_error(*state, "unsupported_media_type", NULL);
    }
}

static void post_many(struct fixture *fixture, size_t count, int64_t status) {
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    buffer_append_string(&body, "{\"messages\":[");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&body, "%s" GOOD, i > 0 ? "," : "");
    buffer_append_string(&body, "]}");
    assert_false(body.overflowed);
    ask(fixture, "POST " MESSAGES, body.data, status);
    buffer_deinit(&body);
}

static void ten_thousand_are_the_most(void **state) {
    struct fixture *fixture = *state;
    post_many(fixture, 10001, 422);
    assert_error(fixture, "invalid_field", "messages");
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 0);
    post_many(fixture, 10000, 201);
    assert_has(fixture->answer.body, "{\"count\":10000,\"ids\":[\"1\",");
    assert_has(fixture->answer.body, ",\"10000\"]}");
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 10000);
}

static void a_body_has_a_maximum(void **state) {
    struct fixture *fixture = *state;
    char *body = malloc(BODY_BYTES_MAX + 2);
    assert_non_null(body);
    memset(body, ' ', BODY_BYTES_MAX);
    memcpy(body, GOOD, sizeof GOOD - 1);
    body[BODY_BYTES_MAX] = '\0';
    ask(fixture, "POST " MESSAGES, body, 201);
    memcpy(body + BODY_BYTES_MAX, " ", 2);
    ask(fixture, "POST " MESSAGES, body, 413);
    assert_error(fixture, "payload_too_large", NULL);
    free(body);
}

static void a_store_that_fails_is_no_success(void **state) {
    struct fixture *fixture = *state;
    atomic_store(&fixture->faults.inserts, 1);
    ask(fixture, "POST " MESSAGES, GOOD, 503);
    assert_error(fixture, "unavailable", NULL);
    assert_has(fixture->answer.head, "\r\nRetry-After: 1\r\n");
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 0);
    ask(fixture, "POST " MESSAGES, GOOD, 201);
}

/* True when this process may have as many descriptors as the clients and the server need. */
static bool allow_descriptors(rlim_t count) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= count)
        return true;
    limit.rlim_cur = count;
    return count <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void a_thousand_at_once_get_ids_of_their_own(void **state) {
    struct fixture *fixture = *state;
    static int clients[CLIENTS];
    bool seen[CLIENTS + 1] = {false};
    if (!allow_descriptors(DESCRIPTORS_FOR_CLIENTS))
        skip();
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = http_begin(api_port(fixture->api), "POST " MESSAGES, TEXT_LITERAL(GOOD));
    for (size_t i = 0; i < CLIENTS; i++) {
        struct http_answer answer = http_end(clients[i]);
        assert_int_equal(answer.status, 201);
        struct text id = {answer.body + strlen("{\"id\":\""), 20};
        int64_t number = 0;
        assert_true(text_to_int64(text_cut(&id, '"'), &number));
        assert_in_range(number, 1, CLIENTS);
        assert_false(seen[number]);
        seen[number] = true;
        http_answer_deinit(&answer);
    }
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], CLIENTS);
}

/* Reading messages */

static void insert(struct fixture *fixture, size_t count) {
    struct error error;
    struct message_id id;
    const struct message_draft draft = {.recipient = TEXT_LITERAL("+15551234567"),
                                        .content = TEXT_LITERAL("hello")};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_insert(fixture->session, &draft, 1, &id, &error), STATUS_OK);
}

/* Claims the first message and settles it so. */
static void settle_first(struct fixture *fixture, const struct outcome *outcome) {
    const struct claim_request request = {1, 60000};
    struct claim_result result;
    struct error error;
    const size_t index = 0;
    assert_int_equal(store_claim(fixture->session, &request, &result, &error), STATUS_OK);
    assert_non_null(result.claim);
    struct settlement settlement = {
        .claim = result.claim, .indexes = &index, .outcomes = &outcome, .count = 1};
    assert_int_equal(store_settle(fixture->session, &settlement, 1, &error), STATUS_OK);
    claim_destroy(result.claim);
}

static void a_message_shows_its_failed_attempts(void **state) {
    insert(*state, 1);
    struct outcome outcome = {.kind = OUTCOME_FAILED,
                              .attempt = {.number = 1,
                                          .at_ms = FAKE_CLOCK_START_MS,
                                          .duration_ms = 12,
                                          .http_status = 400,
                                          .class = ATTEMPT_HTTP_4XX,
                                          .excerpt = "no \"such\" number"}};
    settle_first(*state, &outcome);
    const char *body = ask(*state, "GET " MESSAGES "/1", "", 200);
    assert_has(body, "{\"id\":\"1\",\"to\":\"+15551234567\",\"content\":\"hello\","
                     "\"encoding\":\"gsm-7\",\"segments\":1,"
                     "\"status\":\"failed\",\"priority\":0,\"metadata\":null,\"provider\":null,"
                     "\"attempt_count\":1,\"max_attempts\":null,\"created_at\":\"");
    assert_has(body, "\"sent_at\":null,\"provider_id\":null,\"error\":\"");
    assert_has(body, ",\"attempts\":[{\"number\":1,\"at\":\"2025-10-09T08:53:20.000Z\","
                     "\"class\":\"http_4xx\",\"http_status\":400,"
                     "\"excerpt\":\"no \\\"such\\\" number\",\"duration_ms\":12}]}");
}

static void a_sent_message_shows_the_id_of_the_provider(void **state) {
    insert(*state, 1);
    const struct outcome outcome = {.kind = OUTCOME_SENT,
                                    .provider_id = "m-1",
                                    .attempt = {.number = 1, .at_ms = FAKE_CLOCK_START_MS}};
    settle_first(*state, &outcome);
    const char *body = ask(*state, "GET " MESSAGES "/1", "", 200);
    assert_has(body, "\"status\":\"sent\"");
    assert_has(body, "\"provider_id\":\"m-1\",\"error\":null,");
    assert_null(strstr(body, "\"sent_at\":null"));
}

static void ids_of_no_message_are_not_found(void **state) {
    static const char *const ids[] = {"2",
                                      "0",
                                      "-1",
                                      "01",
                                      "+1",
                                      "1.0",
                                      "1x",
                                      "%31x",
                                      "%20",
                                      "%00",
                                      "1%00",
                                      "1%00x",
                                      "%001",
                                      "99999999999999999999",
                                      "%C3%A9",
                                      "x",
                                      "..",
                                      "1?id=1",
                                      "9223372036854775807"};
    char head[6000] = "GET " MESSAGES "/";
    insert(*state, 1);
    ask(*state, "GET " MESSAGES "/%31", "", 200);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        snprintf(head, sizeof head, "GET " MESSAGES "/%s", ids[i]);
        ask(*state, head, "", text_starts_with(text_of(ids[i]), "1?") ? 200 : 404);
    }
    memset(head + strlen("GET " MESSAGES "/"), '1', 5000);
    head[5000] = '\0';
    ask(*state, head, "", 404);
    assert_error(*state, "not_found", NULL);
}

/* The ids that a list has, as "5 4 ". */
static const char *ids_in(const char *list) {
    static char ids[1000];
    size_t len = 0;
    ids[0] = '\0';
    for (const char *at = list; (at = strstr(at, "{\"id\":\"")) != NULL;) {
        at += strlen("{\"id\":\"");
        len += (size_t)snprintf(ids + len, sizeof ids - len, "%.*s ", (int)strcspn(at, "\""), at);
    }
    return ids;
}

static void a_list_goes_from_the_newest_by_cursor(void **state) {
    insert(*state, 5);
    const char *body = ask(*state, "GET " MESSAGES "?limit=2", "", 200);
    assert_string_equal(ids_in(body), "5 4 ");
    assert_has(body, "\"next_cursor\":\"4\",");
    insert(*state, 1);
    body = ask(*state, "GET " MESSAGES "?limit=2&cursor=4", "", 200);
    assert_string_equal(ids_in(body), "3 2 ");
    assert_has(body, "\"next_cursor\":\"2\",");
    body = ask(*state, "GET " MESSAGES "?cursor=2&limit=1", "", 200);
    assert_string_equal(ids_in(body), "1 ");
    assert_has(body, "\"next_cursor\":null,");
    body = ask(*state, "GET " MESSAGES "?cursor=1", "", 200);
    assert_string_equal(
        body, "{\"messages\":[],\"next_cursor\":null,\"total\":6,\"total_is_exact\":true}");
    assert_string_equal(ids_in(ask(*state, "GET " MESSAGES "?cursor=&limit=&status=", "", 200)),
                        "6 5 4 3 2 1 ");
}

static void a_list_is_of_one_status(void **state) {
    insert(*state, 3);
    const struct outcome outcome = {.kind = OUTCOME_SENT};
    settle_first(*state, &outcome);
    assert_string_equal(ids_in(ask(*state, "GET " MESSAGES "?status=sent", "", 200)), "1 ");
    assert_string_equal(ids_in(ask(*state, "GET " MESSAGES "?status=pending", "", 200)), "3 2 ");
    assert_string_equal(ids_in(ask(*state, "GET " MESSAGES "?status=unknown", "", 200)), "");
}

static void fifty_are_listed_unless_told(void **state) {
    insert(*state, 51);
    const char *body = ask(*state, "GET " MESSAGES, "", 200);
    assert_true(text_starts_with(text_of(ids_in(body)), "51 50 "));
    assert_has(body, "\"next_cursor\":\"2\",");
    assert_has(ask(*state, "GET " MESSAGES "?limit=1000", "", 200), "\"next_cursor\":null,");
}

static void bad_arguments_of_a_list_are_named(void **state) {
    static const struct {
        const char *query;
        const char *field;
    } cases[] = {
        {"status=lost", "status"},
        {"status=sent%20", "status"},
        {"limit=0", "limit"},
        {"limit=1001", "limit"},
        {"limit=-1", "limit"},
        {"limit=x", "limit"},
        {"limit=1.5", "limit"},
        {"limit=%201", "limit"},
        {"limit=99999999999999999999", "limit"},
        {"cursor=x", "cursor"},
        {"cursor=1%00", "cursor"},
        {"cursor=%001", "cursor"},
        {"cursor=0", "cursor"},
        {"cursor=-5", "cursor"},
        {"cursor=007", "cursor"},
        {"cursor=%2B7", "cursor"},
        {"cursor=7+", "cursor"},
        {"cursor=1.0", "cursor"},
        {"cursor=99999999999999999999", "cursor"},
        {"cursor=1111111111111111111111111111111111111", "cursor"},
        {"limit=1%00", "limit"},
        {"limit=1%002", "limit"},
        {"status=sent%00", "status"},
    };
    char head[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(head, sizeof head, "GET " MESSAGES "?%s", cases[i].query);
        ask(*state, head, "", 422);
        assert_error(*state, "invalid_field", cases[i].field);
    }
}

/* Routes */

static const struct {
    const char *path;
    const char *allow;
} served[] = {
    {MESSAGES, "POST, GET, HEAD"},
    {MESSAGES "/1", "GET, HEAD"},
    {"/api/v1/messaging/start", "POST"},
    {"/api/v1/messaging/stop", "POST"},
    {"/api/v1/messaging/status", "GET, HEAD"},
    {"/health", "GET, HEAD"},
    {"/livez", "GET, HEAD"},
    {"/readyz", "GET, HEAD"},
    {"/metrics", "GET, HEAD"},
    {"/version", "GET, HEAD"},
};

/* Calls the method wherever a route does not serve it. */
static void assert_refused_elsewhere(struct fixture *fixture, const char *method) {
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        char head[100], allow[100];
        if (strstr(served[i].allow, method) != NULL)
            continue;
        snprintf(head, sizeof head, "%s %s", method, served[i].path);
        snprintf(allow, sizeof allow, "\r\nAllow: %s\r\n", served[i].allow);
        ask(fixture, head, "", 405);
        assert_has(fixture->answer.head, allow);
        if (strcmp(method, "HEAD") != 0)
            assert_error(fixture, "method_not_allowed", NULL);
    }
}

static void other_methods_are_refused_with_those_allowed(void **state) {
    static const char *const methods[] = {"GET",    "HEAD",  "POST",    "PUT",
                                          "DELETE", "PATCH", "OPTIONS", "BREW"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        assert_refused_elsewhere(*state, methods[i]);
}

static void head_is_get_without_the_body(void **state) {
    struct fixture *fixture = *state;
    insert(fixture, 1);
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++) {
        char head[100];
        if (strstr(served[i].allow, "HEAD") == NULL)
            continue;
        snprintf(head, sizeof head, "HEAD %s", served[i].path);
        assert_string_equal(ask(fixture, head, "", 200), "");
        assert_has(fixture->answer.head, "\r\nContent-Length: ");
        assert_null(strstr(fixture->answer.head, "\r\nContent-Length: 0\r\n"));
    }
}

static void paths_of_nothing_are_not_found(void **state) {
    static const char *const paths[] = {"/nothing",      "//",
                                        "/api",          "/api/v1",
                                        "/api/v1/",      MESSAGES "/",
                                        MESSAGES "/1/2", MESSAGES "/a%2Fb",
                                        "/health/",      "//health",
                                        "/Health",       "/health%00",
                                        "/health%00x",   "/health%00%00?x",
                                        "/hea%00lth",    "%00/health",
                                        "/livez%20",     "/api/v1/messages%3Flimit=1",
                                        "/api/v1/{id}",  "/metrics/../health"};
    char head[200];
    insert(*state, 1);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(head, sizeof head, "GET %s", paths[i]);
        ask(*state, head, "", 404);
        assert_error(*state, "not_found", NULL);
    }
}

/* Dispatching and health */

static void starts_and_stops_in_words(void **state) {
    struct fixture *fixture = *state;
    assert_string_equal(ask(fixture, "POST /api/v1/messaging/stop", "", 409),
                        "{\"error\":{\"code\":\"conflict\","
                        "\"message\":\"the dispatcher is not running\"}}");
    assert_has(ask(fixture, "POST /api/v1/messaging/start", "", 200), "{\"state\":\"running\",");
    assert_string_equal(ask(fixture, "POST /api/v1/messaging/start", "", 409),
                        "{\"error\":{\"code\":\"conflict\","
                        "\"message\":\"the dispatcher is already running\"}}");
    assert_has(ask(fixture, "POST /api/v1/messaging/stop", "", 200), "{\"state\":\"stop");
}

static void the_status_counts_messages(void **state) {
    insert(*state, 3);
    const struct outcome outcome = {.kind = OUTCOME_SENT};
    settle_first(*state, &outcome);
    const char *body = ask(*state, "GET /api/v1/messaging/status", "", 200);
    assert_has(body,
               "{\"state\":\"stopped\",\"since\":\"2025-10-09T08:53:20.000Z\",\"by\":null,"
               "\"in_flight\":0,\"claimed\":0,\"next_batch_in_ms\":null,\"resumes_in_ms\":null,"
               "\"totals\":{\"sent\":0,\"retried\":0,\"failed\":0},"
               "\"rates\":{\"sent_per_second_1m\":0,\"sent_per_second_5m\":0},\"messages\":"
               "{\"pending\":2,\"sending\":0,\"sent\":1,\"failed\":0,\"cancelled\":0,"
               "\"expired\":0,\"delivered\":0,\"undelivered\":0,\"unknown\":0},"
               "\"oldest_due_age_ms\":");
}

static void health_pages_answer(void **state) {
    struct fixture *fixture = *state;
    assert_string_equal(ask(fixture, "GET /livez", "", 200), "{\"status\":\"alive\"}");
    assert_string_equal(ask(fixture, "GET /readyz", "", 200), "{\"status\":\"ready\"}");
    assert_has(ask(fixture, "GET /version", "", 200), "{\"version\":\"");
    const char *health = ask(fixture, "GET /health", "", 200);
    assert_has(health, "{\"status\":\"healthy\",\"processing_status\":\"stopped\",\"version\":{");
    assert_has(health, "\"dependencies\":{\"database\":\"healthy\"},\"uptime\":\"");
    insert(fixture, 2);
    assert_has(ask(fixture, "GET /metrics", "", 200), "\n# TYPE posthaste_");
    assert_has(fixture->answer.head, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8");
}

static void a_dispatcher_in_trouble_is_not_ready(void **state) {
    struct fixture *fixture = *state;
    struct error error;
    struct store_depth depth = {.oldest_due_age_ms = -1};
    atomic_store(&fixture->faults.claims, 1000000);
    ask(fixture, "POST /api/v1/messaging/start", "", 200);
    while (dispatcher_is_healthy(fixture->dispatcher, &depth, &error))
        continue;
    assert_has(ask(fixture, "GET /readyz", "", 503), "the store does not answer");
    assert_error(fixture, "not_ready", NULL);
    ask(fixture, "GET /livez", "", 200);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_created),
        TEST(many_messages_are_created),
        TEST(bad_messages_are_refused_whole),
        TEST(other_types_than_json_are_refused),
        TEST(ten_thousand_are_the_most),
        TEST(a_body_has_a_maximum),
        TEST(a_store_that_fails_is_no_success),
        TEST(a_thousand_at_once_get_ids_of_their_own),
        TEST(a_message_shows_its_failed_attempts),
        TEST(a_sent_message_shows_the_id_of_the_provider),
        TEST(ids_of_no_message_are_not_found),
        TEST(a_list_goes_from_the_newest_by_cursor),
        TEST(a_list_is_of_one_status),
        TEST(fifty_are_listed_unless_told),
        TEST(bad_arguments_of_a_list_are_named),
        TEST(other_methods_are_refused_with_those_allowed),
        TEST(head_is_get_without_the_body),
        TEST(paths_of_nothing_are_not_found),
        TEST(starts_and_stops_in_words),
        TEST(the_status_counts_messages),
        TEST(health_pages_answer),
        TEST(a_dispatcher_in_trouble_is_not_ready),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
