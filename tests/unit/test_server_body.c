#include "support/dialogue.h"
#include "support/http.h"
#include "support/test.h"

#include "api/server.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/queue.h"
#include "base/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_BYTES_MAX 1000
#define LARGE_BYTES ((size_t)50 * 1024 * 1024)
#define LARGE_GROWTH_KB_MAX (16 * 1024)

/* What has become of one streamed request. */
struct upload {
    struct fixture *fixture;
    struct request *request;
    bool pauses;        /* each part waits for a request_read_on from elsewhere */
    bool answers_ended; /* by itself, when the body has ended */
    bool whole;
    size_t bytes;
    unsigned sum;
};

struct fixture {
    struct server *server;
    struct queue paused; /* uploads, for each part that waits */
    struct queue ended;  /* uploads, when `end` was called */
    struct queue begun;  /* uploads that the handler left to somebody else */
    struct queue done;   /* uploads whose streamed answer was done with */
    atomic_size_t ends;
};

static void push(struct queue *queue, void *item) {
    bool pushed = queue_push(queue, item);
    check(pushed);
}

static struct upload *next_of(struct queue *queue) {
    void *upload = NULL;
    while (queue_pop(queue, &upload, 1, -1) == 0)
        continue;
    return upload;
}

static void tell(struct upload *upload) {
    char text[100];
    int len = snprintf(text, sizeof text, "whole=%d bytes=%zu sum=%u", upload->whole, upload->bytes,
                       upload->sum);
    request_respond(upload->request, 200, "text/plain", (struct text){text, (size_t)len});
}

static bool on_part(void *context, struct text part) {
    struct upload *upload = context;
    assert_true(part.len > 0);
    upload->bytes += part.len;
    for (size_t i = 0; i < part.len; i++)
        upload->sum += (unsigned char)part.data[i];
    if (text_equal_string(request_path(upload->request), "/up/now"))
        request_read_on(upload->request);
    if (upload->pauses)
        push(&upload->fixture->paused, upload);
    return text_equal_string(request_path(upload->request), "/up/count");
}

static bool on_part_answer(void *context, struct text part) {
    struct upload *upload = context;
    (void)part;
    request_respond(upload->request, 403, "text/plain", TEXT_LITERAL("enough"));
    return true;
}

static void on_end(void *context, bool whole) {
    struct upload *upload = context;
    struct fixture *fixture = upload->fixture;
    upload->whole = whole;
    atomic_fetch_add(&fixture->ends, 1);
    if (upload->answers_ended)
        tell(upload);
    push(&fixture->ended, upload);
}

static struct body_sink sink_of(struct upload *upload) {
    bool answers = text_equal_string(request_path(upload->request), "/up/part");
    return (struct body_sink){answers ? on_part_answer : on_part, on_end, upload};
}

static bool streams(const struct request *request, void *context) {
    (void)context;
    return text_starts_with(request_path(request), "/up");
}

static void handle(struct request *request, void *context) {
    struct fixture *fixture = context;
    struct text path = request_path(request);
    if (!streams(request, NULL)) {
        request_respond(request, 200, "text/plain", path);
        return;
    }
    if (text_equal_string(path, "/up/forbidden")) {
        request_respond(request, 401, "text/plain", TEXT_LITERAL("who?"));
        return;
    }
    struct upload *upload = memory_zeroed(1, sizeof *upload);
    *upload = (struct upload){.fixture = fixture, .request = request};
    upload->pauses = text_equal_string(path, "/up/pause");
    bool later = request_header(request, "X-Later").data != NULL;
    upload->answers_ended =
        !later && !text_equal_string(path, "/up/part") && !text_equal_string(path, "/up/early");
    if (text_equal_string(path, "/up/defer")) {
        request_defer(request);
        push(&fixture->begun, upload);
        return;
    }
    struct body_sink sink = sink_of(upload);
    request_read_body(request, &sink);
    if (text_equal_string(path, "/up/early"))
        request_respond(request, 403, "text/plain", TEXT_LITERAL("early"));
    if (later)
        push(&fixture->begun, upload);
}

static void start(struct fixture *fixture, unsigned idle_timeout_s) {
    struct error error = {0};
    const struct server_options options = {.bind = "127.0.0.1",
                                           .threads = 1,
                                           .connections_max = 100,
                                           .idle_timeout_s = idle_timeout_s,
                                           .body_bytes_max = BODY_BYTES_MAX,
                                           .handle = handle,
                                           .streams = streams,
                                           .context = fixture};
    queue_init(&fixture->paused, 100);
    queue_init(&fixture->ended, 100);
    queue_init(&fixture->begun, 100);
    queue_init(&fixture->done, 100);
    assert_int_equal(server_create(&fixture->server, &options, &error), STATUS_OK);
}

static void stop(struct fixture *fixture) {
    server_destroy(fixture->server);
    queue_deinit(&fixture->paused);
    queue_deinit(&fixture->ended);
    queue_deinit(&fixture->begun);
    queue_deinit(&fixture->done);
}

static int set_up(void **state) {
    struct fixture *fixture = memory_zeroed(1, sizeof *fixture);
    start(fixture, 30);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    stop(*state);
    free(*state);
    return 0;
}

static int dial(const struct fixture *fixture) {
    return http_dial(server_port(fixture->server));
}

static void say_head(int client, const char *path, size_t length, const char *more) {
    char head[200];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n",
             path, length, more);
    say(client, head);
}

static void say_ones(int client, size_t bytes) {
    static char ones[65536];
    memset(ones, 1, sizeof ones);
    for (size_t part = 0; bytes > 0; bytes -= part) {
        part = bytes < sizeof ones ? bytes : sizeof ones;
        assert_true(say_bytes(client, ones, part));
    }
}

/* The end has been told, and was `whole`. */
static void assert_ended(struct fixture *fixture, bool whole) {
    struct upload *upload = next_of(&fixture->ended);
    assert_int_equal(upload->whole, whole);
    free(upload);
}

static void assert_serves(const struct fixture *fixture) {
    int client = dial(fixture);
    say(client, "GET /on HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "/on");
    close(client);
}

static void gives_a_large_body_part_by_part(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say_head(client, "/up/count", 3000000, "");
    say_ones(client, 3000000);
    assert_has(hear(client), "whole=1 bytes=3000000 sum=3000000");
    assert_ended(fixture, true);
    say_head(client, "/collected", BODY_BYTES_MAX + 1, "");
    say_ones(client, BODY_BYTES_MAX + 1);
    assert_has(hear(client), "HTTP/1.1 413 ");
    say_head(client, "/up/count", 2, "Expect: 100-continue\r\n");
    assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 100 ");
    say_ones(client, 2);
    assert_has(hear(client), "whole=1 bytes=2 sum=2");
    assert_ended(fixture, true);
    close(client);
}

static void no_body_has_an_end_as_well(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "GET /up/count HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "whole=1 bytes=0");
    assert_ended(fixture, true);
    say_head(client, "/up/count", 0, "");
    assert_has(hear(client), "whole=1 bytes=0");
    assert_ended(fixture, true);
    close(client);
}

static void read_on_may_come_before_part_returns(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say_head(client, "/up/now", 1000000, "");
    say_ones(client, 1000000);
    assert_has(hear(client), "whole=1 bytes=1000000");
    assert_ended(fixture, true);
    close(client);
}

/* Lets each part pass as it comes. */
static void let_pass(void *argument) {
    struct fixture *fixture = argument;
    void *upload = NULL;
    while (!queue_is_closed(&fixture->paused) || queue_count(&fixture->paused) > 0)
        if (queue_pop(&fixture->paused, &upload, 1, -1) == 1)
            request_read_on(((struct upload *)upload)->request);
}

/* libmicrohttpd holds many of them in its buffer, and goes on to the next while it is suspended. */
static void small_chunks_wait_for_each_other(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct error error;
    struct buffer all;
    buffer_init(&all, 1000000);
    for (int i = 0; i < 20; i++) {
        buffer_append_string(&all, "POST /up/pause HTTP/1.1\r\nHost: x\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n");
        for (int chunk = 0; chunk < 100; chunk++)
            buffer_append_string(&all, "1\r\nA\r\n");
        buffer_append_string(&all, "0\r\n\r\n");
    }
    thread_start(&thread, "pass", let_pass, fixture, &error);
    int client = dial(fixture);
    say(client, all.data);
    for (int i = 0; i < 20; i++) {
        assert_has(hear(client), "whole=1 bytes=100 sum=6500");
        assert_ended(fixture, true);
    }
    queue_close(&fixture->paused);
    thread_join(&thread);
    close(client);
    buffer_deinit(&all);
}

static size_t memory_peak_kb(void) {
    char line[200];
    size_t kb = 0;
    FILE *status = fopen("/proc/self/status", "re");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtoul(line + 6, NULL, 10);
    fclose(status);
    return kb;
}

/* What the two sockets hold goes, but not all of it. */
static size_t say_until_it_does_not_fit(int client, size_t bytes) {
    static const char part[65536];
    size_t said = 0;
    while (said < bytes) {
        ssize_t sent = send(client, part, sizeof part, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            break;
        said += (size_t)sent;
    }
    assert_true(said < bytes && errno == EAGAIN);
    return said;
}

static void a_paused_body_stays_with_its_client(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct error error;
    int client = dial(fixture);
    say_head(client, "/up/pause", LARGE_BYTES, "");
    size_t before_kb = memory_peak_kb();
    size_t said = say_until_it_does_not_fit(client, LARGE_BYTES);
    thread_start(&thread, "pass", let_pass, fixture, &error);
    say_ones(client, LARGE_BYTES - said);
    char expected[100];
    snprintf(expected, sizeof expected, "whole=1 bytes=%zu sum=%zu", LARGE_BYTES,
             LARGE_BYTES - said);
    assert_has(hear(client), expected);
    assert_true(memory_peak_kb() - before_kb < LARGE_GROWTH_KB_MAX);
    assert_ended(fixture, true);
    queue_close(&fixture->paused);
    thread_join(&thread);
    close(client);
}

static void an_answer_may_come_before_the_end(void **state) {
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/up/early", "/up/part"};
    for (size_t i = 0; i < 2; i++) {
        int client = dial(fixture);
        say_head(client, paths[i], 1000000, "");
        say_ones(client, 1000000);
        assert_has(hear(client), "HTTP/1.1 403 ");
        assert_ended(fixture, false);
        say_head(client, "/up/count", 3, "");
        say_ones(client, 3);
        assert_has(hear(client), "whole=1 bytes=3");
        assert_ended(fixture, true);
        close(client);
    }
    assert_int_equal(atomic_load(&fixture->ends), 4);
}

static void what_is_refused_at_once_need_not_be_sent(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say_head(client, "/up/forbidden", 100, "Expect: 100-continue\r\n");
    assert_has(hear(client), "HTTP/1.1 401 ");
    close(client);
    client = dial(fixture);
    say_head(client, "/up/forbidden", 100, "");
    say_ones(client, 100);
    assert_has(hear(client), "HTTP/1.1 401 ");
    say(client, "GET /on HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "/on");
    close(client);
    client = dial(fixture);
    say_head(client, "/up/early", (size_t)SERVER_DISCARD_BYTES_MAX + 1, "");
    assert_has(hear(client), "HTTP/1.1 403 ");
    assert_ended(fixture, false);
    close(client);
}

static void dropping_has_an_end(void **state) {
    struct fixture *fixture = *state;
    static char chunk[65536 + 9];
    memcpy(chunk, "10000\r\n", 7);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    int client = dial(fixture);
    say(client, "POST /up/early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    size_t said = 0;
    while (said < (size_t)4 * SERVER_DISCARD_BYTES_MAX && say_bytes(client, chunk, sizeof chunk))
        said += sizeof chunk;
    assert_true(said >= SERVER_DISCARD_BYTES_MAX);
    assert_true(said < (size_t)4 * SERVER_DISCARD_BYTES_MAX);
    assert_ended(fixture, false);
    close(client);
    assert_serves(fixture);
}

static void an_end_that_is_not_whole_is_told(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say_head(client, "/up/count", 100, "");
    say_ones(client, 50);
    close(client);
    assert_ended(fixture, false);
    assert_serves(fixture);
}

static enum stream_step no_more(void *context, struct buffer *chunk) {
    (void)context, (void)chunk;
    return STREAM_END;
}

static void on_done(void *context) {
    struct upload *upload = context;
    push(&upload->fixture->done, upload);
}

/* The request waits for its answer, of whatever kind, when its client is long gone. */
static void a_request_outlives_its_client(void **state) {
    struct fixture *fixture = *state;
    for (int kind = 0; kind < 3; kind++) {
        int client = dial(fixture);
        say_head(client, "/up/count", 100, "X-Later: 1\r\n");
        say_ones(client, 50);
        struct upload *upload = next_of(&fixture->begun);
        close(client);
        assert_ptr_equal(next_of(&fixture->ended), upload);
        assert_false(upload->whole);
        assert_non_null(arena_copy(request_arena(upload->request), TEXT_LITERAL("x")).data);
        request_add_header(upload->request, "X-Nobody", "sees this");
        if (kind == 0) {
            request_respond(upload->request, 200, "text/plain", TEXT_LITERAL("late"));
        } else if (kind == 1) {
            request_abort(upload->request, true);
        } else {
            const struct answer_stream stream = {no_more, on_done, upload};
            request_respond_stream(upload->request, 200, "text/plain", &stream);
            assert_ptr_equal(next_of(&fixture->done), upload);
        }
        free(upload);
    }
    assert_serves(fixture);
}

static void answer_later(void *argument) {
    struct fixture *fixture = argument;
    void *upload = NULL;
    while (queue_pop(&fixture->ended, &upload, 1, -1) == 1) {
        tell(upload);
        free(upload);
    }
}

/* The body's end, the client's end and the answer come from three sides. */
static void answers_race_with_clients_that_go(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct error error;
    thread_start(&thread, "answer", answer_later, fixture, &error);
    for (int i = 0; i < 300; i++) {
        int client = dial(fixture);
        say_head(client, "/up/count", 100, "X-Later: 1\r\n");
        say_ones(client, i % 2 == 0 ? 50 : 100);
        if (i % 4 == 3)
            assert_has(hear(client), "whole=1");
        next_of(&fixture->begun);
        close(client);
    }
    while (atomic_load(&fixture->ends) < 300)
        sched_yield();
    queue_close(&fixture->ended);
    thread_join(&thread);
    assert_serves(fixture);
}

static void who_has_deferred_may_read_later(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    for (int i = 0; i < 2; i++) {
        say_head(client, "/up/defer", 100000, "");
        say_ones(client, 100000);
        struct upload *upload = next_of(&fixture->begun);
        assert_text(request_header(upload->request, "host"), "x");
        const struct body_sink sink = {on_part, on_end, upload};
        upload->pauses = true;
        request_read_body(upload->request, &sink);
        while (queue_count(&fixture->ended) == 0)
            if (queue_count(&fixture->paused) > 0)
                request_read_on(next_of(&fixture->paused)->request);
        assert_has(hear(client), "whole=1 bytes=100000");
        assert_ended(fixture, true);
    }
    say_head(client, "/up/defer", 10, "");
    struct upload *upload = next_of(&fixture->begun);
    request_respond(upload->request, 404, NULL, (struct text){0});
    say_ones(client, 10);
    assert_has(hear(client), "HTTP/1.1 404 ");
    free(upload);
    close(client);
}

/* Its client says nothing more that could show it. */
static void abort_ends_a_body_under_way(void **state) {
    struct fixture *fixture = *state;
    for (int reset = 0; reset < 2; reset++) {
        int client = dial(fixture);
        char byte;
        say_head(client, "/up/count", 100, "X-Later: 1\r\n");
        say_ones(client, 50);
        struct upload *upload = next_of(&fixture->begun);
        request_abort(upload->request, reset);
        ssize_t got = recv(client, &byte, 1, 0);
        assert_true(reset ? got < 0 && errno == ECONNRESET : got == 0);
        assert_ended(fixture, false);
        close(client);
    }
}

static void a_body_that_stands_still_ends(void **state) {
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, 1);
    int client = dial(&fixture);
    say_head(client, "/up/count", 100, "");
    say_ones(client, 50);
    assert_ended(&fixture, false);
    assert_true(hear_end(client));
    close(client);
    stop(&fixture);
}

static void destroy_ends_bodies_that_do_not_come(void **state) {
    (void)state;
    struct fixture fixture = {0};
    struct thread thread = {0};
    struct error error;
    start(&fixture, 30);
    int client = dial(&fixture);
    say_head(client, "/up/count", 100, "X-Later: 1\r\n");
    say_ones(client, 50);
    next_of(&fixture.begun);
    thread_start(&thread, "answer", answer_later, &fixture, &error);
    server_destroy(fixture.server);
    assert_int_equal(atomic_load(&fixture.ends), 1);
    queue_close(&fixture.ended);
    thread_join(&thread);
    close(client);
    queue_deinit(&fixture.paused);
    queue_deinit(&fixture.ended);
    queue_deinit(&fixture.begun);
    queue_deinit(&fixture.done);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(gives_a_large_body_part_by_part),
        TEST(no_body_has_an_end_as_well),
        TEST(read_on_may_come_before_part_returns),
        TEST(small_chunks_wait_for_each_other),
        TEST(a_paused_body_stays_with_its_client),
        TEST(an_answer_may_come_before_the_end),
        TEST(what_is_refused_at_once_need_not_be_sent),
        TEST(dropping_has_an_end),
        TEST(an_end_that_is_not_whole_is_told),
        TEST(a_request_outlives_its_client),
        TEST(answers_race_with_clients_that_go),
        TEST(who_has_deferred_may_read_later),
        TEST(abort_ends_a_body_under_way),
        cmocka_unit_test(a_body_that_stands_still_ends),
        cmocka_unit_test(destroy_ends_bodies_that_do_not_come),
    };
    return cmocka_run_group_tests_name("server_body", tests, NULL, NULL);
}
