#include "support/test.h"

#include "api/rate_limit.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000)
#define START (1000 * S)
#define THREADS 4
#define QUESTIONS 50000
#define OTHERS 100

static struct rate_limit *limit_of(int64_t per_minute, int64_t burst, size_t callers_max) {
    return rate_limit_create(&(struct rate_limit_options){per_minute, burst, callers_max});
}

static bool takes(struct rate_limit *limit, const char *caller, int64_t now_us) {
    return rate_limit_take(limit, text_of(caller), now_us).allowed;
}

static int64_t take_all(struct rate_limit *limit, const char *caller, int64_t now_us) {
    int64_t taken = 0;
    while (takes(limit, caller, now_us))
        taken++;
    return taken;
}

static void assert_verdict(struct rate_verdict actual, struct rate_verdict expected) {
    assert_int_equal(actual.allowed, expected.allowed);
    assert_int_equal(actual.limit, expected.limit);
    assert_int_equal(actual.remaining, expected.remaining);
    assert_int_equal(actual.reset_s, expected.reset_s);
    assert_int_equal(actual.retry_after_s, expected.retry_after_s);
}

static void a_full_bucket_holds_exactly_its_burst(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 5, 10);
    for (int64_t left = 4; left >= 0; left--)
        assert_verdict(rate_limit_take(limit, text_of("a"), START),
                       (struct rate_verdict){true, 5, left, 5 - left, 0});
    for (int i = 0; i < 3; i++)
        assert_verdict(rate_limit_take(limit, text_of("a"), START),
                       (struct rate_verdict){false, 5, 0, 5, 1});
    rate_limit_destroy(limit);
    rate_limit_destroy(NULL);
}

static void the_burst_is_a_minutes_worth_unless_said(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(7, 0, 10);
    assert_int_equal(take_all(limit, "a", START), 7);
    rate_limit_destroy(limit);
}

static void a_token_comes_back_at_its_microsecond(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(7, 1, 10); /* one each 8571428.57 us */
    assert_true(takes(limit, "a", START));
    assert_false(takes(limit, "a", START + 8571428));
    assert_true(takes(limit, "a", START + 8571429));
    rate_limit_destroy(limit);
}

static void refills_no_further_than_full(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 3, 10);
    assert_int_equal(take_all(limit, "a", START), 3);
    assert_int_equal(take_all(limit, "a", START + 2 * S), 2);
    assert_int_equal(take_all(limit, "a", START + 3600 * S), 3);
    assert_int_equal(take_all(limit, "a", INT64_MAX), 3);
    rate_limit_destroy(limit);
}

static void nothing_is_lost_by_asking_often(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(7, 1, 10);
    int64_t taken = 0;
    /* Ten minutes, in steps that fit no token. */
    for (int64_t now_us = START; now_us <= START + 600 * S; now_us += 9973)
        taken += takes(limit, "a", now_us);
    assert_in_range(taken, 70, 71);
    struct rate_limit *coarse = limit_of(7, 100, 10);
    assert_int_equal(take_all(coarse, "a", START), 100);
    taken = 0;
    for (int64_t now_us = START; now_us <= START + 600 * S; now_us += 1000)
        taken += takes(coarse, "a", now_us);
    assert_int_equal(taken, 70);
    rate_limit_destroy(coarse);
    rate_limit_destroy(limit);
}

static void whoever_waits_as_told_is_let_in(void **state) {
    (void)state;
    static const int64_t rates[] = {1, 7, 59, 61, 100000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct rate_limit *limit = limit_of(rates[i], 1, 10);
        assert_true(takes(limit, "a", START));
        struct rate_verdict verdict = rate_limit_take(limit, text_of("a"), START + 1);
        assert_false(verdict.allowed);
        assert_true(verdict.retry_after_s >= 1);
        assert_true(verdict.retry_after_s == 1 ||
                    !takes(limit, "a", START + 1 + (verdict.retry_after_s - 1) * S));
        assert_true(takes(limit, "a", START + 1 + verdict.retry_after_s * S));
        rate_limit_destroy(limit);
    }
}

static void full_again_means_full(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(7, 20, 10);
    assert_int_equal(take_all(limit, "a", START), 20);
    int64_t reset_s = rate_limit_take(limit, text_of("a"), START).reset_s;
    assert_int_equal(reset_s, 172); /* 20 / 7 min = 171.4 s */
    assert_int_equal(take_all(limit, "a", START + reset_s * S), 20);
    rate_limit_destroy(limit);
}

static void time_that_stands_or_goes_back_gives_nothing(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 2, 10);
    assert_true(takes(limit, "a", START));
    assert_true(takes(limit, "a", START - 100 * S));
    assert_false(takes(limit, "a", START));
    assert_verdict(rate_limit_take(limit, text_of("a"), START - 100 * S),
                   (struct rate_verdict){false, 2, 0, 2, 1});
    assert_true(takes(limit, "a", START + S));
    rate_limit_destroy(limit);
}

static void callers_do_not_share(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 3, 10);
    assert_int_equal(take_all(limit, "a", START), 3);
    assert_int_equal(take_all(limit, "b", START), 3);
    assert_int_equal(take_all(limit, "", START), 3);
    assert_false(takes(limit, "a", START));
    rate_limit_destroy(limit);
}

static void long_callers_are_told_apart(void **state) {
    (void)state;
    char caller[RATE_LIMIT_CALLER_BYTES + 10] = {0};
    struct rate_limit *limit = limit_of(60, 1, 1000);
    for (size_t len = 1; len < sizeof caller; len++) {
        memset(caller, 'x', len);
        assert_int_equal(take_all(limit, caller, START), 1);
        caller[len - 1] = 'y';
        assert_int_equal(take_all(limit, caller, START), 1);
    }
    rate_limit_destroy(limit);
}

static void the_one_not_seen_for_longest_makes_room(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 1, 3);
    assert_true(takes(limit, "a", START));
    assert_true(takes(limit, "b", START));
    assert_true(takes(limit, "c", START));
    assert_false(takes(limit, "a", START)); /* now b is the oldest */
    assert_true(takes(limit, "d", START));
    assert_false(takes(limit, "c", START));
    assert_false(takes(limit, "a", START));
    assert_true(takes(limit, "b", START)); /* forgotten, so full; d makes room */
    assert_false(takes(limit, "a", START));
    assert_false(takes(limit, "c", START));
    assert_true(takes(limit, "d", START));
    rate_limit_destroy(limit);
}

static void one_slot_is_enough(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, 1, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(take_all(limit, "a", START), 1);
        assert_int_equal(take_all(limit, "b", START), 1);
    }
    rate_limit_destroy(limit);
}

static void many_callers_each_have_their_own(void **state) {
    (void)state;
    enum { CALLERS = 5000 };
    struct rate_limit *limit = limit_of(60, 2, CALLERS);
    char caller[32];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < CALLERS; i++) {
            snprintf(caller, sizeof caller, "192.0.%d.%d", i / 256, i % 256);
            assert_int_equal(takes(limit, caller, START), round < 2);
        }
    /* One more than there is room for: each finds itself forgotten. */
    assert_true(takes(limit, "one more", START));
    for (int i = 0; i < CALLERS; i++) {
        snprintf(caller, sizeof caller, "192.0.%d.%d", i / 256, i % 256);
        assert_true(takes(limit, caller, START));
    }
    rate_limit_destroy(limit);
}

static void the_largest_numbers_fit(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(RATE_LIMIT_TOKENS_MAX, RATE_LIMIT_TOKENS_MAX, 1);
    const int64_t most = RATE_LIMIT_TOKENS_MAX;
    assert_verdict(rate_limit_take(limit, text_of("a"), 0),
                   (struct rate_verdict){true, most, most - 1, 1, 0});
    assert_verdict(rate_limit_take(limit, text_of("a"), INT64_MAX),
                   (struct rate_verdict){true, most, most - 1, 1, 0});
    rate_limit_destroy(limit);
    limit = limit_of(1, RATE_LIMIT_TOKENS_MAX, 1);
    assert_int_equal(rate_limit_take(limit, text_of("a"), 0).reset_s, 60);
    assert_int_equal(rate_limit_take(limit, text_of("a"), 0).reset_s, 120);
    rate_limit_destroy(limit);
}

struct asker {
    struct thread thread;
    struct rate_limit *limit;
    int64_t taken;
};

static void ask(void *argument) {
    struct asker *asker = argument;
    char other[32];
    for (int i = 0; i < QUESTIONS; i++) {
        asker->taken += takes(asker->limit, "shared", START);
        snprintf(other, sizeof other, "%p %d", argument, i % OTHERS);
        takes(asker->limit, other, START);
    }
}

static void threads_share_one_bucket(void **state) {
    (void)state;
    struct rate_limit *limit = limit_of(60, THREADS * QUESTIONS / 2, THREADS * OTHERS + 1);
    struct asker askers[THREADS] = {0};
    struct error error;
    for (int i = 0; i < THREADS; i++) {
        askers[i].limit = limit;
        assert_int_equal(thread_start(&askers[i].thread, "asker", ask, &askers[i], &error),
                         STATUS_OK);
    }
    int64_t taken = 0;
    for (int i = 0; i < THREADS; i++) {
        thread_join(&askers[i].thread);
        taken += askers[i].taken;
    }
    assert_int_equal(taken, THREADS * QUESTIONS / 2);
    rate_limit_destroy(limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_holds_exactly_its_burst),
        cmocka_unit_test(the_burst_is_a_minutes_worth_unless_said),
        cmocka_unit_test(a_token_comes_back_at_its_microsecond),
        cmocka_unit_test(refills_no_further_than_full),
        cmocka_unit_test(nothing_is_lost_by_asking_often),
        cmocka_unit_test(whoever_waits_as_told_is_let_in),
        cmocka_unit_test(full_again_means_full),
        cmocka_unit_test(time_that_stands_or_goes_back_gives_nothing),
        cmocka_unit_test(callers_do_not_share),
        cmocka_unit_test(long_callers_are_told_apart),
        cmocka_unit_test(the_one_not_seen_for_longest_makes_room),
        cmocka_unit_test(one_slot_is_enough),
        cmocka_unit_test(many_callers_each_have_their_own),
        cmocka_unit_test(the_largest_numbers_fit),
        cmocka_unit_test(threads_share_one_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
