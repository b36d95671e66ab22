/* Requests of the mock provider that are not answered yet: those with a time, in that order, and
 * those that hang until their client leaves. One thread wakes them. */
#ifndef CLI_MOCK_DELAY_H
#define CLI_MOCK_DELAY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct request;
struct mock_delay;

#define MOCK_DELAY_NEVER INT64_MAX

/* The first member of what the caller keeps of a deferred request, in the request's arena. */
struct mock_delayed {
    struct request *request;
    int64_t due_us; /* monotonic */
    uint64_t number;
};

/* `wake` has to end the request, which takes the item with it: with an answer when it is due,
 * otherwise (the client of one that hangs has left, or all is being stopped) without. */
enum status mock_delay_create(struct mock_delay **delay,
                              void (*wake)(struct mock_delayed *delayed, bool due),
                              struct error *error);
/* Gives the item, due `latency_ms` from now or MOCK_DELAY_NEVER; false, and it stays the caller's,
 * once it was stopped. Any thread. */
bool mock_delay_give(struct mock_delay *delay, struct mock_delayed *delayed, int64_t latency_ms);
/* Wakes all that is there and takes no more. */
void mock_delay_stop(struct mock_delay *delay);
/* After mock_delay_stop. */
void mock_delay_destroy(struct mock_delay *delay);

#endif
