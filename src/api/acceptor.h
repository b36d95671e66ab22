/* Group commit: inserts that wait at the same time share one transaction. One thread with one
 * store session takes all that is waiting, inserts it, and tells each waiting one; what comes
 * meanwhile is the next group. Nobody is told of success before the commit. */
#ifndef API_ACCEPTOR_H
#define API_ACCEPTOR_H

#include "dispatcher/events.h"
#include "store/store.h"

/* Waiting inserts beyond this are refused. */
#define ACCEPTOR_WAITING_MAX 8192

struct acceptor;

struct acceptance {
    /* by the caller, unchanged until `done` is called */
    const struct message_draft *drafts;
    size_t count;           /* 1 to STORE_INSERT_MESSAGES_MAX */
    struct message_id *ids; /* room for `count` */
    /* by the acceptor, before `done` */
    size_t
        repeated; /* of them were there already, under their keys; their ids are the first ones */
    int64_t created_at_ms; /* of a single message with a key; 0: not known */
    bool mismatch;         /* a key was there with another fingerprint; nothing was inserted */
    /* Called once, by the acceptor's thread; the acceptance is then the caller's again. `error` is
     * NULL when all are committed, else none is. */
    void (*done)(struct acceptance *acceptance, const struct error *error);
};

struct acceptor_options {
    struct store *store;   /* borrowed */
    struct events *events; /* borrowed; NULL: nobody is told */
    /* Called, by the acceptor's thread, after every commit that brought messages. */
    void (*committed)(void *context);
    void *context;
};

/* `options` is copied. The acceptor is the caller's to destroy. */
enum status acceptor_create(struct acceptor **acceptor, const struct acceptor_options *options,
                            struct error *error);
/* Refuses further submits, and returns when all that was submitted has been answered. */
void acceptor_close(struct acceptor *acceptor);
/* Closes it first. */
void acceptor_destroy(struct acceptor *acceptor);
/* False when too many wait, or it is closed: `done` is then not called. */
bool acceptor_submit(struct acceptor *acceptor, struct acceptance *acceptance);

#endif
