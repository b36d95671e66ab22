/* Lines: however the bytes are cut into parts they are the same, and none is longer than allowed.
 */
#include "api/line_reader.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

#define LINE_BYTES_MAX 50
#define OUTPUT_BYTES_MAX ((size_t)64 << 20)

static bool write_line(void *context, int64_t number, struct text line, bool too_long) {
    struct buffer *output = context;
    check(line.len <= LINE_BYTES_MAX && (!too_long || line.len == 0));
    buffer_printf(output, "%lld %d ", (long long)number, too_long);
    buffer_append(output, line);
    buffer_append_byte(output, '\n');
    return true;
}

static void read_in_parts(struct text input, size_t part, struct buffer *output) {
    struct line_reader reader;
    line_reader_init(&reader, LINE_BYTES_MAX, write_line, output);
    for (size_t at = 0; at < input.len; at += part) {
        size_t left = input.len - at;
        line_reader_feed(&reader, (struct text){input.data + at, left < part ? left : part});
    }
    line_reader_end(&reader);
    line_reader_deinit(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct text input = {(const char *)data + 1, size - 1};
    struct buffer whole, parts;
    buffer_init(&whole, OUTPUT_BYTES_MAX);
    buffer_init(&parts, OUTPUT_BYTES_MAX);
    read_in_parts(input, input.len + 1, &whole);
    read_in_parts(input, (size_t)data[0] % 17 + 1, &parts);
    check(text_equal(buffer_view(&whole), buffer_view(&parts)));
    buffer_deinit(&whole);
    buffer_deinit(&parts);
    return 0;
}
