/* What a back end provides; store.c is the only caller. Arguments have been checked, and the
 * contract is that of store.h. A back end puts `struct store` and `struct store_session` first in
 * its own structs. */
#ifndef STORE_STORE_OPS_H
#define STORE_STORE_OPS_H

#include "store/store_office.h"

struct store_ops {
    const char *kind;
    void (*close)(struct store *store);
    enum status (*session_open)(struct store_session **session, struct store *store,
                                struct error *error);
    void (*session_close)(struct store_session *session);
    enum status (*insert)(struct store_session *session, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error);
    enum status (*claim)(struct store_session *session, const struct claim_request *request,
                         struct claim_result *result, struct error *error);
    /* The messages being settled are already marked in claim->settled. */
    enum status (*settle)(struct store_session *session, struct settlement *settlements,
                          size_t count, struct error *error);
    enum status (*extend)(struct store_session *session, const struct claim *claim,
                          int64_t lease_ms, struct error *error);
    enum status (*get)(struct store_session *session, struct text id, struct arena *arena,
                       struct message *message, struct error *error);
    enum status (*attempts)(struct store_session *session, struct text id, struct arena *arena,
                            struct attempt_list *attempts, struct error *error);
    enum status (*find_keys)(struct store_session *session, struct store_key *keys, size_t count,
                             struct error *error);
    /* The page has room for query->limit + 1 messages, and is to hold that many if there are. When
     * it holds fewer, and the scan ended before the list did, `more` and `next` say so. */
    enum status (*list)(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error);
    enum status (*count)(struct store_session *session, const struct store_query *query,
                         struct store_total *total, struct error *error);
    enum status (*change)(struct store_session *session, struct store_change *change,
                          struct error *error);
    /* The texts have been cut. */
    enum status (*audit_add)(struct store_session *session, struct store_audit *entry,
                             struct error *error);
    /* There is room for limit + 1. */
    enum status (*audit_list)(struct store_session *session, const struct store_audit_query *query,
                              struct arena *arena, struct store_audit_page *page,
                              struct error *error);
    enum status (*job_create)(struct store_session *session, struct store_job *job,
                              struct error *error);
    /* There is room for limit. */
    enum status (*job_list)(struct store_session *session, const struct store_job_query *query,
                            struct arena *arena, struct store_job_list *list, struct error *error);
    enum status (*job_advance)(struct store_session *session, const struct store_job *job,
                               const struct store_job_step *step, struct error *error);
    enum status (*depth)(struct store_session *session, struct store_depth *depth,
                         struct error *error);
    enum status (*version)(struct store *store, struct store_version *version, struct error *error);
    enum status (*migrate_up)(struct store *store, struct buffer *report, struct error *error);
    enum status (*migrate_down)(struct store *store, struct buffer *report, struct error *error);
    enum status (*migrate_plan)(struct store *store, struct buffer *report, struct error *error);
    /* All NULL where nobody tells of inserts. */
    bool (*can_watch)(const struct store *store);
    enum status (*watch_open)(struct store_session **session, struct store *store,
                              struct error *error);
    enum status (*watch)(struct store_session *session, int64_t wait_ms, bool *told,
                         struct error *error);
    void (*watch_end)(struct store_session *session);
};

struct store {
    const struct store_ops *ops;
};

struct store_session {
    struct store *store;
};

/* Ends every operation: names what failed, and counts it; a conflict, or bad input, is no failure
 * of the store. */
enum status store_finish(enum status status, const char *doing, struct error *error);

/* Constructors of the back ends. `location` is what follows the scheme in the URL. */
enum status store_memory_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error);
enum status store_sqlite_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error);
/* Takes the whole of options->url. */
enum status store_postgres_open(struct store **store, const char *location,
                                const struct store_options *options, struct error *error);

#endif
