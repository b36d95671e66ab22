/* What became of a claimed message: the value that is settled into the store. */
#ifndef MESSAGE_OUTCOME_H
#define MESSAGE_OUTCOME_H

#include "message/attempt.h"
#include "message/message_state.h"

#define OUTCOME_PROVIDER_ID_BYTES_MAX 127

enum outcome_kind {
    OUTCOME_SENT,  /* accepted by the provider: one attempt, which counts already where the class is
                      lease_expired */
    OUTCOME_RETRY, /* to be tried again after `delay_ms`: one attempt */
    OUTCOME_FAILED,   /* will not be tried again: one attempt, none where the class is invalid */
    OUTCOME_EXPIRED,  /* its time is over: one attempt, none where the class is expired */
    OUTCOME_RELEASED, /* given back untried: no attempt, due at once */
};

struct outcome {
    enum outcome_kind kind;
    int64_t delay_ms;                                    /* of a retry */
    char provider_id[OUTCOME_PROVIDER_ID_BYTES_MAX + 1]; /* of a sent one; "" where none came */
    struct attempt attempt;                              /* not of a released one */
};

/* The state a sending message moves to. */
enum message_state outcome_state(enum outcome_kind kind);
/* How many attempts it adds to the message's count. */
int64_t outcome_attempts(const struct outcome *outcome);

#endif
