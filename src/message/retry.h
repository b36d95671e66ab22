/* When to try again. Pure: no clock, and the randomness is an input. */
#ifndef MESSAGE_RETRY_H
#define MESSAGE_RETRY_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The jitter is added on top, up to this share of the delay, so that no retry comes earlier than
 * the schedule or the provider says, and messages that failed together do not return together. */
#define RETRY_JITTER_PERCENT_MAX 25

#define RETRY_SCHEDULE_MAX 32

struct retry_policy {
    int64_t retries_max; /* tries after the first */
    int64_t base_ms;     /* before the first retry; doubles with each further one */
    int64_t cap_ms;      /* of what doubles, and of what a provider asks for */
    /* In place of what doubles: before the first retry, the second, …; the last one goes on. */
    int64_t schedule_ms[RETRY_SCHEDULE_MAX];
    size_t schedule_count; /* 0: there is none */
};

/* Reads "5s,1m,10m,1h" into the policy; empty: no schedule. STATUS_INVALID in words: a part is no
 * time, or there are too many. */
enum status retry_schedule_parse(struct retry_policy *policy, const char *schedule,
                                 struct error *error);

/* Whether another try is allowed after `attempts` failed ones. */
bool retry_is_allowed(const struct retry_policy *policy, int64_t attempts);
/* The delay after attempt number `attempts` (from 1) failed: max(min(base * 2^(attempts-1), cap),
 * or what the schedule says, min(retry_after_ms, cap)) plus jitter. `retry_after_ms` below 0 means
 * the provider named none. */
int64_t retry_delay_ms(const struct retry_policy *policy, int64_t attempts, int64_t retry_after_ms,
                       struct random *random);

#endif
