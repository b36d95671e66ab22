#include "support/test.h"

#include "base/text.h"

static void compares(void **state) {
    (void)state;
    assert_true(text_equal(text_of("a"), TEXT_LITERAL("a")));
    assert_true(text_equal(text_of(NULL), text_of("")));
    assert_false(text_equal(TEXT_LITERAL("a\0b"), TEXT_LITERAL("a\0c")));
    assert_true(text_equal_string(TEXT_LITERAL("ab"), "ab"));
    assert_false(text_equal_string(TEXT_LITERAL("ab"), "abc"));
    assert_true(text_equal_ignoring_case(text_of("Retry-After"), text_of("retry-after")));
    assert_false(text_equal_ignoring_case(text_of("a"), text_of("ab")));
}

static void starts_with_looks_within_the_view_only(void **state) {
    (void)state;
    assert_true(text_starts_with(text_of("https://example.com"), "https://"));
    assert_false(text_starts_with((struct text){"https", 4}, "https"));
    assert_false(text_starts_with(text_of(NULL), "a"));
}

static void trims_ascii_space(void **state) {
    (void)state;
    assert_text(text_trim(text_of(" \t\r\n\v\fa b ")), "a b");
    assert_text(text_trim(text_of("a")), "a");
    assert_int_equal(text_trim(text_of(" \n ")).len, 0);
    assert_int_equal(text_trim(text_of(NULL)).len, 0);
}

static void cuts_until_nothing_is_left(void **state) {
    (void)state;
    struct text rest = text_of("a,,b,");
    assert_text(text_cut(&rest, ','), "a");
    assert_text(text_cut(&rest, ','), "");
    assert_text(text_cut(&rest, ','), "b");
    assert_non_null(rest.data);
    assert_text(text_cut(&rest, ','), "");
    assert_null(rest.data);
}

static void reads_integers_to_their_limits(void **state) {
    (void)state;
    static const struct {
        const char *words;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"007", 7},
        {"-15", -15},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t value = 42;
        assert_true(text_to_int64(text_of(good[i].words), &value));
        assert_true(value == good[i].value);
    }
}

static void refuses_what_is_no_integer(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x10",
                                      "1e3",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t value = 42;
        assert_false(text_to_int64(text_of(bad[i]), &value));
        assert_int_equal(value, 42);
    }
    int64_t value = 42;
    assert_true(text_to_int64((struct text){"123", 2}, &value));
    assert_int_equal(value, 12);
}

static void reads_durations(void **state) {
    (void)state;
    static const struct {
        const char *words;
        int64_t ms;
    } good[] = {
        {"0", 0},          {"90", 90000},       {"500ms", 500},   {"30s", 30000},
        {"2m", 120000},    {"1h", 3600000},     {"1d", 86400000}, {"1m30s", 90000},
        {"1s500ms", 1500}, {"1h0m1s", 3601000}, {"0ms", 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = -1;
        assert_true(text_to_duration_ms(text_of(good[i].words), &ms));
        assert_int_equal(ms, good[i].ms);
    }
}

static void refuses_what_is_no_duration(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "1.5s",
                                      "1 s",
                                      "1m30",
                                      "1w",
                                      "10ss",
                                      "1S",
                                      "1s ",
                                      "9223372036854775807s",
                                      "9223372036854775807ms1ms"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 42;
        assert_false(text_to_duration_ms(text_of(bad[i]), &ms));
        assert_int_equal(ms, 42);
    }
}

static void reads_booleans_in_any_case(void **state) {
    (void)state;
    static const char *const truths[] = {"true", "1", "yes", "on", "TRUE", "On"};
    static const char *const lies[] = {"false", "0", "no", "off", "False", "NO"};
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        bool value = false;
        assert_true(text_to_bool(text_of(truths[i]), &value) && value);
        assert_true(text_to_bool(text_of(lies[i]), &value) && !value);
    }
    bool value = true;
    assert_false(text_to_bool(text_of("maybe"), &value));
    assert_false(text_to_bool(text_of(""), &value));
    assert_true(value);
}

static void counts_code_points(void **state) {
    (void)state;
    assert_int_equal(text_utf8_count(text_of(NULL)), 0);
    assert_int_equal(text_utf8_count(text_of("abc")), 3);
    assert_int_equal(text_utf8_count(TEXT_LITERAL("a\0b")), 3);
    assert_int_equal(text_utf8_count(text_of("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")), 3);
    /* first and last of each length: U+0080 U+07FF U+0800 U+FFFF U+10000 U+10FFFF */
    assert_int_equal(text_utf8_count(text_of("\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"
                                             "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")),
                     6);
    /* either side of the surrogates: U+D7FF U+E000 */
    assert_int_equal(text_utf8_count(text_of("\xED\x9F\xBF\xEE\x80\x80")), 2);
}

static void refuses_what_is_not_utf8(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xC3",             /* cut short */
        "\xE2\x82",         /* cut short */
        "\xF0\x9F\x98",     /* cut short */
        "\xC3(",            /* no continuation */
        "\xC0\x80",         /* overlong NUL */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* the first surrogate */
        "\xED\xBF\xBF",     /* the last surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFE",
        "\xFF",
        "ok\xFFok",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_utf8_count(text_of(bad[i])), -1);
}

static void prefix_cuts_no_code_point(void **state) {
    (void)state;
    struct text view = text_of("a\xE2\x82\xAC"
                               "b");
    assert_int_equal(text_utf8_prefix(view, 0).len, 0);
    assert_int_equal(text_utf8_prefix(view, 1).len, 1);
    assert_int_equal(text_utf8_prefix(view, 2).len, 1);
    assert_int_equal(text_utf8_prefix(view, 3).len, 1);
    assert_int_equal(text_utf8_prefix(view, 4).len, 4);
    assert_int_equal(text_utf8_prefix(view, 5).len, 5);
    assert_int_equal(text_utf8_prefix(view, 99).len, 5);
}

static void measures_edits(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t edits;
    } pairs[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"batch_size", "batch_size", 0},
        {"PORT", "PROT", 2},
        {"kitten", "sitting", 3},
        {"flaw", "lawn", 2},
        {"BATCHSIZE", "BATCH_SIZE", 1},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(text_edit_distance(text_of(pairs[i].a), text_of(pairs[i].b)),
                         pairs[i].edits);
        assert_int_equal(text_edit_distance(text_of(pairs[i].b), text_of(pairs[i].a)),
                         pairs[i].edits);
    }
}

static void edits_of_long_words_are_beyond_measure(void **state) {
    (void)state;
    char word[65] = {0};
    for (size_t i = 0; i < sizeof word; i++)
        word[i] = 'a';
    assert_int_equal(text_edit_distance((struct text){word, 64}, text_of("a")), 63);
    assert_true(text_edit_distance((struct text){word, 65}, text_of("a")) > 65);
    assert_true(text_edit_distance(text_of("a"), (struct text){word, 65}) > 65);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(starts_with_looks_within_the_view_only),
        cmocka_unit_test(trims_ascii_space),
        cmocka_unit_test(cuts_until_nothing_is_left),
        cmocka_unit_test(reads_integers_to_their_limits),
        cmocka_unit_test(refuses_what_is_no_integer),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(refuses_what_is_no_duration),
        cmocka_unit_test(reads_booleans_in_any_case),
        cmocka_unit_test(counts_code_points),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(prefix_cuts_no_code_point),
        cmocka_unit_test(measures_edits),
        cmocka_unit_test(edits_of_long_words_are_beyond_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
