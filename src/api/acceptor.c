#include "api/acceptor.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/queue.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 1000
#define KEY_TRIES 3
#define EVENTS_AT_ONCE 128

struct acceptor {
    /* set once */
    struct store_session *session;
    struct acceptor_options options;
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
    acceptance->repeated = 0;
    acceptance->created_at_ms = 0;
    acceptance->mismatch = false;
    acceptor->group[acceptor->group_count++] = acceptance;
}

static void publish(const struct acceptor *acceptor, const struct message_id *ids, size_t count) {
    struct event batch[EVENTS_AT_ONCE];
    for (size_t i = 0; i < count && acceptor->options.events != NULL;) {
        size_t gathered = 0;
        for (; i < count && gathered < EVENTS_AT_ONCE; i++)
            batch[gathered++] = (struct event){.kind = EVENT_ACCEPTED, .message = ids[i]};
        events_publish(acceptor->options.events, batch, gathered);
    }
}

static enum status insert(struct acceptor *acceptor, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error) {
    enum status status = store_insert(acceptor->session, drafts, count, ids, error);
    if (status == STATUS_OK) {
        metrics_add(METRIC_ACCEPTED, count);
        acceptor->options.committed(acceptor->options.context);
        publish(acceptor, ids, count);
    } else if (status != STATUS_CONFLICT) {
        log_error("messages were not stored, and their senders told so", LOG_INT("messages", count),
                  LOG_STRING("reason", error->text));
    }
    return status;
}

static bool is_single_with_key(const struct acceptance *acceptance) {
    return acceptance->count == 1 && acceptance->drafts[0].key.len > 0;
}

/* Who sends the same again gets the same answer: so both times it is told from what was kept. */
static void read_created(struct acceptor *acceptor, struct acceptance *const *group, size_t count) {
    struct store_key *keys = memory_zeroed(count, sizeof *keys);
    size_t asked = 0;
    for (size_t i = 0; i < count; i++)
        if (is_single_with_key(group[i]))
            keys[asked++].key = group[i]->drafts[0].key;
    struct error ignored;
    bool read = asked > 0 && store_find_keys(acceptor->session, keys, asked, &ignored) == STATUS_OK;
    asked = 0;
    for (size_t i = 0; i < count && read; i++)
        if (is_single_with_key(group[i]) && keys[asked++].found)
            group[i]->created_at_ms = keys[asked - 1].created_at_ms;
    free(keys);
}

/* Takes out of the group's drafts, which are those of one acceptance, what was inserted before
 * under its key; the places of the others are left in `places`. */
static enum status drop_repeated(struct acceptor *acceptor, struct acceptance *acceptance,
                                 size_t *places, struct error *error) {
    struct store_key *keys = memory_zeroed(acceptance->count, sizeof *keys);
    size_t asked = 0, left = 0;
    for (size_t i = 0; i < acceptance->count; i++)
        if (acceptance->drafts[i].key.len > 0)
            keys[asked++].key = acceptance->drafts[i].key;
    enum status status =
        asked > 0 ? store_find_keys(acceptor->session, keys, asked, error) : STATUS_OK;
    asked = acceptance->repeated = 0;
    for (size_t i = 0; i < acceptance->count && status == STATUS_OK; i++) {
        const struct message_draft *draft = &acceptance->drafts[i];
        const struct store_key *key = draft->key.len > 0 ? &keys[asked++] : NULL;
        if (key == NULL || !key->found) {
            acceptor->drafts[left] = *draft;
            places[left++] = i;
        } else if (text_equal_string(draft->fingerprint, key->fingerprint)) {
            acceptance->ids[i] = key->id;
            acceptance->repeated++;
        } else {
            acceptance->mismatch = true;
        }
    }
    free(keys);
    return status;
}

/* One acceptance, with a look at its keys. Between the look and the insert another process may
 * have used one. */
static enum status commit_one(struct acceptor *acceptor, struct acceptance *acceptance,
                              struct error *error) {
    size_t *places = memory_zeroed(acceptance->count, sizeof *places);
    enum status status = STATUS_CONFLICT;
    for (int tries = 0; tries < KEY_TRIES && status == STATUS_CONFLICT; tries++) {
        status = drop_repeated(acceptor, acceptance, places, error);
        if (status == STATUS_OK && acceptance->mismatch)
            break;
        size_t left = acceptance->count - acceptance->repeated;
        if (status == STATUS_OK && left > 0)
            status = insert(acceptor, acceptor->drafts, left, acceptor->ids, error);
        for (size_t i = 0; i < left && status == STATUS_OK; i++)
            acceptance->ids[places[i]] = acceptor->ids[i];
    }
    if (status == STATUS_CONFLICT)
        status =
            error_set(error, STATUS_INVALID, "two of the messages have the same idempotency key");
    free(places);
    return status;
}

/* One message that the table does not take, or that was inserted before, is no reason to refuse
 * the others. */
static void commit_each(struct acceptor *acceptor) {
    for (size_t i = 0; i < acceptor->group_count; i++) {
        struct acceptance *acceptance = acceptor->group[i];
        struct error error;
        enum status status = commit_one(acceptor, acceptance, &error);
        if (status == STATUS_OK)
            read_created(acceptor, &acceptance, 1);
        acceptance->done(acceptance, status == STATUS_OK ? NULL : &error);
    }
}

static void tell_group(struct acceptor *acceptor, const struct error *error) {
    const struct message_id *ids = acceptor->ids;
    if (error == NULL)
        read_created(acceptor, acceptor->group, acceptor->group_count);
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
    bool by_one = status == STATUS_INVALID && acceptor->group_count > 1;
    if (by_one || status == STATUS_CONFLICT)
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

enum status acceptor_create(struct acceptor **acceptor, const struct acceptor_options *options,
                            struct error *error) {
    check(acceptor != NULL && options->store != NULL && options->committed != NULL);
    struct acceptor *created = memory_zeroed(1, sizeof *created);
    created->options = *options;
    queue_init(&created->waiting, ACCEPTOR_WAITING_MAX);
    enum status status = store_session_open(&created->session, options->store, error);
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
