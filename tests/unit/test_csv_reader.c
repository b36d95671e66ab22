#include "support/test.h"

#include "api/csv_reader.h"

#include <stdio.h>
#include <string.h>

#define BYTES_MAX 64
#define OUTPUT_BYTES_MAX 65536

/* Every record as a line: its number, and its fields in brackets or its fault. */
static bool write_record(void *context, const struct csv_record *record) {
    struct buffer *output = context;
    buffer_printf(output, "%lld:", (long long)record->line);
    for (size_t i = 0; i < record->count; i++)
        buffer_printf(output, "[%.*s]", TEXT_ARGUMENT(record->fields[i]));
    buffer_printf(output, "%s\n", record->fault != NULL ? record->fault : "");
    return true;
}

/* Read in two parts, cut at `cut`; beyond the end: byte by byte. */
static void read_cut(const char *input, size_t cut, struct buffer *output) {
    struct csv_reader reader;
    size_t len = strlen(input);
    csv_reader_init(&reader, BYTES_MAX, write_record, output);
    if (cut <= len) {
        assert_true(csv_reader_feed(&reader, (struct text){input, cut}));
        assert_true(csv_reader_feed(&reader, (struct text){input + cut, len - cut}));
    }
    for (size_t i = 0; i < len && cut > len; i++)
        assert_true(csv_reader_feed(&reader, (struct text){input + i, 1}));
    assert_true(csv_reader_end(&reader));
    csv_reader_deinit(&reader);
}

/* Wherever the input is cut, the records are these. */
static void assert_records(const char *input, const char *expected) {
    for (size_t cut = 0; cut <= strlen(input) + 1; cut++) {
        struct buffer output;
        buffer_init(&output, OUTPUT_BYTES_MAX);
        read_cut(input, cut, &output);
        assert_string_equal(buffer_view(&output).data, expected);
        buffer_deinit(&output);
    }
}

static void reads_records(void **state) {
    (void)state;
    assert_records("", "");
    assert_records("a,b\nc,d\n", "1:[a][b]\n2:[c][d]\n");
    assert_records("a,b\r\nc,d", "1:[a][b]\n2:[c][d]\n");
    assert_records(",\n", "1:[][]\n");
    assert_records("a,", "1:[a][]\n");
    assert_records("\n\r\na\n\n", "3:[a]\n");
    assert_records("\xEF\xBB\xBFto,x\n", "1:[to][x]\n");
    assert_records(" a , b \n", "1:[ a ][ b ]\n");
}

static void reads_quotes(void **state) {
    (void)state;
    assert_records("\"a,b\",\"say \"\"hi\"\"\"\n", "1:[a,b][say \"hi\"]\n");
    assert_records("\"two\nlines\",x\ny\n", "1:[two\nlines][x]\n3:[y]\n");
    assert_records("\"\",\"\"\"\"", "1:[][\"]\n");
    assert_records("\"cr\r\nlf\"\r\n", "1:[cr\r\nlf]\n");
}

static void goes_on_after_a_fault(void **state) {
    (void)state;
    assert_records("a\"b,c\nd\n",
                   "1:has a quote within a field that does not begin with one\n2:[d]\n");
    assert_records("\"a\"b,c\nd\n", "1:has text after a closing quote\n2:[d]\n");
    assert_records("a\rb\nd\n", "1:has a CR that no LF follows\n2:[d]\n");
    assert_records("x\n\"open", "1:[x]\n2:has a quote that is not closed\n");
}

static void what_is_too_long_is_told(void **state) {
    (void)state;
    char input[400] = "", expected[200];
    memset(input, 'x', 200);
    strncat(input, "\nok\n", 8);
    snprintf(expected, sizeof expected, "1:is too long\n2:[ok]\n");
    assert_records(input, expected);
    memset(input, ',', 40);
    memcpy(input + 40, "\nok\n", 5);
    assert_records(input, "1:has more than 32 fields\n2:[ok]\n");
}

static bool stop(void *context, const struct csv_record *record) {
    (void)record;
    ++*(int *)context;
    return false;
}

static void ends_when_told(void **state) {
    (void)state;
    int count = 0;
    struct csv_reader reader;
    csv_reader_init(&reader, BYTES_MAX, stop, &count);
    assert_false(csv_reader_feed(&reader, TEXT_LITERAL("a\nb\nc\n")));
    assert_int_equal(count, 1);
    csv_reader_deinit(&reader);
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    static const char *const values[] = {"", "plain", "a,b", "\"", "two\nlines", " spaced ", "\r"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buffer written, read;
        char expected[64];
        buffer_init(&written, OUTPUT_BYTES_MAX);
        buffer_init(&read, OUTPUT_BYTES_MAX);
        csv_append_field(&written, text_of(values[i]));
        buffer_append_string(&written, ",x");
        read_cut(written.data, 0, &read);
        snprintf(expected, sizeof expected, "1:[%s][x]\n", values[i]);
        assert_string_equal(read.data, expected);
        buffer_deinit(&written);
        buffer_deinit(&read);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_records),         cmocka_unit_test(reads_quotes),
        cmocka_unit_test(goes_on_after_a_fault), cmocka_unit_test(what_is_too_long_is_told),
        cmocka_unit_test(ends_when_told),        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
