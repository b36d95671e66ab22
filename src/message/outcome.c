#include "message/outcome.h"

#include "base/check.h"

enum message_state outcome_state(enum outcome_kind kind) {
    static const enum message_state states[] = {
        [OUTCOME_SENT] = MESSAGE_SENT,        [OUTCOME_RETRY] = MESSAGE_PENDING,
        [OUTCOME_FAILED] = MESSAGE_FAILED,    [OUTCOME_EXPIRED] = MESSAGE_EXPIRED,
        [OUTCOME_RELEASED] = MESSAGE_PENDING,
    };
    check((size_t)kind < sizeof states / sizeof states[0]);
    return states[kind];
}

int64_t outcome_attempts(const struct outcome *outcome) {
    if (outcome->kind == OUTCOME_RELEASED)
        return 0;
    if (outcome->kind == OUTCOME_SENT)
        return outcome->attempt.class == ATTEMPT_LEASE_EXPIRED ? 0 : 1;
    bool untried =
        outcome->attempt.class == ATTEMPT_INVALID || outcome->attempt.class == ATTEMPT_EXPIRED;
    return outcome->kind != OUTCOME_RETRY && untried ? 0 : 1;
}
