/* CSV: however the bytes are cut into parts the records are the same, and a field that is written
 * is read back. */
#include "api/bulk_line.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

#include <string.h>

#define RECORD_BYTES_MAX 200
#define OUTPUT_BYTES_MAX ((size_t)64 << 20)

static bool write_record(void *context, const struct csv_record *record) {
    struct buffer *output = context;
    buffer_printf(output, "%lld %s", (long long)record->line,
                  record->fault != NULL ? record->fault : "");
    for (size_t i = 0; i < record->count; i++) {
        buffer_append_byte(output, '|');
        buffer_append(output, record->fields[i]);
    }
    buffer_append_byte(output, '\n');
    return true;
}

static void read_in_parts(struct text input, size_t part, struct buffer *output) {
    struct csv_reader reader;
    csv_reader_init(&reader, RECORD_BYTES_MAX, write_record, output);
    for (size_t at = 0; at < input.len; at += part) {
        size_t left = input.len - at;
        csv_reader_feed(&reader, (struct text){input.data + at, left < part ? left : part});
    }
    csv_reader_end(&reader);
    csv_reader_deinit(&reader);
}

static bool make_objects(void *context, const struct csv_record *record) {
    struct bulk_columns *columns = context;
    struct bulk_fault fault = {0};
    if (record->fault != NULL)
        return true;
    if (columns->count == 0) {
        bulk_columns_read(columns, record);
        return true;
    }
    json_t *root = bulk_columns_apply(columns, record, &fault);
    check(root != NULL || fault.text[0] != '\0');
    json_decref(root);
    return true;
}

static bool same_field(void *context, const struct csv_record *record) {
    const struct text *field = context;
    check(record->fault == NULL && record->count == 2 && text_equal(record->fields[0], *field));
    return true;
}

static void read_back(struct text field) {
    struct csv_reader reader;
    struct buffer written;
    buffer_init(&written, OUTPUT_BYTES_MAX);
    csv_append_field(&written, field);
    buffer_append_string(&written, ",x\n");
    /* Bytes that begin as a byte order mark does are taken for one. */
    if (field.len > 0 && field.data[0] != '\xEF') {
        csv_reader_init(&reader, field.len * 2 + 16, same_field, &field);
        csv_reader_feed(&reader, buffer_view(&written));
        csv_reader_deinit(&reader);
    }
    buffer_deinit(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct text input = {(const char *)data + 1, size - 1};
    struct buffer whole, parts;
    struct bulk_columns columns = {0};
    struct csv_reader reader;
    buffer_init(&whole, OUTPUT_BYTES_MAX);
    buffer_init(&parts, OUTPUT_BYTES_MAX);
    read_in_parts(input, input.len + 1, &whole);
    read_in_parts(input, (size_t)data[0] % 17 + 1, &parts);
    check(text_equal(buffer_view(&whole), buffer_view(&parts)));
    csv_reader_init(&reader, RECORD_BYTES_MAX, make_objects, &columns);
    csv_reader_feed(&reader, input);
    csv_reader_deinit(&reader);
    bulk_columns_deinit(&columns);
    read_back(input);
    buffer_deinit(&whole);
    buffer_deinit(&parts);
    return 0;
}
