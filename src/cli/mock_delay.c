#include "cli/mock_delay.h"

#include "api/server.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/memory.h"
#include "base/thread.h"

#include <stdlib.h>

#define LOOK_AFTER_CLIENTS_US 100000
#define WAKE_BATCH_MAX 256
#define HUNG_MIN 64

struct mock_delay {
    struct thread thread;
    void (*wake)(struct mock_delayed *delayed, bool due); /* set once */
    struct monitor monitor;
    /* guarded by the monitor */
    struct heap waiting;
    struct mock_delayed **hung;
    size_t hung_count;
    size_t hung_size;
    uint64_t number;
    int64_t looked_at_us; /* for clients that left */
    bool stopping;
};

static bool is_before(const void *a, const void *b) {
    const struct mock_delayed *left = a;
    const struct mock_delayed *right = b;
    if (left->due_us != right->due_us)
        return left->due_us < right->due_us;
    return left->number < right->number;
}

static size_t take_due(struct mock_delay *delay, struct mock_delayed **taken, int64_t now_us) {
    size_t count = 0;
    while (count < WAKE_BATCH_MAX) {
        struct mock_delayed *first = heap_first(&delay->waiting);
        if (first == NULL || first->due_us > now_us)
            break;
        taken[count++] = heap_pop(&delay->waiting);
    }
    return count;
}

static size_t take_hung(struct mock_delay *delay, struct mock_delayed **taken, bool all) {
    size_t count = 0;
    for (size_t i = delay->hung_count; i > 0 && count < WAKE_BATCH_MAX; i--) {
        if (!all && !request_client_is_gone(delay->hung[i - 1]->request))
            continue;
        taken[count++] = delay->hung[i - 1];
        delay->hung[i - 1] = delay->hung[--delay->hung_count];
    }
    return count;
}

static void wake_unlocked(struct mock_delay *delay, struct mock_delayed **taken, size_t count,
                          bool due) {
    if (count == 0)
        return;
    monitor_unlock(&delay->monitor);
    for (size_t i = 0; i < count; i++)
        delay->wake(taken[i], due);
    monitor_lock(&delay->monitor);
}

static void wait_for_work(struct mock_delay *delay, int64_t now_us) {
    const struct mock_delayed *first = heap_first(&delay->waiting);
    int64_t next_us = first != NULL ? first->due_us : MOCK_DELAY_NEVER;
    int64_t look_us = delay->looked_at_us + LOOK_AFTER_CLIENTS_US;
    if (delay->hung_count > 0 && look_us < next_us)
        next_us = look_us;
    if (next_us == MOCK_DELAY_NEVER)
        monitor_wait(&delay->monitor);
    else
        monitor_wait_for(&delay->monitor, next_us - now_us);
}

static void run(void *argument) {
    struct mock_delay *delay = argument;
    struct mock_delayed *taken[WAKE_BATCH_MAX];
    monitor_lock(&delay->monitor);
    while (!delay->stopping) {
        int64_t now_us = clock_monotonic_us(&clock_system);
        size_t due = take_due(delay, taken, now_us);
        wake_unlocked(delay, taken, due, true);
        size_t left = 0;
        if (now_us - delay->looked_at_us >= LOOK_AFTER_CLIENTS_US) {
            delay->looked_at_us = now_us;
            left = take_hung(delay, taken, false);
            wake_unlocked(delay, taken, left, false);
        }
        if (due + left == 0 && !delay->stopping)
            wait_for_work(delay, now_us);
    }
    size_t count = 0;
    while ((count = take_due(delay, taken, MOCK_DELAY_NEVER)) > 0)
        wake_unlocked(delay, taken, count, false);
    while ((count = take_hung(delay, taken, true)) > 0)
        wake_unlocked(delay, taken, count, false);
    monitor_unlock(&delay->monitor);
}

enum status mock_delay_create(struct mock_delay **out,
                              void (*wake)(struct mock_delayed *delayed, bool due),
                              struct error *error) {
    struct mock_delay *delay = memory_zeroed(1, sizeof *delay);
    delay->wake = wake;
    monitor_init(&delay->monitor);
    heap_init(&delay->waiting, is_before);
    *out = delay;
    enum status status = thread_start(&delay->thread, "mock-delay", run, delay, error);
    if (status != STATUS_OK)
        mock_delay_destroy(delay);
    return status;
}

static void hang(struct mock_delay *delay, struct mock_delayed *delayed) {
    if (delay->hung_count == delay->hung_size) {
        delay->hung_size = delay->hung_size > 0 ? delay->hung_size * 2 : HUNG_MIN;
        delay->hung = memory_resize(delay->hung, delay->hung_size, sizeof(void *));
    }
    delay->hung[delay->hung_count++] = delayed;
}

bool mock_delay_give(struct mock_delay *delay, struct mock_delayed *delayed, int64_t latency_ms) {
    monitor_lock(&delay->monitor);
    bool accepted = !delay->stopping;
    if (accepted && latency_ms == MOCK_DELAY_NEVER) {
        hang(delay, delayed);
        if (delay->hung_count == 1)
            monitor_signal(&delay->monitor);
    } else if (accepted) {
        delayed->due_us = clock_monotonic_us(&clock_system) + latency_ms * 1000;
        delayed->number = delay->number++;
        heap_push(&delay->waiting, delayed);
        if (heap_first(&delay->waiting) == delayed)
            monitor_signal(&delay->monitor);
    }
    monitor_unlock(&delay->monitor);
    return accepted;
}

void mock_delay_stop(struct mock_delay *delay) {
    monitor_lock(&delay->monitor);
    delay->stopping = true;
    monitor_signal(&delay->monitor);
    monitor_unlock(&delay->monitor);
    thread_join(&delay->thread);
}

void mock_delay_destroy(struct mock_delay *delay) {
    check(delay->waiting.count == 0 && delay->hung_count == 0);
    heap_deinit(&delay->waiting);
    free(delay->hung);
    monitor_deinit(&delay->monitor);
    free(delay);
}
