/* The pieces of the Prometheus text format 0.0.4. */
#ifndef METRICS_SAMPLE_H
#define METRICS_SAMPLE_H

#include "base/buffer.h"

#include <stdint.h>

/* The HELP and TYPE lines. `help` must need no escape. */
void sample_write_head(struct buffer *buffer, const char *name, const char *type, const char *help);
/* Microseconds as seconds, exact and in every locale alike: "0.00025", "60". */
void sample_write_seconds(struct buffer *buffer, uint64_t duration_us);

#endif
