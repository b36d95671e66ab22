/* When to try again. Pure: no clock, and the randomness is an input. */
#ifndef MESSAGE_RETRY_H
#define MESSAGE_RETRY_H

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The jitter is added on top, up to this share of the delay, so that no retry comes earlier than
 * the schedule or the provider says, and messages that failed together do not return together. */
#define RETRY_JITTER_PERCENT_MAX 25

struct retry_policy {
    int64_t retries_max; /* tries after the first */
    int64_t base_ms;     /* before the first retry; doubles with each further one */
    int64_t cap_ms;      /* of the schedule and of what a provider asks for */
};

/* Whether another try is allowed after `attempts` failed ones. */
bool retry_is_allowed(const struct retry_policy *policy, int64_t attempts);
/* The delay after attempt number `attempts` (from 1) failed: max(min(base * 2^(attempts-1), cap),
 * min(retry_after_ms, cap)) plus jitter. `retry_after_ms` below 0 means the provider named none. */
int64_t retry_delay_ms(const struct retry_policy *policy, int64_t attempts, int64_t retry_after_ms,
                       struct random *random);

#endif
