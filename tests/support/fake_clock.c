#include "support/fake_clock.h"

#include "base/check.h"

#include <stddef.h>

#define MONOTONIC_START_US 7000000000

static int64_t wall_ms(const struct clock *clock) {
    return atomic_load(&((const struct fake_clock *)clock)->wall_ms);
}

static int64_t monotonic_us(const struct clock *clock) {
    return atomic_load(&((const struct fake_clock *)clock)->monotonic_us);
}

void fake_clock_init(struct fake_clock *fake) {
    fake->clock = (struct clock){.wall_ms = wall_ms, .monotonic_us = monotonic_us};
    atomic_init(&fake->wall_ms, FAKE_CLOCK_START_MS);
    atomic_init(&fake->monotonic_us, MONOTONIC_START_US);
    fake->changed = NULL;
}

static void tell(struct fake_clock *fake) {
    if (fake->changed != NULL)
        fake->changed(fake->context, atomic_load(&fake->wall_ms));
}

void fake_clock_advance_ms(struct fake_clock *fake, int64_t ms) {
    fake_clock_advance_us(fake, ms * 1000);
}

void fake_clock_advance_us(struct fake_clock *fake, int64_t us) {
    check(us >= 0);
    int64_t before_us = atomic_fetch_add(&fake->monotonic_us, us);
    atomic_fetch_add(&fake->wall_ms, (before_us + us) / 1000 - before_us / 1000);
    tell(fake);
}

void fake_clock_jump_wall_ms(struct fake_clock *fake, int64_t by_ms) {
    atomic_fetch_add(&fake->wall_ms, by_ms);
    tell(fake);
}
