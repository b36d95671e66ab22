/* How often each caller may ask: a bucket of tokens for each, which refills evenly. All threads
 * may share one; it has a lock of its own. Callers beyond `callers_max` take the place of the one
 * that has not asked for longest, so that a flood of addresses takes no more memory. */
#ifndef API_RATE_LIMIT_H
#define API_RATE_LIMIT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATE_LIMIT_TOKENS_MAX 1000000000 /* of per_minute and of burst */
#define RATE_LIMIT_CALLERS_MAX 10000000
#define RATE_LIMIT_CALLER_BYTES 128 /* of a longer one its hash is kept */

struct rate_limit_options {
    int64_t per_minute; /* tokens that come back; 1 to RATE_LIMIT_TOKENS_MAX */
    int64_t burst;      /* tokens in a full bucket, at most RATE_LIMIT_TOKENS_MAX; 0: per_minute */
    size_t callers_max; /* remembered at once; 1 to RATE_LIMIT_CALLERS_MAX */
};

/* What a client may be told of its bucket after the question. */
struct rate_verdict {
    bool allowed;
    int64_t limit;         /* tokens in a full bucket */
    int64_t remaining;     /* whole tokens left */
    int64_t reset_s;       /* until the bucket is full again, rounded up; 0: it is */
    int64_t retry_after_s; /* until there is a token, rounded up: at least 1; 0 when allowed */
};

struct rate_limit;

/* The options must be within their bounds. The caller's to destroy. */
struct rate_limit *rate_limit_create(const struct rate_limit_options *options);
/* NULL does nothing. Nobody may be using it. */
void rate_limit_destroy(struct rate_limit *limit);

/* Takes a token from the bucket of `caller`, any bytes that tell callers apart; a refusal takes
 * none. A new caller's bucket is full, also when it was forgotten in between. `now_us` is
 * monotonic time; one that is before an earlier one for this caller counts as that one. Any
 * thread; O(1). */
struct rate_verdict rate_limit_take(struct rate_limit *limit, struct text caller, int64_t now_us);

#endif
