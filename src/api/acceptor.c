#include "api/acceptor.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/queue.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 1000

struct acceptor {
    /* set once */
    struct store_session *session;
    void (*committed)(void *context);
    void *context;
    struct thread thread;
    struct queue waiting;
    /* the thread's: one group, gathered into one insert */
    struct acceptance *group[GROUP_MAX];
    size_t group_count;
    struct message_draft *drafts;
    struct message_id *ids;
    size_t size; /* of both */
    size_t count;
};

static void make_room(struct acceptor *acceptor, size_t count) {
    if (count <= acceptor->size)
        return;
    acceptor->size = count * 2;
    acceptor->drafts = memory_resize(acceptor->drafts, acceptor->size, sizeof *acceptor->drafts);
    acceptor->ids = memory_resize(acceptor->ids, acceptor->size, sizeof *acceptor->ids);
}

static void add_to_group(struct acceptor *acceptor, struct acceptance *acceptance) {
    make_room(acceptor, acceptor->count + acceptance->count);
    memcpy(acceptor->drafts + acceptor->count, acceptance->drafts,
           acceptance->count * sizeof *acceptance->drafts);
    acceptor->count += acceptance->count;
    acceptor->group[acceptor->group_count++] = acceptance;
}

static enum status insert(struct acceptor *acceptor, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error) {
    enum status status = store_insert(acceptor->session, drafts, count, ids, error);
    if (status == STATUS_OK) {
        metrics_add(METRIC_ACCEPTED, count);
        acceptor->committed(acceptor->context);
    } else {
        log_error("messages were not stored, and their senders told so", LOG_INT("messages", count),
                  LOG_STRING("reason", error->text));
    }
    return status;
}

/* One message that the table does not take is no reason to refuse the others. */
static void commit_each(struct acceptor *acceptor) {
    for (size_t i = 0; i < acceptor->group_count; i++) {
        struct acceptance *acceptance = acceptor->group[i];
        struct error error;
        enum status status =
            insert(acceptor, acceptance->drafts, acceptance->count, acceptance->ids, &error);
        acceptance->done(acceptance, status == STATUS_OK ? NULL : &error);
    }
}

static void tell_group(struct acceptor *acceptor, const struct error *error) {
    const struct message_id *ids = acceptor->ids;
    for (size_t i = 0; i < acceptor->group_count; i++) {
        struct acceptance *acceptance = acceptor->group[i];
        size_t count = acceptance->count;
        memcpy(acceptance->ids, ids, count * sizeof *ids);
        acceptance->done(acceptance, error);
        ids += count;
    }
}

static void commit_group(struct acceptor *acceptor) {
    struct error error;
    enum status status = insert(acceptor, acceptor->drafts, acceptor->count, acceptor->ids, &error);
    if (status == STATUS_INVALID && acceptor->group_count > 1)
        commit_each(acceptor);
    else
        tell_group(acceptor, status == STATUS_OK ? NULL : &error);
    acceptor->count = acceptor->group_count = 0;
}

static void run(void *argument) {
    struct acceptor *acceptor = argument;
    void *items[GROUP_MAX];
    for (size_t popped; (popped = queue_pop(&acceptor->waiting, items, GROUP_MAX, -1)) > 0;) {
        for (size_t i = 0; i < popped; i++) {
            struct acceptance *next = items[i];
            if (acceptor->count + next->count > STORE_INSERT_MESSAGES_MAX)
                commit_group(acceptor);
            add_to_group(acceptor, next);
        }
        commit_group(acceptor);
    }
}

enum status acceptor_create(struct acceptor **acceptor, struct store *store,
                            void (*committed)(void *context), void *context, struct error *error) {
    check(acceptor != NULL && store != NULL && committed != NULL);
    struct acceptor *created = memory_zeroed(1, sizeof *created);
    created->committed = committed;
    created->context = context;
    queue_init(&created->waiting, ACCEPTOR_WAITING_MAX);
    enum status status = store_session_open(&created->session, store, error);
    if (status == STATUS_OK)
        status = thread_start(&created->thread, "acceptor", run, created, error);
    if (status != STATUS_OK)
        acceptor_destroy(created);
    else
        *acceptor = created;
    return status;
}

void acceptor_close(struct acceptor *acceptor) {
    queue_close(&acceptor->waiting);
    thread_join(&acceptor->thread);
}

void acceptor_destroy(struct acceptor *acceptor) {
    if (acceptor == NULL)
        return;
    acceptor_close(acceptor);
    queue_deinit(&acceptor->waiting);
    store_session_close(acceptor->session);
    free(acceptor->drafts);
    free(acceptor->ids);
    free(acceptor);
}

bool acceptor_submit(struct acceptor *acceptor, struct acceptance *acceptance) {
    check(acceptance->count > 0 && acceptance->count <= STORE_INSERT_MESSAGES_MAX);
    return queue_push(&acceptor->waiting, acceptance);
}
