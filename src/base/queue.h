/* A bounded queue of pointers between threads. An item has one owner: whoever pushed it has given
 * it away, whoever popped it has taken it. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/thread.h"

#include <stddef.h>

struct queue {
    struct monitor monitor;
    /* guarded by the monitor */
    void **items; /* a ring */
    size_t first;
    size_t count;
    bool closed;
    /* set once */
    size_t count_max;
};

/* Never holds more than `count_max` items. */
void queue_init(struct queue *queue, size_t count_max);
/* The queue must be empty and nobody waiting. */
void queue_deinit(struct queue *queue);

/* False, and the item stays the caller's, when the queue is full or closed. Never waits. */
bool queue_push(struct queue *queue, void *item);
/* Up to `items_max` items in the order in which they were pushed. Waits until there is one, the
 * queue is closed, or `timeout_us` is over (negative: without end, 0: not at all). Returns 0 in
 * the last two cases, and at times early; a closed queue first gives out what it still holds. */
size_t queue_pop(struct queue *queue, void **items, size_t items_max, int64_t timeout_us);
/* Refuses further pushes and wakes whoever waits. */
void queue_close(struct queue *queue);
bool queue_is_closed(struct queue *queue);
size_t queue_count(struct queue *queue);

#endif
