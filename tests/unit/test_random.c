#include "support/test.h"

#include "base/random.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void the_same_seed_gives_the_same_numbers(void **state) {
    (void)state;
    struct random a = random_from_seed(7), b = random_from_seed(7), c = random_from_seed(8);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t number = random_next(&a);
        assert_true(number == random_next(&b));
        differs = differs || number != random_next(&c);
    }
    assert_true(differs);
}

static void the_numbers_are_those_of_splitmix64(void **state) {
    (void)state;
    struct random random = random_from_seed(1234567);
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u};
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        assert_true(random_next(&random) == published[i]);
}

static void the_kernel_seeds_differently_each_time(void **state) {
    (void)state;
    struct random a = random_from_system(), b = random_from_system();
    assert_true(random_next(&a) != random_next(&b));
}

static void below_stays_below_and_reaches_all(void **state) {
    (void)state;
    struct random random = random_from_seed(1);
    assert_int_equal(random_below(&random, 0), 0);
    assert_int_equal(random_below(&random, 1), 0);
    int seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint64_t number = random_below(&random, 6);
        assert_true(number < 6);
        seen[number]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 800, 1200);
}

static void uuids_have_version_4_form(void **state) {
    (void)state;
    struct random random = random_from_seed(99);
    char before[UUID_TEXT_BYTES] = "";
    for (int round = 0; round < 200; round++) {
        char text[UUID_TEXT_BYTES];
        random_uuid(&random, text);
        assert_int_equal(strlen(text), UUID_TEXT_BYTES - 1);
        for (size_t i = 0; i < UUID_TEXT_BYTES - 1; i++)
            if (i == 8 || i == 13 || i == 18 || i == 23)
                assert_int_equal(text[i], '-');
            else
                assert_true(isdigit((unsigned char)text[i]) || (text[i] >= 'a' && text[i] <= 'f'));
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(the_numbers_are_those_of_splitmix64),
        cmocka_unit_test(the_kernel_seeds_differently_each_time),
        cmocka_unit_test(below_stays_below_and_reaches_all),
        cmocka_unit_test(uuids_have_version_4_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
