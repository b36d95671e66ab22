#include "store/postgres/postgres_array.h"

#include <string.h>

#define ESCAPE "\xF4\x8F\xBF\xBF" /* U+10FFFF */
#define ESCAPE_BYTES (sizeof ESCAPE - 1)

void postgres_array_open(struct buffer *array, size_t bytes_max) {
    buffer_init(array, bytes_max);
    buffer_append_byte(array, '{');
}

static void separate(struct buffer *array) {
    if (array->len > 1)
        buffer_append_byte(array, ',');
}

static bool is_escape(const char *at, const char *end) {
    return (size_t)(end - at) >= ESCAPE_BYTES && memcmp(at, ESCAPE, ESCAPE_BYTES) == 0;
}

static bool is_special(const char *at, const char *end) {
    return *at == '"' || *at == '\\' || *at == '\0' || is_escape(at, end);
}

/* A NUL, or the escape itself; returns what comes after it. */
static const char *append_escaped(struct buffer *target, const char *at) {
    buffer_append_string(target, *at == '\0' ? ESCAPE "0" : ESCAPE ESCAPE);
    return at + (*at == '\0' ? 1 : ESCAPE_BYTES);
}

void postgres_array_add_text(struct buffer *array, struct text element) {
    separate(array);
    buffer_append_byte(array, '"');
    const char *end = element.data + element.len;
    for (const char *at = element.data; at < end;) {
        const char *plain = at;
        while (at < end && !is_special(at, end))
            at++;
        buffer_append(array, (struct text){plain, (size_t)(at - plain)});
        if (at == end)
            break;
        if (*at == '"' || *at == '\\') {
            buffer_append_byte(array, '\\');
            buffer_append_byte(array, *at++);
        } else {
            at = append_escaped(array, at);
        }
    }
    buffer_append_byte(array, '"');
}

void postgres_array_add_number(struct buffer *array, int64_t element) {
    separate(array);
    buffer_append_int64(array, element);
}

const char *postgres_array_close(struct buffer *array) {
    buffer_append_byte(array, '}');
    return array->overflowed ? NULL : array->data;
}

void postgres_text_write(struct json_writer *json, const char *key, struct text value) {
    struct buffer kept;
    buffer_init(&kept, value.len * (ESCAPE_BYTES + 1) + 1);
    const char *end = value.data + value.len;
    for (const char *at = value.data; at < end;) {
        if (*at == '\0' || is_escape(at, end))
            at = append_escaped(&kept, at);
        else
            buffer_append_byte(&kept, *at++);
    }
    json_member_text(json, key, buffer_view(&kept));
    buffer_deinit(&kept);
}

struct text postgres_text_restore(struct arena *arena, struct text kept) {
    struct text copy = arena_copy(arena, kept);
    if (copy.data == NULL || memmem(kept.data, kept.len, ESCAPE, ESCAPE_BYTES) == NULL)
        return copy;
    char *target = (char *)copy.data;
    const char *end = kept.data + kept.len;
    for (const char *at = kept.data; at < end;) {
        if (!is_escape(at, end) || at + ESCAPE_BYTES == end) {
            *target++ = *at++;
        } else if (at[ESCAPE_BYTES] == '0') {
            *target++ = '\0';
            at += ESCAPE_BYTES + 1;
        } else {
            memcpy(target, ESCAPE, ESCAPE_BYTES);
            target += ESCAPE_BYTES;
            at += is_escape(at + ESCAPE_BYTES, end) ? 2 * ESCAPE_BYTES : ESCAPE_BYTES;
        }
    }
    *target = '\0';
    return (struct text){copy.data, (size_t)(target - copy.data)};
}
