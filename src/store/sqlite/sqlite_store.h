/* Inside of the SQLite store, shared by its files. */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "base/thread.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/sqlite/sqlite_owner.h"
#include "store/store_ops.h"

struct sqlite_store {
    struct store store; /* first: it is the base */
    /* set once */
    char *path;
    const struct clock *clock;
    struct sqlite_owner owner;
    /* SQLite has one writer at a time; the threads of this process queue for it here, and only
     * other processes are met by SQLite's busy timeout. Also guards what follows. */
    struct monitor writer;
    struct random random;
    bool log_is_in_the_way; /* a write failed, and the log has not been emptied since */
};

struct sqlite_session {
    struct store_session session; /* first: it is the base */
    struct sqlite_connection connection;
};

static inline struct sqlite_store *sqlite_store_of(struct store *store) {
    return (struct sqlite_store *)store;
}

static inline struct sqlite_connection *sqlite_connection_of(struct store_session *session) {
    return &((struct sqlite_session *)session)->connection;
}

/* A writing transaction with the process's turn as writer; sqlite_write_end commits when `status`
 * is STATUS_OK, else rolls back, and gives the turn back in both cases. */
enum status sqlite_write_begin(struct store_session *session, struct error *error);
enum status sqlite_write_end(struct store_session *session, enum status status,
                             struct error *error);

/* sqlite_schema.c */
enum status sqlite_schema_version(struct store *store, struct store_version *version,
                                  struct error *error);
enum status sqlite_schema_up(struct store *store, struct buffer *report, struct error *error);
enum status sqlite_schema_down(struct store *store, struct buffer *report, struct error *error);
enum status sqlite_schema_plan(struct store *store, struct buffer *report, struct error *error);

/* sqlite_insert.c */
enum status sqlite_insert(struct store_session *session, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error);
enum status sqlite_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                             struct error *error);

/* sqlite_claims.c */
enum status sqlite_claim(struct store_session *session, const struct claim_request *request,
                         struct claim_result *result, struct error *error);
enum status sqlite_extend(struct store_session *session, const struct claim *claim,
                          int64_t lease_ms, struct error *error);
/* sqlite_settle.c */
enum status sqlite_settle(struct store_session *session, struct settlement *settlements,
                          size_t count, struct error *error);
enum status sqlite_insert_attempt(struct sqlite_connection *connection, int64_t message_id,
                                  const struct attempt *attempt, struct error *error);

/* sqlite_reads.c */
enum status sqlite_get(struct store_session *session, struct text id, struct arena *arena,
                       struct message *message, struct error *error);
enum status sqlite_attempts(struct store_session *session, struct text id, struct arena *arena,
                            struct attempt_list *attempts, struct error *error);
/* sqlite_list.c */
enum status sqlite_list(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error);
enum status sqlite_count(struct store_session *session, const struct store_query *query,
                         struct store_total *total, struct error *error);

/* sqlite_office.c */
enum status sqlite_change(struct store_session *session, struct store_change *change,
                          struct error *error);
enum status sqlite_audit_add(struct store_session *session, struct store_audit *entry,
                             struct error *error);
enum status sqlite_audit_list(struct store_session *session, const struct store_audit_query *query,
                              struct arena *arena, struct store_audit_page *page,
                              struct error *error);
enum status sqlite_job_create(struct store_session *session, struct store_job *job,
                              struct error *error);
enum status sqlite_job_list(struct store_session *session, const struct store_job_query *query,
                            struct arena *arena, struct store_job_list *list, struct error *error);
enum status sqlite_job_advance(struct store_session *session, const struct store_job *job,
                               const struct store_job_step *step, struct error *error);

/* sqlite_depth.c */
enum status sqlite_depth(struct store_session *session, struct store_depth *depth,
                         struct error *error);
/* The row of a statement that selects the columns of a message, and whether a claim holds it. */
enum status sqlite_read_message(sqlite3_stmt *row, struct arena *arena, struct message *message,
                                struct error *error);

#endif
