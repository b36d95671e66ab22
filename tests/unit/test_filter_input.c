#include "support/test.h"

#include "api/filter_input.h"
#include "api/retrier.h"

#include <string.h>

static struct store_query query;
static struct filter_fault fault;

static bool set(const char *name, const char *value) {
    query = (struct store_query){0};
    return filter_input_set(&query, name, text_of(value), &fault);
}

static void states_are_a_set(void **state) {
    (void)state;
    assert_true(set("status", "failed"));
    assert_int_equal(query.states, MESSAGE_STATE_BIT(MESSAGE_FAILED));
    assert_true(set("status", "sent,PENDING"));
    assert_int_equal(query.states,
                     MESSAGE_STATE_BIT(MESSAGE_SENT) | MESSAGE_STATE_BIT(MESSAGE_PENDING));
    static const char *const bad[] = {"", "sent,", ",sent", "gone", "sent pending"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(set("status", bad[i]));
        assert_string_equal(fault.field, "status");
    }
}

static void texts_are_text(void **state) {
    (void)state;
    char long_text[FILTER_TEXT_BYTES_MAX + 2] = "";
    memset(long_text, 'x', FILTER_TEXT_BYTES_MAX + 1);
    assert_true(set("q", "caf\xC3\xA9"));
    assert_text(query.content, "caf\xC3\xA9");
    assert_true(set("recipient", "+15551234567"));
    assert_true(set("provider", "webhook"));
    assert_true(store_query_is_selective(&query));
    assert_false(set("q", "\xFF"));
    assert_false(set("recipient", long_text));
    assert_false(filter_input_set(&query, "q", (struct text){"a\0b", 3}, &fault));
}

static void times_make_ranges(void **state) {
    (void)state;
    assert_true(set("created_from", "1970-01-01T00:00:01Z"));
    assert_int_equal(query.created.from_ms, 1000);
    assert_true(set("created_to", "1970-01-01T00:00:02Z"));
    assert_int_equal(query.created.to_ms, 2000);
    assert_true(set("sent_from", "1970-01-01T00:00:03Z"));
    assert_int_equal(query.sent.from_ms, 3000);
    assert_true(set("sent_to", "1970-01-01T00:00:04Z"));
    assert_int_equal(query.sent.to_ms, 4000);
    assert_false(set("sent_to", "yesterday"));
    assert_string_equal(fault.field, "sent_to");
}

static void other_names_are_none(void **state) {
    (void)state;
    assert_false(set("color", "blue"));
    assert_null(fault.field);
}

/* What a retry job may ask for. */
static void assert_job(const char *json, bool good, const char *field) {
    json_t *filter = json_loads(json, 0, NULL);
    const char *wrong = NULL, *text = NULL;
    assert_non_null(filter);
    assert_int_equal(retrier_read_filter(filter, &query, &wrong, &text), good);
    if (!good)
        assert_string_equal(wrong, field);
    json_decref(filter);
}

static void a_job_takes_what_can_be_retried(void **state) {
    (void)state;
    assert_job("{}", true, NULL);
    assert_int_equal(query.states, MESSAGE_STATE_BIT(MESSAGE_FAILED));
    assert_job("{\"status\":\"expired,cancelled\",\"q\":\"x\"}", true, NULL);
    assert_job("{\"status\":\"failed,sent\"}", false, "status");
    assert_job("{\"status\":1}", false, "status");
    assert_job("{\"color\":\"blue\"}", false, "color");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_a_set),
        cmocka_unit_test(texts_are_text),
        cmocka_unit_test(times_make_ranges),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(a_job_takes_what_can_be_retried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
