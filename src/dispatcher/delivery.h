/* A claimed message on its way through the threads: claimer → courier → settler. Whoever holds the
 * delivery owns it; each hand-over goes through a queue. */
#ifndef DISPATCHER_DELIVERY_H
#define DISPATCHER_DELIVERY_H

#include "store/store.h"

#include <stdatomic.h>

struct batch;
struct dispatcher_order;

struct delivery {
    struct batch *batch;
    size_t index; /* in the batch's claim */
    struct outcome outcome;
};

/* A claim and the deliveries of its messages. Made by the claimer; ended by the settler when all
 * of them are settled. */
struct batch {
    struct batch *next;             /* guarded by the dispatcher's monitor */
    struct dispatcher_order *order; /* that it was claimed for; NULL: by the schedule */
    struct claim *claim;            /* owned; read by all, changed by the settler only */
    _Atomic int64_t lease_until_us; /* monotonic; moved on by the settler */
    struct delivery deliveries[];   /* one per message */
};

/* Takes the claim over. */
struct batch *batch_create(struct claim *claim, int64_t lease_until_us);
void batch_destroy(struct batch *batch);

static inline const struct message *delivery_message(const struct delivery *delivery) {
    return &delivery->batch->claim->messages[delivery->index];
}

#endif
