/* A byte buffer that grows up to a maximum given at init. Passing the maximum, or running out of
 * memory, fails that append whole and marks the buffer `overflowed`; a writer may append many
 * pieces and look at the mark once at the end. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* terminated whenever not NULL */
    size_t len;
    size_t size;
    size_t bytes_max; /* set once */
    bool overflowed;
};

/* Takes no memory yet. */
void buffer_init(struct buffer *buffer, size_t bytes_max);
void buffer_deinit(struct buffer *buffer);
/* Empties it, keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* True when everything fitted. */
bool buffer_append(struct buffer *buffer, struct text bytes);
bool buffer_append_string(struct buffer *buffer, const char *string);
bool buffer_append_byte(struct buffer *buffer, char byte);
bool buffer_append_int64(struct buffer *buffer, int64_t value);
bool buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is in it, until the next call that changes it; never data == NULL. */
struct text buffer_view(const struct buffer *buffer);
/* The bytes, terminated, now the caller's to free(); the buffer is left empty. Never NULL. */
char *buffer_take(struct buffer *buffer);

#endif
