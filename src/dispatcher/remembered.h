/* What the dispatcher tells the cache, and asks it. Nothing waits for it, and nothing depends on
 * it: without a cache a message whose fate is unknown is sent again. */
#ifndef DISPATCHER_REMEMBERED_H
#define DISPATCHER_REMEMBERED_H

#include "dispatcher/dispatcher_internal.h"

/* Tells of those that the provider has accepted. Called as soon as the answers are there, so that
 * what is known of them outlives us if we die before they are settled. */
void remembered_tell(struct dispatcher *dispatcher, struct delivery *const *deliveries,
                     size_t count);
/* Asks about the messages that came back from a lost claim, and makes those that had been accepted
 * outcomes: sent, with no further attempt. */
void remembered_ask(struct dispatcher *dispatcher, struct batch *batch);
/* Whether a delivery got its outcome from remembered_ask. */
static inline bool remembered_decided(const struct delivery *delivery) {
    return delivery->outcome.kind == OUTCOME_SENT &&
           delivery->outcome.attempt.class == ATTEMPT_LEASE_EXPIRED;
}

#endif
