#include "metrics/sample.h"

#include <inttypes.h>

#define MICROSECONDS_PER_SECOND 1000000

void sample_write_head(struct buffer *buffer, const char *name, const char *type,
                       const char *help) {
    buffer_printf(buffer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void sample_write_seconds(struct buffer *buffer, uint64_t duration_us) {
    uint64_t fraction = duration_us % MICROSECONDS_PER_SECOND;
    int digits = 6;
    buffer_printf(buffer, "%" PRIu64, duration_us / MICROSECONDS_PER_SECOND);
    while (fraction > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction > 0)
        buffer_printf(buffer, ".%0*" PRIu64, digits, fraction);
}
