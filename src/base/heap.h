/* A binary heap of pointers: the smallest first, by an order given at init. It owns no item. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap {
    void **items;
    size_t count;
    size_t size;
    bool (*before)(const void *a, const void *b); /* set once; a strict order */
};

/* Empty. `before(a, b)` says that a comes first. */
void heap_init(struct heap *heap, bool (*before)(const void *a, const void *b));
/* Frees the heap, not the items. */
void heap_deinit(struct heap *heap);
/* O(log n), as heap_pop. */
void heap_push(struct heap *heap, void *item);
void *heap_first(const struct heap *heap); /* NULL when empty */
void *heap_pop(struct heap *heap);         /* NULL when empty */
/* Takes this item out, wherever it is: O(n). False: it is not there. */
bool heap_remove(struct heap *heap, const void *item);

#endif
