/* Group commit: inserts that wait at the same time share one transaction. One thread with one
 * store session takes all that is waiting, inserts it, and tells each waiting one; what comes
 * meanwhile is the next group. Nobody is told of success before the commit. */
#ifndef API_ACCEPTOR_H
#define API_ACCEPTOR_H

#include "store/store.h"

/* Waiting inserts beyond this are refused. */
#define ACCEPTOR_WAITING_MAX 8192

struct acceptor;

struct acceptance {
    /* by the caller, unchanged until `done` is called */
    const struct message_draft *drafts;
    size_t count;           /* 1 to STORE_INSERT_MESSAGES_MAX */
    struct message_id *ids; /* room for `count` */
    /* Called once, by the acceptor's thread; the acceptance is then the caller's again. `error` is
     * NULL when all are committed, else none is. */
    void (*done)(struct acceptance *acceptance, const struct error *error);
};

/* `committed` is called, by the acceptor's thread, after every commit that brought messages. */
enum status acceptor_create(struct acceptor **acceptor, struct store *store,
                            void (*committed)(void *context), void *context, struct error *error);
/* Refuses further submits, and returns when all that was submitted has been answered. */
void acceptor_close(struct acceptor *acceptor);
/* Closes it first. */
void acceptor_destroy(struct acceptor *acceptor);
/* False when too many wait, or it is closed: `done` is then not called. */
bool acceptor_submit(struct acceptor *acceptor, struct acceptance *acceptance);

#endif
