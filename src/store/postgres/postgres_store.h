/* Inside of the PostgreSQL store, shared by its files.
 *
 * What is done with the queue is said in functions that live in the database (db/postgres); here
 * they are called. So each operation is one round trip, one transaction, and knows nothing of what
 * the columns of the table are called. */
#ifndef STORE_POSTGRES_STORE_H
#define STORE_POSTGRES_STORE_H

#include "base/thread.h"
#include "store/postgres/postgres_connection.h"
#include "store/postgres/postgres_layout.h"
#include "store/store_ops.h"

#include <stdatomic.h>

#define POSTGRES_OWNER_BYTES 128
/* Under a backlog a claim passes over what lies before a mark of this age; see posthaste_ready. */
#define POSTGRES_MARK_US 1000000
/* … and looks at everything again after this time. */
#define POSTGRES_RESCAN_US 5000000
/* How often the differences that statements note are added up, and how many at once. */
#define POSTGRES_COMPACT_US 5000000
#define POSTGRES_COMPACT_ROWS 20000
#define POSTGRES_COMPACT_ROUNDS 20

struct postgres_store {
    struct store store; /* first: it is the base */
    /* set once */
    char *url;
    struct postgres_options options;
    struct postgres_wishes wishes;
    char owner[POSTGRES_OWNER_BYTES]; /* for people who look into the claims table */
    /* guarded by the monitor */
    struct monitor monitor;
    struct random random;
    /* Something was given back: the next claim of each session looks at everything. */
    _Atomic uint64_t given_back;
    /* When somebody is to add up the counts' differences again; monotonic. */
    _Atomic int64_t compact_us;
};

/* How far a backlog has been worked off; see POSTGRES_MARK_US. */
struct postgres_mark {
    struct message_id current, next; /* empty: none */
    int64_t next_since_us, rescan_us;
    uint64_t given_back;
};

struct postgres_session {
    struct store_session session; /* first: it is the base */
    struct postgres_connection *connection;
    struct postgres_mark mark;
    char abandoned[UUID_TEXT_BYTES]; /* of a claim that may have been made, and nobody has */
    char *greeting;                  /* of a watching session */
};

static inline struct postgres_store *postgres_store_of(struct store *store) {
    return (struct postgres_store *)store;
}

static inline struct postgres_session *postgres_session_of(struct store_session *session) {
    return (struct postgres_session *)session;
}

/* postgres_schema.c */
enum status postgres_schema_version(struct store *store, struct store_version *version,
                                    struct error *error);
enum status postgres_schema_up(struct store *store, struct buffer *report, struct error *error);
enum status postgres_schema_down(struct store *store, struct buffer *report, struct error *error);
enum status postgres_schema_plan(struct store *store, struct buffer *report, struct error *error);

/* Adds up the counts' differences when it is time, and nobody else of this store does. What goes
 * wrong is left to the next time. */
void postgres_compact(struct store_session *session);

/* postgres_claims.c */
enum status postgres_claim(struct store_session *session, const struct claim_request *request,
                           struct claim_result *result, struct error *error);
enum status postgres_extend(struct store_session *session, const struct claim *claim,
                            int64_t lease_ms, struct error *error);
/* postgres_settle.c */
enum status postgres_settle(struct store_session *session, struct settlement *settlements,
                            size_t count, struct error *error);

/* postgres_reads.c */
enum status postgres_get(struct store_session *session, struct text id, struct arena *arena,
                         struct message *message, struct error *error);
enum status postgres_attempts(struct store_session *session, struct text id, struct arena *arena,
                              struct attempt_list *attempts, struct error *error);
enum status postgres_depth(struct store_session *session, struct store_depth *depth,
                           struct error *error);
/* A row of MESSAGE_COLUMNS. */
enum status postgres_read_message(const struct postgres_rows *rows, size_t row, struct arena *arena,
                                  struct message *message, struct error *error);

/* A read that met a connection which had just died is simply made again, once. */
enum status postgres_read_rows(struct store_session *session, enum postgres_statement which,
                               const char *const *parameters, struct postgres_rows *rows,
                               struct error *error);
/* An id as a parameter; false for what no id can be: PostgreSQL's texts are UTF-8 without NUL. */
bool postgres_id_parameter(struct text id, char parameter[MESSAGE_ID_BYTES_MAX + 1]);

/* postgres_insert.c */
enum status postgres_insert(struct store_session *session, const struct message_draft *drafts,
                            size_t count, struct message_id *ids, struct error *error);
enum status postgres_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                               struct error *error);

/* postgres_list.c */
enum status postgres_list(struct store_session *session, const struct store_query *query,
                          struct arena *arena, struct store_page *page, struct error *error);
enum status postgres_count(struct store_session *session, const struct store_query *query,
                           struct store_total *total, struct error *error);

/* postgres_office.c */
enum status postgres_change(struct store_session *session, struct store_change *change,
                            struct error *error);
enum status postgres_audit_add(struct store_session *session, struct store_audit *entry,
                               struct error *error);
enum status postgres_audit_list(struct store_session *session,
                                const struct store_audit_query *query, struct arena *arena,
                                struct store_audit_page *page, struct error *error);
enum status postgres_job_create(struct store_session *session, struct store_job *job,
                                struct error *error);
enum status postgres_job_list(struct store_session *session, const struct store_job_query *query,
                              struct arena *arena, struct store_job_list *list,
                              struct error *error);
enum status postgres_job_advance(struct store_session *session, const struct store_job *job,
                                 const struct store_job_step *step, struct error *error);

#endif
