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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_instants),
        cmocka_unit_test(the_farthest_instants_stay_within_the_text),
        cmocka_unit_test(reads_the_three_http_forms),
        cmocka_unit_test(refuses_what_is_no_http_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
