#include "base/buffer.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES_MIN 256

void buffer_init(struct buffer *buffer, size_t bytes_max) {
    check(buffer != NULL && bytes_max > 0);
    *buffer = (struct buffer){.bytes_max = bytes_max};
}

void buffer_deinit(struct buffer *buffer) {
    check(buffer != NULL);
    free(buffer->data);
    *buffer = (struct buffer){.bytes_max = buffer->bytes_max};
}

void buffer_clear(struct buffer *buffer) {
    buffer->len = 0;
    buffer->overflowed = false;
    if (buffer->data != NULL)
        buffer->data[0] = '\0';
}

/* Room for `bytes` more and a NUL. */
static bool reserve(struct buffer *buffer, size_t bytes) {
    check(buffer->bytes_max > 0);
    if (bytes > buffer->bytes_max - buffer->len || buffer->overflowed) {
        buffer->overflowed = true;
        return false;
    }
    size_t needed = buffer->len + bytes + 1;
    if (needed <= buffer->size)
        return true;
    size_t size = buffer->size * 2 > BUFFER_BYTES_MIN ? buffer->size * 2 : BUFFER_BYTES_MIN;
    if (size < needed)
        size = needed;
    char *data = realloc(buffer->data, size);
    if (data == NULL) {
        buffer->overflowed = true;
        return false;
    }
    buffer->data = data;
    buffer->size = size;
    return true;
}

bool buffer_append(struct buffer *buffer, struct text bytes) {
    if (!reserve(buffer, bytes.len))
        return false;
    if (bytes.len > 0)
        memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len += bytes.len;
    buffer->data[buffer->len] = '\0';
    return true;
}

bool buffer_append_string(struct buffer *buffer, const char *string) {
    return buffer_append(buffer, text_of(string));
}

bool buffer_append_byte(struct buffer *buffer, char byte) {
    return buffer_append(buffer, (struct text){&byte, 1});
}

bool buffer_append_int64(struct buffer *buffer, int64_t value) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (value < 0)
        digits[--at] = '-';
    return buffer_append(buffer, (struct text){digits + at, sizeof digits - at});
}

bool buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    check(length >= 0);
    if (!reserve(buffer, (size_t)length))
        return false;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->len, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->len += (size_t)length;
    return true;
}

struct text buffer_view(const struct buffer *buffer) {
    return (struct text){buffer->data != NULL ? buffer->data : "", buffer->len};
}

char *buffer_take(struct buffer *buffer) {
    char *data = buffer->data != NULL ? buffer->data : memory_copy_string("");
    *buffer = (struct buffer){.bytes_max = buffer->bytes_max};
    return data;
}
