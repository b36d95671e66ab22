/* The dispatcher: claims what is due, has it sent, settles what became of it.
 *
 * Three threads of its own: the claimer and the settler each with a store session, the courier
 * with an HTTP client. They live from create to destroy; start and stop only say whether messages
 * are claimed. All functions may be called from any thread and, drain aside, do not wait for the
 * network or the store. */
#ifndef DISPATCHER_DISPATCHER_H
#define DISPATCHER_DISPATCHER_H

#include "cache/cache.h"
#include "message/retry.h"
#include "sender/sender.h"
#include "store/store.h"

struct dispatcher;

/* Messages that are claimed and not settled, at most: this many times MAX_IN_FLIGHT. */
#define DISPATCHER_CLAIM_AHEAD 4
/* Requests in the air and answers not yet settled, together at most: this many times
 * MAX_IN_FLIGHT. It bounds what a crash can cause to be sent twice. */
#define DISPATCHER_UNSETTLED_AHEAD 2
/* No thread may stand still for longer than this; and when something is due while nothing has been
 * claimed for this long (and an interval), the dispatcher calls itself stuck. */
#define DISPATCHER_STALL_MS 30000

struct events;

struct dispatcher_options {
    struct store *store;         /* borrowed */
    const struct sender *sender; /* borrowed */
    struct cache *cache;         /* borrowed; NULL: nothing is remembered */
    struct events *events;       /* borrowed; NULL: nobody is told */
    const struct clock *clock;   /* for wall time only; waits use the system's */
    size_t batch_size;
    int64_t interval_ms; /* 0: continuous */
    int64_t poll_interval_ms;
    size_t max_in_flight;
    struct retry_policy retry;
    int64_t lease_ms; /* longer than the sender's timeout by DISPATCHER_LEASE_MARGIN_MS at least */
    int64_t content_max;
    int64_t generate_interval_ms; /* 0: inserts no samples */
};

#define DISPATCHER_LEASE_MARGIN_MS 1000

enum dispatcher_state {
    DISPATCHER_STOPPED,
    DISPATCHER_RUNNING,
    DISPATCHER_STOPPING,
    DISPATCHER_PAUSED, /* as stopped, but it goes on by itself when its time is over */
};

struct dispatcher_status {
    enum dispatcher_state state;
    int64_t since_ms;              /* Unix time of the last change of state */
    int64_t in_flight;             /* requests in the air */
    int64_t claimed;               /* claimed and not settled, those in the air included */
    int64_t next_batch_in_ms;      /* until the next interval; negative: stopped, or continuous */
    int64_t resumes_in_ms;         /* of a pause; negative: not paused, or without end */
    int64_t sent, retried, failed; /* settled since the program began; expired ones are failed */
    int64_t sent_today, failed_today; /* the same since midnight (UTC) */
    int64_t last_settled_ms;          /* Unix time; 0: nothing yet */
    int64_t interval_ms, batch_size;  /* as configured */
    double sent_per_s_1m, sent_per_s_5m;
};

/* Stopped at first. */
enum status dispatcher_create(struct dispatcher **dispatcher,
                              const struct dispatcher_options *options, struct error *error);
/* Ends the threads. What is not settled (after a drain: nothing) is left to its lease. */
void dispatcher_destroy(struct dispatcher *dispatcher);

/* STATUS_CONFLICT, in words for the caller, when it is running already. While it is stopping,
 * start takes the stop back. */
enum status dispatcher_start(struct dispatcher *dispatcher, struct error *error);
/* Claims nothing more, gives back what is not in the air, and lets the rest finish: stopping until
 * then. STATUS_CONFLICT when it is stopped or stopping already. */
enum status dispatcher_stop(struct dispatcher *dispatcher, struct error *error);
/* Claims nothing more, as stop does, until a start, or until `wait_ms` are over (0: without end).
 * Paused already: the new time counts. STATUS_CONFLICT when it is stopped or stopping. */
enum status dispatcher_pause(struct dispatcher *dispatcher, int64_t wait_ms, struct error *error);
/* Stops, and waits until everything is settled; after `grace_ms` requests still in the air are cut
 * off and settled as aborted attempts. Returns how many messages could not be settled. It is the
 * end: no start is possible afterwards. */
size_t dispatcher_drain(struct dispatcher *dispatcher, int64_t grace_ms);

#define DISPATCHER_RESULT_ERRORS_MAX 10

/* What became of an order's messages. */
struct dispatcher_result {
    int64_t processed, sent, failed; /* a message that is to be tried again is failed here */
    char errors[DISPATCHER_RESULT_ERRORS_MAX][ATTEMPT_EXCERPT_BYTES_MAX + 1];
    size_t errors_count;
};

/* A batch that is to leave now, whatever the schedule and the state. */
struct dispatcher_order {
    size_t messages_max; /* 1 to CLAIM_MESSAGES_MAX */
    /* Called once, when all of it is settled, by a thread of the dispatcher; the order is then the
     * caller's again. */
    void (*done)(struct dispatcher_order *order, const struct dispatcher_result *result);
    struct dispatcher_order *next; /* the dispatcher's */
};

/* False: the program is about to end, and `done` is not called. */
bool dispatcher_submit(struct dispatcher *dispatcher, struct dispatcher_order *order);

/* Something was inserted: look at once. */
void dispatcher_wake(struct dispatcher *dispatcher);

/* A consistent picture of this moment. */
void dispatcher_get_status(struct dispatcher *dispatcher, struct dispatcher_status *status);
/* "stopped", "running", "stopping", "paused" */
const char *dispatcher_state_name(enum dispatcher_state state);

/* True when it makes progress, or is stopped. Else `error` says what stands still: a thread, the
 * store, or that something in `depth` has been due for too long. */
bool dispatcher_is_healthy(struct dispatcher *dispatcher, const struct store_depth *depth,
                           struct error *error);

#endif
