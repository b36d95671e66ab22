/* One message of the memory store, with its attempts. Guarded by the store's monitor. */
#ifndef STORE_MEMORY_RECORD_H
#define STORE_MEMORY_RECORD_H

#include "store/store_ops.h"

struct record {
    /* set at creation */
    int64_t id;
    int64_t priority;
    int64_t created_at_ms;
    char *recipient;
    char *content;
    size_t content_bytes;
    int64_t max_attempts;
    char *metadata; /* NULL: none */
    char *provider; /* NULL: any */
    /* changes */
    enum message_state state;
    int64_t attempts;
    int64_t due_at_ms; /* 0: at once */
    int64_t expires_at_ms;
    int64_t sent_at_ms;
    char *provider_id; /* NULL: none */
    char *error;       /* NULL: none */
    struct attempt *failures;
    size_t failures_count;
};

/* Pending, with copies of the draft's texts; the caller's to destroy. */
struct record *record_create(const struct message_draft *draft, int64_t id, int64_t now_ms);
/* Its heaps must not hold it any more. */
void record_destroy(struct record *record);

/* Orders of the heaps: what leaves first, and what becomes due first. */
bool record_leaves_before(const void *a, const void *b);
bool record_is_due_before(const void *a, const void *b);

/* Pending again and due now, as an operator wants it. */
void record_retry(struct record *record);
/* Moves a sending record to where `outcome` leads, and records a failed attempt. */
void record_settle(struct record *record, const struct outcome *outcome, int64_t now_ms);
/* Gives a sending record back with one attempt counted, because its lease ran out. */
void record_take_back(struct record *record, int64_t now_ms);

/* Fills `message` with copies in `arena`; false when the arena is full. */
bool record_read(const struct record *record, struct arena *arena, struct message *message);

#endif
