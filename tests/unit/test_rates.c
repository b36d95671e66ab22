#include "support/test.h"

#include "dispatcher/rates.h"

#define S 1000000

static void nothing_is_no_rate(void **state) {
    (void)state;
    struct rates rates = {0};
    assert_true(rates_per_second(&rates, 5 * S, 60) == 0);
}

static void a_young_count_is_over_its_own_life(void **state) {
    (void)state;
    struct rates rates = {0};
    rates_add(&rates, 100 * (int64_t)S, 30);
    assert_true(rates_per_second(&rates, 100 * (int64_t)S, 60) == 30);
    assert_true(rates_per_second(&rates, 102 * (int64_t)S, 60) == 10);
}

static void an_even_count_is_its_rate(void **state) {
    (void)state;
    struct rates rates = {0};
    for (int64_t second = 0; second < 1000; second++)
        rates_add(&rates, second * S, 7);
    assert_true(rates_per_second(&rates, 999 * (int64_t)S, 60) == 7);
    assert_true(rates_per_second(&rates, 999 * (int64_t)S, 300) == 7);
}

static void what_is_long_ago_is_forgotten(void **state) {
    (void)state;
    struct rates rates = {0};
    rates_add(&rates, 0, 600);
    assert_true(rates_per_second(&rates, 299 * (int64_t)S, 300) == 2);
    assert_true(rates_per_second(&rates, 299 * (int64_t)S, 60) == 0);
    assert_true(rates_per_second(&rates, 300 * (int64_t)S, 300) == 0);
    rates_add(&rates, 10000 * (int64_t)S, 60);
    assert_true(rates_per_second(&rates, 10000 * (int64_t)S, 60) == 1);
    assert_true(rates_per_second(&rates, 10059 * (int64_t)S, 60) == 1);
    assert_true(rates_per_second(&rates, 10060 * (int64_t)S, 60) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_rate),
        cmocka_unit_test(a_young_count_is_over_its_own_life),
        cmocka_unit_test(an_even_count_is_its_rate),
        cmocka_unit_test(what_is_long_ago_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
