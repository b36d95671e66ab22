/* A clock that stands still until a test moves it. Give `&fake.clock` to the code under test; any
 * thread may move it and any may read it. */
#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

#include "base/clock.h"

#include <stdatomic.h>

#define FAKE_CLOCK_START_MS 1760000000000 /* an ordinary day: 2025-10-09T08:53:20Z */

struct fake_clock {
    struct clock clock; /* first: it is the base */
    _Atomic int64_t wall_ms;
    _Atomic int64_t monotonic_us;
    /* Called after every change, where it is set: for a clock that stands elsewhere as well. */
    void (*changed)(void *context, int64_t wall_ms);
    void *context;
};

/* The wall shows FAKE_CLOCK_START_MS, the monotonic time some other number. */
void fake_clock_init(struct fake_clock *fake);
/* Time goes by, on the wall and monotonic; `ms` is not negative. */
void fake_clock_advance_ms(struct fake_clock *fake, int64_t ms);
void fake_clock_advance_us(struct fake_clock *fake, int64_t us); /* the wall gets whole ms of it */
/* Somebody sets the wall clock forward or back; monotonic time does not notice. */
void fake_clock_jump_wall_ms(struct fake_clock *fake, int64_t by_ms);

#endif
