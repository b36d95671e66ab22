/* What one line of the log looks like. */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "base/buffer.h"
#include "log/log.h"

struct line_style {
    enum log_format format;
    bool coloured;
    const char *app_name; /* borrowed; NULL for none */
};

struct line_event {
    int64_t wall_ms;
    enum log_level level;
    const char *sentence;
    const struct log_field *fields; /* up to LOG_NONE */
    uint64_t suppressed;            /* shown when not 0 */
    uint64_t dropped;               /* shown when not 0 */
};

/* Appends the line and its newline to an empty buffer with a maximum of LOG_LINE_BYTES_MAX. A text
 * takes at most half of the room that is left, so that those after it find some; a field that
 * finds none is left out. The line is whole in any case. */
void line_write(struct buffer *line, const struct line_style *style,
                const struct line_event *event);

#endif
