#include "log/repeats.h"

#include "base/check.h"

#include <pthread.h>
#include <string.h>

#define WINDOW_US 1000000
#define SLOTS 64
/* A sentence may stand in any of so many slots, so that two busy ones do not evict each other. */
#define PROBES 8

struct slot {
    struct repeats_held held;
    int64_t window_start_us;
    uint32_t passed; /* in this window */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS]; /* guarded by the mutex */

void repeats_clear(void) {
    memset(slots, 0, sizeof slots);
}

/* The slot of the sentence, or else an empty one, or else the one whose window is the oldest. */
static struct slot *find(const char *sentence) {
    uint64_t hash = (uint64_t)(uintptr_t)sentence * UINT64_C(0x9E3779B97F4A7C15);
    struct slot *best = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &slots[((hash >> 32) + i) % SLOTS];
        if (slot->held.sentence == sentence)
            return slot;
        bool empty = slot->held.sentence == NULL;
        if (best == NULL || (best->held.sentence != NULL &&
                             (empty || slot->window_start_us < best->window_start_us)))
            best = slot;
    }
    return best;
}

bool repeats_admit(struct repeats_held *held, int64_t now_us, struct repeats_held *evicted) {
    check(held->sentence != NULL);
    *evicted = (struct repeats_held){0};
    pthread_mutex_lock(&mutex);
    struct slot *slot = find(held->sentence);
    if (slot->held.sentence != held->sentence) {
        *evicted = slot->held;
        *slot = (struct slot){.held.sentence = held->sentence, .window_start_us = now_us};
    }
    if (now_us - slot->window_start_us >= WINDOW_US) {
        slot->window_start_us = now_us;
        slot->passed = 0;
    }
    slot->held.level = held->level;
    bool passes = slot->passed < LOG_REPEATS_PER_SECOND_MAX;
    slot->passed += passes;
    slot->held.lines += !passes;
    held->lines = 0;
    if (passes) {
        held->lines = slot->held.lines;
        slot->held.lines = 0;
    }
    pthread_mutex_unlock(&mutex);
    return passes;
}

bool repeats_take(struct repeats_held *held) {
    bool found = false;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < SLOTS && !found; i++) {
        found = slots[i].held.lines > 0;
        *held = slots[i].held;
        if (found)
            slots[i].held.lines = 0;
    }
    pthread_mutex_unlock(&mutex);
    return found;
}
