#include "metrics/metrics.h"

#include "base/check.h"
#include "metrics/block.h"

static _Atomic int64_t gauges[METRIC_GAUGES]; /* touched by any thread */

const int64_t histogram_upper_us[HISTOGRAM_BUCKETS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 60000000, INT64_MAX};

void metrics_add(enum metric_counter counter, uint64_t amount) {
    check(counter < METRIC_COUNTERS);
    block_add(&block_mine()->counters[counter], amount);
}

void metrics_observe_us(enum metric_histogram histogram, int64_t duration_us) {
    check(histogram < METRIC_HISTOGRAMS);
    if (duration_us < 0)
        duration_us = 0;
    size_t bucket = 0;
    while (duration_us > histogram_upper_us[bucket])
        bucket++;
    struct histogram *mine = &block_mine()->histograms[histogram];
    block_add(&mine->buckets[bucket], 1);
    block_add(&mine->sum_us, (uint64_t)duration_us);
}

void metrics_set(enum metric_gauge gauge, int64_t value) {
    check(gauge < METRIC_GAUGES);
    atomic_store_explicit(&gauges[gauge], value, memory_order_relaxed);
}

void metrics_change(enum metric_gauge gauge, int64_t difference) {
    check(gauge < METRIC_GAUGES);
    atomic_fetch_add_explicit(&gauges[gauge], difference, memory_order_relaxed);
}

uint64_t metrics_counter(enum metric_counter counter) {
    check(counter < METRIC_COUNTERS);
    return block_sum(offsetof(struct block, counters) + counter * sizeof(uint64_t));
}

uint64_t metrics_histogram_count(enum metric_histogram histogram) {
    check(histogram < METRIC_HISTOGRAMS);
    size_t offset = offsetof(struct block, histograms) + histogram * sizeof(struct histogram);
    uint64_t count = 0;
    for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
        count += block_sum(offset + bucket * sizeof(uint64_t));
    return count;
}

int64_t metrics_gauge(enum metric_gauge gauge) {
    check(gauge < METRIC_GAUGES);
    return atomic_load_explicit(&gauges[gauge], memory_order_relaxed);
}
