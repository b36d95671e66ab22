#include "support/test.h"

#include "api/server.h"
#include "base/thread.h"
#include "base/version.h"
#include "sender/http_client.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 200
#define WAIT_MS 20000

/* A client, and a server that answers what the path says and never answers /hang. */
struct fixture {
    struct server *server;
    struct http_client *client;
    _Atomic int served;
    struct request *_Atomic hanging;
    char url[128];
};

/* The number that ends the path. */
static int64_t number_in(const struct request *request) {
    struct text path = request_path(request);
    int64_t number = 0;
    text_cut(&path, '/');
    text_cut(&path, '/');
    text_to_int64(path, &number);
    return number;
}

static void answer_zeros(struct request *request) {
    struct text zeros = {calloc(1, HTTP_BODY_READ_BYTES_MAX), (size_t)number_in(request)};
    request_respond(request, 200, "text/plain", zeros);
    free((char *)zeros.data);
}

static void answer_status(struct request *request) {
    request_add_header(request, "Location", "/echo");
    request_respond(request, (unsigned)number_in(request), NULL, (struct text){0});
}

static void handle(struct request *request, void *context) {
    struct fixture *fixture = context;
    struct text path = request_path(request);
    atomic_fetch_add(&fixture->served, 1);
    if (text_equal_string(path, "/hang")) {
        request_defer(request);
        atomic_store(&fixture->hanging, request);
    } else if (text_equal_string(path, "/busy")) {
        request_add_header(request, "Retry-After", "17");
        request_respond(request, 503, "text/plain", TEXT_LITERAL("later"));
    } else if (text_starts_with(path, "/zeros/")) {
        answer_zeros(request);
    } else if (text_starts_with(path, "/status/")) {
        answer_status(request);
    } else if (text_equal_string(path, "/header")) {
        request_respond(request, 200, "text/plain", request_header(request, "User-Agent"));
    } else {
        request_respond(request, 202, "text/plain", request_body(request));
    }
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct server_options server_options = {.bind = "127.0.0.1",
                                                  .threads = 1,
                                                  .connections_max = MANY + 1,
                                                  .idle_timeout_s = 30,
                                                  .body_bytes_max = 100000,
                                                  .handle = handle,
                                                  .context = fixture};
    const struct http_client_options client_options = {.exchanges_max = MANY,
                                                       .connections_max = MANY};
    struct error error;
    assert_int_equal(server_create(&fixture->server, &server_options, &error), STATUS_OK);
    assert_int_equal(http_client_create(&fixture->client, &client_options, &error), STATUS_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_client_destroy(fixture->client);
    if (atomic_load(&fixture->hanging) != NULL)
        request_abort(atomic_load(&fixture->hanging), false);
    server_destroy(fixture->server);
    free(fixture);
    return 0;
}

static void submit(struct fixture *fixture, const char *path, const char *body) {
    struct http_exchange *exchange = http_client_take(fixture->client);
    assert_non_null(exchange);
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%u%s",
             server_port(fixture->server), path);
    exchange->request.method = "POST";
    exchange->request.url = fixture->url;
    exchange->request.timeout_ms = WAIT_MS;
    buffer_append_string(&exchange->request.body, body);
    http_client_submit(fixture->client, exchange);
}

static struct http_exchange *next(struct fixture *fixture) {
    struct http_exchange *finished = NULL;
    while (http_client_poll(fixture->client, &finished, 1, WAIT_MS) == 0)
        continue;
    return finished;
}

static void an_answer_comes_back_whole(void **state) {
    struct fixture *fixture = *state;
    submit(fixture, "/echo", "hello");
    struct http_exchange *exchange = next(fixture);
    assert_int_equal(exchange->response.class, ATTEMPT_ACCEPTED);
    assert_int_equal(exchange->response.status, 202);
    assert_text(exchange->response.body, "hello");
    assert_false(exchange->response.body_cut);
    http_client_give_back(fixture->client, exchange);
}

static void retry_after_is_kept_of_each_answer_alone(void **state) {
    struct fixture *fixture = *state;
    submit(fixture, "/busy", "");
    struct http_exchange *exchange = next(fixture);
    assert_int_equal(exchange->response.class, ATTEMPT_HTTP_5XX);
    assert_text(exchange->response.retry_after, "17");
    http_client_give_back(fixture->client, exchange);
    submit(fixture, "/echo", "");
    exchange = next(fixture);
    assert_int_equal(exchange->response.retry_after.len, 0);
    http_client_give_back(fixture->client, exchange);
}

static void of_a_large_body_a_part_is_kept(void **state) {
    static const size_t sizes[] = {0, 1, HTTP_BODY_KEPT_BYTES_MAX, HTTP_BODY_KEPT_BYTES_MAX + 1,
                                   HTTP_BODY_READ_BYTES_MAX};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char path[64];
        bool cut = sizes[i] > HTTP_BODY_KEPT_BYTES_MAX;
        snprintf(path, sizeof path, "/zeros/%zu", sizes[i]);
        submit(fixture, path, "");
        struct http_exchange *exchange = next(fixture);
        assert_int_equal(exchange->response.class, ATTEMPT_ACCEPTED);
        assert_int_equal(exchange->response.body.len, cut ? HTTP_BODY_KEPT_BYTES_MAX : sizes[i]);
        assert_int_equal(exchange->response.body_cut, cut);
        http_client_give_back(fixture->client, exchange);
    }
}

/* Those with a Location are no exception: it is not followed. */
static void every_status_has_its_class(void **state) {
    static const struct {
        unsigned status;
        enum attempt_class class;
    } cases[] = {
        {200, ATTEMPT_ACCEPTED}, {204, ATTEMPT_ACCEPTED}, {299, ATTEMPT_ACCEPTED},
        {300, ATTEMPT_HTTP_3XX}, {301, ATTEMPT_HTTP_3XX}, {302, ATTEMPT_HTTP_3XX},
        {304, ATTEMPT_HTTP_3XX}, {307, ATTEMPT_HTTP_3XX}, {399, ATTEMPT_HTTP_3XX},
        {400, ATTEMPT_HTTP_4XX}, {401, ATTEMPT_HTTP_4XX}, {407, ATTEMPT_HTTP_4XX},
        {417, ATTEMPT_HTTP_4XX}, {499, ATTEMPT_HTTP_4XX}, {500, ATTEMPT_HTTP_5XX},
        {503, ATTEMPT_HTTP_5XX}, {599, ATTEMPT_HTTP_5XX},
    };
    struct fixture *fixture = *state;
    size_t count = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/status/%u", cases[i].status);
        submit(fixture, path, "x");
        struct http_exchange *exchange = next(fixture);
        assert_int_equal(exchange->response.status, cases[i].status);
        assert_int_equal(exchange->response.class, cases[i].class);
        assert_string_equal(exchange->response.error, "");
        http_client_give_back(fixture->client, exchange);
    }
    assert_int_equal(fixture->served, count);
}

static void it_says_who_it_is(void **state) {
    struct fixture *fixture = *state;
    char expected[100];
    submit(fixture, "/header", "");
    struct http_exchange *exchange = next(fixture);
    snprintf(expected, sizeof expected, "posthaste/%s", POSTHASTE_VERSION);
    assert_text(exchange->response.body, expected);
    http_client_give_back(fixture->client, exchange);
}

static void many_are_in_the_air_and_none_beyond_the_maximum(void **state) {
    struct fixture *fixture = *state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            submit(fixture, "/echo", "x");
        assert_null(http_client_take(fixture->client));
        for (int i = 0; i < MANY; i++) {
            struct http_exchange *exchange = next(fixture);
            assert_int_equal(exchange->response.class, ATTEMPT_ACCEPTED);
            http_client_give_back(fixture->client, exchange);
        }
    }
    assert_int_equal(fixture->served, 3 * MANY);
}

/* Such a request would wait for a connection, and its deadline would not be kept. */
static void more_exchanges_than_connections_are_refused(void **state) {
    (void)state;
    const struct http_client_options options = {.exchanges_max = 2, .connections_max = 1};
    struct http_client *client = NULL;
    struct error error;
    int how = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(STDERR_FILENO);
        http_client_create(&client, &options, &error);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGABRT);
}

static void what_is_cut_off_comes_back_as_aborted(void **state) {
    struct fixture *fixture = *state;
    struct http_exchange *finished = NULL;
    submit(fixture, "/hang", "");
    while (atomic_load(&fixture->hanging) == NULL)
        http_client_poll(fixture->client, &finished, 1, 1);
    http_client_abort_all(fixture->client);
    assert_int_equal(next(fixture)->response.class, ATTEMPT_ABORTED);
}

static void a_client_may_end_with_requests_in_the_air(void **state) {
    struct fixture *fixture = *state;
    struct http_exchange *finished = NULL;
    submit(fixture, "/hang", "");
    while (atomic_load(&fixture->hanging) == NULL)
        http_client_poll(fixture->client, &finished, 1, 1);
}

static void wake(void *client) {
    http_client_wake(client);
}

static void a_wake_ends_the_wait(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct http_exchange *finished = NULL;
    struct error error;
    assert_int_equal(thread_start(&thread, "wake", wake, fixture->client, &error), STATUS_OK);
    assert_int_equal(http_client_poll(fixture->client, &finished, 1, INT64_MAX), 0);
    thread_join(&thread);
}

static void a_wake_that_came_before_ends_the_next_wait(void **state) {
    struct fixture *fixture = *state;
    struct http_exchange *finished = NULL;
    http_client_wake(fixture->client);
    http_client_wake(fixture->client);
    assert_int_equal(http_client_poll(fixture->client, &finished, 1, INT64_MAX), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_back_whole),
        TEST(retry_after_is_kept_of_each_answer_alone),
        TEST(of_a_large_body_a_part_is_kept),
        TEST(every_status_has_its_class),
        TEST(it_says_who_it_is),
        TEST(many_are_in_the_air_and_none_beyond_the_maximum),
        cmocka_unit_test(more_exchanges_than_connections_are_refused),
        TEST(what_is_cut_off_comes_back_as_aborted),
        TEST(a_client_may_end_with_requests_in_the_air),
        TEST(a_wake_ends_the_wait),
        TEST(a_wake_that_came_before_ends_the_next_wait),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
