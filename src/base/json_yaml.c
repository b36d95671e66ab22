#include "base/json_yaml.h"

#include "base/check.h"
#include "base/json_writer.h"

#include <ctype.h>
#include <string.h>

#define INDENT 2

static void write_value(struct buffer *buffer, const json_t *value, int depth);

/* Words that YAML, of whatever version, takes for something else than a string. */
static bool is_keyword(struct text text) {
    static const char *const keywords[] = {"true", "false", "null", "yes", "no",
                                           "on",   "off",   "y",    "n"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (text_equal_ignoring_case(text, text_of(keywords[i])))
            return true;
    return false;
}

/* Letters first, and nothing that YAML could read as anything else. */
static bool is_plain(struct text text) {
    if (text.len == 0 || (!isalpha((unsigned char)text.data[0]) && text.data[0] != '/'))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.data[i]) && strchr(" _./-", text.data[i]) == NULL)
            return false;
    return text.data[text.len - 1] != ' ' && !is_keyword(text);
}

static void write_string(struct buffer *buffer, struct text text) {
    if (is_plain(text)) {
        buffer_append(buffer, text);
        return;
    }
    struct json_writer json = json_writer_on(buffer);
    json_value_text(&json, text);
}

static void begin_line(struct buffer *buffer, int depth) {
    buffer_append_byte(buffer, '\n');
    for (int i = 0; i < depth * INDENT; i++)
        buffer_append_byte(buffer, ' ');
}

static void write_object(struct buffer *buffer, const json_t *object, int depth) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        begin_line(buffer, depth);
        write_string(buffer, text_of(key));
        buffer_append_byte(buffer, ':');
        write_value(buffer, value, depth + 1);
    }
}

static void write_array(struct buffer *buffer, const json_t *array, int depth) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        begin_line(buffer, depth);
        buffer_append_byte(buffer, '-');
        write_value(buffer, json_array_get(array, i), depth + 1);
    }
}

static void write_scalar(struct buffer *buffer, const json_t *value) {
    struct json_writer json = json_writer_on(buffer);
    buffer_append_byte(buffer, ' ');
    if (json_is_string(value))
        write_string(buffer, (struct text){json_string_value(value), json_string_length(value)});
    else if (json_is_integer(value))
        json_value_int64(&json, json_integer_value(value));
    else if (json_is_real(value))
        json_value_double(&json, json_real_value(value));
    else if (json_is_boolean(value))
        json_value_bool(&json, json_is_true(value));
    else
        buffer_append_string(buffer, json_is_object(value)  ? "{}"
                                     : json_is_array(value) ? "[]"
                                                            : "null");
}

/* After a key or a dash: on the same line, or on lines of its own. */
static void write_value(struct buffer *buffer, const json_t *value, int depth) {
    check(depth <= JSON_YAML_DEPTH_MAX);
    if (json_is_object(value) && json_object_size(value) > 0)
        write_object(buffer, value, depth);
    else if (json_is_array(value) && json_array_size(value) > 0)
        write_array(buffer, value, depth);
    else
        write_scalar(buffer, value);
}

void json_yaml_write(struct buffer *buffer, const json_t *root) {
    check(buffer != NULL && root != NULL);
    buffer_append_string(buffer, "---");
    write_value(buffer, root, 0);
    buffer_append_byte(buffer, '\n');
}
