/* The program's log: one line per event on a descriptor, as JSON or for a console.
 *
 * The call site says what happened in a constant sentence and hands over the objects as fields,
 * which follow it. Secrets and message content never go in; recipients are masked with
 * LOG_RECIPIENT. Whatever the values hold, a line stays one line of at most LOG_LINE_BYTES_MAX
 * bytes, its newline included, and nothing in it commands a terminal; a long text ends in an
 * ellipsis.
 *
 * The same sentence more than LOG_REPEATS_PER_SECOND_MAX times within a second is held back, and
 * the next line with it says how many were (`suppressed`). A line that cannot be written, because
 * the reader is gone or does not read, is dropped, and the next one written says how many were
 * (`dropped`): logging neither fails the program nor stops it. Lines below the level cost one load.
 * Any thread may log; SIGPIPE has to be ignored. */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define LOG_REPEATS_PER_SECOND_MAX 20
#define LOG_LINE_BYTES_MAX 4096

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_CONSOLE };

struct log_options {
    enum log_level level;
    enum log_format format;
    const char *app_name;      /* "app" in JSON lines; borrowed; NULL for none */
    int descriptor;            /* where lines go, written with one write() each */
    bool unlimited;            /* no limit on repeated lines (the demo shows every delivery) */
    const struct clock *clock; /* borrowed; NULL for the system's */
};

/* Before the first thread is started. Until then: info, JSON, stderr. Levels are coloured where
 * the descriptor is a terminal and NO_COLOR is not set. */
void log_init(const struct log_options *options);
bool log_enabled(enum log_level level);

enum log_field_type { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_RECIPIENT };

struct log_field {
    enum log_field_type type;
    const char *key;
    struct text text;
    int64_t number;
};

#define LOG_NONE ((struct log_field){.type = LOG_FIELD_END})
#define LOG_TEXT(name, view) ((struct log_field){LOG_FIELD_TEXT, (name), (view), 0})
#define LOG_STRING(name, string) ((struct log_field){LOG_FIELD_TEXT, (name), text_of(string), 0})
#define LOG_INT(name, value) ((struct log_field){LOG_FIELD_INT, (name), {0}, (int64_t)(value)})
/* Shown as its first four and last two characters, or not at all when that would leave fewer than
 * four hidden. */
#define LOG_RECIPIENT(view) ((struct log_field){LOG_FIELD_RECIPIENT, "recipient", (view), 0})

#define log_at(level, sentence, ...)                                                               \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write((level), (sentence), (const struct log_field[]){__VA_ARGS__, LOG_NONE});     \
    } while (0)
/* log_info("claim taken over", LOG_TEXT("claim", id), LOG_INT("messages", n)); LOG_NONE for none */
#define log_debug(sentence, ...) log_at(LOG_LEVEL_DEBUG, (sentence), __VA_ARGS__)
#define log_info(sentence, ...) log_at(LOG_LEVEL_INFO, (sentence), __VA_ARGS__)
#define log_warn(sentence, ...) log_at(LOG_LEVEL_WARN, (sentence), __VA_ARGS__)
#define log_error(sentence, ...) log_at(LOG_LEVEL_ERROR, (sentence), __VA_ARGS__)

/* Fields up to the first LOG_NONE. `sentence` must be a string constant: its address tells
 * repeated lines. */
void log_write(enum log_level level, const char *sentence, const struct log_field *fields);

/* Writes what is held back, one line per sentence. For the stop, when nothing may follow; harmless
 * at any other time. */
void log_flush_suppressed(void);

#endif
