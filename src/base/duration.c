#include "base/duration.h"

#define SECOND_MS 1000
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)

/* Seconds with as many digits of their fraction as are needed. */
static void write_seconds(struct buffer *buffer, int64_t ms) {
    int64_t fraction = ms % SECOND_MS;
    int digits = 3;
    buffer_append_int64(buffer, ms / SECOND_MS);
    for (; fraction > 0 && fraction % 10 == 0; digits--)
        fraction /= 10;
    if (fraction > 0)
        buffer_printf(buffer, ".%0*lld", digits, (long long)fraction);
    buffer_append_byte(buffer, 's');
}

void duration_write_go(struct buffer *buffer, int64_t ms) {
    if (ms > 0 && ms < SECOND_MS) {
        buffer_printf(buffer, "%lldms", (long long)ms);
        return;
    }
    ms = ms > 0 ? ms : 0;
    if (ms >= HOUR_MS)
        buffer_printf(buffer, "%lldh", (long long)(ms / HOUR_MS));
    if (ms >= MINUTE_MS)
        buffer_printf(buffer, "%lldm", (long long)(ms / MINUTE_MS % 60));
    write_seconds(buffer, ms % MINUTE_MS);
}
