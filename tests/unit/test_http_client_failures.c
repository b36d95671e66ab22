#include "support/test.h"

#include "sender/http_client.h"
#include "support/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What must not happen does not within PATIENCE_MS; what has to happen by a deadline has SOON_MS,
 * which no test measures. */
#define PATIENCE_MS 60000
#define SOON_MS 500
#define EXCHANGES 20
#define WAITING_MAX 16

struct fixture {
    struct http_client *client;
    struct raw_server server;
    char url[128];
};

static int set_up_with(void **state, size_t exchanges_max) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct http_client_options options = {.exchanges_max = exchanges_max,
                                                .connections_max = exchanges_max};
    struct error error;
    *state = fixture;
    return http_client_create(&fixture->client, &options, &error);
}

static int set_up(void **state) {
    return set_up_with(state, EXCHANGES);
}

static int set_up_with_one_connection(void **state) {
    return set_up_with(state, 1);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_client_destroy(fixture->client);
    if (fixture->server.talk != NULL)
        raw_server_stop(&fixture->server);
    free(fixture);
    return 0;
}

static void submit_to(struct fixture *fixture, const char *scheme, uint16_t port,
                      int64_t timeout_ms) {
    struct http_exchange *exchange = http_client_take(fixture->client);
    assert_non_null(exchange);
    snprintf(fixture->url, sizeof fixture->url, "%s://127.0.0.1:%u/", scheme, port);
    exchange->request.method = "POST";
    exchange->request.url = fixture->url;
    exchange->request.timeout_ms = timeout_ms;
    http_client_submit(fixture->client, exchange);
}

static void submit(struct fixture *fixture, int64_t timeout_ms) {
    submit_to(fixture, "http", fixture->server.port, timeout_ms);
}

static struct http_exchange *next(struct fixture *fixture) {
    struct http_exchange *finished = NULL;
    while (http_client_poll(fixture->client, &finished, 1, PATIENCE_MS) == 0)
        continue;
    return finished;
}

/* Takes the next exchange and asserts how it ended. */
static struct http_response finish(struct fixture *fixture, enum attempt_class class,
                                   int64_t status) {
    struct http_exchange *exchange = next(fixture);
    struct http_response response = exchange->response;
    if (response.class != class || response.status != status)
        fail_msg("%s %d: %s", attempt_class_name(response.class), (int)response.status,
                 response.error);
    bool whole = class == ATTEMPT_ACCEPTED || class == ATTEMPT_HTTP_3XX ||
                 class == ATTEMPT_HTTP_4XX || class == ATTEMPT_HTTP_5XX;
    assert_int_equal(response.error[0] == '\0', whole);
    http_client_give_back(fixture->client, exchange);
    return response;
}

/* What servers do */

static void answer_all(struct raw_server *server, int client) {
    while (raw_server_hear(server, client) &&
           raw_server_say(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        continue;
}

static void answer_one(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
}

static void reset(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_reset(client);
}

static void hang_up(struct raw_server *server, int client) {
    raw_server_hear(server, client);
}

static void say_nonsense(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "220 mail.example.com ESMTP\r\n");
}

/* Whatever the client says, and it is no HTTP when it wants TLS. */
static void say_plainly(struct raw_server *server, int client) {
    (void)server;
    raw_server_say(client, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    while (raw_server_linger(client))
        continue;
}

static void say_nothing(struct raw_server *server, int client) {
    (void)server;
    while (raw_server_linger(client))
        continue;
}

static void accept_then_hang_up(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf");
}

static void accept_then_hang(struct raw_server *server, int client) {
    accept_then_hang_up(server, client);
    atomic_store(&server->marks, 1);
    say_nothing(server, client);
}

/* A server that always says something: only a deadline of the whole request ends it. */
static void trickle_body(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "HTTP/1.1 500 Busy\r\nContent-Length: 1000000\r\n\r\n");
    while (raw_server_linger(client) && raw_server_say(client, "x"))
        continue;
}

static void trickle_headers(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "HTTP/1.1 200 OK\r\n");
    while (raw_server_linger(client) && raw_server_say(client, "X: y\r\n"))
        continue;
}

static void say_without_end(struct raw_server *server, int client) {
    raw_server_hear(server, client);
    raw_server_say(client, "HTTP/1.1 200 OK\r\n\r\n");
    while (raw_server_say(client, "0123456789abcdef0123456789abcdef0123456789abcdef"))
        continue;
}

/* Cases */

static void connections_are_used_again(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, answer_all);
    for (int i = 0; i < 50; i++) {
        submit(fixture, PATIENCE_MS);
        assert_text(finish(fixture, ATTEMPT_ACCEPTED, 200).body, "ok");
    }
    assert_int_equal(fixture->server.connections, 1);
    assert_int_equal(fixture->server.requests, 50);
}

static void connections_that_were_closed_are_made_again(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, answer_one);
    for (int i = 0; i < 20; i++) {
        submit(fixture, PATIENCE_MS);
        finish(fixture, ATTEMPT_ACCEPTED, 200);
    }
    assert_int_equal(fixture->server.connections, 20);
}

/* So that with one connection, none is kept while another server is talked to. */
static void there_are_no_more_connections_than_allowed(void **state) {
    struct fixture *fixture = *state;
    struct raw_server other = {0};
    raw_server_start(&fixture->server, answer_all);
    raw_server_start(&other, answer_all);
    for (int i = 0; i < EXCHANGES; i++) {
        const struct raw_server *server = i % 2 == 0 ? &fixture->server : &other;
        submit_to(fixture, "http", server->port, PATIENCE_MS);
        finish(fixture, ATTEMPT_ACCEPTED, 200);
    }
    assert_int_equal(fixture->server.connections, EXCHANGES / 2);
    assert_int_equal(other.connections, EXCHANGES / 2);
    http_client_destroy(fixture->client);
    fixture->client = NULL;
    raw_server_stop(&other);
}

static void broken_connections_are_resets(void **state) {
    static void (*const talks[])(struct raw_server *, int) = {reset, hang_up, say_nonsense};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        raw_server_start(&fixture->server, talks[i]);
        submit(fixture, PATIENCE_MS);
        finish(fixture, ATTEMPT_RESET, 0);
        raw_server_stop(&fixture->server);
    }
    fixture->server.talk = NULL;
}

static void what_was_accepted_keeps_its_status(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, accept_then_hang_up);
    submit(fixture, PATIENCE_MS);
    assert_text(finish(fixture, ATTEMPT_RESET, 202).body, "half");
    raw_server_stop(&fixture->server);
    raw_server_start(&fixture->server, accept_then_hang);
    submit(fixture, SOON_MS);
    assert_text(finish(fixture, ATTEMPT_READ_TIMEOUT, 202).body, "half");
}

/* Once the server has answered, a poll or two take what it said. */
static void what_was_accepted_keeps_its_status_when_cut_off(void **state) {
    struct fixture *fixture = *state;
    struct http_exchange *exchange = NULL;
    raw_server_start(&fixture->server, accept_then_hang);
    submit(fixture, PATIENCE_MS);
    while (atomic_load(&fixture->server.marks) == 0)
        http_client_poll(fixture->client, &exchange, 1, 1);
    for (int i = 0; i < 5; i++)
        http_client_poll(fixture->client, &exchange, 1, 0);
    http_client_abort_all(fixture->client);
    assert_text(finish(fixture, ATTEMPT_ABORTED, 202).body, "half");
}

static void silence_is_a_read_timeout(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, say_nothing);
    submit(fixture, SOON_MS);
    finish(fixture, ATTEMPT_READ_TIMEOUT, 0);
}

static void the_deadline_is_that_of_the_whole_answer(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, trickle_body);
    submit(fixture, SOON_MS);
    finish(fixture, ATTEMPT_READ_TIMEOUT, 500);
    raw_server_stop(&fixture->server);
    raw_server_start(&fixture->server, trickle_headers);
    submit(fixture, SOON_MS);
    finish(fixture, ATTEMPT_READ_TIMEOUT, 200);
}

static void a_body_without_end_is_broken_off(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, say_without_end);
    submit(fixture, PATIENCE_MS);
    struct http_response response = finish(fixture, ATTEMPT_BODY_LIMIT, 200);
    assert_int_equal(response.body.len, HTTP_BODY_KEPT_BYTES_MAX);
    assert_true(response.body_cut);
}

static void a_name_that_does_not_resolve_is_dns(void **state) {
    struct fixture *fixture = *state;
    struct http_exchange *exchange = http_client_take(fixture->client);
    exchange->request.method = "POST";
    exchange->request.url = "http://no-such-host.invalid/";
    exchange->request.timeout_ms = PATIENCE_MS;
    http_client_submit(fixture->client, exchange);
    finish(fixture, ATTEMPT_DNS, 0);
}

/* A loopback port that nobody else gets; `backlog` negative: nobody listens. */
static int take_port(uint16_t *port, int backlog) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(taken, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(taken, (struct sockaddr *)&address, &length), 0);
    if (backlog >= 0)
        assert_int_equal(listen(taken, backlog), 0);
    *port = ntohs(address.sin_port);
    return taken;
}

static void a_closed_port_is_refused(void **state) {
    uint16_t port = 0;
    int taken = take_port(&port, -1);
    submit_to(*state, "http", port, PATIENCE_MS);
    finish(*state, ATTEMPT_REFUSED, 0);
    close(taken);
}

/* Nobody accepts, and so many are waiting already that the kernel takes no more. */
static void a_full_backlog_is_a_connect_timeout(void **state) {
    uint16_t port = 0;
    int taken = take_port(&port, 0), waiting[WAITING_MAX];
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < WAITING_MAX; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(waiting[i], (const struct sockaddr *)&address, sizeof address);
    }
    submit_to(*state, "http", port, SOON_MS);
    finish(*state, ATTEMPT_CONNECT_TIMEOUT, 0);
    for (size_t i = 0; i < WAITING_MAX; i++)
        close(waiting[i]);
    close(taken);
}

static void plain_text_where_tls_is_spoken_is_tls(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, say_plainly);
    submit_to(fixture, "https", fixture->server.port, PATIENCE_MS);
    finish(fixture, ATTEMPT_TLS, 0);
}

static void a_handshake_without_answer_is_a_connect_timeout(void **state) {
    struct fixture *fixture = *state;
    raw_server_start(&fixture->server, say_nothing);
    submit_to(fixture, "https", fixture->server.port, SOON_MS);
    finish(fixture, ATTEMPT_CONNECT_TIMEOUT, 0);
}

static void a_url_that_is_none_is_no_crash(void **state) {
    static const char *const urls[] = {
        "",    "http://", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://exa mple.com/",
        "\xFF"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_exchange *exchange = http_client_take(fixture->client);
        exchange->request.method = "POST";
        exchange->request.url = urls[i];
        exchange->request.timeout_ms = PATIENCE_MS;
        http_client_submit(fixture->client, exchange);
        exchange = next(fixture);
        assert_int_equal(exchange->response.status, 0);
        assert_int_not_equal(exchange->response.class, ATTEMPT_ACCEPTED);
        assert_true(exchange->response.error[0] != '\0');
        http_client_give_back(fixture->client, exchange);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TEST_WITH_ONE_CONNECTION(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up_with_one_connection, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(connections_are_used_again),
        TEST(connections_that_were_closed_are_made_again),
        TEST_WITH_ONE_CONNECTION(there_are_no_more_connections_than_allowed),
        TEST(broken_connections_are_resets),
        TEST(what_was_accepted_keeps_its_status),
        TEST(what_was_accepted_keeps_its_status_when_cut_off),
        TEST(silence_is_a_read_timeout),
        TEST(the_deadline_is_that_of_the_whole_answer),
        TEST(a_body_without_end_is_broken_off),
        TEST(a_name_that_does_not_resolve_is_dns),
        TEST(a_closed_port_is_refused),
        TEST(a_full_backlog_is_a_connect_timeout),
        TEST(plain_text_where_tls_is_spoken_is_tls),
        TEST(a_handshake_without_answer_is_a_connect_timeout),
        TEST(a_url_that_is_none_is_no_crash),
    };
    return cmocka_run_group_tests_name("http_client_failures", tests, NULL, NULL);
}
