/* CSV (RFC 4180) that comes in parts of any size: records are handed out as soon as they are whole.
 * Lines end with LF or CRLF; a BOM at the beginning and empty lines are passed over. */
#ifndef API_CSV_READER_H
#define API_CSV_READER_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdint.h>

#define CSV_FIELDS_MAX 32

struct csv_record {
    int64_t line;              /* its first, 1 for the first of all */
    const struct text *fields; /* until the callback returns */
    size_t count;
    const char *fault; /* NULL; else why it cannot be read, and there are no fields */
};

struct csv_reader {
    /* set once */
    bool (*record)(void *context, const struct csv_record *record);
    void *context;
    /* changes */
    struct buffer bytes; /* of the record that is being read; each field is followed by a NUL */
    size_t starts[CSV_FIELDS_MAX];
    size_t count; /* of the fields that have begun */
    int state;
    const char *fault;
    int64_t line, first_line;
    size_t bom; /* bytes of it that have come; beyond its length: it is behind us */
};

/* A record is at most `record_bytes_max` bytes long. `record` returns false to end the reading. */
void csv_reader_init(struct csv_reader *reader, size_t record_bytes_max,
                     bool (*record)(void *context, const struct csv_record *record), void *context);
void csv_reader_deinit(struct csv_reader *reader);
/* False as soon as `record` has returned false. */
bool csv_reader_feed(struct csv_reader *reader, struct text part);
/* Hands out a last record that no line end follows. */
bool csv_reader_end(struct csv_reader *reader);

/* One field, in quotes where it needs them. */
bool csv_append_field(struct buffer *buffer, struct text value);

#endif
