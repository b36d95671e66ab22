/* Where counters and histograms are kept: one block per thread, in a list that only grows. A thread
 * that ends leaves its block, with all it has counted, to the next one that starts. */
#ifndef METRICS_BLOCK_H
#define METRICS_BLOCK_H

#include "metrics/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define HISTOGRAM_BUCKETS 19

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* each alone, not cumulative */
    _Atomic uint64_t sum_us;
};

struct block {
    /* Written by the thread that holds the block, read by any. */
    _Atomic uint64_t counters[METRIC_COUNTERS];
    struct histogram histograms[METRIC_HISTOGRAMS];
    /* Guarded by the lock of the list. */
    struct block *next;
    bool held;
    /* So that the counters of two threads never share a cache line. */
    char padding[64];
};

/* The largest duration that falls into each bucket; INT64_MAX for the last. */
extern const int64_t histogram_upper_us[HISTOGRAM_BUCKETS];

/* The block of the calling thread; taken at its first use, given back when the thread ends. */
struct block *block_mine(void);

/* For values in the block of the calling thread only. */
void block_add(_Atomic uint64_t *value, uint64_t amount);

/* The sum over all blocks of the value that stands `offset` bytes into each. */
uint64_t block_sum(size_t offset);

#endif
