#include "log/log.h"

#include "base/buffer.h"
#include "base/check.h"
#include "log/line.h"
#include "log/repeats.h"
#include "log/sink.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const struct log_field no_fields = {.type = LOG_FIELD_END};

/* Set once. */
static struct line_style style = {.format = LOG_FORMAT_JSON};
static const struct clock *clock_used = &clock_system;
static bool unlimited;

/* Touched by any thread. */
static _Atomic int level_min = LOG_LEVEL_INFO;
static _Atomic uint64_t lines_dropped; /* and not told yet */

static bool wants_colour(int descriptor) {
    const char *no_color = getenv("NO_COLOR");
    return isatty(descriptor) && (no_color == NULL || no_color[0] == '\0');
}

void log_init(const struct log_options *options) {
    check(options != NULL && options->level <= LOG_LEVEL_ERROR);
    style = (struct line_style){.format = options->format,
                                .coloured = wants_colour(options->descriptor),
                                .app_name = options->app_name};
    clock_used = options->clock != NULL ? options->clock : &clock_system;
    unlimited = options->unlimited;
    atomic_store_explicit(&level_min, (int)options->level, memory_order_relaxed);
    atomic_store_explicit(&lines_dropped, 0, memory_order_relaxed);
    repeats_clear();
    sink_init(options->descriptor);
}

bool log_enabled(enum log_level level) {
    return (int)level >= atomic_load_explicit(&level_min, memory_order_relaxed);
}

static void write_line(const struct repeats_held *said, const struct log_field *fields) {
    char bytes[LOG_LINE_BYTES_MAX + 1];
    /* On the stack, and never grown, as its maximum is what it has. */
    struct buffer line = {.data = bytes, .size = sizeof bytes, .bytes_max = LOG_LINE_BYTES_MAX};
    struct line_event event = {.wall_ms = clock_wall_ms(clock_used),
                               .level = said->level,
                               .sentence = said->sentence,
                               .fields = fields,
                               .suppressed = said->lines};
    if (atomic_load_explicit(&lines_dropped, memory_order_relaxed) > 0)
        event.dropped = atomic_exchange_explicit(&lines_dropped, 0, memory_order_relaxed);
    line_write(&line, &style, &event);
    if (!sink_write(buffer_view(&line)))
        atomic_fetch_add_explicit(&lines_dropped, 1 + event.suppressed + event.dropped,
                                  memory_order_relaxed);
}

void log_write(enum log_level level, const char *sentence, const struct log_field *fields) {
    check(sentence != NULL && fields != NULL);
    struct repeats_held said = {.sentence = sentence, .level = level};
    struct repeats_held evicted = {0};
    bool passes = unlimited || repeats_admit(&said, clock_monotonic_us(clock_used), &evicted);
    if (evicted.lines > 0)
        write_line(&evicted, &no_fields);
    if (passes)
        write_line(&said, fields);
}

void log_flush_suppressed(void) {
    struct repeats_held held;
    while (repeats_take(&held))
        write_line(&held, &no_fields);
}
