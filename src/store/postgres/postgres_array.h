/* Parameters that are arrays, in PostgreSQL's text form: {1,2} or {"a","b\"c"}. And the one thing
 * that its texts cannot hold: a NUL, which is kept as U+10FFFF and '0' (U+10FFFF itself, which is
 * no character, twice). */
#ifndef STORE_POSTGRES_ARRAY_H
#define STORE_POSTGRES_ARRAY_H

#include "base/arena.h"
#include "base/json_writer.h"

/* One array, written into a buffer of its own that the caller ends with buffer_deinit. */
void postgres_array_open(struct buffer *array, size_t bytes_max);
void postgres_array_add_text(struct buffer *array, struct text element);
void postgres_array_add_number(struct buffer *array, int64_t element);
/* The parameter, valid as long as the buffer; NULL where it did not fit. */
const char *postgres_array_close(struct buffer *array);

/* A member whose value is kept in the same way as an element of an array. */
void postgres_text_write(struct json_writer *json, const char *key, struct text value);
/* What was written with one of these, as it was given: a copy in `arena`; `{NULL, 0}`
 * when it does not fit. */
struct text postgres_text_restore(struct arena *arena, struct text kept);

#endif
