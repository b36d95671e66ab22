#include "support/test.h"

#include "base/random.h"
#include "dispatcher/schedule.h"

#define SECOND 1000000

static struct schedule batches_of_two(void) {
    return (struct schedule){
        .interval_us = 10 * SECOND, .poll_us = SECOND, .batch_size = 2, .refill_min = 1};
}

static struct schedule continuous(void) {
    return (struct schedule){.poll_us = SECOND, .batch_size = 2, .refill_min = 16};
}

/* Claims all that is wanted, and more is due. */
static size_t take(struct schedule *schedule, int64_t now_us, size_t room) {
    size_t wanted = schedule_wanted(schedule, now_us, room);
    if (wanted > 0) {
        schedule_claimed(schedule, now_us, wanted, wanted);
        schedule_used(schedule, wanted);
    }
    return wanted;
}

static void a_batch_leaves_at_start_and_at_every_interval(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 5 * SECOND);
    assert_int_equal(take(&schedule, 5 * SECOND, 100), 2);
    assert_int_equal(take(&schedule, 5 * SECOND, 100), 0);
    assert_int_equal(schedule_wait_us(&schedule, 5 * SECOND), 10 * SECOND);
    assert_int_equal(take(&schedule, 15 * SECOND - 1, 100), 0);
    assert_int_equal(take(&schedule, 15 * SECOND, 100), 2);
}

static void missed_intervals_are_not_made_up_for(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    take(&schedule, 0, 100);
    assert_int_equal(take(&schedule, 47 * SECOND, 100), 2);
    assert_int_equal(take(&schedule, 47 * SECOND, 100), 0);
    assert_int_equal(take(&schedule, 50 * SECOND - 1, 100), 0);
    assert_int_equal(take(&schedule, 50 * SECOND, 100), 2);
}

static void a_batch_waits_for_room(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    assert_int_equal(take(&schedule, 0, 0), 0);
    assert_int_equal(schedule_wait_us(&schedule, 0), 0);
    assert_int_equal(take(&schedule, SECOND, 1), 1);
    assert_int_equal(take(&schedule, 2 * SECOND, 1), 1);
    assert_int_equal(take(&schedule, 3 * SECOND, 1), 0);
}

static void what_is_not_sent_does_not_count_against_the_batch(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    assert_int_equal(schedule_wanted(&schedule, 0, 100), 2);
    schedule_claimed(&schedule, 0, 2, 2);
    schedule_used(&schedule, 1);
    assert_int_equal(schedule_wanted(&schedule, 0, 100), 1);
}

static void a_batch_ends_when_no_more_is_due(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    schedule_claimed(&schedule, 0, schedule_wanted(&schedule, 0, 100), 1);
    schedule_used(&schedule, 1);
    assert_int_equal(schedule_wanted(&schedule, SECOND, 100), 0);
    schedule_wake(&schedule, SECOND);
    assert_int_equal(schedule_wanted(&schedule, SECOND, 100), 0);
}

static void continuous_goes_on_while_claims_come_back_full(void **state) {
    (void)state;
    struct schedule schedule = continuous();
    schedule_start(&schedule, 0);
    assert_int_equal(take(&schedule, 0, 64), 64);
    assert_int_equal(take(&schedule, 0, 15), 0);
    assert_int_equal(take(&schedule, 0, 16), 16);
}

static void continuous_looks_when_woken_when_due_and_at_the_poll(void **state) {
    (void)state;
    struct schedule schedule = continuous();
    schedule_start(&schedule, 0);
    schedule_claimed(&schedule, 0, schedule_wanted(&schedule, 0, 64), 3);
    assert_int_equal(schedule_wanted(&schedule, 1, 64), 0);
    assert_int_equal(schedule_wait_us(&schedule, 0), SECOND);
    schedule_next_due(&schedule, 0, 300);
    assert_int_equal(schedule_wait_us(&schedule, 0), 300);
    schedule_next_due(&schedule, 0, -1);
    assert_int_equal(schedule_wait_us(&schedule, 0), 300);
    schedule_wake(&schedule, 100);
    assert_int_equal(schedule_wanted(&schedule, 100, 64), 64);
}

static void failures_hold_back_for_longer_and_longer(void **state) {
    (void)state;
    struct schedule schedule = continuous();
    schedule_start(&schedule, 0);
    int64_t now_us = 0, longest_us = 0;
    for (int i = 0; i < 20; i++) {
        schedule_failed(&schedule, now_us);
        int64_t wait_us = schedule_wait_us(&schedule, now_us);
        assert_true(wait_us >= longest_us && wait_us <= SCHEDULE_BACKOFF_US_MAX);
        assert_int_equal(schedule_wanted(&schedule, now_us + wait_us - 1, 64), 0);
        longest_us = wait_us;
        now_us += wait_us;
    }
    assert_int_equal(longest_us, SCHEDULE_BACKOFF_US_MAX);
    assert_int_equal(take(&schedule, now_us, 64), 64);
    schedule_failed(&schedule, now_us);
    assert_int_equal(schedule_wait_us(&schedule, now_us), SCHEDULE_BACKOFF_US_MIN);
}

static void a_failure_does_not_cost_the_batch(void **state) {
    (void)state;
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    assert_int_equal(schedule_wanted(&schedule, 0, 100), 2);
    schedule_failed(&schedule, 0);
    assert_int_equal(take(&schedule, SCHEDULE_BACKOFF_US_MIN, 100), 2);
}

/* Whatever happens, no interval sees more than a batch. */
static void never_more_than_a_batch_in_an_interval(void **state) {
    (void)state;
    struct random random = random_from_seed(7);
    struct schedule schedule = batches_of_two();
    schedule_start(&schedule, 0);
    size_t taken[1001] = {0};
    for (int64_t now_us = 0; now_us < 10000 * (int64_t)SECOND;
         now_us += (int64_t)random_below(&random, 7 * SECOND)) {
        if (random_below(&random, 10) == 0)
            schedule_wake(&schedule, now_us);
        taken[now_us / (10 * SECOND)] += take(&schedule, now_us, random_below(&random, 4));
    }
    for (size_t i = 0; i < 1001; i++)
        assert_in_range(taken[i], 0, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_leaves_at_start_and_at_every_interval),
        cmocka_unit_test(missed_intervals_are_not_made_up_for),
        cmocka_unit_test(a_batch_waits_for_room),
        cmocka_unit_test(what_is_not_sent_does_not_count_against_the_batch),
        cmocka_unit_test(a_batch_ends_when_no_more_is_due),
        cmocka_unit_test(continuous_goes_on_while_claims_come_back_full),
        cmocka_unit_test(continuous_looks_when_woken_when_due_and_at_the_poll),
        cmocka_unit_test(failures_hold_back_for_longer_and_longer),
        cmocka_unit_test(a_failure_does_not_cost_the_batch),
        cmocka_unit_test(never_more_than_a_batch_in_an_interval),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
