#include "support/test.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

static void appends_and_stays_terminated(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_text(buffer_view(&buffer), "");
    assert_true(buffer_append(&buffer, TEXT_LITERAL("ab")));
    assert_true(buffer_append_string(&buffer, "cd"));
    assert_true(buffer_append_byte(&buffer, 'e'));
    assert_true(buffer_printf(&buffer, "-%s-%d", "f", 6));
    assert_true(buffer_append(&buffer, text_of(NULL)));
    assert_string_equal(buffer.data, "abcde-f-6");
    buffer_deinit(&buffer);
}

static void writes_integers_to_their_limits(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    static const int64_t values[] = {0, 7, -7, 1000, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        buffer_append_int64(&buffer, values[i]);
        buffer_append_byte(&buffer, ' ');
    }
    assert_text(buffer_view(&buffer), "0 7 -7 1000 9223372036854775807 -9223372036854775808 ");
    buffer_deinit(&buffer);
}

static void grows_to_exactly_its_maximum(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 5000);
    for (int i = 0; i < 5000; i++)
        assert_true(buffer_append_byte(&buffer, (char)('a' + i % 26)));
    assert_false(buffer.overflowed);
    assert_int_equal(buffer_view(&buffer).len, 5000);
    assert_int_equal(buffer.data[4999], 'a' + 4999 % 26);
    assert_false(buffer_append_byte(&buffer, 'x'));
    assert_true(buffer.overflowed);
    assert_int_equal(buffer_view(&buffer).len, 5000);
    buffer_deinit(&buffer);
}

static void overflow_fails_whole_and_stays_until_cleared(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    assert_true(buffer_append_string(&buffer, "12345"));
    assert_false(buffer_append_string(&buffer, "6789"));
    assert_text(buffer_view(&buffer), "12345");
    assert_false(buffer_append_byte(&buffer, '6')); /* it would fit, but a piece is missing */
    assert_true(buffer.overflowed);
    buffer_clear(&buffer);
    assert_false(buffer.overflowed);
    assert_text(buffer_view(&buffer), "");
    assert_true(buffer_append_string(&buffer, "12345678"));
    buffer_deinit(&buffer);
}

static void printf_passes_the_maximum_whole(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    assert_false(buffer_printf(&buffer, "%s", "123456789"));
    assert_true(buffer.overflowed);
    assert_text(buffer_view(&buffer), "");
    buffer_deinit(&buffer);
}

static void an_absurd_length_is_an_overflow(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    buffer_append_byte(&buffer, 'a');
    assert_false(buffer_append(&buffer, (struct text){"b", SIZE_MAX}));
    assert_text(buffer_view(&buffer), "a");
    buffer_deinit(&buffer);
}

static void take_moves_the_bytes(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    char *nothing = buffer_take(&buffer);
    assert_string_equal(nothing, "");
    free(nothing);
    buffer_append_string(&buffer, "mine");
    char *taken = buffer_take(&buffer);
    assert_string_equal(taken, "mine");
    free(taken);
    assert_int_equal(buffer.len, 0);
    assert_true(buffer_append_string(&buffer, "next"));
    assert_text(buffer_view(&buffer), "next");
    buffer_deinit(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_stays_terminated),
        cmocka_unit_test(writes_integers_to_their_limits),
        cmocka_unit_test(grows_to_exactly_its_maximum),
        cmocka_unit_test(overflow_fails_whole_and_stays_until_cleared),
        cmocka_unit_test(printf_passes_the_maximum_whole),
        cmocka_unit_test(an_absurd_length_is_an_overflow),
        cmocka_unit_test(take_moves_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
