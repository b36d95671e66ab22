#include "support/test.h"

#include "message/retry.h"

#include <string.h>

static const struct retry_policy ordinary = {.retries_max = 5, .base_ms = 1000, .cap_ms = 60000};

/* What is allowed on top of `delay_ms`. */
static int64_t with_most_jitter(int64_t delay_ms) {
    return delay_ms + delay_ms / 100 * RETRY_JITTER_PERCENT_MAX +
           delay_ms % 100 * RETRY_JITTER_PERCENT_MAX / 100;
}

/* Whatever the randomness, the delay is never before its time, nor more than the jitter after. */
static void assert_delay(const struct retry_policy *policy, int64_t attempts,
                         int64_t retry_after_ms, int64_t expected_ms) {
    struct random random = random_from_seed(42);
    for (int i = 0; i < 200; i++) {
        int64_t delay_ms = retry_delay_ms(policy, attempts, retry_after_ms, &random);
        assert_in_range(delay_ms, expected_ms, with_most_jitter(expected_ms));
    }
}

static void the_first_try_and_the_retries_are_allowed(void **state) {
    (void)state;
    struct retry_policy policy = {.retries_max = 2, .base_ms = 1, .cap_ms = 1};
    assert_true(retry_is_allowed(&policy, 0));
    assert_true(retry_is_allowed(&policy, 1));
    assert_true(retry_is_allowed(&policy, 2));
    assert_false(retry_is_allowed(&policy, 3));
    assert_false(retry_is_allowed(&policy, INT64_MAX));
}

static void no_retries_means_one_try(void **state) {
    (void)state;
    struct retry_policy policy = {.retries_max = 0, .base_ms = 1, .cap_ms = 1};
    assert_true(retry_is_allowed(&policy, 0));
    assert_false(retry_is_allowed(&policy, 1));
}

static void the_delay_doubles_up_to_the_cap(void **state) {
    (void)state;
    static const int64_t schedule[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (size_t i = 0; i < sizeof schedule / sizeof schedule[0]; i++)
        assert_delay(&ordinary, (int64_t)i + 1, -1, schedule[i]);
}

static void a_base_above_the_cap_is_cut(void **state) {
    (void)state;
    struct retry_policy policy = {.retries_max = 5, .base_ms = 90000, .cap_ms = 60000};
    assert_delay(&policy, 1, -1, 60000);
    assert_delay(&policy, 4, -1, 60000);
}

static void a_thousand_attempts_do_not_overflow(void **state) {
    (void)state;
    assert_delay(&ordinary, 1000, -1, 60000);
    assert_delay(&ordinary, INT64_MAX, -1, 60000);
    const int64_t year_ms = INT64_C(365) * 24 * 3600 * 1000;
    struct retry_policy patient = {.retries_max = 1000, .base_ms = 1, .cap_ms = year_ms};
    assert_delay(&patient, 1000, -1, year_ms);
    assert_delay(&patient, 31, -1, INT64_C(1) << 30);
}

/* Options have limits of their own, but this function must not rely on them. */
static void the_largest_policy_does_not_overflow(void **state) {
    (void)state;
    struct retry_policy policy = {.retries_max = INT64_MAX, .base_ms = 1, .cap_ms = INT64_MAX / 2};
    assert_delay(&policy, 1000, -1, INT64_MAX / 2);
    assert_delay(&policy, 1, INT64_MAX, INT64_MAX / 2);
}

static void what_the_provider_asks_for_is_a_floor(void **state) {
    (void)state;
    assert_delay(&ordinary, 1, 7000, 7000);
    assert_delay(&ordinary, 1, 1001, 1001);
    assert_delay(&ordinary, 5, 7000, 16000);
    assert_delay(&ordinary, 1, 0, 1000);
    assert_delay(&ordinary, 1, -1, 1000);
    assert_delay(&ordinary, 1, INT64_MIN, 1000);
}

static void what_the_provider_asks_for_is_capped(void **state) {
    (void)state;
    assert_delay(&ordinary, 1, 60001, 60000);
    assert_delay(&ordinary, 1, INT64_MAX, 60000);
}

static void the_jitter_reaches_from_nothing_to_its_maximum(void **state) {
    (void)state;
    struct random random = random_from_seed(3);
    bool none = false, most = false;
    struct retry_policy policy = {.retries_max = 1, .base_ms = 40, .cap_ms = 40};
    for (int i = 0; i < 1000; i++) {
        int64_t delay_ms = retry_delay_ms(&policy, 1, -1, &random);
        assert_in_range(delay_ms, 40, 50);
        none = none || delay_ms == 40;
        most = most || delay_ms == 50;
    }
    assert_true(none && most);
}

static void messages_that_failed_together_return_apart(void **state) {
    (void)state;
    struct random random = random_from_seed(4);
    int64_t first_ms = retry_delay_ms(&ordinary, 6, -1, &random);
    int same = 0;
    for (int i = 0; i < 100; i++)
        same += retry_delay_ms(&ordinary, 6, -1, &random) == first_ms;
    assert_in_range(same, 0, 5);
}

static void the_smallest_delay_has_no_room_for_jitter(void **state) {
    (void)state;
    struct random random = random_from_seed(5);
    struct retry_policy policy = {.retries_max = 1, .base_ms = 1, .cap_ms = 1};
    assert_int_equal(retry_delay_ms(&policy, 1, -1, &random), 1);
}

static void the_same_randomness_gives_the_same_delay(void **state) {
    (void)state;
    struct random a = random_from_seed(6), b = random_from_seed(6);
    for (int64_t attempts = 1; attempts < 20; attempts++)
        assert_int_equal(retry_delay_ms(&ordinary, attempts, -1, &a),
                         retry_delay_ms(&ordinary, attempts, -1, &b));
}

static void a_schedule_takes_the_place_of_doubling(void **state) {
    (void)state;
    struct retry_policy policy = {.retries_max = 9, .base_ms = 1, .cap_ms = 3600000};
    struct error error;
    struct random random = random_from_seed(5);
    static const int64_t expected_ms[] = {5000, 60000, 600000, 600000, 600000};
    assert_int_equal(retry_schedule_parse(&policy, "5s, 1m,10m", &error), STATUS_OK);
    assert_int_equal(policy.schedule_count, 3);
    for (size_t i = 0; i < sizeof expected_ms / sizeof expected_ms[0]; i++) {
        int64_t delay_ms = retry_delay_ms(&policy, (int64_t)i + 1, -1, &random);
        assert_in_range(delay_ms, expected_ms[i], expected_ms[i] * 5 / 4);
    }
    assert_in_range(retry_delay_ms(&policy, 1, 120000, &random), 120000, 150000);
    assert_int_equal(retry_schedule_parse(&policy, "", &error), STATUS_OK);
    assert_int_equal(policy.schedule_count, 0);
}

static void what_is_no_schedule_is_told(void **state) {
    (void)state;
    static const char *const bad[] = {"soon", "5s,,1m", "0", "5s,-1s", "5s,1m,x", ","};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct retry_policy policy = {0};
        struct error error;
        assert_int_equal(retry_schedule_parse(&policy, bad[i], &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "RETRY_SCHEDULE"));
    }
    char many[200] = "1s";
    struct retry_policy policy = {0};
    struct error error;
    for (size_t i = 0; i < RETRY_SCHEDULE_MAX; i++)
        strncat(many, ",1s", 4);
    assert_int_equal(retry_schedule_parse(&policy, many, &error), STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_try_and_the_retries_are_allowed),
        cmocka_unit_test(no_retries_means_one_try),
        cmocka_unit_test(the_delay_doubles_up_to_the_cap),
        cmocka_unit_test(a_base_above_the_cap_is_cut),
        cmocka_unit_test(a_thousand_attempts_do_not_overflow),
        cmocka_unit_test(the_largest_policy_does_not_overflow),
        cmocka_unit_test(what_the_provider_asks_for_is_a_floor),
        cmocka_unit_test(what_the_provider_asks_for_is_capped),
        cmocka_unit_test(the_jitter_reaches_from_nothing_to_its_maximum),
        cmocka_unit_test(messages_that_failed_together_return_apart),
        cmocka_unit_test(the_smallest_delay_has_no_room_for_jitter),
        cmocka_unit_test(the_same_randomness_gives_the_same_delay),
        cmocka_unit_test(a_schedule_takes_the_place_of_doubling),
        cmocka_unit_test(what_is_no_schedule_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
