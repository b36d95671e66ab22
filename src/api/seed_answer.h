/* What the presenters of the seeds' APIs share: the same core, said in their words. */
#ifndef API_SEED_ANSWER_H
#define API_SEED_ANSWER_H

#include "api/api_internal.h"

/* A JSON object of strings: key, value, key, value, …, NULL. */
void seed_answer(struct request *request, unsigned status, ...) __attribute__((sentinel));
/* No body at all. */
void seed_answer_empty(struct request *request, unsigned status);
/* The present time, as Go writes it into JSON. */
struct seed_time {
    char text[32];
};
struct seed_time seed_now(const struct call *call);

/* Begins or ends dispatching. False when it was so already. */
bool seed_start(struct call *call);
bool seed_stop(struct call *call);

#endif
