#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four characters. */
static void encode_group(struct buffer *buffer, const unsigned char *bytes, size_t count) {
    unsigned long bits = (unsigned long)bytes[0] << 16;
    if (count > 1)
        bits |= (unsigned long)bytes[1] << 8;
    if (count > 2)
        bits |= bytes[2];
    for (size_t i = 0; i < 4; i++)
        buffer_append_byte(buffer, i <= count ? alphabet[bits >> (18 - 6 * i) & 63] : '=');
}

bool base64_encode(struct buffer *buffer, struct text bytes) {
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        encode_group(buffer, (const unsigned char *)bytes.data + at, left < 3 ? left : 3);
    }
    return !buffer->overflowed;
}

static int value_of(char c) {
    const char *place = c != '\0' ? strchr(alphabet, c) : NULL;
    return place != NULL ? (int)(place - alphabet) : -1;
}

/* Four characters, of which the last `padding` are '='. */
static bool decode_group(struct buffer *buffer, const char *group, size_t padding) {
    unsigned long bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(group[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned long)value;
    }
    unsigned long unused = padding == 0 ? 0 : padding == 1 ? 0xFF : 0xFFFF;
    if ((bits & unused) != 0)
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        buffer_append_byte(buffer, (char)(bits >> (16 - 8 * i) & 0xFF));
    return !buffer->overflowed;
}

bool base64_decode(struct buffer *buffer, struct text encoded) {
    if (encoded.len % 4 != 0)
        return false;
    for (size_t at = 0; at < encoded.len; at += 4) {
        const char *group = encoded.data + at;
        bool last = at + 4 == encoded.len;
        size_t padding = !last || group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
        if (!decode_group(buffer, group, padding))
            return false;
    }
    return true;
}
