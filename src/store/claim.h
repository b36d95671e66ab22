/* A claim: a lease on a batch of messages, proven by a random token.
 *
 * Whoever claimed owns the struct until claim_destroy, and is the only one to touch it. While the
 * lease lasts nobody else gets these messages; afterwards anybody may take them over, and from
 * then on the token no longer matches: settles and extensions are refused with a conflict. */
#ifndef STORE_CLAIM_H
#define STORE_CLAIM_H

#include "base/arena.h"
#include "base/random.h"
#include "message/message.h"

#define CLAIM_MESSAGES_MAX 1000
#define CLAIM_ARENA_BYTES_MAX (CLAIM_MESSAGES_MAX * (size_t)(2 * MESSAGE_CONTENT_BYTES_MAX))

struct claim {
    /* set once */
    int64_t id; /* of the back end's record */
    char token[UUID_TEXT_BYTES];
    struct message *messages; /* in the order in which they should leave; in the arena */
    size_t count;
    struct arena arena;
    /* changed by store_settle only */
    bool *settled; /* one per message; in the arena */
    size_t unsettled;
};

/* For back ends: a claim with room for `messages_max` messages and no message yet. */
struct claim *claim_create(size_t messages_max);
void claim_destroy(struct claim *claim);

#endif
