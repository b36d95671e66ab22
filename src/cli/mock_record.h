/* What the mock provider got and what became of it: sums, counts per message id, and the latest
 * requests in full. All of it is bounded, and cheap enough to stand in a benchmark. Any thread. */
#ifndef CLI_MOCK_RECORD_H
#define CLI_MOCK_RECORD_H

#include "base/buffer.h"
#include "base/thread.h"
#include "cli/mock_behaviour.h"
#include "cli/mock_ids.h"

#define MOCK_REQUESTS_KEPT 1000
/* Of the requests kept together; the oldest leave first. */
#define MOCK_REQUESTS_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define MOCK_REQUEST_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct request;

struct mock_sums {
    int64_t requests;
    int64_t accepted;
    int64_t failed;
    int64_t hung;
    int64_t reset;
    int64_t in_flight;
    int64_t in_flight_max;
    int64_t first_at_ms; /* 0: none came */
    int64_t last_at_ms;
    int64_t with_id;
    int64_t accepted_unique;
    int64_t accepted_again; /* of an id that had been accepted before */
    int64_t untracked;      /* had an id that MOCK_IDS_MAX or MOCK_ID_BYTES_MAX left no room for */
};

struct mock_kept {
    int64_t at_ms;
    unsigned status; /* 0 where none is sent */
    enum mock_fate fate;
    bool has_id;
    /* The lengths of the first three texts in `bytes`; headers follow, as name NUL value NUL. */
    size_t id_len;
    size_t to_len;
    size_t content_len;
    struct buffer bytes;
};

struct mock_record {
    struct monitor monitor;
    /* guarded by the monitor */
    struct mock_sums sums;
    struct mock_ids ids;
    struct mock_kept kept[MOCK_REQUESTS_KEPT]; /* a ring */
    size_t kept_first;
    size_t kept_count;
    size_t kept_bytes;
};

struct mock_arrival {
    const struct request *request;
    struct text id;      /* data == NULL: none */
    struct text to;      /* as in the body; data == NULL: none */
    struct text content; /* likewise */
    enum mock_fate fate;
    unsigned status;
};

/* Nothing has come yet. */
void mock_record_init(struct mock_record *record);
void mock_record_deinit(struct mock_record *record);

/* A request came; what it is meant for is known already. */
void mock_record_arrival(struct mock_record *record, const struct mock_arrival *arrival);
/* It is about to be answered, or was given up. */
void mock_record_end(struct mock_record *record, struct text id, enum mock_fate fate);
/* Forgets all but what is in flight. */
void mock_record_clear(struct mock_record *record);
struct mock_sums mock_record_sums(struct mock_record *record);

/* Each appends one JSON object (mock_report.c). */
void mock_record_write_sums(struct mock_record *record, struct buffer *json);
void mock_record_write_counts(struct mock_record *record, struct buffer *json);
void mock_record_write_count(struct mock_record *record, struct text id, struct buffer *json);
/* The latest `limit`, the oldest of them first. */
void mock_record_write_requests(struct mock_record *record, size_t limit, struct buffer *json);

#endif
