#include "support/test.h"

#include "api/line_reader.h"

#include <string.h>

#define BYTES_MAX 8
#define OUTPUT_BYTES_MAX 4096

static bool write_line(void *context, int64_t number, struct text line, bool too_long) {
    buffer_printf(context, "%lld:%.*s%s\n", (long long)number, TEXT_ARGUMENT(line),
                  too_long ? "(too long)" : "");
    return true;
}

/* Wherever the input is cut, the lines are these. */
static void assert_lines(const char *input, const char *expected) {
    size_t len = strlen(input);
    for (size_t cut = 0; cut <= len; cut++) {
        struct buffer output;
        struct line_reader reader;
        buffer_init(&output, OUTPUT_BYTES_MAX);
        line_reader_init(&reader, BYTES_MAX, write_line, &output);
        assert_true(line_reader_feed(&reader, (struct text){input, cut}));
        assert_true(line_reader_feed(&reader, (struct text){input + cut, len - cut}));
        assert_true(line_reader_end(&reader));
        assert_string_equal(buffer_view(&output).data, expected);
        line_reader_deinit(&reader);
        buffer_deinit(&output);
    }
}

static void reads_lines(void **state) {
    (void)state;
    assert_lines("", "");
    assert_lines("a\nb\n", "1:a\n2:b\n");
    assert_lines("a\r\nb", "1:a\n2:b\n");
    assert_lines("\n \t\n\r\na\n", "4:a\n");
    assert_lines("\xEF\xBB\xBFx\ny", "1:x\n2:y\n");
    assert_lines("12345678\n", "1:12345678\n");
}

static void what_is_too_long_is_told_and_passed_over(void **state) {
    (void)state;
    assert_lines("a\n123456789\nb\n", "1:a\n2:(too long)\n3:b\n");
    assert_lines("1234567890123456789012345", "1:(too long)\n");
}

static bool stop(void *context, int64_t number, struct text line, bool too_long) {
    (void)line, (void)too_long;
    *(int64_t *)context = number;
    return false;
}

static void ends_when_told(void **state) {
    (void)state;
    int64_t last = 0;
    struct line_reader reader;
    line_reader_init(&reader, BYTES_MAX, stop, &last);
    assert_false(line_reader_feed(&reader, TEXT_LITERAL("a\nb\n")));
    assert_int_equal(last, 1);
    line_reader_deinit(&reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(what_is_too_long_is_told_and_passed_over),
        cmocka_unit_test(ends_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
