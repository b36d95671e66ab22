#include "log/line.h"

#include "base/check.h"
#include "base/timestamp.h"
#include "log/escape.h"

#include <string.h>

/* Kept free for what must come at the end: both counts, the brace, the newline. */
#define TAIL_BYTES (sizeof ",\"suppressed\":,\"dropped\":}\n" + 2 * 20)

#define MASK_BYTES 64
#define MASK_FIRST 4
#define MASK_LAST 2
#define MASK_HIDDEN_MIN 4
/* A longer recipient shows no more stars than this; its length is not worth more. */
#define MASK_HIDDEN_MAX 32

static const struct {
    const char *name;
    const char *console_name;
    const char *colour;
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", "DEBUG", "\033[90m"},
    [LOG_LEVEL_INFO] = {"info", "INFO ", "\033[32m"},
    [LOG_LEVEL_WARN] = {"warn", "WARN ", "\033[33m"},
    [LOG_LEVEL_ERROR] = {"error", "ERROR", "\033[31m"},
};

/* Where the last `count` code points of valid UTF-8 begin. */
static size_t start_of_last(struct text view, size_t count) {
    size_t at = view.len;
    while (count > 0 && at > 0) {
        at--;
        count -= ((unsigned char)view.data[at] & 0xC0) != 0x80;
    }
    return at;
}

static struct text mask(struct text recipient, char masked[MASK_BYTES]) {
    struct buffer out = {.data = masked, .size = MASK_BYTES, .bytes_max = MASK_BYTES - 1};
    int64_t counted = text_utf8_count(recipient);
    size_t characters = counted >= 0 ? (size_t)counted : recipient.len;
    bool shown = counted >= MASK_FIRST + MASK_HIDDEN_MIN + MASK_LAST;
    size_t hidden = shown ? characters - MASK_FIRST - MASK_LAST : characters;
    if (shown)
        buffer_append(
            &out, (struct text){recipient.data, start_of_last(recipient, characters - MASK_FIRST)});
    for (size_t i = 0; i < hidden && i < MASK_HIDDEN_MAX; i++)
        buffer_append_byte(&out, '*');
    size_t last = start_of_last(recipient, MASK_LAST);
    if (shown)
        buffer_append(&out, (struct text){recipient.data + last, recipient.len - last});
    return buffer_view(&out);
}

static void append_text(struct buffer *line, enum log_format format, struct text value) {
    bool bare = format == LOG_FORMAT_CONSOLE && value.len > 0 &&
                memchr(value.data, ' ', value.len) == NULL && escape_is_needless(value);
    if (!bare)
        buffer_append_byte(line, '"');
    escape_append(line, value, (line->bytes_max - line->len) / 2);
    if (!bare)
        buffer_append_byte(line, '"');
}

/* All of it or nothing. */
static void append_field(struct buffer *line, enum log_format format,
                         const struct log_field *field) {
    size_t before = line->len;
    char masked[MASK_BYTES];
    buffer_append_string(line, format == LOG_FORMAT_JSON ? ",\"" : " ");
    buffer_append_string(line, field->key);
    buffer_append_string(line, format == LOG_FORMAT_JSON ? "\":" : "=");
    switch (field->type) {
    case LOG_FIELD_TEXT: append_text(line, format, field->text); break;
    case LOG_FIELD_RECIPIENT: append_text(line, format, mask(field->text, masked)); break;
    case LOG_FIELD_INT: buffer_append_int64(line, field->number); break;
    case LOG_FIELD_END: check(false);
    }
    if (line->overflowed) {
        line->len = before;
        line->overflowed = false;
    }
}

static void begin_json(struct buffer *line, const struct line_style *style,
                       const struct line_event *event, const char *time) {
    buffer_append_string(line, "{\"time\":\"");
    buffer_append_string(line, time);
    buffer_append_string(line, "\",\"level\":\"");
    buffer_append_string(line, levels[event->level].name);
    buffer_append_byte(line, '"');
    append_field(line, LOG_FORMAT_JSON, &LOG_STRING("msg", event->sentence));
    if (style->app_name != NULL)
        append_field(line, LOG_FORMAT_JSON, &LOG_STRING("app", style->app_name));
}

static void begin_console(struct buffer *line, const struct line_style *style,
                          const struct line_event *event, const char *time) {
    const size_t time_of_day = sizeof "2026-01-31T" - 1;
    const size_t length = sizeof "09:30:00.250" - 1;
    buffer_append(line, (struct text){time + time_of_day, length});
    buffer_append_byte(line, ' ');
    if (style->coloured)
        buffer_append_string(line, levels[event->level].colour);
    buffer_append_string(line, levels[event->level].console_name);
    buffer_append_string(line, style->coloured ? "\033[0m " : " ");
    escape_append(line, text_of(event->sentence), (line->bytes_max - line->len) / 2);
    bool alone = event->fields->type == LOG_FIELD_END && event->suppressed + event->dropped == 0;
    if (!alone)
        buffer_append_byte(line, ' ');
}

void line_write(struct buffer *line, const struct line_style *style,
                const struct line_event *event) {
    check(line->len == 0 && line->bytes_max == LOG_LINE_BYTES_MAX);
    check(event->level <= LOG_LEVEL_ERROR && event->sentence != NULL);
    char time[TIMESTAMP_BYTES] = {0};
    timestamp_format(event->wall_ms, time);
    line->bytes_max -= TAIL_BYTES;
    if (style->format == LOG_FORMAT_JSON)
        begin_json(line, style, event, time);
    else
        begin_console(line, style, event, time);
    for (const struct log_field *field = event->fields; field->type != LOG_FIELD_END; field++)
        append_field(line, style->format, field);
    line->bytes_max += TAIL_BYTES;
    if (event->suppressed > 0)
        append_field(line, style->format, &LOG_INT("suppressed", event->suppressed));
    if (event->dropped > 0)
        append_field(line, style->format, &LOG_INT("dropped", event->dropped));
    buffer_append_string(line, style->format == LOG_FORMAT_JSON ? "}\n" : "\n");
    check(!line->overflowed);
}
