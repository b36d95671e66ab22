#include "base/arena.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 4096

struct arena_block {
    struct arena_block *before;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t bytes_max) {
    check(arena != NULL && bytes_max > 0);
    *arena = (struct arena){.bytes_max = bytes_max};
}

void arena_deinit(struct arena *arena) {
    check(arena != NULL);
    for (struct arena_block *block = arena->last; block != NULL;) {
        struct arena_block *before = block->before;
        free(block);
        block = before;
    }
    *arena = (struct arena){.bytes_max = arena->bytes_max};
}

/* Blocks double with the arena, so that a large batch takes a handful of them. */
static struct arena_block *add_block(struct arena *arena, size_t bytes) {
    size_t size = arena->last != NULL ? arena->last->size * 2 : ARENA_BLOCK_BYTES;
    if (size < bytes)
        size = bytes;
    struct arena_block *block = memory_zeroed(1, sizeof *block + size);
    block->before = arena->last;
    block->size = size;
    arena->last = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    check(arena != NULL);
    const size_t alignment = alignof(max_align_t);
    if (bytes > arena->bytes_max || arena->bytes_used > arena->bytes_max - bytes)
        return NULL;
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    struct arena_block *block = arena->last;
    if (block == NULL || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    void *result = block->bytes + block->used;
    block->used += rounded;
    arena->bytes_used += bytes;
    return result;
}

struct text arena_copy(struct arena *arena, struct text source) {
    char *copy = arena_alloc(arena, source.len + 1);
    if (copy == NULL)
        return (struct text){0};
    if (source.len > 0)
        memcpy(copy, source.data, source.len);
    return (struct text){copy, source.len};
}
