#include "base/heap.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

#define HEAP_ITEMS_MIN 64

void heap_init(struct heap *heap, bool (*before)(const void *a, const void *b)) {
    check(heap != NULL && before != NULL);
    *heap = (struct heap){.before = before};
}

void heap_deinit(struct heap *heap) {
    free(heap->items);
    *heap = (struct heap){.before = heap->before};
}

static void swap(struct heap *heap, size_t a, size_t b) {
    void *item = heap->items[a];
    heap->items[a] = heap->items[b];
    heap->items[b] = item;
}

static void rise(struct heap *heap, size_t at) {
    while (at > 0 && heap->before(heap->items[at], heap->items[(at - 1) / 2])) {
        swap(heap, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

void heap_push(struct heap *heap, void *item) {
    check(item != NULL);
    if (heap->count == heap->size) {
        heap->size = heap->size > 0 ? heap->size * 2 : HEAP_ITEMS_MIN;
        heap->items = memory_resize(heap->items, heap->size, sizeof *heap->items);
    }
    heap->items[heap->count] = item;
    rise(heap, heap->count++);
}

void *heap_first(const struct heap *heap) {
    return heap->count > 0 ? heap->items[0] : NULL;
}

static size_t smallest_of_family(const struct heap *heap, size_t at) {
    size_t smallest = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
        if (heap->before(heap->items[child], heap->items[smallest]))
            smallest = child;
    return smallest;
}

static void sink(struct heap *heap, size_t at) {
    for (size_t next; (next = smallest_of_family(heap, at)) != at; at = next)
        swap(heap, at, next);
}

void *heap_pop(struct heap *heap) {
    if (heap->count == 0)
        return NULL;
    void *first = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    sink(heap, 0);
    return first;
}

bool heap_remove(struct heap *heap, const void *item) {
    size_t at = 0;
    while (at < heap->count && heap->items[at] != item)
        at++;
    if (at == heap->count)
        return false;
    heap->items[at] = heap->items[--heap->count];
    if (at == heap->count)
        return true;
    rise(heap, at);
    sink(heap, at);
    return true;
}
