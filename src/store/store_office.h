/* What operators do with messages, and the record of what they did: part of the contract of
 * store.h, whose rules hold here too. */
#ifndef STORE_STORE_OFFICE_H
#define STORE_STORE_OFFICE_H

#include "store/store_query.h"

#define STORE_CHANGE_MESSAGES_MAX 1000
#define STORE_AUDIT_TEXT_BYTES_MAX 512
#define STORE_JOB_FILTER_BYTES_MAX 4096

enum store_change_kind {
    STORE_CANCEL, /* pending, and held by no claim: cancelled */
    STORE_RETRY,  /* MESSAGE_STATES_RETRYABLE: pending and due now, with no attempts and no end */
};

struct store_change {
    enum store_change_kind kind;
    const struct message_id *ids;
    size_t count;   /* 1 to STORE_CHANGE_MESSAGES_MAX */
    size_t changed; /* out: how many of them the change was allowed for */
};

/* Changes those of the messages that the change is allowed for. */
enum status store_change(struct store_session *session, struct store_change *change,
                         struct error *error);

/* What was done, by whom. Texts are kept up to STORE_AUDIT_TEXT_BYTES_MAX. */
struct store_audit {
    int64_t id;    /* given by the store, rising */
    int64_t at_ms; /* the same, by its clock */
    struct text action;
    struct text actor;
    struct text address;
    struct text request_id;
    struct text subject;
    struct text detail;
    int64_t start_id; /* of the start that this stop ends; 0: none */
};

/* Fills `id` and `at_ms`. */
enum status store_audit_add(struct store_session *session, struct store_audit *entry,
                            struct error *error);

struct store_audit_page {
    struct store_audit *entries;
    size_t count;
    bool more;
};

struct store_audit_query {
    int64_t before; /* only entries with a lower id; 0: all */
    size_t limit;   /* 1 to STORE_LIST_LIMIT_MAX */
};

/* Newest first. */
enum status store_audit_list(struct store_session *session, const struct store_audit_query *query,
                             struct arena *arena, struct store_audit_page *page,
                             struct error *error);

enum store_job_state { STORE_JOB_RUNNING, STORE_JOB_DONE, STORE_JOB_STOPPED };
#define STORE_JOB_STATES (STORE_JOB_STOPPED + 1)

/* The order to have all messages of a filter sent again, one page after the other. */
struct store_job {
    int64_t id; /* given by the store, rising */
    enum store_job_state state;
    struct text filter; /* as whoever made it wrote it; JSON */
    struct text actor;
    int64_t rate;    /* messages a second; 0: as fast as it goes */
    int64_t matched; /* how many there were when it was made */
    int64_t retried; /* so far */
    int64_t created_at_ms, updated_at_ms;
    struct message_id cursor; /* how far it has come; "": it is at its beginning */
    int64_t next_step_in_ms;  /* until the next page may be taken; 0: now */
};

struct store_job_list {
    struct store_job *jobs;
    size_t count;
};

/* Running from now on; fills `id` and the times. */
enum status store_job_create(struct store_session *session, struct store_job *job,
                             struct error *error);
struct store_job_query {
    int64_t id;   /* this one only; 0: any */
    bool running; /* the running ones only */
    size_t limit; /* 1 to STORE_LIST_LIMIT_MAX */
};

/* Newest first. */
enum status store_job_list(struct store_session *session, const struct store_job_query *query,
                           struct arena *arena, struct store_job_list *list, struct error *error);
/* STATUS_NOT_FOUND: there is none with this id. */
enum status store_job_get(struct store_session *session, int64_t id, struct arena *arena,
                          struct store_job *job, struct error *error);

struct store_job_step {
    enum store_job_state state; /* from now on */
    struct message_id cursor;
    int64_t retried;  /* more than before */
    int64_t pause_ms; /* until the next step */
};

/* STATUS_CONFLICT: the job is no more as `job` says, because somebody else has gone on with it, or
 * it does not run any more. Nothing is changed then. */
enum status store_job_advance(struct store_session *session, const struct store_job *job,
                              const struct store_job_step *step, struct error *error);
/* "running", "done", "stopped"; false for other names. */
const char *store_job_state_name(enum store_job_state state);
bool store_job_state_from_name(struct text name, enum store_job_state *state);

#endif
