/* Threads with names, and the one way we wait: a condition on the monotonic clock. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct thread {
    pthread_t handle;
    bool started;
};

/* Runs `run(argument)` in a new thread, called `name` (15 bytes at most) in tools, with every
 * signal blocked: signals belong to main. */
enum status thread_start(struct thread *thread, const char *name, void (*run)(void *),
                         void *argument, struct error *error);
/* Waits for its end; nothing to do when it was never started. */
void thread_join(struct thread *thread);

/* A mutex and a condition that go together. */
struct monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

/* Not recursive. */
void monitor_init(struct monitor *monitor);
void monitor_deinit(struct monitor *monitor);
void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);
/* Wakes all who wait. */
void monitor_signal(struct monitor *monitor);
/* Both are called locked and return locked; the caller looks at its condition again. `timeout_us`
 * at or below 0 returns at once; monitor_wait_for returns false when the time is over. */
void monitor_wait(struct monitor *monitor);
bool monitor_wait_for(struct monitor *monitor, int64_t timeout_us);

#endif
