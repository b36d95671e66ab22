/* Keys under which a client may send the same request again without harm. In the store a key bears
 * the name of whose it is, so that clients do not meet each other's, and the fingerprint of what
 * was asked for. */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "base/arena.h"
#include "message/message.h"

/* The key of a whole request, of the Idempotency-Key header. */
struct idempotency {
    struct text owner; /* the name of the API key; empty: nobody's */
    struct text key;   /* empty: the request has none */
    struct text body;  /* what the fingerprint is of, where the request has a key */
};

/* Gives each draft the key that it has in the store: that of the request and its place in it, or
 * else its own. False: the arena is full. */
bool idempotency_apply(const struct idempotency *request, struct message_draft *drafts,
                       size_t count, struct arena *arena);
/* The same for one message of a stream, whose own words are the fingerprint; `number` is its line.
 */
bool idempotency_apply_line(const struct idempotency *request, struct message_draft *draft,
                            int64_t number, struct arena *arena);

#endif
