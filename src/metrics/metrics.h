/* What the program counts, for GET /metrics. metrics.def is the table of all of them.
 *
 * Counters and histograms are kept per thread and summed when read, so that counting costs a
 * plain add to memory that no other thread writes. Gauges are single shared values. Any thread
 * may call anything here, also before and after others have ended. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/buffer.h"

#include <stdint.h>

enum metric_counter {
#define COUNTER(symbol, name, labels, help) METRIC_##symbol,
#define GAUGE(symbol, name, labels, help)
#define HISTOGRAM(symbol, name, labels, help)
#include "metrics/metrics.def"
#undef COUNTER
    METRIC_COUNTERS
};

enum metric_gauge {
#define COUNTER(symbol, name, labels, help)
#undef GAUGE
#define GAUGE(symbol, name, labels, help) METRIC_##symbol,
#include "metrics/metrics.def"
#undef GAUGE
    METRIC_GAUGES
};

enum metric_histogram {
#define GAUGE(symbol, name, labels, help)
#undef HISTOGRAM
#define HISTOGRAM(symbol, name, labels, help) METRIC_##symbol,
#include "metrics/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    METRIC_HISTOGRAMS
};

/* Counts `amount` for the calling thread; a plain add to its own memory. */
void metrics_add(enum metric_counter counter, uint64_t amount);
/* Durations; the buckets run from 100 microseconds to 60 seconds. Below 0 counts as 0. */
void metrics_observe_us(enum metric_histogram histogram, int64_t duration_us);
void metrics_set(enum metric_gauge gauge, int64_t value);
void metrics_change(enum metric_gauge gauge, int64_t difference);

/* Sums over all threads, those that have ended included. */
uint64_t metrics_counter(enum metric_counter counter);
uint64_t metrics_histogram_count(enum metric_histogram histogram);
int64_t metrics_gauge(enum metric_gauge gauge);

/* Prometheus text format 0.0.4: every row of the table, HELP and TYPE once per name; then what
 * process.h adds. Overflow shows in the buffer. */
void metrics_write_prometheus(struct buffer *buffer);

#endif
