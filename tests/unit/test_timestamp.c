#include "support/test.h"

#include "base/timestamp.h"

#include <string.h>

static void formats_instants(void **state) {
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1769851800250, "2026-01-31T09:30:00.250Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TIMESTAMP_BYTES];
        timestamp_format(cases[i].unix_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void the_farthest_instants_stay_within_the_text(void **state) {
    (void)state;
    char text[TIMESTAMP_BYTES];
    timestamp_format(INT64_MAX, text);
    assert_memory_equal(text, "9999-12-31T", 11);
    timestamp_format(INT64_MIN, text);
    assert_non_null(memchr(text, '\0', sizeof text));
}

static void reads_the_three_http_forms(void **state) {
    (void)state;
    static const char *const forms[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "  Sun, 06 Nov 1994 08:49:37 GMT ",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int64_t unix_ms = 0;
        assert_true(timestamp_from_http_date(text_of(forms[i]), &unix_ms));
        assert_int_equal(unix_ms, 784111777000);
    }
}

static void refuses_what_is_no_http_date(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "120",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT and more",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT                                        x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t unix_ms = 42;
        assert_false(timestamp_from_http_date(text_of(bad[i]), &unix_ms));
        assert_int_equal(unix_ms, 42);
    }
}

static void reads_rfc_3339(void **state) {
    static const struct {
        const char *text;
        int64_t unix_ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-31T09:30:00.250Z", 1769851800250},
        {"2026-01-31t09:30:00.25z", 1769851800250},
        {"2026-01-31 09:30:00.250999999Z", 1769851800250},
        {"2026-01-31T12:30:00.250+03:00", 1769851800250},
        {"2026-01-30T23:45:00.25-09:45", 1769851800250},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t unix_ms = -1;
        assert_true(timestamp_parse(text_of(good[i].text), &unix_ms));
        assert_int_equal(unix_ms, good[i].unix_ms);
    }
}

static void refuses_what_is_no_rfc_3339(void **state) {
    static const char *const bad[] = {"",
                                      "2026-01-31",
                                      "2026-01-31T09:30:00",
                                      "2026-01-31T09:30Z",
                                      "2026-02-29T09:30:00Z",
                                      "2026-13-01T09:30:00Z",
                                      "2026-00-01T09:30:00Z",
                                      "2026-01-00T09:30:00Z",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T09:60:00Z",
                                      "2026-01-31T09:30:61Z",
                                      "2026-01-31T09:30:00.Z",
                                      "2026-01-31T09:30:00+0300",
                                      "2026-01-31T09:30:00+24:00",
                                      "2026-01-31T09:30:00Z ",
                                      " 2026-01-31T09:30:00Z",
                                      "1969-12-31T23:59:59Z",
                                      "2026-1-31T09:30:00Z",
                                      "2026-01-31T09:30:-1Z",
                                      "tomorrow"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t unix_ms = 42;
        assert_false(timestamp_parse(text_of(bad[i]), &unix_ms));
        assert_int_equal(unix_ms, 42);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_instants),
        cmocka_unit_test(the_farthest_instants_stay_within_the_text),
        cmocka_unit_test(reads_the_three_http_forms),
        cmocka_unit_test(refuses_what_is_no_http_date),
        cmocka_unit_test(reads_rfc_3339),
        cmocka_unit_test(refuses_what_is_no_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
