/* Time as an input. Code that decides by time is given a `struct clock` and never asks the system
 * itself, so that a test can move time with a fake one (tests/support/fake_clock.h). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /* Milliseconds since 1970; may jump. For what is stored or shown. */
    int64_t (*wall_ms)(const struct clock *clock);
    /* Microseconds since some fixed point; never goes back. For deadlines and durations. */
    int64_t (*monotonic_us)(const struct clock *clock);
};

extern const struct clock clock_system;

/* What the clock says; see the members. */
int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_monotonic_us(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);

#endif
