#include "base/text.h"

#include "base/check.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define EDIT_DISTANCE_BYTES_MAX 64

struct text text_of(const char *string) {
    return (struct text){string, string != NULL ? strlen(string) : 0};
}

bool text_equal(struct text a, struct text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool text_equal_string(struct text a, const char *b) {
    return text_equal(a, text_of(b));
}

bool text_equal_ignoring_case(struct text a, struct text b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

bool text_starts_with(struct text view, const char *prefix) {
    size_t length = strlen(prefix);
    return view.len >= length && memcmp(view.data, prefix, length) == 0;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_trim(struct text view) {
    while (view.len > 0 && is_space(view.data[0])) {
        view.data++;
        view.len--;
    }
    while (view.len > 0 && is_space(view.data[view.len - 1]))
        view.len--;
    return view;
}

struct text text_cut(struct text *rest, char separator) {
    check(rest != NULL && rest->data != NULL);
    struct text piece = *rest;
    const char *found = rest->len > 0 ? memchr(rest->data, separator, rest->len) : NULL;
    if (found == NULL) {
        *rest = (struct text){0};
        return piece;
    }
    piece.len = (size_t)(found - rest->data);
    rest->data = found + 1;
    rest->len -= piece.len + 1;
    return piece;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Takes the digits at the beginning of `*view` off it; false when there are none or too many. */
static bool take_digits(struct text *view, uint64_t *value) {
    uint64_t sum = 0;
    size_t i = 0;
    for (; i < view->len && is_digit(view->data[i]); i++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(view->data[i] - '0'), &sum))
            return false;
    view->data += i;
    view->len -= i;
    *value = sum;
    return i > 0;
}

bool text_to_int64(struct text view, int64_t *value) {
    bool negative = view.len > 0 && view.data[0] == '-';
    if (negative) {
        view.data++;
        view.len--;
    }
    uint64_t magnitude = 0;
    if (!take_digits(&view, &magnitude) || view.len > 0)
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

/* The unit at the beginning of `*view`, taken off it; 0 where there is none. */
static int64_t take_unit_ms(struct text *view) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text_starts_with(*view, units[i].name)) {
            view->data += strlen(units[i].name);
            view->len -= strlen(units[i].name);
            return units[i].ms;
        }
    return 0;
}

bool text_to_duration_ms(struct text view, int64_t *duration_ms) {
    int64_t sum = 0;
    bool first = true;
    do {
        uint64_t number = 0;
        if (!take_digits(&view, &number))
            return false;
        int64_t unit_ms = take_unit_ms(&view);
        if (unit_ms == 0 && first && view.len == 0)
            unit_ms = 1000;
        int64_t part_ms = 0;
        if (unit_ms == 0 || __builtin_mul_overflow(number, unit_ms, &part_ms) ||
            __builtin_add_overflow(sum, part_ms, &sum))
            return false;
        first = false;
    } while (view.len > 0);
    *duration_ms = sum;
    return true;
}

bool text_to_bool(struct text view, bool *value) {
    static const char *const words[][2] = {
        {"false", "true"}, {"0", "1"}, {"no", "yes"}, {"off", "on"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int truth = 0; truth < 2; truth++)
            if (text_equal_ignoring_case(view, text_of(words[i][truth]))) {
                *value = truth == 1;
                return true;
            }
    return false;
}

/* RFC 3629, section 4. */
size_t text_utf8_length(struct text view) {
    check(view.len > 0);
    const unsigned char *bytes = (const unsigned char *)view.data;
    unsigned char lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || view.len < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (lead == 0xE0 && bytes[1] < 0xA0) || (lead == 0xF0 && bytes[1] < 0x90);
    bool surrogate = lead == 0xED && bytes[1] > 0x9F;
    bool too_large = lead == 0xF4 && bytes[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

int64_t text_utf8_count(struct text view) {
    int64_t count = 0;
    for (size_t i = 0; i < view.len; count++) {
        size_t length = text_utf8_length((struct text){view.data + i, view.len - i});
        if (length == 0)
            return -1;
        i += length;
    }
    return count;
}

struct text text_utf8_prefix(struct text view, size_t bytes_max) {
    if (view.len <= bytes_max)
        return view;
    view.len = bytes_max;
    while (view.len > 0 && ((unsigned char)view.data[view.len] & 0xC0) == 0x80)
        view.len--;
    return view;
}

size_t text_edit_distance(struct text a, struct text b) {
    size_t row[EDIT_DISTANCE_BYTES_MAX + 1];
    if (a.len > EDIT_DISTANCE_BYTES_MAX || b.len > EDIT_DISTANCE_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.data[i - 1] != b.data[j - 1]);
            size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[b.len];
}
