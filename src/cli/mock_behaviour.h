/* How the mock provider misbehaves: one table of settings, read from flags and from JSON, and the
 * plan that they make for each request. */
#ifndef CLI_MOCK_BEHAVIOUR_H
#define CLI_MOCK_BEHAVIOUR_H

#include "base/error.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "base/text.h"

#define MOCK_BODY_BYTES_MAX (16 * 1024 * 1024) /* of an answer */

struct mock_behaviour {
    int64_t status;           /* 0: 500 for the share that fails */
    int64_t fail_per_million; /* -1: not given, all requests where any misbehaviour is asked for */
    int64_t latency_ms;
    int64_t retry_after_s; /* -1: no header */
    int64_t hang;          /* 0 or 1 */
    int64_t reset;         /* 0 or 1 */
    int64_t body_bytes;    /* 0: no padding */
};

enum mock_fate { MOCK_ACCEPT, MOCK_FAIL, MOCK_HANG, MOCK_RESET };

struct mock_plan {
    enum mock_fate fate;
    unsigned status; /* 0 where none is sent */
    int64_t latency_ms;
    int64_t retry_after_s; /* -1: no header */
    size_t body_bytes;
    bool refused; /* the request itself is wrong; never planned, but found later */
};

/* Accepts everything at once. */
struct mock_behaviour mock_behaviour_normal(void);

/* True when `flag` ("--hang") takes a value; `*known` tells whether it is one of ours. */
bool mock_behaviour_flag_has_value(struct text flag, bool *known);
/* Sets what the flag says; `value` is not looked at where it takes none. STATUS_INVALID with words
 * that name the flag and what is allowed. */
enum status mock_behaviour_set_flag(struct mock_behaviour *behaviour, struct text flag,
                                    const char *value, struct error *error);
/* The behaviour that a JSON object describes in full: what it leaves out is normal. `*times` is 0
 * where it sets no end. STATUS_INVALID names the member and what is allowed; the rest is as it
 * was. */
enum status mock_behaviour_from_json(struct mock_behaviour *behaviour, int64_t *times,
                                     struct text json, struct error *error);
/* STATUS_INVALID where settings exclude each other. */
enum status mock_behaviour_check(const struct mock_behaviour *behaviour, struct error *error);

/* One object in the form that mock_behaviour_from_json reads; `times` is left out when 0. */
void mock_behaviour_write(const struct mock_behaviour *behaviour, int64_t times,
                          struct json_writer *json);
/* The flags with their help, one line each. */
void mock_behaviour_write_help(struct buffer *help);

/* What is to become of one request; draws lots for the fail rate. */
struct mock_plan mock_behaviour_plan(const struct mock_behaviour *behaviour, struct random *random);
/* As GET /stats and /requests call it. */
const char *mock_fate_name(enum mock_fate fate);

#endif
