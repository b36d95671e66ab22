#include "dispatcher/schedule.h"

#include "base/check.h"

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

void schedule_start(struct schedule *schedule, int64_t now_us) {
    check(schedule != NULL && schedule->batch_size > 0);
    schedule->next_us = now_us;
    schedule->hold_until_us = now_us;
    schedule->backoff_us = 0;
    schedule->quota = 0;
}

void schedule_wake(struct schedule *schedule, int64_t now_us) {
    if (schedule->interval_us == 0)
        schedule->next_us = smaller(schedule->next_us, now_us);
}

/* The tick after the last one that has passed. */
static void advance_tick(struct schedule *schedule, int64_t now_us) {
    int64_t late_us = now_us - schedule->next_us;
    schedule->next_us = now_us - late_us % schedule->interval_us + schedule->interval_us;
}

size_t schedule_wanted(struct schedule *schedule, int64_t now_us, size_t room) {
    if (now_us < schedule->hold_until_us)
        return 0;
    bool due = now_us >= schedule->next_us;
    if (schedule->interval_us == 0)
        return due && room >= schedule->refill_min ? room : 0;
    if (due) {
        schedule->quota = schedule->batch_size;
        advance_tick(schedule, now_us);
    }
    return room < schedule->quota ? room : schedule->quota;
}

void schedule_claimed(struct schedule *schedule, int64_t now_us, size_t wanted, size_t claimed) {
    check(claimed <= wanted);
    schedule->backoff_us = 0;
    if (claimed == wanted)
        return;
    schedule->quota = 0;
    if (schedule->interval_us == 0)
        schedule->next_us = now_us + schedule->poll_us;
}

void schedule_used(struct schedule *schedule, size_t usable) {
    schedule->quota -= usable < schedule->quota ? usable : schedule->quota;
}

void schedule_next_due(struct schedule *schedule, int64_t now_us, int64_t next_due_in_us) {
    if (schedule->interval_us == 0 && next_due_in_us >= 0)
        schedule->next_us = smaller(schedule->next_us, now_us + next_due_in_us);
}

void schedule_failed(struct schedule *schedule, int64_t now_us) {
    int64_t longer_us = schedule->backoff_us * 2;
    if (longer_us < SCHEDULE_BACKOFF_US_MIN)
        longer_us = SCHEDULE_BACKOFF_US_MIN;
    schedule->backoff_us = smaller(longer_us, SCHEDULE_BACKOFF_US_MAX);
    schedule->hold_until_us = now_us + schedule->backoff_us;
}

int64_t schedule_wait_us(const struct schedule *schedule, int64_t now_us) {
    int64_t until_us = schedule->quota > 0 ? now_us : schedule->next_us;
    if (until_us < schedule->hold_until_us)
        until_us = schedule->hold_until_us;
    return until_us > now_us ? until_us - now_us : 0;
}
