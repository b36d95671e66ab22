/* What a back end provides; store.c is the only caller. Arguments have been checked, and the
 * contract is that of store.h. A back end puts `struct store` and `struct store_session` first in
 * its own structs. */
#ifndef STORE_STORE_OPS_H
#define STORE_STORE_OPS_H

#include "store/store.h"

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
    /* The page has room for query->limit + 1 messages, and is to hold that many if there are. */
    enum status (*list)(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error);
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

/* Constructors of the back ends. `location` is what follows the scheme in the URL. */
enum status store_memory_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error);
enum status store_sqlite_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error);
/* Takes the whole of options->url. */
enum status store_postgres_open(struct store **store, const char *location,
                                const struct store_options *options, struct error *error);

#endif
