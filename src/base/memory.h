/* Small allocations that cannot fail: when the machine has no memory left, the process ends with
 * one clear line. That is safe here, because whatever was accepted is in the store already.
 * Anything whose size a stranger decides (a request body, a batch) goes through `struct buffer` or
 * `struct arena`, which have a named maximum and report it as an error. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Zeroed. The caller owns the result and frees it with free(). */
void *memory_zeroed(size_t count, size_t size);
/* As realloc(); `pointer` may be NULL. */
void *memory_resize(void *pointer, size_t count, size_t size);
/* A copy of a terminated string, freed with free(). */
char *memory_copy_string(const char *string);

#endif
