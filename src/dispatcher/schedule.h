/* When the dispatcher looks for work next, and how much of it it may take: all the time rules in
 * one place. Pure: the caller brings the time (microseconds of a monotonic clock).
 *
 * With an interval, `batch_size` messages leave at the start and at every interval; an interval
 * that was missed is not made up for. Without one (0: continuous), as much leaves as there is room
 * for; looks come when woken, when something becomes due, and at the latest after `poll_us`. */
#ifndef DISPATCHER_SCHEDULE_H
#define DISPATCHER_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule {
    /* set once */
    int64_t interval_us; /* 0: continuous */
    int64_t poll_us;
    size_t batch_size;
    size_t refill_min; /* continuous: with less room than this it is not worth a look */
    /* changes */
    int64_t next_us;       /* the next tick, or the next look */
    int64_t hold_until_us; /* after a failure */
    int64_t backoff_us;
    size_t quota; /* what this tick may still take */
};

#define SCHEDULE_BACKOFF_US_MIN 100000
#define SCHEDULE_BACKOFF_US_MAX 5000000

/* Dispatching begins: the first tick is now. */
void schedule_start(struct schedule *schedule, int64_t now_us);
/* Something was accepted: a continuous schedule looks at once. */
void schedule_wake(struct schedule *schedule, int64_t now_us);
/* How many messages to claim now; 0: nothing is to be done yet. */
size_t schedule_wanted(struct schedule *schedule, int64_t now_us, size_t room);
/* What came of asking for `wanted`: fewer `claimed` means that no more is due now. */
void schedule_claimed(struct schedule *schedule, int64_t now_us, size_t wanted, size_t claimed);
/* So many of them really leave; the others (invalid ones) do not count against the tick. */
void schedule_used(struct schedule *schedule, size_t usable);
/* The store knows when the next message becomes due; negative: it knows of none. */
void schedule_next_due(struct schedule *schedule, int64_t now_us, int64_t next_due_in_us);
/* The claim failed: hold back for a time that grows with each failure in a row. */
void schedule_failed(struct schedule *schedule, int64_t now_us);
/* How long to wait until schedule_wanted may answer something else, room and wakes aside. */
int64_t schedule_wait_us(const struct schedule *schedule, int64_t now_us);

#endif
