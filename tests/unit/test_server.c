#include "support/dialogue.h"
#include "support/test.h"

#include "api/server.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_BYTES_MAX 1000
#define PATIENCE_US 20000000

/* As many connections as libmicrohttpd asks epoll for at once. */
#define EVENTS_AT_ONCE 128

/* A server whose handler does what the path says; deferred requests wait in `deferred`. */
struct fixture {
    struct server *server;
    struct queue deferred;
    struct queue gate; /* one item lets one request to /gate pass */
    _Atomic(struct request *) exposed;
    atomic_bool over;
};

static void answer_from_other_thread(void *argument) {
    request_respond(argument, 200, "text/plain", TEXT_LITERAL("early"));
}

static void describe(struct request *request) {
    struct buffer out;
    buffer_init(&out, 100000);
    struct text query = request_query(request, "q");
    struct text header = request_header(request, "x-test");
    buffer_printf(
        &out, "%.*s %.*s q=%.*s h=%.*s absent=%d len=%zu", TEXT_ARGUMENT(request_method(request)),
        TEXT_ARGUMENT(request_path(request)), TEXT_ARGUMENT(query), TEXT_ARGUMENT(header),
        request_query(request, "none").data == NULL && request_header(request, "none").data == NULL,
        request_body(request).len);
    request_add_header(request, "X-Answer", "yes");
    request_respond(request, 200, "text/plain", buffer_view(&out));
    buffer_deinit(&out);
}

static void handle(struct request *request, void *context) {
    struct fixture *fixture = context;
    struct text path = request_path(request);
    if (text_equal_string(path, "/defer")) {
        request_defer(request);
        bool pushed = queue_push(&fixture->deferred, request);
        check(pushed);
    } else if (text_equal_string(path, "/exposed")) {
        request_defer(request);
        atomic_store(&fixture->exposed, request);
    } else if (text_equal_string(path, "/early")) {
        struct thread thread = {0};
        struct error error;
        request_defer(request);
        thread_start(&thread, "early", answer_from_other_thread, request, &error);
        thread_join(&thread);
    } else if (text_equal_string(path, "/gate")) {
        void *item;
        request_respond(request, 200, NULL, (struct text){0});
        queue_pop(&fixture->gate, &item, 1, -1);
    } else if (text_equal_string(path, "/reset")) {
        request_abort(request, true);
    } else if (text_equal_string(path, "/abort")) {
        request_abort(request, false);
    } else if (text_equal_string(path, "/bad-header")) {
        request_add_header(request, "Location", "/a\r\nX-Injected: 1");
        request_respond(request, 302, NULL, (struct text){0});
    } else {
        describe(request);
    }
}

static struct server_options standard_options(struct fixture *fixture) {
    return (struct server_options){.bind = "127.0.0.1",
                                   .threads = 1,
                                   .connections_max = 100,
                                   .idle_timeout_s = 30,
                                   .body_bytes_max = BODY_BYTES_MAX,
                                   .handle = handle,
                                   .context = fixture};
}

static void start(struct fixture *fixture, const struct server_options *options) {
    struct error error = {0};
    queue_init(&fixture->deferred, 100);
    assert_int_equal(server_create(&fixture->server, options, &error), STATUS_OK);
    assert_int_not_equal(server_port(fixture->server), 0);
}

static int set_up(void **state) {
    struct fixture *fixture = memory_zeroed(1, sizeof *fixture);
    struct server_options options = standard_options(fixture);
    start(fixture, &options);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    server_destroy(fixture->server);
    queue_deinit(&fixture->deferred);
    free(fixture);
    return 0;
}

static int dial_or_fail(const struct fixture *fixture) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(fixture->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_US / 1000000};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(client, (struct sockaddr *)&address, sizeof address) == 0)
        return client;
    close(client);
    return -1;
}

static int dial(const struct fixture *fixture) {
    int client = dial_or_fail(fixture);
    assert_true(client >= 0);
    return client;
}

static const char *ask(const struct fixture *fixture, const char *request) {
    int client = dial(fixture);
    say(client, request);
    const char *answer = hear(client);
    close(client);
    return answer;
}

static struct request *next_deferred(struct fixture *fixture) {
    void *request = NULL;
    while (queue_pop(&fixture->deferred, &request, 1, -1) == 0)
        continue;
    return request;
}

static void hands_over_what_was_sent(void **state) {
    int client = dial(*state);
    say(client, "POST /a%20b/c?q=1%2B1&x HTTP/1.1\r\nHost: x\r\nX-Test: hey\r\n"
                "Content-Length: 5\r\n\r\nhello");
    const char *answer = hear(client);
    assert_has(answer, "HTTP/1.1 200 OK\r\n");
    assert_has(answer, "Content-Type: text/plain\r\n");
    assert_has(answer, "X-Answer: yes\r\n");
    assert_has(answer, "POST /a b/c q=1+1 h=hey absent=1 len=5");
    say(client, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "GET /second q= h= absent=1 len=0");
    close(client);
}

/* Decoded, it would end the path for whoever takes it as a C string. */
static void an_escaped_nul_stays_escaped(void **state) {
    static const struct {
        const char *target;
        const char *seen;
    } cases[] = {
        {"/%00", "GET /%00 q="},
        {"/on%00", "GET /on%00 q="},
        {"/%41%00%42%00%00c", "GET /A%00B%00%00c q="},
        {"/%2500", "GET /%00 q="},
        {"/a%4", "GET /a%4 q="},
        {"/a%%00%", "GET /a%%00% q="},
        {"/on?q=%41%00+%42", "GET /on q=A%00 B h="},
        {"/on?q%00=1", "GET /on q= h="},
        {"/on?q=%00", "GET /on q=%00 h="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].target);
        assert_has(ask(*state, request), cases[i].seen);
    }
}

static void head_has_no_body(void **state) {
    int client = dial(*state);
    say(client, "HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char all[1000] = {0};
    assert_true(recv(client, all, sizeof all - 1, MSG_WAITALL) > 0);
    assert_has(all, "Content-Length: ");
    assert_string_equal(strstr(all, "\r\n\r\n"), "\r\n\r\n");
    close(client);
}

static void body_may_have_the_maximum(void **state) {
    char body[BODY_BYTES_MAX + 1] = {0};
    memset(body, 'x', BODY_BYTES_MAX);
    int client = dial(*state);
    say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    say(client, body);
    assert_has(hear(client), "len=1000");
    close(client);
}

static void announced_body_too_large_is_refused_unread(void **state) {
    const char *answer = ask(*state, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                     "Content-Length: 1001\r\n\r\n");
    assert_has(answer, "HTTP/1.1 413 ");
    answer = ask(*state, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n");
    assert_has(answer, "HTTP/1.1 413 ");
    assert_has(answer, "{\"error\":{\"code\":\"payload_too_large\",\"message\":\"");
    assert_has(answer, "application/json");
}

static void chunked_body_too_large_is_refused_at_its_end(void **state) {
    int client = dial(*state);
    say(client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 11; i++) {
        char chunk[101] = {0};
        memset(chunk, 'x', 100);
        say(client, "64\r\n");
        say(client, chunk);
        say(client, "\r\n");
    }
    say(client, "0\r\n\r\n");
    assert_has(hear(client), "HTTP/1.1 413 ");
    say(client,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_has(hear(client), "len=3");
    close(client);
}

static void deferred_request_is_answered_later(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "POST /defer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    struct request *request = next_deferred(fixture);
    assert_text(request_body(request), "hi");
    assert_text(request_header(request, "host"), "x");
    assert_false(request_client_is_gone(request));
    request_add_header(request, "X-Late", "1");
    request_respond(request, 202, "text/plain", TEXT_LITERAL("later"));
    const char *answer = hear(client);
    assert_has(answer, "HTTP/1.1 202 ");
    assert_has(answer, "X-Late: 1");
    assert_has(answer, "later");
    say(client, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "GET /again");
    close(client);
}

static void answer_may_come_before_the_handler_returns(void **state) {
    int client = dial(*state);
    for (int i = 0; i < 100; i++) {
        say(client, "GET /early HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_has(hear(client), "early");
    }
    close(client);
}

/* A little later each time, so that it meets every step of the server's thread. */
static void answer_what_is_exposed(void *argument) {
    struct fixture *fixture = argument;
    struct request *request = NULL;
    for (unsigned i = 0; !atomic_load(&fixture->over); i += request != NULL) {
        request = atomic_exchange(&fixture->exposed, NULL);
        for (atomic_uint spins = 0; request != NULL && spins < i % 100; spins++)
            continue;
        if (request != NULL)
            request_respond(request, 200, "text/plain", TEXT_LITERAL("at once"));
    }
}

static void answer_may_come_at_any_moment(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct error error;
    int client = dial(fixture);
    thread_start(&thread, "answer", answer_what_is_exposed, fixture, &error);
    for (int i = 0; i < 5000; i++) {
        say(client, "GET /exposed HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_has(hear(client), "at once");
    }
    atomic_store(&fixture->over, true);
    thread_join(&thread);
    close(client);
}

static void deferred_request_outlives_its_client(void **state) {
    struct fixture *fixture = *state;
    for (int aborted = 0; aborted < 2; aborted++) {
        int client = dial(fixture);
        say(client, "POST /defer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        struct request *request = next_deferred(fixture);
        struct linger at_once = {1, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(client);
        while (!request_client_is_gone(request))
            continue;
        assert_text(request_body(request), "hi");
        if (aborted)
            request_abort(request, true);
        else
            request_respond(request, 200, NULL, (struct text){0});
    }
    assert_has(ask(fixture, "GET /on HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /on");
}

static void assert_aborted(const struct fixture *fixture, int client, bool reset) {
    char byte = 0;
    ssize_t got = recv(client, &byte, 1, 0);
    int number = errno;
    assert_int_equal(got, reset ? -1 : 0);
    if (reset)
        assert_int_equal(number, ECONNRESET);
    close(client);
    assert_has(ask(fixture, "GET /on HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /on");
}

static void abort_ends_the_connection(void **state) {
    struct fixture *fixture = *state;
    for (int reset = 0; reset < 2; reset++) {
        int client = dial(fixture);
        say(client, reset ? "GET /reset HTTP/1.1\r\nHost: x\r\n\r\n"
                          : "GET /abort HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_aborted(fixture, client, reset);
        client = dial(fixture);
        say(client, "GET /defer HTTP/1.1\r\nHost: x\r\n\r\n");
        request_abort(next_deferred(fixture), reset);
        assert_aborted(fixture, client, reset);
    }
}

static void header_that_cannot_be_sent_makes_it_a_500(void **state) {
    const char *answer = ask(*state, "GET /bad-header HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(answer, "HTTP/1.1 500 ");
    assert_null(strstr(answer, "X-Injected"));
}

static void nonsense_gets_an_error_or_an_end(void **state) {
    static const char *const nonsense[] = {
        "\r\n\r\nGET\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\xFF\xFF\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /%zz%00%ff?%&=&&q HTTP/1.1\r\nHost: x\r\nX-Test\r\n: y\r\n\r\n"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        int client = dial(*state);
        say(client, nonsense[i]);
        shutdown(client, SHUT_WR);
        hear(client);
        close(client);
    }
    char *large = memory_zeroed(1, 200001);
    memset(large, 'a', 200000);
    memcpy(large, "GET / HTTP/1.1\r\nX: ", 19);
    int client = dial(*state);
    send(client, large, 200000, MSG_NOSIGNAL);
    hear(client);
    close(client);
    free(large);
    assert_has(ask(*state, "GET /on HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /on");
}

static void failure_to_listen_says_what_to_do(void **state) {
    struct fixture *fixture = *state;
    struct server_options options = standard_options(fixture);
    struct server *server = NULL;
    struct error error = {0};
    char expected[200];
    options.port = server_port(fixture->server);
    assert_int_equal(server_create(&server, &options, &error), STATUS_UNAVAILABLE);
    snprintf(expected, sizeof expected,
             "listen on 127.0.0.1:%u: address already in use; choose another PORT", options.port);
    assert_string_equal(error.text, expected);
    options.bind = "example.com";
    assert_int_equal(server_create(&server, &options, &error), STATUS_INVALID);
    assert_has(error.text, "numeric address");
    options.bind = "192.0.2.1";
    assert_int_equal(server_create(&server, &options, &error), STATUS_UNAVAILABLE);
    assert_has(error.text, "no such address on this machine; choose another BIND");
}

static void port_can_be_used_again_at_once(void **state) {
    struct fixture *fixture = *state;
    struct server_options options = standard_options(fixture);
    struct error error = {0};
    int client = dial(fixture);
    say(client, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(client);
    options.port = server_port(fixture->server);
    server_destroy(fixture->server);
    assert_int_equal(server_create(&fixture->server, &options, &error), STATUS_OK);
    assert_has(ask(fixture, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /2");
    close(client);
}

static void connection_above_the_maximum_is_refused(void **state) {
    (void)state;
    struct fixture fixture;
    struct server_options options = standard_options(&fixture);
    options.connections_max = 1;
    start(&fixture, &options);
    int first = dial(&fixture);
    say(first, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(first), "GET /1");
    int second = dial(&fixture);
    assert_has(hear(second), "HTTP/1.1 503 ");
    assert_true(hear_end(second));
    say(first, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(first), "GET /2");
    close(first);
    close(second);
    server_destroy(fixture.server);
    queue_deinit(&fixture.deferred);
}

static void stop_listening_spares_what_is_open(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(client);
    server_stop_listening(fixture->server);
    assert_int_equal(dial_or_fail(fixture), -1);
    say(client, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "GET /2");
    close(client);
}

struct late_answer {
    struct fixture *fixture;
    struct request *request;
};

static void answer_soon(void *argument) {
    struct late_answer *late = argument;
    while (dial_or_fail(late->fixture) >= 0)
        continue; /* until server_destroy has begun */
    request_respond(late->request, 200, "text/plain", TEXT_LITERAL("to the end"));
}

static void destroy_lets_requests_end(void **state) {
    (void)state;
    struct fixture fixture;
    struct server_options options = standard_options(&fixture);
    struct thread thread = {0};
    struct error error;
    options.connections_max = 1;
    options.threads = 2;
    start(&fixture, &options);
    int client = dial(&fixture);
    say(client, "GET /defer HTTP/1.1\r\nHost: x\r\n\r\n");
    /* Only a request that was taken is let end; one in the backlog is dropped. */
    struct late_answer late = {&fixture, next_deferred(&fixture)};
    assert_int_equal(thread_start(&thread, "answer", answer_soon, &late, &error), STATUS_OK);
    server_destroy(fixture.server);
    thread_join(&thread);
    const char *answer = hear(client);
    assert_has(answer, "to the end");
    close(client);
    queue_deinit(&fixture.deferred);
}

/* While the server's thread stands at the gate, all the others become ready together. */
static void as_many_as_epoll_gives_at_once_are_served(void **state) {
    (void)state;
    struct fixture fixture;
    struct server_options options = standard_options(&fixture);
    options.connections_max = EVENTS_AT_ONCE + 1;
    queue_init(&fixture.gate, 1);
    start(&fixture, &options);
    int clients[EVENTS_AT_ONCE], opener = dial(&fixture);
    for (size_t i = 0; i < EVENTS_AT_ONCE; i++) {
        clients[i] = dial(&fixture);
        say(clients[i], "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_has(hear(clients[i]), "GET /first");
    }
    say(opener, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 0; i < EVENTS_AT_ONCE; i++)
        say(clients[i], "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    bool opened = queue_push(&fixture.gate, &fixture);
    assert_true(opened);
    for (size_t i = 0; i < EVENTS_AT_ONCE; i++) {
        assert_has(hear(clients[i]), "GET /second");
        close(clients[i]);
    }
    close(opener);
    server_destroy(fixture.server);
    queue_deinit(&fixture.deferred);
    queue_deinit(&fixture.gate);
}

static void serves_ipv6(void **state) {
    (void)state;
    struct fixture fixture;
    struct server_options options = standard_options(&fixture);
    options.bind = "::1";
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    bool present = bind(probe, (struct sockaddr *)&address, sizeof address) == 0;
    close(probe);
    if (!present)
        skip();
    start(&fixture, &options);
    address.sin6_port = htons(server_port(fixture.server));
    int client = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    say(client, "GET /six HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "GET /six");
    close(client);
    server_destroy(fixture.server);
    queue_deinit(&fixture.deferred);
}

/* Whether a body of 64 MiB would be taken: 100, or else 503. */
static bool has_room(const struct fixture *fixture) {
    const char *answer = ask(fixture, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                      "Content-Length: 67108864\r\n\r\n");
    if (strncmp(answer, "HTTP/1.1 100 ", 13) == 0)
        return true;
    assert_has(answer, "HTTP/1.1 503 ");
    assert_has(answer, "Retry-After: 1\r\n");
    assert_has(answer, "\"overloaded\"");
    return false;
}

static void assert_room(const struct fixture *fixture, bool room) {
    int64_t end_us = clock_monotonic_us(&clock_system) + PATIENCE_US;
    while (has_room(fixture) != room && clock_monotonic_us(&clock_system) < end_us)
        continue;
    assert_int_equal(has_room(fixture), room);
}

/* 40 bodies of 8 MiB, none of them whole. */
static void bodies_have_a_common_maximum(void **state) {
    (void)state;
    const size_t part = (size_t)8 * 1024 * 1024;
    int clients[40];
    struct fixture fixture;
    struct server_options options = standard_options(&fixture);
    options.body_bytes_max = (size_t)64 * 1024 * 1024;
    start(&fixture, &options);
    char *bytes = memory_zeroed(1, part);
    for (size_t i = 0; i < 40; i++) {
        clients[i] = dial(&fixture);
        say(clients[i], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\n\r\n");
        say_bytes(clients[i], bytes, part);
    }
    assert_room(&fixture, false);
    for (size_t i = 0; i < 40; i++)
        close(clients[i]);
    assert_room(&fixture, true);
    free(bytes);
    server_destroy(fixture.server);
    queue_deinit(&fixture.deferred);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(hands_over_what_was_sent),
        TEST(an_escaped_nul_stays_escaped),
        TEST(head_has_no_body),
        TEST(body_may_have_the_maximum),
        TEST(announced_body_too_large_is_refused_unread),
        TEST(chunked_body_too_large_is_refused_at_its_end),
        TEST(deferred_request_is_answered_later),
        TEST(answer_may_come_before_the_handler_returns),
        TEST(answer_may_come_at_any_moment),
        TEST(deferred_request_outlives_its_client),
        TEST(abort_ends_the_connection),
        TEST(header_that_cannot_be_sent_makes_it_a_500),
        TEST(nonsense_gets_an_error_or_an_end),
        TEST(failure_to_listen_says_what_to_do),
        TEST(port_can_be_used_again_at_once),
        cmocka_unit_test(connection_above_the_maximum_is_refused),
        TEST(stop_listening_spares_what_is_open),
        cmocka_unit_test(destroy_lets_requests_end),
        cmocka_unit_test(as_many_as_epoll_gives_at_once_are_served),
        cmocka_unit_test(serves_ipv6),
        cmocka_unit_test(bodies_have_a_common_maximum),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
