#include "support/dialogue.h"
#include "support/http.h"
#include "support/test.h"

#include "api/peers.h"
#include "api/server.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US 20000000
/* A client that says a byte, and listens for so long before the next. */
#define DRIBBLE_MS 50

static const char *const headers[] = {"Cache-Control", "no-store", "X-Frame-Options", "DENY", NULL};

struct fixture {
    struct server *server;
    struct server_options options;
    atomic_uint status; /* of the last request that ended, and it was one with an id */
};

static bool on_part(void *context, struct text part) {
    (void)context, (void)part;
    return true;
}

static void on_end(void *context, bool whole) {
    request_respond(context, whole ? 200 : 500, "text/plain", TEXT_LITERAL("taken"));
}

static bool streams(const struct request *request, void *context) {
    (void)context;
    return text_equal_string(request_path(request), "/stream");
}

static void tell_peer(struct request *request) {
    char text[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr *peer = request_peer(request);
    if (peer->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, text,
                  sizeof text);
    request_respond(request, 200, "text/plain", text_of(text));
}

static void handle(struct request *request, void *context) {
    char text[100];
    if (streams(request, context)) {
        const struct body_sink sink = {on_part, on_end, request};
        request_read_body(request, &sink);
        return;
    }
    if (text_equal_string(request_path(request), "/peer")) {
        tell_peer(request);
        return;
    }
    if (text_equal_string(request_path(request), "/cached"))
        request_add_header(request, "cache-control", "max-age=60");
    int len = snprintf(text, sizeof text, "%.*s len=%zu", TEXT_ARGUMENT(request_method(request)),
                       request_body(request).len);
    request_respond(request, 200, "text/plain", (struct text){text, (size_t)len});
}

static void on_ended(const struct request *request, unsigned status, int64_t took_us,
                     void *context) {
    struct fixture *fixture = context;
    assert_true(request_id(request).len > 0 && took_us >= 0);
    atomic_store(&fixture->status, status);
}

static void start(struct fixture *fixture) {
    struct error error = {0};
    fixture->options.bind = "127.0.0.1";
    fixture->options.threads = 1;
    if (fixture->options.connections_max == 0)
        fixture->options.connections_max = 100;
    if (fixture->options.idle_timeout_s == 0)
        fixture->options.idle_timeout_s = 30;
    fixture->options.body_bytes_max = 1000;
    fixture->options.handle = handle;
    fixture->options.streams = streams;
    fixture->options.ended = on_ended;
    fixture->options.headers = headers;
    fixture->options.context = fixture;
    assert_int_equal(server_create(&fixture->server, &fixture->options, &error), STATUS_OK);
}

static int set_up(void **state) {
    struct fixture *fixture = memory_zeroed(1, sizeof *fixture);
    start(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    server_destroy(fixture->server);
    free(fixture);
    return 0;
}

static int dial(const struct fixture *fixture) {
    return http_dial(server_port(fixture->server));
}

static int dial_from(const struct fixture *fixture, const char *source) {
    struct timeval patience = {.tv_sec = PATIENCE_US / 1000000};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server_port(fixture->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(bind(client, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    return client;
}

static const char *ask(int client, const char *path) {
    char request[200];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    say(client, request);
    return hear(client);
}

static void assert_refused(int client, const char *status, const char *code) {
    const char *answer = hear(client);
    assert_has(answer, status);
    assert_has(answer, code);
    assert_has(answer, "Connection: close\r\n");
    assert_has(answer, "Content-Type: application/json\r\n");
    assert_has(answer, "X-Frame-Options: DENY\r\n");
    assert_true(hear_end(client));
    close(client);
}

static void connections_beyond_the_maximum_are_told(void **state) {
    (void)state;
    struct fixture fixture = {.options.connections_max = 2};
    start(&fixture);
    int first = dial(&fixture), second = dial_from(&fixture, "127.0.0.2");
    assert_has(ask(first, "/"), "200 OK");
    assert_has(ask(second, "/"), "200 OK");
    int third = dial(&fixture);
    const char *answer = hear(third);
    assert_has(answer, "HTTP/1.1 503 Service Unavailable\r\n");
    assert_has(answer, "Retry-After: 1\r\n");
    assert_has(answer, "{\"error\":{\"code\":\"overloaded\",\"message\":\"");
    close(third);
    close(first);
    close(second);
    server_destroy(fixture.server);
}

/* The connection before may not have been seen to end. */
static void assert_admitted_at_last(const struct fixture *fixture, const char *source) {
    int64_t end_us = clock_monotonic_us(&clock_system) + PATIENCE_US;
    bool admitted = false;
    while (!admitted && clock_monotonic_us(&clock_system) < end_us) {
        int client = dial_from(fixture, source);
        const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        say_bytes(client, request, sizeof request - 1);
        admitted = strstr(hear(client), "200 OK") != NULL;
        close(client);
    }
    assert_true(admitted);
}

static void one_address_has_a_maximum_of_its_own(void **state) {
    (void)state;
    struct fixture fixture = {.options.connections_per_address_max = 2};
    start(&fixture);
    int first = dial_from(&fixture, "127.0.0.2"), second = dial_from(&fixture, "127.0.0.2");
    int other = dial_from(&fixture, "127.0.0.3");
    assert_has(ask(first, "/"), "200 OK");
    assert_has(ask(second, "/"), "200 OK");
    assert_has(ask(other, "/peer"), "127.0.0.3");
    assert_refused(dial_from(&fixture, "127.0.0.2"), "HTTP/1.1 503 ", "Retry-After: 1\r\n");
    close(first);
    assert_admitted_at_last(&fixture, "127.0.0.2");
    close(second);
    close(other);
    server_destroy(fixture.server);
}

static union peer_address address_of(const char *text) {
    union peer_address address = {0};
    if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
        address.v6.sin6_family = AF_INET6;
    else if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1)
        address.v4.sin_family = AF_INET;
    return address;
}

static void ipv6_counts_by_network(void **state) {
    (void)state;
    static const struct {
        const char *address;
        bool enters;
    } steps[] = {
        {"2001:db8:1:2::1", true}, {"2001:db8:1:2:ffff::2", false},
        {"2001:db8::1", true},     {"::ffff:192.0.2.1", true},
        {"192.0.2.1", false},      {"32.1.13.184", true},
        {"2001:db9::", false}, /* the total */
    };
    struct peers *peers = peers_create(4, 1);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        union peer_address address = address_of(steps[i].address);
        assert_int_equal(peers_enter(peers, &address), steps[i].enters);
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        union peer_address address = address_of(steps[i].address);
        if (steps[i].enters)
            peers_leave(peers, &address);
    }
    peers_destroy(peers);
}

/* Says `bytes` over and over, one by one, until there is something to hear. */
static void dribble(int client, const char *bytes) {
    struct timeval patience = {.tv_usec = DRIBBLE_MS * 1000};
    struct timeval long_patience = {.tv_sec = PATIENCE_US / 1000000};
    char heard;
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (size_t i = 0; i < (size_t)PATIENCE_US / 1000 / DRIBBLE_MS; i++) {
        if (!say_bytes(client, &bytes[i % strlen(bytes)], 1) ||
            recv(client, &heard, 1, MSG_PEEK) >= 0)
            break;
    }
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &long_patience, sizeof long_patience);
}

static void a_slow_head_is_cut_off(void **state) {
    (void)state;
    static const char *const beginnings[] = {
        "G",
        "GET /a",
        "GET /a HTTP/1.1\r\nHost: x\r\nX-Header: ",
    };
    struct fixture fixture = {.options.request_timeout_s = 1};
    start(&fixture);
    int silent = dial(&fixture);
    say(silent, "GET /a HTTP/1.1\r\nHo");
    for (size_t i = 0; i < 3; i++) {
        int client = dial(&fixture);
        if (i == 1) /* and on a connection that was in use */
            assert_has(ask(client, "/"), "200 OK");
        say(client, beginnings[i]);
        dribble(client, "abc");
        assert_refused(client, "HTTP/1.1 408 ", "\"request_timeout\"");
    }
    assert_refused(silent, "HTTP/1.1 408 ", "\"request_timeout\"");
    server_destroy(fixture.server);
}

static void a_slow_body_is_cut_off(void **state) {
    (void)state;
    struct fixture fixture = {.options.request_timeout_s = 1};
    start(&fixture);
    for (int dribbles = 0; dribbles < 2; dribbles++) {
        int client = dial(&fixture);
        say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhello");
        if (dribbles)
            dribble(client, "abc");
        assert_refused(client, "HTTP/1.1 408 ", "\"request_timeout\"");
    }
    server_destroy(fixture.server);
    assert_int_equal(atomic_load(&fixture.status), 408);
}

static void a_connection_between_requests_may_idle(void **state) {
    (void)state;
    struct fixture fixture = {.options.request_timeout_s = 1, .options.idle_timeout_s = 3};
    start(&fixture);
    char byte;
    int fresh = dial(&fixture), used = dial(&fixture);
    assert_has(ask(used, "/"), "200 OK");
    assert_int_equal(recv(fresh, &byte, 1, 0), 0);
    assert_int_equal(recv(used, &byte, 1, 0), 0);
    close(fresh);
    close(used);
    server_destroy(fixture.server);
}

/* For longer than a request may take. */
static void a_streamed_body_may_take_its_time(void **state) {
    (void)state;
    struct fixture fixture = {.options.request_timeout_s = 1};
    struct timeval patience = {.tv_usec = 100000};
    struct timeval long_patience = {.tv_sec = PATIENCE_US / 1000000};
    char byte;
    start(&fixture);
    int client = dial(&fixture);
    say(client, "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n");
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < 30; i++) {
        assert_true(recv(client, &byte, 1, MSG_PEEK) < 0);
        say(client, "x");
    }
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &long_patience, sizeof long_patience);
    assert_has(hear(client), "taken");
    assert_has(ask(client, "/"), "200 OK");
    close(client);
    server_destroy(fixture.server);
}

/* "GET ", a path with query of `bytes` bytes, and `more`; freed by the caller. */
static char *head_of(size_t bytes, const char *more) {
    struct buffer head;
    buffer_init(&head, 1000000);
    buffer_append_string(&head, "GET /?q=");
    while (head.len < 4 + bytes)
        buffer_append_byte(&head, 'x');
    buffer_append_string(&head, more);
    return buffer_take(&head);
}

static void urls_have_a_maximum(void **state) {
    struct fixture *fixture = *state;
    static const char more[] = " HTTP/1.1\r\nHost: x\r\n\r\n";
    int client = dial(fixture);
    for (size_t over = 0; over < 2; over++) {
        char *head = head_of(SERVER_URL_BYTES_MAX + over, more);
        say(client, head);
        free(head);
        const char *answer = hear(client);
        assert_has(answer, over ? "HTTP/1.1 414 " : "HTTP/1.1 200 ");
        if (over)
            assert_has(answer, "{\"error\":{\"code\":\"url_too_long\",\"message\":\"");
    }
    assert_has(ask(client, "/"), "200 OK");
    char *head = head_of(SERVER_URL_BYTES_MAX + 1, " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                                                   "Expect: 100-continue\r\n\r\n");
    say(client, head);
    free(head);
    assert_has(hear(client), "HTTP/1.1 414 ");
    close(client);
}

/* However large: nobody is left without an answer, and nobody waits. */
static void heads_have_a_maximum(void **state) {
    struct fixture *fixture = *state;
    static const size_t sizes[] = {
        SERVER_HEAD_BYTES_MAX + 1, 13000, 16000, 16100, 16200, 17000, 40000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int in_url = 0; in_url < 2; in_url++) {
            char *line = head_of(in_url ? sizes[i] : 10, " HTTP/1.1\r\nHost: x\r\n");
            char *header = head_of(sizes[i], "\r\n\r\n");
            memcpy(header, "Test: ", 6);
            int client = dial(fixture);
            say_bytes(client, line, strlen(line));
            say_bytes(client, in_url ? "\r\n" : header, in_url ? 2 : strlen(header));
            const char *answer = hear(client);
            if (in_url)
                assert_has(answer, "HTTP/1.1 414 ");
            else
                assert_has(answer, "HTTP/1.1 431 ");
            close(client);
            free(line);
            free(header);
        }
    }
}

static void many_headers_have_a_maximum(void **state) {
    struct fixture *fixture = *state;
    for (int count = 50; count < 2000; count += 10) {
        struct buffer head;
        buffer_init(&head, 1000000);
        buffer_append_string(&head, "GET /?a&b&c HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < count; i++)
            buffer_printf(&head, "A%d: b\r\n", i);
        buffer_append_string(&head, "\r\n");
        int client = dial(fixture);
        say_bytes(client, head.data, head.len);
        assert_has(hear(client), count <= 150  ? "HTTP/1.1 200 "
                                 : count > 170 ? " 431 "
                                               : "HTTP/1.1 ");
        close(client);
        buffer_deinit(&head);
    }
}

static void the_ways_of_http_go_on(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\n"
                "Content-Length: 3\r\n\r\nabcPOST /3 HTTP/1.1\r\nHost: x\r\n"
                "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"
                "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1HEAD /5 HTTP/1.1\r\n"
                "Host: x\r\n\r\n");
    assert_has(hear(client), "GET len=0");
    assert_has(hear(client), "POST len=3");
    assert_has(hear(client), "POST len=4");
    assert_has(hear(client), "taken");
    assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 200 ");
    say(client, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 100 ");
    say(client, "ab");
    assert_has(hear(client), "POST len=2");
    close(client);
    client = dial(fixture);
    say(client, "GET / HTTP/1.0\r\n\r\n");
    assert_has(hear(client), "GET len=0");
    assert_true(hear_end(client));
    close(client);
}

static void an_added_header_replaces_the_standard_one(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    assert_has(ask(client, "/"), "Cache-Control: no-store\r\n");
    const char *answer = ask(client, "/cached");
    assert_has(answer, "cache-control: max-age=60\r\n");
    assert_has(answer, "X-Frame-Options: DENY\r\n");
    assert_null(strstr(answer, "no-store"));
    close(client);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_beyond_the_maximum_are_told),
        cmocka_unit_test(one_address_has_a_maximum_of_its_own),
        cmocka_unit_test(ipv6_counts_by_network),
        cmocka_unit_test(a_slow_head_is_cut_off),
        cmocka_unit_test(a_slow_body_is_cut_off),
        cmocka_unit_test(a_connection_between_requests_may_idle),
        cmocka_unit_test(a_streamed_body_may_take_its_time),
        TEST(urls_have_a_maximum),
        TEST(heads_have_a_maximum),
        TEST(many_headers_have_a_maximum),
        TEST(the_ways_of_http_go_on),
        TEST(an_added_header_replaces_the_standard_one),
    };
    return cmocka_run_group_tests_name("server_limits", tests, NULL, NULL);
}
