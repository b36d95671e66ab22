/* Writes JSON straight into a buffer, with commas and escapes in the right places; what cannot be
 * UTF-8 comes out as U+FFFD. The caller opens and closes in pairs; overflow shows in the buffer. */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include "base/buffer.h"

struct json_writer {
    struct buffer *buffer; /* borrowed */
    bool comma;            /* a value stands before this place */
};

/* A writer of one value at the end of `buffer`, which must outlive it. */
struct json_writer json_writer_on(struct buffer *buffer);

/* Each is a value itself; between open and close stand values, in an object each after its key. */
void json_object_open(struct json_writer *json);
void json_object_close(struct json_writer *json);
void json_array_open(struct json_writer *json);
void json_array_close(struct json_writer *json);
/* The key of the next value. `key` must need no escape. */
void json_key(struct json_writer *json, const char *key);

/* One value each; a number that is not finite gives null. */
void json_value_text(struct json_writer *json, struct text value);
void json_value_string(struct json_writer *json, const char *value); /* NULL gives null */
void json_value_int64(struct json_writer *json, int64_t value);
void json_value_double(struct json_writer *json, double value);
void json_value_bool(struct json_writer *json, bool value);
void json_value_null(struct json_writer *json);
/* One value that is JSON already; whoever passes it has seen to that. */
void json_value_raw(struct json_writer *json, struct text value);
/* An RFC 3339 time in UTC with milliseconds; 0 gives null. */
void json_value_time_ms(struct json_writer *json, int64_t unix_ms);

/* A key and its value in one. */
void json_member_text(struct json_writer *json, const char *key, struct text value);
void json_member_string(struct json_writer *json, const char *key, const char *value);
void json_member_int64(struct json_writer *json, const char *key, int64_t value);
void json_member_time_ms(struct json_writer *json, const char *key, int64_t unix_ms);

#endif
