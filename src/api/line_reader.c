#include "api/line_reader.h"

#include "base/check.h"

#include <string.h>

#define BOM "\xEF\xBB\xBF"

void line_reader_init(struct line_reader *reader, size_t line_bytes_max,
                      bool (*line)(void *context, int64_t number, struct text line, bool too_long),
                      void *context) {
    check(reader != NULL && line != NULL && line_bytes_max > 0);
    *reader = (struct line_reader){.line = line, .context = context};
    buffer_init(&reader->bytes, line_bytes_max + 1); /* and a CR */
}

void line_reader_deinit(struct line_reader *reader) {
    buffer_deinit(&reader->bytes);
}

static bool end_line(struct line_reader *reader) {
    struct text line = buffer_view(&reader->bytes);
    reader->number++;
    if (reader->number == 1 && text_starts_with(line, BOM))
        line = (struct text){line.data + strlen(BOM), line.len - strlen(BOM)};
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    bool too_long = reader->too_long || line.len >= reader->bytes.bytes_max;
    bool blank = text_trim(line).len == 0 && !too_long;
    if (too_long)
        line = (struct text){"", 0};
    bool wanted = blank || reader->line(reader->context, reader->number, line, too_long);
    buffer_clear(&reader->bytes);
    reader->too_long = false;
    return wanted;
}

static void keep(struct line_reader *reader, struct text part) {
    if (reader->too_long || part.len == 0)
        return;
    if (buffer_append(&reader->bytes, part))
        return;
    reader->too_long = true;
    size_t bytes_max = reader->bytes.bytes_max;
    buffer_deinit(&reader->bytes);
    buffer_init(&reader->bytes, bytes_max);
}

bool line_reader_feed(struct line_reader *reader, struct text part) {
    while (part.len > 0) {
        const char *end = memchr(part.data, '\n', part.len);
        size_t count = end != NULL ? (size_t)(end - part.data) : part.len;
        keep(reader, (struct text){part.data, count});
        if (end == NULL)
            return true;
        part = (struct text){end + 1, part.len - count - 1};
        if (!end_line(reader))
            return false;
    }
    return true;
}

bool line_reader_end(struct line_reader *reader) {
    return reader->bytes.len == 0 && !reader->too_long ? true : end_line(reader);
}
