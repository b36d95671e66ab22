#include "base/queue.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

void queue_init(struct queue *queue, size_t count_max) {
    check(queue != NULL && count_max > 0);
    *queue = (struct queue){.count_max = count_max};
    queue->items = memory_zeroed(count_max, sizeof *queue->items);
    monitor_init(&queue->monitor);
}

void queue_deinit(struct queue *queue) {
    check(queue->count == 0);
    free(queue->items);
    monitor_deinit(&queue->monitor);
}

bool queue_push(struct queue *queue, void *item) {
    check(item != NULL);
    monitor_lock(&queue->monitor);
    bool accepted = !queue->closed && queue->count < queue->count_max;
    if (accepted) {
        queue->items[(queue->first + queue->count) % queue->count_max] = item;
        queue->count++;
        monitor_signal(&queue->monitor);
    }
    monitor_unlock(&queue->monitor);
    return accepted;
}

static size_t take(struct queue *queue, void **items, size_t items_max) {
    size_t count = queue->count < items_max ? queue->count : items_max;
    for (size_t i = 0; i < count; i++) {
        items[i] = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->count_max;
    }
    queue->count -= count;
    return count;
}

size_t queue_pop(struct queue *queue, void **items, size_t items_max, int64_t timeout_us) {
    check(items != NULL && items_max > 0);
    monitor_lock(&queue->monitor);
    if (timeout_us < 0)
        while (queue->count == 0 && !queue->closed)
            monitor_wait(&queue->monitor);
    else if (queue->count == 0 && !queue->closed)
        monitor_wait_for(&queue->monitor, timeout_us);
    size_t count = take(queue, items, items_max);
    monitor_unlock(&queue->monitor);
    return count;
}

void queue_close(struct queue *queue) {
    monitor_lock(&queue->monitor);
    queue->closed = true;
    monitor_signal(&queue->monitor);
    monitor_unlock(&queue->monitor);
}

bool queue_is_closed(struct queue *queue) {
    monitor_lock(&queue->monitor);
    bool closed = queue->closed;
    monitor_unlock(&queue->monitor);
    return closed;
}

size_t queue_count(struct queue *queue) {
    monitor_lock(&queue->monitor);
    size_t count = queue->count;
    monitor_unlock(&queue->monitor);
    return count;
}
