#include "cache/cache.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "support/fake_redis.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What has to happen does within PATIENCE_MS; what must end by a deadline has SOON_MS, which no
 * test measures. */
#define PATIENCE_MS 60000
#define SOON_MS 300
#define TTL_MS 3600000
#define AT_MS 1760000000123
#define PUT_MAX CACHE_BATCH_MAX
#define ARENA_BYTES_MAX ((size_t)1 << 20)

struct fixture {
    struct fake_redis fake;
    struct cache *cache;
    struct arena arena;
    struct cache_entry entries[8];
    uint64_t written, dropped; /* when the test began */
};

static int file; /* of the log */
static char logged[1 << 16];

/* How often this was logged since the test began. */
static int count_logged(const char *words) {
    ssize_t length = pread(file, logged, sizeof logged - 1, 0);
    assert_true(length >= 0);
    logged[length] = '\0';
    int count = 0;
    for (const char *at = logged; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    fake_redis_start(&fixture->fake);
    arena_init(&fixture->arena, ARENA_BYTES_MAX);
    fixture->written = metrics_counter(METRIC_CACHE_WRITTEN);
    fixture->dropped = metrics_counter(METRIC_CACHE_DROPPED);
    lseek(file, 0, SEEK_SET);
    return ftruncate(file, 0);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    cache_destroy(fixture->cache);
    fake_redis_stop(&fixture->fake);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static void connect_with(struct fixture *fixture, const char *login, int64_t timeout_ms) {
    char url[128];
    struct error error;
    snprintf(url, sizeof url, "redis://%s127.0.0.1:%u/3", login, fixture->fake.port);
    const struct cache_options options = {
        .url = url, .ttl_ms = TTL_MS, .timeout_ms = timeout_ms, .clock = &clock_system};
    assert_int_equal(cache_create(&fixture->cache, &options, &error), STATUS_OK);
}

static struct fixture *connect_to(void **state, int64_t timeout_ms) {
    struct fixture *fixture = *state;
    connect_with(fixture, "", timeout_ms);
    return fixture;
}

static void put(struct fixture *fixture, size_t count) {
    const struct cache_delivery one = {TEXT_LITERAL("42"), TEXT_LITERAL("67f2"), AT_MS};
    static struct cache_delivery deliveries[PUT_MAX];
    for (size_t i = 0; i < count; i++)
        deliveries[i] = one;
    cache_put(fixture->cache, deliveries, count);
}

static void put_all(struct fixture *fixture, size_t count) {
    put(fixture, count);
    assert_true(cache_flush(fixture->cache, PATIENCE_MS));
}

static bool get(struct fixture *fixture, size_t count) {
    const struct text ids[8] = {TEXT_LITERAL("1"), TEXT_LITERAL("2"), TEXT_LITERAL("3"),
                                TEXT_LITERAL("4"), TEXT_LITERAL("5"), TEXT_LITERAL("6"),
                                TEXT_LITERAL("7"), TEXT_LITERAL("8")};
    return cache_get(fixture->cache, ids, count, &fixture->arena, fixture->entries);
}

static void assert_counts(struct fixture *fixture, uint64_t written, uint64_t dropped) {
    assert_int_equal(metrics_counter(METRIC_CACHE_WRITTEN) - fixture->written, written);
    assert_int_equal(metrics_counter(METRIC_CACHE_DROPPED) - fixture->dropped, dropped);
}

static void wait_health(struct fixture *fixture, bool healthy, struct error *error) {
    int64_t end_ms = clock_monotonic_ms(&clock_system) + PATIENCE_MS;
    while (cache_is_healthy(fixture->cache, error) != healthy) {
        assert_true(clock_monotonic_ms(&clock_system) < end_ms);
        fake_redis_linger(&fixture->fake);
    }
}

static void assert_down_because(struct fixture *fixture, const char *reason) {
    struct error error;
    wait_health(fixture, false, &error);
    if (strstr(error.text, reason) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", reason, error.text);
    assert_int_equal(metrics_gauge(METRIC_CACHE_UP), 0);
}

/* Nothing is asked of it, and nothing of what is put is kept, while it is away. */
static void assert_is_left_alone(struct fixture *fixture) {
    int asked = fake_redis_count(&fixture->fake, FAKE_REDIS_MGET);
    uint64_t dropped = metrics_counter(METRIC_CACHE_DROPPED);
    assert_false(get(fixture, 1));
    assert_int_equal(fake_redis_count(&fixture->fake, FAKE_REDIS_MGET), asked);
    put_all(fixture, 5);
    assert_int_equal(metrics_counter(METRIC_CACHE_DROPPED) - dropped, 5);
}

static void assert_comes_back(struct fixture *fixture) {
    struct error error;
    wait_health(fixture, true, &error);
    uint64_t written = metrics_counter(METRIC_CACHE_WRITTEN);
    assert_int_equal(metrics_gauge(METRIC_CACHE_UP), 1);
    put_all(fixture, 5);
    assert_int_equal(metrics_counter(METRIC_CACHE_WRITTEN) - written, 5);
    assert_true(get(fixture, 1));
}

static void a_delivery_is_written_as_promised(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    put_all(fixture, 1);
    assert_true(fake_redis_heard(&fixture->fake, "\r\nposthaste:delivery:42\r\n"));
    assert_true(fake_redis_heard(
        &fixture->fake,
        "\r\n{\"message_id\":\"67f2\",\"sent_at\":\"2025-10-09T08:53:20.123Z\"}\r\n"));
    assert_true(fake_redis_heard(&fixture->fake, "\r\nPX\r\n$7\r\n3600000\r\n"));
    assert_int_equal(fake_redis_count(&fixture->fake, FAKE_REDIS_SELECT), 1);
    assert_int_equal(fake_redis_count(&fixture->fake, FAKE_REDIS_AUTH), 0);
    assert_counts(fixture, 1, 0);
}

static void a_lookup_is_one_exchange(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    assert_true(get(fixture, 8));
    assert_true(get(fixture, 8));
    assert_int_equal(fake_redis_count(&fixture->fake, FAKE_REDIS_MGET), 2);
}

static void values_that_are_not_ours_are_not_found(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    fake_redis_say(&fixture->fake, FAKE_REDIS_MGET,
                   "*8\r\n$-1\r\n:7\r\n$3\r\nbad\r\n$2\r\n{}\r\n*1\r\n+x\r\n$0\r\n\r\n"
                   "$32\r\n{\"message_id\":\"a\",\"sent_at\":\"b\"}\r\n"
                   "$58\r\n{\"message_id\":\"mine\",\"sent_at\":\"2025-10-09T08:53:20.123Z\"}\r\n");
    assert_true(get(fixture, 8));
    for (size_t i = 0; i < 7; i++)
        assert_false(fixture->entries[i].found);
    assert_true(fixture->entries[7].found);
    assert_text(fixture->entries[7].provider_id, "mine");
    assert_int_equal(fixture->entries[7].accepted_at_ms, AT_MS);
}

static void who_refuses_to_write_is_left_alone_until_he_does(void **state) {
    static const char *const refusals[] = {
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-NOAUTH Authentication required.\r\n",
    };
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char reason[8];
        snprintf(reason, sizeof reason, "%s", refusals[i] + 1);
        reason[strcspn(reason, " ")] = '\0';
        fake_redis_say(&fixture->fake, FAKE_REDIS_SET, refusals[i]);
        fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, refusals[i]);
        put_all(fixture, 3);
        assert_down_because(fixture, reason);
        assert_is_left_alone(fixture);
        fake_redis_say(&fixture->fake, FAKE_REDIS_SET, NULL);
        fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, NULL);
        assert_comes_back(fixture);
    }
}

static void an_outage_is_told_once_and_so_is_its_end(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, "-OOM no memory\r\n");
    assert_down_because(fixture, "OOM");
    int probes = fake_redis_count(&fixture->fake, FAKE_REDIS_PROBE);
    assert_true(fake_redis_wait(&fixture->fake, FAKE_REDIS_PROBE, probes + 3));
    assert_int_equal(count_logged("the cache is away"), 1);
    assert_int_equal(count_logged("OOM no memory"), 1);
    assert_int_equal(count_logged("the cache is back"), 0);
    fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, NULL);
    assert_comes_back(fixture);
    assert_int_equal(count_logged("the cache is away"), 1);
    assert_int_equal(count_logged("the cache is back"), 1);
}

static void who_says_nothing_is_away(void **state) {
    struct fixture *fixture = connect_to(state, SOON_MS);
    assert_true(fake_redis_wait(&fixture->fake, FAKE_REDIS_PROBE, 1));
    fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, FAKE_REDIS_SILENCE);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, FAKE_REDIS_SILENCE);
    put_all(fixture, 3);
    assert_down_because(fixture, "no answer within CACHE_TIMEOUT");
    assert_is_left_alone(fixture);
    fake_redis_say(&fixture->fake, FAKE_REDIS_PROBE, NULL);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, NULL);
    assert_comes_back(fixture);
}

static void an_answer_that_never_ends_is_not_waited_for(void **state) {
    struct fixture *fixture = connect_to(state, SOON_MS);
    assert_true(fake_redis_wait(&fixture->fake, FAKE_REDIS_PROBE, 1));
    fake_redis_say(&fixture->fake, FAKE_REDIS_MGET, FAKE_REDIS_DRIP);
    assert_false(get(fixture, 1));
    fake_redis_say(&fixture->fake, FAKE_REDIS_MGET, NULL);
    assert_comes_back(fixture);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, FAKE_REDIS_DRIP);
    put_all(fixture, 3);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, NULL);
    assert_comes_back(fixture);
}

static void what_was_taken_before_the_end_counts_as_written(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    fake_redis_say_after(&fixture->fake, 3, FAKE_REDIS_SET, FAKE_REDIS_HANG_UP);
    put_all(fixture, 10);
    assert_counts(fixture, 3, 7);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, NULL);
    assert_comes_back(fixture);
}

static void an_answer_that_breaks_off_counts_as_none(void **state) {
    struct fixture *fixture = connect_to(state, SOON_MS);
    fake_redis_say_after(&fixture->fake, 2, FAKE_REDIS_SET, "+O");
    put_all(fixture, 3);
    assert_counts(fixture, 2, 1);
}

static void who_is_no_redis_is_away(void **state) {
    struct fixture *fixture = *state;
    fake_redis_say(&fixture->fake, FAKE_REDIS_SELECT, "HTTP/1.1 400 Bad Request\r\n\r\n");
    connect_to(state, PATIENCE_MS);
    assert_down_because(fixture, "Protocol error");
    assert_is_left_alone(fixture);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SELECT, NULL);
    assert_comes_back(fixture);
}

static void an_answer_to_another_question_is_none(void **state) {
    static const char *const answers[] = {"+OK\r\n",     "*1\r\n$-1\r\n", "*-1\r\n",
                                          "-ERR no\r\n", "\r\n",          FAKE_REDIS_HANG_UP};
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fake_redis_say(&fixture->fake, FAKE_REDIS_MGET, answers[i]);
        assert_false(get(fixture, 2));
        assert_false(fixture->entries[0].found);
        fake_redis_say(&fixture->fake, FAKE_REDIS_MGET, NULL);
        assert_comes_back(fixture);
    }
}

static void a_connection_closed_while_idle_is_no_outage(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    assert_true(get(fixture, 1));
    fake_redis_hang_up(&fixture->fake, FAKE_REDIS_MGET);
    assert_true(get(fixture, 1));
    assert_int_equal(count_logged("the cache is away"), 0);
}

static void a_password_is_sent_and_never_told(void **state) {
    static const char *const refusals[] = {
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'app' 'hunter2' \r\n",
    };
    static const char *const reasons[] = {"WRONGPASS", "ERR"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct error error;
        fake_redis_say(&fixture->fake, FAKE_REDIS_AUTH, refusals[i]);
        connect_with(fixture, "app:hunter2@", PATIENCE_MS);
        assert_down_because(fixture, reasons[i]);
        assert_false(cache_is_healthy(fixture->cache, &error));
        assert_null(strstr(error.text, "hunter2"));
        fake_redis_say(&fixture->fake, FAKE_REDIS_AUTH, NULL);
        assert_comes_back(fixture);
        cache_destroy(fixture->cache);
        fixture->cache = NULL;
    }
    assert_int_equal(count_logged("hunter2"), 0);
}

/* Its server says nothing for as long as the test likes. */
static void put_waits_for_nothing_and_keeps_no_more_than_it_may(void **state) {
    struct fixture *fixture = *state;
    fake_redis_say(&fixture->fake, FAKE_REDIS_SELECT, FAKE_REDIS_SILENCE);
    connect_to(state, PATIENCE_MS);
    for (size_t count = 0; count < CACHE_WAITING_MAX + 2 * PUT_MAX; count += PUT_MAX)
        put(fixture, PUT_MAX);
    assert_counts(fixture, 0, 2 * PUT_MAX);
    assert_false(cache_flush(fixture->cache, 0));
    assert_true(fake_redis_wait(&fixture->fake, FAKE_REDIS_SELECT, 1));
    fake_redis_hang_up(&fixture->fake, FAKE_REDIS_SELECT);
    assert_true(cache_flush(fixture->cache, PATIENCE_MS));
    assert_counts(fixture, 0, CACHE_WAITING_MAX + 2 * PUT_MAX);
}

static void to_answer_otherwise_is_not_enough(void **state) {
    struct fixture *fixture = connect_to(state, PATIENCE_MS);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, "-NOPERM no permissions to access a key\r\n");
    for (int outage = 1; outage <= 3; outage++) {
        struct error error;
        wait_health(fixture, true, &error);
        put_all(fixture, 1);
        assert_int_equal(count_logged("NOPERM"), outage);
    }
    assert_counts(fixture, 0, 3);
    fake_redis_say(&fixture->fake, FAKE_REDIS_SET, NULL);
    assert_comes_back(fixture);
}

static void what_was_not_written_by_the_end_counts_as_dropped(void **state) {
    struct fixture *fixture = *state;
    fake_redis_say(&fixture->fake, FAKE_REDIS_SELECT, FAKE_REDIS_SILENCE);
    connect_to(state, SOON_MS);
    put(fixture, 10);
    cache_destroy(fixture->cache);
    fixture->cache = NULL;
    assert_counts(fixture, 0, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_is_written_as_promised),
        TEST(a_lookup_is_one_exchange),
        TEST(values_that_are_not_ours_are_not_found),
        TEST(who_refuses_to_write_is_left_alone_until_he_does),
        TEST(an_outage_is_told_once_and_so_is_its_end),
        TEST(who_says_nothing_is_away),
        TEST(an_answer_that_never_ends_is_not_waited_for),
        TEST(what_was_taken_before_the_end_counts_as_written),
        TEST(an_answer_that_breaks_off_counts_as_none),
        TEST(who_is_no_redis_is_away),
        TEST(an_answer_to_another_question_is_none),
        TEST(a_connection_closed_while_idle_is_no_outage),
        TEST(a_password_is_sent_and_never_told),
        TEST(put_waits_for_nothing_and_keeps_no_more_than_it_may),
        TEST(to_answer_otherwise_is_not_enough),
        TEST(what_was_not_written_by_the_end_counts_as_dropped),
    };
    signal(SIGPIPE, SIG_IGN);
    file = memfd_create("log", 0);
    log_init(&(struct log_options){
        .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON, .descriptor = file, .unlimited = true});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
