#include "message/retry.h"

#include "base/check.h"

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

bool retry_is_allowed(const struct retry_policy *policy, int64_t attempts) {
    check(policy != NULL && attempts >= 0);
    return attempts <= policy->retries_max;
}

int64_t retry_delay_ms(const struct retry_policy *policy, int64_t attempts, int64_t retry_after_ms,
                       struct random *random) {
    check(policy != NULL && policy->base_ms > 0 && policy->cap_ms > 0 && attempts > 0);
    int64_t delay_ms = smaller(policy->base_ms, policy->cap_ms);
    for (int64_t i = 1; i < attempts && delay_ms < policy->cap_ms; i++)
        delay_ms = smaller(delay_ms * 2, policy->cap_ms);
    int64_t asked_ms = smaller(retry_after_ms, policy->cap_ms);
    if (asked_ms > delay_ms)
        delay_ms = asked_ms;
    uint64_t jitter_max_ms = (uint64_t)delay_ms * RETRY_JITTER_PERCENT_MAX / 100;
    return delay_ms + (int64_t)random_below(random, jitter_max_ms + 1);
}
