#include "support/test.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/mock_ids.h"
#include "cli/mock_provider.h"
#include "cli/mock_record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD "{\"to\":\"+15551234567\",\"content\":\"hi\"}"

static int set_up(void **state) {
    struct mock_provider_options options = mock_provider_standard();
    struct mock_provider *provider = NULL;
    struct error error;
    options.port = 0;
    assert_int_equal(mock_provider_create(&provider, &options, &error), STATUS_OK);
    *state = provider;
    return 0;
}

static int tear_down(void **state) {
    mock_provider_destroy(*state);
    return 0;
}

static int dial(const struct mock_provider *provider) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(mock_provider_port(provider)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

/* `head` is method, path and perhaps further header lines: "POST /send\nIdempotency-Key: a". */
static int begin(const struct mock_provider *provider, const char *head, const char *body) {
    struct buffer request;
    struct text rest = text_of(head);
    struct text line = text_cut(&rest, '\n');
    int client = dial(provider);
    buffer_init(&request, 100000);
    buffer_printf(&request, "%.*s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
                  TEXT_ARGUMENT(line));
    while (rest.data != NULL) {
        line = text_cut(&rest, '\n');
        buffer_printf(&request, "%.*s\r\n", TEXT_ARGUMENT(line));
    }
    buffer_printf(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    assert_int_equal(send(client, request.data, request.len, MSG_NOSIGNAL), request.len);
    buffer_deinit(&request);
    return client;
}

/* The whole answer; empty where the connection ended without one. */
static const char *ask(const struct mock_provider *provider, const char *head, const char *body) {
    static char answer[65536];
    int client = begin(provider, head, body);
    size_t len = 0;
    ssize_t got = 0;
    while ((got = recv(client, answer + len, sizeof answer - 1 - len, 0)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    close(client);
    return answer;
}

static void assert_has(const char *answer, const char *part) {
    if (strstr(answer, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, answer);
}

static void assert_refused(const struct mock_provider *provider, const char *body) {
    const char *answer = ask(provider, "POST /send", body);
    assert_has(answer, "HTTP/1.1 400 ");
    assert_has(answer, "{\"error\":\"Missing required fields\","
                       "\"message\":\"to and content are required\"}");
}

static void accepts_a_message(void **state) {
    const char *answer = ask(*state, "POST /send", GOOD);
    assert_has(answer, "HTTP/1.1 202 ");
    const char *body = strstr(answer, "{\"message\":\"Accepted\",\"messageId\":\"");
    assert_non_null(body);
    assert_int_equal(strlen(body), strlen("{\"message\":\"Accepted\",\"messageId\":\"\"}") + 36);
    assert_has(ask(*state, "POST /", "{\"phone_number\":\"+1\",\"content\":\"a\"}"), "202 ");
}

static void refuses_what_is_no_message(void **state) {
    assert_refused(*state, "");
    assert_refused(*state, "nonsense");
    assert_refused(*state, "[1]");
    assert_refused(*state, "{\"to\":\"+15551234567\"}");
    assert_refused(*state, "{\"to\":\"+15551234567\",\"content\":5}");
    assert_refused(*state, "{\"to\":\"\",\"content\":\"hi\"}");
    assert_has(ask(*state, "GET /nowhere", ""), "HTTP/1.1 404 ");
    assert_has(ask(*state, "GET /health", ""),
               "{\"status\":\"healthy\",\"service\":\"mock-provider\"}");
}

static void counts_by_id(void **state) {
    ask(*state, "POST /behave", "{\"status\":503,\"times\":1}");
    ask(*state, "POST /send\nIdempotency-Key: a", GOOD);
    ask(*state, "POST /send\nIdempotency-Key: a", GOOD);
    ask(*state, "POST /send\nIdempotency-Key: a", GOOD);
    ask(*state, "POST /send\nIdempotency-Key: \"b", GOOD);
    ask(*state, "POST /send", GOOD);
    const char *answer = ask(*state, "GET /received", "");
    assert_has(answer, "{\"total\":5,\"unique\":2,\"duplicates\":2,\"accepted_unique\":2,"
                       "\"accepted_duplicates\":1,\"untracked\":0,\"counts\":{");
    assert_has(answer, "\"a\":{\"received\":3,\"accepted\":2}");
    assert_has(answer, "\"\\\"b\":{\"received\":1,\"accepted\":1}");
    assert_has(ask(*state, "GET /received?id=a", ""),
               "{\"id\":\"a\",\"received\":3,\"accepted\":2}");
    assert_has(ask(*state, "GET /received?id=none", ""),
               "{\"id\":\"none\",\"received\":0,\"accepted\":0}");
    assert_has(ask(*state, "DELETE /received", ""), "HTTP/1.1 204 ");
    assert_has(ask(*state, "GET /received", ""), "{\"total\":0,\"unique\":0,");
    assert_has(ask(*state, "GET /requests", ""), "{\"requests\":[]}");
}

static void keeps_the_latest_requests(void **state) {
    ask(*state, "POST /send\nIdempotency-Key: a\nX-Twice: 1\nx-twice: 2\nAuthorization: Bearer k",
        "{\"to\":\"+15551234567\",\"content\":\"caf\\u00e9 \\\"x\\\"\\n\"}");
    const char *answer = ask(*state, "GET /requests", "");
    assert_has(answer, "{\"requests\":[{\"id\":\"a\",\"to\":\"+15551234567\","
                       "\"content\":\"caf\xC3\xA9 \\\"x\\\"\\n\",\"at_ms\":");
    assert_has(answer, "\"status\":202,\"outcome\":\"accepted\",\"headers\":{\"host\":\"x\",");
    assert_has(answer, "\"x-twice\":\"1\",\"authorization\":\"Bearer k\"");
    ask(*state, "POST /send\nIdempotency-Key: b", "{");
    answer = ask(*state, "GET /requests?limit=1", "");
    assert_has(answer, "{\"requests\":[{\"id\":\"b\",\"to\":null,\"content\":null,");
    assert_has(answer, "\"status\":400,\"outcome\":\"failed\"");
    assert_has(ask(*state, "GET /requests?limit=x", ""), "HTTP/1.1 400 ");
}

static void forgets_the_oldest_requests(void **state) {
    for (int i = 0; i < MOCK_REQUESTS_KEPT + 5; i++) {
        char head[100];
        snprintf(head, sizeof head, "POST /send\nIdempotency-Key: n%d", i);
        assert_has(ask(*state, head, GOOD), "202 ");
    }
    char last[100];
    snprintf(last, sizeof last, "\"id\":\"n%d\"", MOCK_REQUESTS_KEPT + 4);
    const char *answer = ask(*state, "GET /requests?limit=2", "");
    assert_has(answer, last);
    snprintf(last, sizeof last, "[{\"id\":\"n%d\"", MOCK_REQUESTS_KEPT + 3);
    assert_has(answer, last);
    answer = ask(*state, "GET /requests", "");
    assert_has(answer, "{\"requests\":[{\"id\":\"n5\"");
}

static void behaves_as_it_is_told(void **state) {
    const char *answer =
        ask(*state, "POST /behave", "{\"status\":429,\"retry_after\":7,\"body_bytes\":500}");
    assert_has(answer, "\"status\":429,\"retry_after\":7,");
    for (int i = 0; i < 2; i++) {
        answer = ask(*state, "POST /send", GOOD);
        assert_has(answer, "HTTP/1.1 429 ");
        assert_has(answer, "Retry-After: 7\r\n");
        assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), 500);
    }
    ask(*state, "POST /behave", "{\"status\":200,\"times\":1}");
    assert_has(ask(*state, "POST /send", GOOD), "HTTP/1.1 200 ");
    assert_has(ask(*state, "POST /send", GOOD), "HTTP/1.1 429 ");
    ask(*state, "POST /behave", "{}");
    assert_has(ask(*state, "POST /send", GOOD), "HTTP/1.1 202 ");
}

static void says_what_is_wrong_with_a_behaviour(void **state) {
    assert_has(ask(*state, "POST /behave", "{\"status\":100}"),
               "\"message\":\"status must be a whole number from 200 to 599\"");
    assert_has(ask(*state, "POST /behave", "{\"fail_rate\":1.5}"), "a number from 0 to 1");
    assert_has(ask(*state, "POST /behave", "{\"hang\":1}"), "hang must be true or false");
    assert_has(ask(*state, "POST /behave", "{\"hang\":true,\"reset\":true}"), "exclude each other");
    assert_has(ask(*state, "POST /behave", "{\"latency\":1}"), "no setting \\\"latency\\\"");
    assert_has(ask(*state, "POST /behave", "{\"times\":0}"), "times must be");
    assert_has(ask(*state, "POST /behave", "[]"), "HTTP/1.1 400 ");
    assert_has(ask(*state, "POST /send", GOOD), "HTTP/1.1 202 ");
}

static void answers_later(void **state) {
    ask(*state, "POST /behave", "{\"latency_ms\":30,\"body_bytes\":100}");
    int64_t begin_us = clock_monotonic_us(&clock_system);
    const char *answer = ask(*state, "POST /send\nIdempotency-Key: a", GOOD);
    assert_true(clock_monotonic_us(&clock_system) - begin_us >= 30000);
    assert_has(answer, "HTTP/1.1 202 ");
    assert_has(ask(*state, "GET /received?id=a", ""), "\"received\":1,\"accepted\":1}");
}

static void wait_for_sums(struct mock_provider *provider, int64_t hung, int64_t in_flight) {
    int64_t end_us = clock_monotonic_us(&clock_system) + 20000000;
    struct mock_sums sums = mock_provider_sums(provider);
    while ((sums.hung != hung || sums.in_flight != in_flight) &&
           clock_monotonic_us(&clock_system) < end_us)
        sums = mock_provider_sums(provider);
    assert_int_equal(sums.hung, hung);
    assert_int_equal(sums.in_flight, in_flight);
}

static void hangs_until_the_client_leaves(void **state) {
    ask(*state, "POST /behave", "{\"hang\":true}");
    int first = begin(*state, "POST /send", GOOD);
    int second = begin(*state, "POST /send", GOOD);
    wait_for_sums(*state, 2, 2);
    close(first);
    wait_for_sums(*state, 2, 1);
    assert_has(ask(*state, "GET /stats", ""), "\"in_flight\":1,\"in_flight_max\":2,");
    close(second);
}

static void gives_up_what_hangs_or_waits_at_its_end(void **state) {
    (void)state;
    struct mock_provider *provider = NULL;
    char byte = 0;
    set_up((void **)&provider);
    ask(provider, "POST /behave", "{\"hang\":true,\"times\":1}");
    int hanging = begin(provider, "POST /send", GOOD);
    wait_for_sums(provider, 1, 1);
    ask(provider, "POST /behave", "{\"latency_ms\":3600000}");
    int waiting = begin(provider, "POST /send", GOOD);
    wait_for_sums(provider, 1, 2);
    mock_provider_destroy(provider);
    assert_int_equal(recv(hanging, &byte, 1, 0), 0);
    assert_int_equal(recv(waiting, &byte, 1, 0), 0);
    close(hanging);
    close(waiting);
}

static void resets_the_connection(void **state) {
    char byte = 0;
    ask(*state, "POST /behave", "{\"reset\":true,\"times\":1}");
    int client = begin(*state, "POST /send", GOOD);
    assert_int_equal(recv(client, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(client);
    assert_int_equal(mock_provider_sums(*state).reset, 1);
}

static void plan_fails_the_share_asked_for(void **state) {
    (void)state;
    struct mock_behaviour behaviour = mock_behaviour_normal();
    struct random random = random_from_seed(7);
    struct error error;
    int failed = 0;
    assert_int_equal(mock_behaviour_set_flag(&behaviour, text_of("--fail-rate"), "0.2", &error),
                     STATUS_OK);
    for (int i = 0; i < 10000; i++) {
        struct mock_plan plan = mock_behaviour_plan(&behaviour, &random);
        failed += plan.fate == MOCK_FAIL;
        assert_int_equal(plan.status, plan.fate == MOCK_FAIL ? 500 : 202);
    }
    assert_in_range(failed, 1800, 2200);
}

static void ids_are_found_again_and_bounded(void **state) {
    (void)state;
    struct mock_ids ids;
    char text[MOCK_ID_BYTES_MAX + 2];
    mock_ids_init(&ids);
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "id-%u", i);
        mock_ids_add(&ids, text_of(text))->received = i;
    }
    assert_int_equal(ids.count, 10000);
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "id-%u", i);
        assert_int_equal(mock_ids_find(&ids, text_of(text))->received, i);
    }
    assert_null(mock_ids_find(&ids, text_of("id-10000")));
    memset(text, 'x', sizeof text);
    assert_null(mock_ids_add(&ids, (struct text){text, MOCK_ID_BYTES_MAX + 1}));
    assert_non_null(mock_ids_add(&ids, (struct text){text, MOCK_ID_BYTES_MAX}));
    mock_ids_deinit(&ids);
}

static void command_refuses_bad_flags(void **state) {
    (void)state;
    char *bad[][2] = {{"--port", "65536"},   {"--port", "x"},           {"--fail-rate", "1.01"},
                      {"--latency", "-1s"},  {"--hang=yes", "--hang"},  {"--nonsense", "1"},
                      {"--hang", "--reset"}, {"--threads=0", "--hang"}, {"--hang", "--status=503"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(mock_provider_command(2, bad[i]), 2);
    char *lonely[] = {"--port"};
    assert_int_equal(mock_provider_command(1, lonely), 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(accepts_a_message),
        TEST(refuses_what_is_no_message),
        TEST(counts_by_id),
        TEST(keeps_the_latest_requests),
        TEST(forgets_the_oldest_requests),
        TEST(behaves_as_it_is_told),
        TEST(says_what_is_wrong_with_a_behaviour),
        TEST(answers_later),
        TEST(hangs_until_the_client_leaves),
        cmocka_unit_test(gives_up_what_hangs_or_waits_at_its_end),
        TEST(resets_the_connection),
        cmocka_unit_test(plan_fails_the_share_asked_for),
        cmocka_unit_test(ids_are_found_again_and_bounded),
        cmocka_unit_test(command_refuses_bad_flags),
    };
    return cmocka_run_group_tests_name("mock_provider", tests, NULL, NULL);
}
