#include "support/test.h"

#include "base/json_writer.h"

#include <jansson.h>
#include <math.h>

static int set_up(void **state) {
    static struct buffer buffer;
    buffer_init(&buffer, 10000);
    *state = &buffer;
    return 0;
}

static int tear_down(void **state) {
    buffer_deinit(*state);
    return 0;
}

static void nests_with_commas_in_the_right_places(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_object_open(&json);
    json_key(&json, "a");
    json_array_open(&json);
    json_value_int64(&json, 1);
    json_object_open(&json);
    json_object_close(&json);
    json_array_open(&json);
    json_array_close(&json);
    json_value_int64(&json, -2);
    json_array_close(&json);
    json_key(&json, "b");
    json_object_open(&json);
    json_key(&json, "c");
    json_value_bool(&json, true);
    json_object_close(&json);
    json_key(&json, "d");
    json_value_null(&json);
    json_object_close(&json);
    assert_text(buffer_view(*state), "{\"a\":[1,{},[],-2],\"b\":{\"c\":true},\"d\":null}");
}

static void writes_each_kind_of_value(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_array_open(&json);
    json_value_string(&json, "x");
    json_value_string(&json, NULL);
    json_value_text(&json, text_of(NULL));
    json_value_int64(&json, INT64_MIN);
    json_value_double(&json, 0.25);
    json_value_double(&json, NAN);
    json_value_double(&json, INFINITY);
    json_value_bool(&json, false);
    json_value_time_ms(&json, 1769851800250);
    json_value_time_ms(&json, 0);
    json_array_close(&json);
    assert_text(buffer_view(*state), "[\"x\",null,\"\",-9223372036854775808,0.25,null,null,false,"
                                     "\"2026-01-31T09:30:00.250Z\",null]");
}

static void escapes_what_must_be_escaped(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_value_text(&json, TEXT_LITERAL("\"\\/\b\f\n\r\t\x01\x1f\x7f\0z"));
    assert_text(buffer_view(*state), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000z\"");
}

static void keeps_utf8_as_it_is(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_value_string(&json, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_text(buffer_view(*state), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

static void replaces_what_cannot_be_utf8(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_value_text(&json, TEXT_LITERAL("a\xFF"
                                        "b\xC3"));
    assert_text(buffer_view(*state), "\"a\xEF\xBF\xBD"
                                     "b\xEF\xBF\xBD\"");
}

static void keeps_the_good_beside_the_bad(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_value_text(&json, TEXT_LITERAL("\xC3\xA9\xFF"));
    assert_text(buffer_view(*state), "\"\xC3\xA9\xEF\xBF\xBD\"");
}

static void every_byte_comes_out_as_json(void **state) {
    struct json_writer json = json_writer_on(*state);
    json_array_open(&json);
    for (int byte = 0; byte < 256; byte++) {
        char one = (char)byte;
        json_value_text(&json, (struct text){&one, 1});
    }
    json_array_close(&json);
    struct text text = buffer_view(*state);
    json_t *read = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    assert_non_null(read);
    assert_int_equal(json_array_size(read), 256);
    for (size_t byte = 0; byte < 256; byte++) {
        const char *value = json_string_value(json_array_get(read, byte));
        if (byte < 0x80)
            assert_int_equal(value[0], (int)byte);
        else
            assert_string_equal(value, "\xEF\xBF\xBD");
    }
    json_decref(read);
}

static void overflow_shows_in_the_buffer(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 10);
    struct json_writer json = json_writer_on(&buffer);
    json_value_string(&json, "0123456789");
    assert_true(buffer.overflowed);
    buffer_deinit(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nests_with_commas_in_the_right_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_each_kind_of_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_what_must_be_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_utf8_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaces_what_cannot_be_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_good_beside_the_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_byte_comes_out_as_json, set_up, tear_down),
        cmocka_unit_test(overflow_shows_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
