#include "log/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PIECE_BYTES 8
/* Also how exact a cut is: a run is taken whole or not at all. */
#define RUN_BYTES_MAX 32
#define ELLIPSIS "\xE2\x80\xA6"
#define REPLACEMENT "\xEF\xBF\xBD"

static bool is_plain_ascii(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static size_t plain_run(struct text value) {
    size_t length = 0;
    while (length < value.len && length < RUN_BYTES_MAX &&
           is_plain_ascii((unsigned char)value.data[length]))
        length++;
    return length;
}

/* The bytes of the code point at the beginning, or 0 where there is none. */
static size_t code_point_length(struct text value) {
    unsigned char lead = (unsigned char)value.data[0];
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length > value.len || text_utf8_count((struct text){value.data, length}) != 1)
        return 0;
    return length;
}

static uint32_t code_point_of(const char *bytes, size_t length) {
    static const unsigned char lead_masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code_point = (unsigned char)bytes[0] & lead_masks[length];
    for (size_t i = 1; i < length; i++)
        code_point = code_point << 6 | ((unsigned char)bytes[i] & 0x3F);
    return code_point;
}

static bool is_hostile(uint32_t code_point) {
    bool control = code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F);
    bool separator_or_direction = code_point >= 0x2028 && code_point <= 0x202E;
    bool isolate = code_point >= 0x2066 && code_point <= 0x2069;
    return control || separator_or_direction || isolate;
}

static struct text escape_of(uint32_t code_point, char piece[PIECE_BYTES]) {
    static const char short_forms[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                       ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    if (code_point < sizeof short_forms && short_forms[code_point] != 0)
        snprintf(piece, PIECE_BYTES, "\\%c", short_forms[code_point]);
    else
        snprintf(piece, PIECE_BYTES, "\\u%04x", (unsigned)(code_point & 0xFFFF));
    return text_of(piece);
}

/* Takes a run of plain text, or one code point, off `*rest` and returns what stands for it: the
 * bytes themselves where they may stand as they are. */
static struct text take_piece(struct text *rest, char piece[PIECE_BYTES]) {
    struct text taken = {rest->data, plain_run(*rest)};
    struct text shown = taken;
    if (taken.len == 0) {
        taken.len = code_point_length(*rest);
        uint32_t code_point = taken.len > 0 ? code_point_of(taken.data, taken.len) : 0;
        if (taken.len == 0)
            shown = TEXT_LITERAL(REPLACEMENT);
        else if (is_hostile(code_point) || code_point == '"' || code_point == '\\')
            shown = escape_of(code_point, piece);
        else
            shown = taken;
    }
    size_t used = taken.len > 0 ? taken.len : 1;
    *rest = (struct text){rest->data + used, rest->len - used};
    return shown;
}

void escape_append(struct buffer *buffer, struct text value, size_t bytes_max) {
    const size_t end = buffer->len + bytes_max;
    size_t cut = buffer->len; /* the last place where the ellipsis still fits */
    while (value.len > 0) {
        char piece[PIECE_BYTES];
        struct text shown = take_piece(&value, piece);
        if (buffer->len + shown.len > end) {
            buffer->len = cut;
            buffer_append(buffer, TEXT_LITERAL(ELLIPSIS));
            return;
        }
        buffer_append(buffer, shown);
        if (buffer->len + sizeof ELLIPSIS - 1 <= end)
            cut = buffer->len;
    }
}

bool escape_is_needless(struct text value) {
    while (value.len > 0) {
        char piece[PIECE_BYTES];
        const char *before = value.data;
        if (take_piece(&value, piece).data != before)
            return false;
    }
    return true;
}
