/* Inside of the memory store: the model of all stores, and good for trying out. Everything is
 * guarded by one monitor; a session is only a handle. */
#ifndef STORE_MEMORY_STORE_H
#define STORE_MEMORY_STORE_H

#include "base/heap.h"
#include "base/thread.h"
#include "store/memory/memory_keys.h"
#include "store/memory/record.h"

/* What the store remembers of a claim; the struct claim itself belongs to whoever claimed. */
struct lease {
    struct lease *next;
    int64_t id;
    char token[UUID_TEXT_BYTES];
    int64_t until_ms;
    size_t count;
    struct record *records[]; /* NULL where settled */
};

/* What operators left. */
struct memory_office {
    struct store_audit *audit; /* their texts are copies, owned */
    size_t audit_count;
    struct store_job *jobs; /* likewise; next_step_in_ms is a Unix time here */
    size_t jobs_count;
};

struct memory_store {
    struct store store; /* first: it is the base */
    const struct clock *clock;
    /* guarded */
    struct monitor monitor;
    struct random random;
    struct record **records; /* by id - 1 */
    size_t count, size;
    struct heap ready;   /* pending, unclaimed, due */
    struct heap delayed; /* pending, unclaimed, due later */
    struct lease *leases;
    int64_t last_claim;
    int64_t depth[MESSAGE_STATES];
    struct memory_keys keys;
    struct memory_office office;
};

static inline struct memory_store *memory_store_of(struct store *store) {
    return (struct memory_store *)store;
}

/* Enters the monitor of the session's store; the functions that take a store are called within. */
struct memory_store *memory_lock(struct store_session *session);
/* Leaves it. */
void memory_unlock(struct memory_store *memory);
/* NULL: there is none. */
struct record *memory_find(const struct memory_store *memory, struct text id);
/* Puts a pending record where claims find it. */
void memory_enqueue(struct memory_store *memory, struct record *record);
void memory_count_move(struct memory_store *memory, enum message_state from, enum message_state to);
void memory_promote_due(struct memory_store *memory, int64_t now_ms);

/* memory_reads.c */
enum status memory_get(struct store_session *session, struct text id, struct arena *arena,
                       struct message *message, struct error *error);
enum status memory_attempts(struct store_session *session, struct text id, struct arena *arena,
                            struct attempt_list *list, struct error *error);
enum status memory_list(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error);
enum status memory_count(struct store_session *session, const struct store_query *query,
                         struct store_total *total, struct error *error);
enum status memory_depth(struct store_session *session, struct store_depth *depth,
                         struct error *error);

/* memory_office.c */
enum status memory_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                             struct error *error);
enum status memory_change(struct store_session *session, struct store_change *change,
                          struct error *error);
enum status memory_audit_add(struct store_session *session, struct store_audit *entry,
                             struct error *error);
enum status memory_audit_list(struct store_session *session, const struct store_audit_query *query,
                              struct arena *arena, struct store_audit_page *page,
                              struct error *error);
enum status memory_job_create(struct store_session *session, struct store_job *job,
                              struct error *error);
enum status memory_job_list(struct store_session *session, const struct store_job_query *query,
                            struct arena *arena, struct store_job_list *list, struct error *error);
enum status memory_job_advance(struct store_session *session, const struct store_job *job,
                               const struct store_job_step *step, struct error *error);
void memory_office_deinit(struct memory_office *office);

#endif
