/* Lines that come in parts of any size, as of NDJSON. They end with LF or CRLF; a BOM at the
 * beginning and blank lines are passed over. */
#ifndef API_LINE_READER_H
#define API_LINE_READER_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdint.h>

struct line_reader {
    /* set once */
    bool (*line)(void *context, int64_t number, struct text line, bool too_long);
    void *context;
    /* changes */
    struct buffer bytes; /* of the line that is being read */
    int64_t number;
    bool too_long;
};

/* A line of more than `line_bytes_max` bytes is handed out as `too_long`, without its text. `line`
 * returns false to end the reading; 1 is the number of the first line. */
void line_reader_init(struct line_reader *reader, size_t line_bytes_max,
                      bool (*line)(void *context, int64_t number, struct text line, bool too_long),
                      void *context);
void line_reader_deinit(struct line_reader *reader);
/* False as soon as `line` has returned false. */
bool line_reader_feed(struct line_reader *reader, struct text part);
/* Hands out a last line that no line end follows. */
bool line_reader_end(struct line_reader *reader);

#endif
