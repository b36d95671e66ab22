/* Views of bytes that someone else owns, and the few things we ask of them. A view need not be
 * terminated and may hold NUL bytes. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *data;
    size_t len;
};

#define TEXT_LITERAL(literal) ((struct text){(literal), sizeof(literal) - 1})
/* For printf: "%.*s", TEXT_ARGUMENT(view). */
#define TEXT_ARGUMENT(view) (int)(view).len, (view).data

/* A view of a terminated string; NULL gives an empty view. */
struct text text_of(const char *string);
/* Byte by byte; views of no bytes are equal, wherever they point. */
bool text_equal(struct text a, struct text b);
bool text_equal_string(struct text a, const char *b);
bool text_equal_ignoring_case(struct text a, struct text b); /* ASCII only */
bool text_starts_with(struct text view, const char *prefix);
/* Without the white space (ASCII) around it. */
struct text text_trim(struct text view);
/* Takes what stands before the first `separator` off `*rest` and returns it; the last piece leaves
 * `*rest` with data == NULL. */
struct text text_cut(struct text *rest, char separator);

/* Decimal, with an optional '-', no white space, nothing after it; false leaves `*value` alone. */
bool text_to_int64(struct text view, int64_t *value);
/* "2m", "30s", "500ms", "1h", "1m30s"; "0" and, as in some seeds, a bare number of seconds. */
bool text_to_duration_ms(struct text view, int64_t *duration_ms);
/* "true", "1", "yes", "on" and their opposites, in any case. */
bool text_to_bool(struct text view, bool *value);

/* The bytes of the code point at the beginning of `view`, which must not be empty; 0 where there
 * is no valid one. */
size_t text_utf8_length(struct text view);
/* The number of code points, or -1 where the bytes are not UTF-8 (RFC 3629: no surrogates, no
 * overlong forms). */
int64_t text_utf8_count(struct text view);
/* The longest beginning of at most `bytes_max` bytes that does not cut a code point. */
struct text text_utf8_prefix(struct text view, size_t bytes_max);

/* How many single-byte edits lead from `a` to `b`; for "did you mean". Longer than 64 bytes gives
 * a number larger than any real distance. */
size_t text_edit_distance(struct text a, struct text b);

#endif
