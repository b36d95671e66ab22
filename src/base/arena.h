/* Memory for things that end together: one arena per claimed batch and per request. Nothing in it
 * is freed alone; arena_deinit frees all. Not shared between threads without a hand-over. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/text.h"

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *last;
    size_t bytes_used; /* of all blocks */
    size_t bytes_max;  /* set once */
};

/* Takes no memory yet. `bytes_max` bounds what the arena will ever hold. */
void arena_init(struct arena *arena, size_t bytes_max);
void arena_deinit(struct arena *arena);

/* Zeroed and aligned for any type; NULL when the maximum would be passed. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* A copy with a terminating NUL after its end; `{NULL, 0}` when the maximum would be passed. */
struct text arena_copy(struct arena *arena, struct text source);

#endif
