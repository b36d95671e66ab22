#include "base/clock.h"

#include "base/check.h"

#include <time.h>

static int64_t read_us(clockid_t id) {
    struct timespec now;
    int failed = clock_gettime(id, &now);
    check(failed == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_ms(const struct clock *clock) {
    (void)clock;
    return read_us(CLOCK_REALTIME) / 1000;
}

static int64_t system_monotonic_us(const struct clock *clock) {
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

const struct clock clock_system = {
    .wall_ms = system_wall_ms,
    .monotonic_us = system_monotonic_us,
};

int64_t clock_wall_ms(const struct clock *clock) {
    check(clock != NULL);
    return clock->wall_ms(clock);
}

int64_t clock_monotonic_us(const struct clock *clock) {
    check(clock != NULL);
    return clock->monotonic_us(clock);
}

int64_t clock_monotonic_ms(const struct clock *clock) {
    return clock_monotonic_us(clock) / 1000;
}
