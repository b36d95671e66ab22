#include "support/test.h"

#include "base/error.h"

#include <string.h>

static void sets_status_and_text(void **state) {
    (void)state;
    struct error error;
    assert_int_equal(error_set(&error, STATUS_FULL, "%d of %s", 3, "five"), STATUS_FULL);
    assert_int_equal(error.status, STATUS_FULL);
    assert_string_equal(error.text, "3 of five");
}

static void context_reads_from_the_outside_in(void **state) {
    (void)state;
    struct error error;
    error_set(&error, STATUS_UNAVAILABLE, "disk I/O error");
    error_wrap(&error, "sqlite");
    assert_int_equal(error_wrap(&error, "claim %s", "batch"), STATUS_UNAVAILABLE);
    assert_string_equal(error.text, "claim batch: sqlite: disk I/O error");
}

static void text_is_cut_at_the_maximum(void **state) {
    (void)state;
    char longer[ERROR_TEXT_BYTES_MAX * 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct error error;
    error_set(&error, STATUS_BROKEN, "%s", longer);
    assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES_MAX - 1);
}

static void context_is_kept_when_the_inner_text_has_no_room(void **state) {
    (void)state;
    char full[ERROR_TEXT_BYTES_MAX];
    memset(full, 'x', sizeof full - 1);
    full[sizeof full - 1] = '\0';
    struct error error;
    error_set(&error, STATUS_BROKEN, "%s", full);
    error_wrap(&error, "outside");
    assert_int_equal(strncmp(error.text, "outside: xxx", 12), 0);
    assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES_MAX - 1);
    error_wrap(&error, "%s", full);
    assert_string_equal(error.text, full);
}

static void every_status_has_its_own_name(void **state) {
    (void)state;
    for (int a = STATUS_OK; a <= STATUS_BROKEN; a++) {
        assert_non_null(status_name((enum status)a));
        for (int b = STATUS_OK; b < a; b++)
            assert_string_not_equal(status_name((enum status)a), status_name((enum status)b));
    }
    assert_string_equal(status_name(STATUS_UNAVAILABLE), "unavailable");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_status_and_text),
        cmocka_unit_test(context_reads_from_the_outside_in),
        cmocka_unit_test(text_is_cut_at_the_maximum),
        cmocka_unit_test(context_is_kept_when_the_inner_text_has_no_room),
        cmocka_unit_test(every_status_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
