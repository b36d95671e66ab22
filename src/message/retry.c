#include "message/retry.h"

#include "base/check.h"
#include "base/text.h"

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

enum status retry_schedule_parse(struct retry_policy *policy, const char *schedule,
                                 struct error *error) {
    check(policy != NULL && schedule != NULL);
    policy->schedule_count = 0;
    for (struct text rest = text_of(schedule); rest.data != NULL && rest.len > 0;) {
        struct text part = text_trim(text_cut(&rest, ','));
        int64_t wait_ms = 0;
        if (!text_to_duration_ms(part, &wait_ms) || wait_ms <= 0)
            return error_set(error, STATUS_INVALID,
                             "RETRY_SCHEDULE: \"%.*s\" is not a time like 5s, 1m or 1h",
                             TEXT_ARGUMENT(text_utf8_prefix(part, 40)));
        if (policy->schedule_count == RETRY_SCHEDULE_MAX)
            return error_set(error, STATUS_INVALID, "RETRY_SCHEDULE: has more than %d times",
                             RETRY_SCHEDULE_MAX);
        policy->schedule_ms[policy->schedule_count++] = wait_ms;
    }
    return STATUS_OK;
}

static int64_t planned_ms(const struct retry_policy *policy, int64_t attempts) {
    if (policy->schedule_count > 0) {
        size_t last = policy->schedule_count - 1;
        return policy->schedule_ms[(size_t)attempts - 1 < last ? (size_t)attempts - 1 : last];
    }
    int64_t delay_ms = smaller(policy->base_ms, policy->cap_ms);
    for (int64_t i = 1; i < attempts && delay_ms < policy->cap_ms; i++)
        delay_ms = smaller(delay_ms * 2, policy->cap_ms);
    return delay_ms;
}

bool retry_is_allowed(const struct retry_policy *policy, int64_t attempts) {
    check(policy != NULL && attempts >= 0);
    return attempts <= policy->retries_max;
}

int64_t retry_delay_ms(const struct retry_policy *policy, int64_t attempts, int64_t retry_after_ms,
                       struct random *random) {
    check(policy != NULL && policy->base_ms > 0 && policy->cap_ms > 0 && attempts > 0);
    int64_t delay_ms = planned_ms(policy, attempts);
    int64_t asked_ms = smaller(retry_after_ms, policy->cap_ms);
    if (asked_ms > delay_ms)
        delay_ms = asked_ms;
    uint64_t jitter_max_ms = (uint64_t)delay_ms * RETRY_JITTER_PERCENT_MAX / 100;
    return delay_ms + (int64_t)random_below(random, jitter_max_ms + 1);
}
