/* What the dispatcher's threads share. */
#ifndef DISPATCHER_INTERNAL_H
#define DISPATCHER_INTERNAL_H

#include "base/queue.h"
#include "dispatcher/delivery.h"
#include "dispatcher/dispatcher.h"
#include "dispatcher/rates.h"
#include "dispatcher/schedule.h"

/* No thread waits longer than this without showing that it lives. */
#define DISPATCHER_HEARTBEAT_US 1000000

enum dispatcher_thread { THREAD_CLAIMER, THREAD_COURIER, THREAD_SETTLER };
#define DISPATCHER_THREADS (THREAD_SETTLER + 1)

struct dispatcher {
    /* set once */
    struct dispatcher_options options;
    size_t outstanding_max;
    struct http_client *client; /* the courier's; others only wake it */
    struct store_session *claimer_session;
    struct store_session *settler_session;
    struct store_session *generator_session; /* NULL: no samples */
    struct store_session *watcher_session;   /* NULL: the store cannot tell of inserts */
    struct thread threads[DISPATCHER_THREADS];
    struct thread generator, watcher;

    /* hand-overs; each has room for all that may be outstanding */
    struct queue to_courier;
    struct queue to_settler;

    struct monitor monitor;
    /* guarded by the monitor */
    enum dispatcher_state state;
    int64_t since_ms;
    bool started;          /* the claimer has not yet seen the last start */
    bool woken;            /* something was accepted since the claimer last looked */
    bool draining;         /* for good: no start takes the stop back any more */
    bool ending;           /* the threads are to end */
    bool settling_fails;   /* the settler holds outcomes that the store does not take */
    size_t outstanding;    /* claimed, or being claimed, and not settled */
    struct batch *batches; /* with unsettled messages */
    int64_t next_tick_us;
    int64_t last_claim_us;           /* when a claim last brought something, or dispatching began */
    struct dispatcher_order *orders; /* that wait, the first first */
    int64_t resume_us;               /* of a pause; 0: without end */
    int64_t sent, retried, failed;
    int64_t last_settled_ms;
    int64_t day, sent_today, failed_today; /* days since 1970 */
    struct rates rates;                    /* of what was sent */
    struct error trouble;                  /* why the store is not usable; status OK: it is */

    /* one writer each, read by all */
    _Atomic int64_t heartbeat_us[DISPATCHER_THREADS];
    _Atomic bool releasing; /* the courier is to give back what is not in the air */
    _Atomic bool cutting;   /* the courier is to cut off what is in the air */
    _Atomic size_t in_air;
    _Atomic size_t answered; /* handed to the settler by the courier, not settled */
};

static inline int64_t dispatcher_now_us(void) {
    return clock_monotonic_us(&clock_system);
}

/* Called locked: so many were settled now. */
void dispatcher_count(struct dispatcher *dispatcher, int64_t sent, int64_t retried, int64_t failed);
/* Called locked. */
void dispatcher_move_to(struct dispatcher *dispatcher, enum dispatcher_state state);

static inline void dispatcher_beat(struct dispatcher *dispatcher, enum dispatcher_thread thread) {
    atomic_store_explicit(&dispatcher->heartbeat_us[thread], dispatcher_now_us(),
                          memory_order_relaxed);
}

/* The store failed, or works again (`error` NULL), as a thread saw it; logged on change. */
void dispatcher_note_store(struct dispatcher *dispatcher, const struct error *error);
/* Called locked: `count` messages are no longer outstanding. */
void dispatcher_reduce_outstanding(struct dispatcher *dispatcher, size_t count);

/* The threads; each takes the struct dispatcher. */
void claimer_run(void *dispatcher);
void courier_run(void *dispatcher);
void settler_run(void *dispatcher);
void generator_run(void *dispatcher);
void watcher_run(void *dispatcher);

#endif
