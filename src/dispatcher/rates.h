/* How many a second, over the last seconds up to five minutes. Pure: the caller brings the time
 * (microseconds of a monotonic clock) and guards it. Zeroed it is ready. */
#ifndef DISPATCHER_RATES_H
#define DISPATCHER_RATES_H

#include <stdint.h>

#define RATES_SECONDS 300

struct rates {
    int64_t counts[RATES_SECONDS]; /* by second */
    int64_t second;                /* the last one that is counted; 0: none yet */
    int64_t first;                 /* when counting began */
};

/* Counts them at this time, which must not go back. */
void rates_add(struct rates *rates, int64_t now_us, int64_t count);
/* `seconds` from 1 to RATES_SECONDS, less where counting has not gone on for so long. */
double rates_per_second(const struct rates *rates, int64_t now_us, int seconds);

#endif
