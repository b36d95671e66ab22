#include "base/json_writer.h"

#include "base/check.h"
#include "base/timestamp.h"

#include <math.h>
#include <string.h>

struct json_writer json_writer_on(struct buffer *buffer) {
    check(buffer != NULL);
    return (struct json_writer){.buffer = buffer};
}

static void before_value(struct json_writer *json) {
    if (json->comma)
        buffer_append_byte(json->buffer, ',');
    json->comma = true;
}

static void open(struct json_writer *json, char bracket) {
    before_value(json);
    buffer_append_byte(json->buffer, bracket);
    json->comma = false;
}

static void close(struct json_writer *json, char bracket) {
    buffer_append_byte(json->buffer, bracket);
    json->comma = true;
}

void json_value_raw(struct json_writer *json, struct text value) {
    before_value(json);
    buffer_append(json->buffer, value);
}

void json_object_open(struct json_writer *json) {
    open(json, '{');
}

void json_object_close(struct json_writer *json) {
    close(json, '}');
}

void json_array_open(struct json_writer *json) {
    open(json, '[');
}

void json_array_close(struct json_writer *json) {
    close(json, ']');
}

void json_key(struct json_writer *json, const char *key) {
    before_value(json);
    buffer_append_byte(json->buffer, '"');
    buffer_append_string(json->buffer, key);
    buffer_append(json->buffer, TEXT_LITERAL("\":"));
    json->comma = false;
}

static void append_escaped(struct buffer *buffer, unsigned char byte) {
    static const char short_forms[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                       ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    if (byte < sizeof short_forms && short_forms[byte] != 0) {
        buffer_append_byte(buffer, '\\');
        buffer_append_byte(buffer, short_forms[byte]);
    } else if (byte < 0x20) {
        buffer_printf(buffer, "\\u%04x", byte);
    } else {
        buffer_append(buffer, TEXT_LITERAL("\xEF\xBF\xBD"));
    }
}

void json_value_text(struct json_writer *json, struct text value) {
    before_value(json);
    buffer_append_byte(json->buffer, '"');
    size_t plain = 0;
    for (size_t i = 0; i < value.len;) {
        unsigned char byte = (unsigned char)value.data[i];
        size_t length = text_utf8_length((struct text){value.data + i, value.len - i});
        if (length > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
            i += length;
            continue;
        }
        buffer_append(json->buffer, (struct text){value.data + plain, i - plain});
        append_escaped(json->buffer, byte);
        plain = ++i;
    }
    buffer_append(json->buffer, (struct text){value.data + plain, value.len - plain});
    buffer_append_byte(json->buffer, '"');
}

void json_value_string(struct json_writer *json, const char *value) {
    if (value == NULL)
        json_value_null(json);
    else
        json_value_text(json, text_of(value));
}

void json_value_int64(struct json_writer *json, int64_t value) {
    before_value(json);
    buffer_append_int64(json->buffer, value);
}

void json_value_double(struct json_writer *json, double value) {
    before_value(json);
    if (isfinite(value))
        buffer_printf(json->buffer, "%.6g", value);
    else
        buffer_append_string(json->buffer, "null");
}

void json_value_bool(struct json_writer *json, bool value) {
    before_value(json);
    buffer_append_string(json->buffer, value ? "true" : "false");
}

void json_value_null(struct json_writer *json) {
    before_value(json);
    buffer_append_string(json->buffer, "null");
}

void json_value_time_ms(struct json_writer *json, int64_t unix_ms) {
    if (unix_ms == 0) {
        json_value_null(json);
        return;
    }
    char text[TIMESTAMP_BYTES];
    timestamp_format(unix_ms, text);
    json_value_string(json, text);
}

void json_member_text(struct json_writer *json, const char *key, struct text value) {
    json_key(json, key);
    json_value_text(json, value);
}

void json_member_string(struct json_writer *json, const char *key, const char *value) {
    json_key(json, key);
    json_value_string(json, value);
}

void json_member_int64(struct json_writer *json, const char *key, int64_t value) {
    json_key(json, key);
    json_value_int64(json, value);
}

void json_member_time_ms(struct json_writer *json, const char *key, int64_t unix_ms) {
    json_key(json, key);
    json_value_time_ms(json, unix_ms);
}
