#include "base/check.h"
#include "metrics/block.h"
#include "metrics/metrics.h"
#include "metrics/process.h"
#include "metrics/sample.h"

#include <inttypes.h>
#include <string.h>

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct row {
    enum kind kind;
    int index; /* in the enum of its kind */
    const char *name;
    const char *labels;
    const char *help;
};

#define COUNTER(symbol, name, labels, help) {KIND_COUNTER, METRIC_##symbol, name, labels, help},
#define GAUGE(symbol, name, labels, help) {KIND_GAUGE, METRIC_##symbol, name, labels, help},
#define HISTOGRAM(symbol, name, labels, help) {KIND_HISTOGRAM, METRIC_##symbol, name, labels, help},
static const struct row rows[] = {
#include "metrics/metrics.def"
};
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM

static const char *const type_names[] = {
    [KIND_COUNTER] = "counter", [KIND_GAUGE] = "gauge", [KIND_HISTOGRAM] = "histogram"};

/* The name, its labels, and the space before the value. */
static void write_series(struct buffer *buffer, const struct row *row, const char *suffix) {
    bool labelled = row->labels[0] != '\0';
    buffer_printf(buffer, labelled ? "%s%s{%s} " : "%s%s%s ", row->name, suffix, row->labels);
}

static void write_bucket(struct buffer *buffer, const struct row *row, int64_t upper_us,
                         uint64_t count) {
    const char *comma = row->labels[0] != '\0' ? "," : "";
    buffer_printf(buffer, "%s_bucket{%s%sle=\"", row->name, row->labels, comma);
    if (upper_us == INT64_MAX)
        buffer_append_string(buffer, "+Inf");
    else
        sample_write_seconds(buffer, (uint64_t)upper_us);
    buffer_printf(buffer, "\"} %" PRIu64 "\n", count);
}

static void write_histogram(struct buffer *buffer, const struct row *row) {
    size_t histogram =
        offsetof(struct block, histograms) + (size_t)row->index * sizeof(struct histogram);
    uint64_t sum_us = block_sum(histogram + offsetof(struct histogram, sum_us));
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += block_sum(histogram + i * sizeof(uint64_t));
        write_bucket(buffer, row, histogram_upper_us[i], count);
    }
    write_series(buffer, row, "_sum");
    sample_write_seconds(buffer, sum_us);
    buffer_append_byte(buffer, '\n');
    write_series(buffer, row, "_count");
    buffer_printf(buffer, "%" PRIu64 "\n", count);
}

static void write_row(struct buffer *buffer, const struct row *row) {
    switch (row->kind) {
    case KIND_COUNTER:
        write_series(buffer, row, "");
        buffer_printf(buffer, "%" PRIu64 "\n", metrics_counter((enum metric_counter)row->index));
        break;
    case KIND_GAUGE:
        write_series(buffer, row, "");
        buffer_printf(buffer, "%" PRId64 "\n", metrics_gauge((enum metric_gauge)row->index));
        break;
    case KIND_HISTOGRAM: write_histogram(buffer, row); break;
    }
}

void metrics_write_prometheus(struct buffer *buffer) {
    check(buffer != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
            sample_write_head(buffer, rows[i].name, type_names[rows[i].kind], rows[i].help);
        write_row(buffer, &rows[i]);
    }
    process_write_prometheus(buffer);
}
