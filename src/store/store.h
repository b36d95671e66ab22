/* Where messages are kept: the contract of all stores.
 *
 * A `struct store` may be shared by threads. What works on it is a `struct store_session`, which
 * belongs to one thread at a time. All calls block, and are shaped for batches, so that hundreds
 * of messages share one round trip and one commit. When a call returns STATUS_OK its effect is
 * durable (the memory store aside); when it fails, nothing of it has happened, except where it is
 * said otherwise. Time is the store's: callers give and get durations.
 *
 * Failures: STATUS_UNAVAILABLE (away or busy), STATUS_FULL (no space), STATUS_BROKEN (corrupt, or
 * a schema this program does not know) — for each, the session can be used again at once. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"
#include "message/outcome.h"
#include "store/claim.h"

#define STORE_INSERT_MESSAGES_MAX 100000
#define STORE_KEY_AGE_MS ((int64_t)24 * 3600 * 1000)

struct store;
struct store_session;

#define STORE_TABLE "messages"
#define STORE_TIMEOUT_MS 10000

enum store_migrate {
    STORE_MIGRATE_DEFAULT, /* always where the store is this program's alone, else never */
    STORE_MIGRATE_ALWAYS,  /* to this program's schema */
    STORE_MIGRATE_NEVER,   /* STATUS_BROKEN where the schema is another */
};

struct store_options {
    const char *url;           /* "sqlite:FILE", "memory:", "postgres://…" */
    const struct clock *clock; /* the store's clock, where the back end has none of its own */
    bool leave_schema;         /* open without migrating or checking the schema */
    enum store_migrate migrate;
    /* For servers only. */
    int64_t timeout_ms; /* of one operation; 0: STORE_TIMEOUT_MS */
    bool pooled;        /* connections are shared by transactions; nothing may be kept in them */
    bool listen;        /* offer store_watch */
    /* The table, and its columns where they are not to be found; NULL as "". */
    const char *table; /* NULL: STORE_TABLE */
    const char *column_id, *column_recipient, *column_content, *column_sent, *column_created_at;
};

/* `*store` is the caller's to close, after all sessions. */
enum status store_open(struct store **store, const struct store_options *options,
                       struct error *error);
void store_close(struct store *store);
/* "sqlite", "memory", "postgres" */
const char *store_kind(const struct store *store);

/* `*session` is the caller's to close. */
enum status store_session_open(struct store_session **session, struct store *store,
                               struct error *error);
/* NULL is passed over. Claims made with it stay. */
void store_session_close(struct store_session *session);

/* Inserts all drafts or none. Fills `ids`, rising in the order of the drafts; they are later than
 * those of every insert that has returned before. The drafts must keep the rules of message.h.
 * STATUS_INVALID: a rule of the table itself, where somebody else made it, refuses one of them.
 * STATUS_CONFLICT: the key of one of them is there already, or twice among them. Keys are kept for
 * STORE_KEY_AGE_MS at least. */
enum status store_insert(struct store_session *session, const struct message_draft *drafts,
                         size_t count, struct message_id *ids, struct error *error);

struct store_key {
    struct text key;
    /* out, where it is found; a fingerprint that is longer than ours is cut */
    bool found;
    char fingerprint[MESSAGE_FINGERPRINT_BYTES_MAX + 1];
    struct message_id id;
    int64_t created_at_ms;
};

/* Which messages were inserted under these keys; what is not found is no error. */
enum status store_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                            struct error *error);

struct claim_request {
    size_t messages_max; /* 1 to CLAIM_MESSAGES_MAX */
    int64_t lease_ms;
};

struct claim_result {
    struct claim *claim;    /* the caller's to destroy; NULL when nothing is due */
    int64_t next_due_in_ms; /* until the next retry or expiring lease; negative: none is known */
    size_t taken_over;      /* messages that came back from claims of others whose time was over */
};

/* Claims what is due, in order of priority (higher first), then id. Messages of claims whose
 * lease is over, or whose owner is known to be dead, are first given back, each with one attempt
 * counted and recorded as lease_expired, because the request may have been made; that alone never
 * fails a message. */
enum status store_claim(struct store_session *session, const struct claim_request *request,
                        struct claim_result *result, struct error *error);

/* Outcomes of one claim's messages: outcomes[i] is that of message indexes[i]. */
struct settlement {
    struct claim *claim; /* borrowed */
    const size_t *indexes;
    const struct outcome *const *outcomes;
    size_t count;
    bool conflict; /* out: the claim was lost, and nothing of this settlement was written */
};

/* Settles all settlements in one transaction; each message of a claim once. A claim whose last
 * message is settled ends. A message that was deleted meanwhile is passed over. */
enum status store_settle(struct store_session *session, struct settlement *settlements,
                         size_t count, struct error *error);

/* The lease then ends `lease_ms` from now. STATUS_CONFLICT: the claim was lost. */
enum status store_extend(struct store_session *session, const struct claim *claim, int64_t lease_ms,
                         struct error *error);

/* Reads. What they fill lives in `arena`. A message that a claim names shows as sending, until it
 * is settled or taken over: a lease that is over ends a claim only when somebody does take it. */
enum status store_get(struct store_session *session, struct text id, struct arena *arena,
                      struct message *message, struct error *error);
struct attempt_list {
    struct attempt *items;
    size_t count;
};

/* The failed attempts of a message, oldest first; none is no error. */
enum status store_attempts(struct store_session *session, struct text id, struct arena *arena,
                           struct attempt_list *attempts, struct error *error);

struct store_depth {
    int64_t messages[MESSAGE_STATES];
    int64_t oldest_due_age_ms; /* of what is due and unclaimed, since created; negative: none is */
};

/* Cheap: costs do not grow with the messages that are done. */
enum status store_depth(struct store_session *session, struct store_depth *depth,
                        struct error *error);

/* Versions of the schema. A store without one (memory) knows version 0 only. */
struct store_version {
    int64_t current; /* of the data */
    int64_t known;   /* the newest that this program knows */
};

/* What is there, and what this program would make of it. */
enum status store_version(struct store *store, struct store_version *version, struct error *error);
/* Up to the newest version, or one version down; each step in a transaction of its own. What was
 * done is appended to `report`, a line a step. */
enum status store_migrate_up(struct store *store, struct buffer *report, struct error *error);
enum status store_migrate_down(struct store *store, struct buffer *report, struct error *error);
/* Appends the SQL that store_migrate_up would run, and changes nothing. */
enum status store_migrate_plan(struct store *store, struct buffer *report, struct error *error);

/* Being told when others insert. A session of this kind does nothing else. */
bool store_can_watch(const struct store *store);
enum status store_watch_open(struct store_session **session, struct store *store,
                             struct error *error);
/* Waits for at most `wait_ms`. `*told`: something was inserted, or may have been while the store
 * could not be reached. A failure waits as long, so that callers need not. */
enum status store_watch(struct store_session *session, int64_t wait_ms, bool *told,
                        struct error *error);
/* Ends a watch that is under way, or else the next one. From any thread. */
void store_watch_end(struct store_session *session);

#endif
