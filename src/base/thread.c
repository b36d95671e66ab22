#include "base/thread.h"

#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_US_MAX (24 * 3600 * (int64_t)1000000)

struct start {
    void (*run)(void *);
    void *argument;
};

static void *trampoline(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.run(start.argument);
    return NULL;
}

enum status thread_start(struct thread *thread, const char *name, void (*run)(void *),
                         void *argument, struct error *error) {
    check(thread != NULL && !thread->started && strlen(name) < 16);
    struct start *start = memory_zeroed(1, sizeof *start);
    *start = (struct start){run, argument};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->handle, NULL, trampoline, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        free(start);
        return error_set(error, STATUS_UNAVAILABLE, "start thread %s: %s", name, strerror(failed));
    }
    pthread_setname_np(thread->handle, name);
    thread->started = true;
    return STATUS_OK;
}

void thread_join(struct thread *thread) {
    check(thread != NULL);
    if (!thread->started)
        return;
    int failed = pthread_join(thread->handle, NULL);
    check(failed == 0);
    thread->started = false;
}

void monitor_init(struct monitor *monitor) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&monitor->changed, &attributes);
    check(failed == 0);
    pthread_condattr_destroy(&attributes);
    failed = pthread_mutex_init(&monitor->mutex, NULL);
    check(failed == 0);
}

void monitor_deinit(struct monitor *monitor) {
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->mutex);
}

void monitor_lock(struct monitor *monitor) {
    int failed = pthread_mutex_lock(&monitor->mutex);
    check(failed == 0);
}

void monitor_unlock(struct monitor *monitor) {
    int failed = pthread_mutex_unlock(&monitor->mutex);
    check(failed == 0);
}

void monitor_signal(struct monitor *monitor) {
    pthread_cond_broadcast(&monitor->changed);
}

void monitor_wait(struct monitor *monitor) {
    int failed = pthread_cond_wait(&monitor->changed, &monitor->mutex);
    check(failed == 0);
}

bool monitor_wait_for(struct monitor *monitor, int64_t timeout_us) {
    if (timeout_us <= 0)
        return false;
    if (timeout_us > WAIT_US_MAX)
        timeout_us = WAIT_US_MAX;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t nanoseconds = end.tv_nsec + timeout_us % 1000000 * 1000;
    end.tv_sec += (time_t)(timeout_us / 1000000 + nanoseconds / 1000000000);
    end.tv_nsec = (long)(nanoseconds % 1000000000);
    int failed = pthread_cond_timedwait(&monitor->changed, &monitor->mutex, &end);
    check(failed == 0 || failed == ETIMEDOUT);
    return failed == 0;
}
