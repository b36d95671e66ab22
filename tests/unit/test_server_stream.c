#include "support/dialogue.h"
#include "support/http.h"
#include "support/test.h"

#include "api/server.h"
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

#define LARGE_BYTES ((size_t)50 * 1024 * 1024)
/* What two sockets on one machine may hold, and some. */
#define UNREAD_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define WAKES 2000

/* One streamed answer; the path says which. */
struct feed {
    struct fixture *fixture;
    struct request *request;
    unsigned asked; /* the server's thread */
    size_t given;
    atomic_size_t produced;
    atomic_uint posted; /* numbers that wait to be given out */
    unsigned told;
};

struct fixture {
    struct server *server;
    struct feed feed;
    struct queue begun;
    struct queue done;
};

static void push(struct queue *queue, void *item) {
    bool pushed = queue_push(queue, item);
    check(pushed);
}

static void *next_of(struct queue *queue) {
    void *item = NULL;
    while (queue_pop(queue, &item, 1, -1) == 0)
        continue;
    return item;
}

static enum stream_step count_to_three(void *context, struct buffer *chunk) {
    struct feed *feed = context;
    assert_int_equal(chunk->len, 0);
    feed->asked++;
    buffer_printf(chunk, "<%u>", feed->asked);
    return feed->asked < 3 ? STREAM_MORE : STREAM_END;
}

static enum stream_step break_off(void *context, struct buffer *chunk) {
    struct feed *feed = context;
    if (feed->asked++ > 0)
        return STREAM_ABORT;
    buffer_append_string(chunk, "half of it");
    return STREAM_MORE;
}

static enum stream_step overflow(void *context, struct buffer *chunk) {
    struct feed *feed = context;
    while (feed->asked == 1 && buffer_append_string(chunk, "too much at once"))
        continue;
    if (feed->asked++ == 0)
        buffer_append_string(chunk, "half of it");
    return STREAM_MORE;
}

static enum stream_step give_large(void *context, struct buffer *chunk) {
    static const char bytes[SERVER_CHUNK_BYTES_MAX];
    struct feed *feed = context;
    bool fitted = buffer_append(chunk, (struct text){bytes, sizeof bytes});
    check(fitted);
    feed->given += sizeof bytes;
    atomic_store(&feed->produced, feed->given);
    return feed->given < LARGE_BYTES ? STREAM_MORE : STREAM_END;
}

static enum stream_step give_without_end(void *context, struct buffer *chunk) {
    (void)context;
    buffer_append_string(chunk, "and so on, ");
    return STREAM_MORE;
}

static enum stream_step wait_always(void *context, struct buffer *chunk) {
    (void)context, (void)chunk;
    return STREAM_WAIT;
}

static enum stream_step beat(void *context, struct buffer *chunk) {
    struct feed *feed = context;
    if (feed->asked++ % 2 == 0)
        return STREAM_WAIT;
    buffer_append_string(chunk, ":beat\n");
    return STREAM_MORE;
}

/* Each number that was posted is told, and nothing else. */
static enum stream_step tell_posted(void *context, struct buffer *chunk) {
    struct feed *feed = context;
    if (feed->told == WAKES)
        return STREAM_END;
    if (feed->told == atomic_load(&feed->posted))
        return STREAM_WAIT;
    buffer_printf(chunk, "%u,", ++feed->told);
    return STREAM_MORE;
}

static void on_done(void *context) {
    struct feed *feed = context;
    push(&feed->fixture->done, feed);
}

static const struct {
    const char *path;
    enum stream_step (*next)(void *context, struct buffer *chunk);
} feeds[] = {
    {"/three", count_to_three}, {"/abort", break_off},          {"/overflow", overflow},
    {"/large", give_large},     {"/wait", wait_always},         {"/beat", beat},
    {"/posted", tell_posted},   {"/endless", give_without_end},
};

static void respond(struct feed *feed) {
    struct text path = request_path(feed->request);
    struct answer_stream stream = {count_to_three, on_done, feed};
    for (size_t i = 0; i < sizeof feeds / sizeof feeds[0]; i++)
        if (text_equal_string(path, feeds[i].path))
            stream.next = feeds[i].next;
    request_respond_stream(feed->request, 200, "text/plain", &stream);
}

static void handle(struct request *request, void *context) {
    struct fixture *fixture = context;
    struct feed *feed = &fixture->feed;
    memset(feed, 0, sizeof *feed);
    feed->fixture = fixture;
    feed->request = request;
    if (text_equal_string(request_path(request), "/plain")) {
        request_respond(request, 200, "text/plain", TEXT_LITERAL("plain"));
        return;
    }
    if (request_header(request, "X-Later").data != NULL) {
        request_defer(request);
        push(&fixture->begun, feed);
        return;
    }
    if (text_equal_string(request_path(request), "/lost"))
        request_add_header(request, "Location", "/a\r\nX-Injected: 1");
    respond(feed);
    if (text_equal_string(request_path(request), "/posted"))
        push(&fixture->begun, feed);
}

static void start(struct fixture *fixture, unsigned idle_timeout_s) {
    struct error error = {0};
    const struct server_options options = {.bind = "127.0.0.1",
                                           .threads = 1,
                                           .connections_max = 100,
                                           .idle_timeout_s = idle_timeout_s,
                                           .body_bytes_max = 1000,
                                           .handle = handle,
                                           .context = fixture};
    queue_init(&fixture->begun, 100);
    queue_init(&fixture->done, 100);
    assert_int_equal(server_create(&fixture->server, &options, &error), STATUS_OK);
}

static void deinit(struct fixture *fixture) {
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
    struct fixture *fixture = *state;
    server_destroy(fixture->server);
    deinit(fixture);
    free(fixture);
    return 0;
}

static int dial(const struct fixture *fixture) {
    return http_dial(server_port(fixture->server));
}

static int ask(const struct fixture *fixture, const char *path) {
    char request[200];
    int client = dial(fixture);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    say(client, request);
    return client;
}

/* Once only: nothing more comes before the server has ended. */
static void assert_done(struct fixture *fixture) {
    assert_ptr_equal(next_of(&fixture->done), &fixture->feed);
    assert_int_equal(queue_count(&fixture->done), 0);
}

static void assert_serves(int client) {
    say(client, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(hear(client), "plain");
    close(client);
}

static void is_chunked_and_keeps_the_connection(void **state) {
    struct fixture *fixture = *state;
    int client = ask(fixture, "/three");
    const char *answer = hear_until(client, "0\r\n\r\n");
    assert_has(answer, "HTTP/1.1 200 ");
    assert_has(answer, "Transfer-Encoding: chunked\r\n");
    assert_has(answer, "Content-Type: text/plain\r\n");
    assert_has(answer, "3\r\n<1>\r\n3\r\n<2>\r\n3\r\n<3>\r\n0\r\n\r\n");
    assert_done(fixture);
    assert_serves(client);
}

static void ends_with_the_connection_for_old_clients(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "GET /three HTTP/1.0\r\n\r\n");
    const char *answer = hear_until(client, "no such end");
    assert_null(strstr(answer, "chunked"));
    assert_has(answer, "\r\n\r\n<1><2><3>");
    assert_done(fixture);
    close(client);
}

static void has_no_body_for_head(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "HEAD /three HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *answer = hear_until(client, "no such end");
    assert_has(answer, "HTTP/1.1 200 ");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_done(fixture);
    assert_int_equal(fixture->feed.asked, 0);
    close(client);
}

static void what_breaks_off_is_seen_not_to_be_whole(void **state) {
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/abort", "/overflow"};
    for (size_t i = 0; i < 2; i++) {
        int client = ask(fixture, paths[i]);
        const char *answer = hear_until(client, "no such end");
        assert_has(answer, "half of it");
        assert_null(strstr(answer, "\r\n0\r\n"));
        assert_done(fixture);
        close(client);
    }
    char bytes[1000];
    ssize_t got = 0;
    int client = dial(fixture);
    say(client, "GET /abort HTTP/1.0\r\n\r\n");
    while ((got = recv(client, bytes, sizeof bytes, 0)) > 0)
        continue;
    assert_true(got < 0 && errno == ECONNRESET);
    assert_done(fixture);
    close(client);
}

static void a_header_that_cannot_be_sent_makes_it_a_500(void **state) {
    struct fixture *fixture = *state;
    int client = ask(fixture, "/lost");
    assert_has(hear(client), "HTTP/1.1 500 ");
    assert_done(fixture);
    assert_int_equal(fixture->feed.asked, 0);
    assert_serves(client);
}

static void may_begin_in_another_thread(void **state) {
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "GET /three HTTP/1.1\r\nHost: x\r\nX-Later: 1\r\n\r\n");
    respond(next_of(&fixture->begun));
    assert_has(hear_until(client, "0\r\n\r\n"), "<3>");
    assert_done(fixture);
    assert_serves(client);
}

/* Not more is made than the client takes. */
static void waits_for_slow_readers(void **state) {
    struct fixture *fixture = *state;
    static char bytes[65536];
    int client = dial(fixture);
    size_t heard = 0;
    ssize_t got = 0;
    say(client, "GET /large HTTP/1.0\r\n\r\n");
    while ((got = recv(client, bytes, sizeof bytes, 0)) > 0) {
        heard += (size_t)got;
        assert_true(atomic_load(&fixture->feed.produced) < heard + UNREAD_BYTES_MAX);
    }
    assert_int_equal(got, 0);
    assert_true(heard > LARGE_BYTES);
    assert_done(fixture);
    close(client);
}

static void who_reads_nothing_is_cut_off(void **state) {
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, 1);
    int client = ask(&fixture, "/endless");
    assert_done(&fixture);
    close(client);
    server_destroy(fixture.server);
    deinit(&fixture);
}

struct poster {
    struct feed *feed;
    struct queue *asked;
};

/* A number at a time, as soon as the one before was heard, and at last all at once. */
static void post(void *argument) {
    struct poster *poster = argument;
    for (unsigned i = 0; i < WAKES / 2; i++) {
        next_of(poster->asked);
        atomic_fetch_add(&poster->feed->posted, 1);
        request_wake_stream(poster->feed->request);
    }
    for (unsigned i = 0; i < WAKES / 2 - 1; i++) {
        atomic_fetch_add(&poster->feed->posted, 1);
        request_wake_stream(poster->feed->request);
    }
    next_of(poster->asked);
    atomic_fetch_add(&poster->feed->posted, 1);
    request_wake_stream(poster->feed->request);
}

static void can_be_woken_from_any_thread(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct queue asked;
    struct error error;
    queue_init(&asked, 2);
    int client = ask(fixture, "/posted");
    struct poster poster = {next_of(&fixture->begun), &asked};
    assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 200 ");
    thread_start(&thread, "post", post, &poster, &error);
    for (unsigned i = 1; i <= WAKES; i++) {
        char number[20];
        snprintf(number, sizeof number, "%u,", i);
        if (i <= WAKES / 2 || i == WAKES)
            push(&asked, &asked);
        assert_has(hear_until(client, ","), number);
    }
    thread_join(&thread);
    assert_has(hear_until(client, "0\r\n\r\n"), "0\r\n\r\n");
    assert_done(fixture);
    assert_serves(client);
    queue_deinit(&asked);
}

/* With an idle timeout of one second, which counts only what should have moved. */
static void is_asked_again_while_it_waits(void **state) {
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, 1);
    int client = ask(&fixture, "/beat");
    for (int i = 0; i < 4; i++)
        assert_has(hear_until(client, "beat\n"), ":beat\n");
    close(client);
    assert_done(&fixture);
    server_destroy(fixture.server);
    deinit(&fixture);
}

static void a_client_that_hangs_up_is_noticed(void **state) {
    struct fixture *fixture = *state;
    for (int reset = 0; reset < 2; reset++) {
        int client = ask(fixture, "/wait");
        assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 200 ");
        struct linger at_once = {reset, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(client);
        assert_done(fixture);
    }
}

static void destroy_breaks_off_what_waits(void **state) {
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, 30);
    int client = ask(&fixture, "/wait");
    assert_has(hear_until(client, "\r\n\r\n"), "HTTP/1.1 200 ");
    server_destroy(fixture.server);
    assert_int_equal(queue_count(&fixture.done), 1);
    assert_done(&fixture);
    assert_null(strstr(hear_until(client, "no such end"), "0\r\n\r\n"));
    close(client);
    deinit(&fixture);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(is_chunked_and_keeps_the_connection),
        TEST(ends_with_the_connection_for_old_clients),
        TEST(has_no_body_for_head),
        TEST(what_breaks_off_is_seen_not_to_be_whole),
        TEST(a_header_that_cannot_be_sent_makes_it_a_500),
        TEST(may_begin_in_another_thread),
        TEST(waits_for_slow_readers),
        cmocka_unit_test(who_reads_nothing_is_cut_off),
        TEST(can_be_woken_from_any_thread),
        cmocka_unit_test(is_asked_again_while_it_waits),
        TEST(a_client_that_hangs_up_is_noticed),
        cmocka_unit_test(destroy_breaks_off_what_waits),
    };
    return cmocka_run_group_tests_name("server_stream", tests, NULL, NULL);
}
