/* Batches that somebody asked for, out of turn, and whoever waits for what becomes of them. */
#ifndef DISPATCHER_ORDERS_H
#define DISPATCHER_ORDERS_H

#include "dispatcher/dispatcher_internal.h"

/* Called locked, by the claimer: the next order, which is then the claimer's, or NULL. `*reserved`
 * is how many messages are reserved as outstanding for it. */
struct dispatcher_order *orders_take(struct dispatcher *dispatcher, size_t *reserved);
/* Nothing was claimed for it. Not locked. */
void orders_finish_empty(struct dispatcher_order *order, const struct error *error);
/* All messages of its batch are settled. Not locked, by the settler. */
void orders_finish(struct dispatcher_order *order, const struct batch *batch);
/* Those whose batches are not settled, and will not be in time. Not locked. */
void orders_abandon(struct dispatcher *dispatcher);
/* Ends all that wait. Not locked. */
void orders_drop(struct dispatcher *dispatcher);

#endif
