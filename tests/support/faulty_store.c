#include "support/faulty_store.h"

#include "base/check.h"
#include "store/store_ops.h"

static struct faults *injected;
static const struct store_ops *real;
static struct store_ops faulty;

/* True when there was one left to take. */
static bool take(_Atomic int *left) {
    int before = atomic_load(left);
    while (before > 0)
        if (atomic_compare_exchange_weak(left, &before, before - 1))
            return true;
    return false;
}

static bool fails(_Atomic int *left) {
    if (atomic_load(left) == 0 || take(&injected->spared) || !take(left))
        return false;
    atomic_fetch_add(&injected->failed, 1);
    return true;
}

static enum status insert(struct store_session *session, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error) {
    if (fails(&injected->inserts))
        return error_set(error, STATUS_FULL, "injected");
    return real->insert(session, drafts, count, ids, error);
}

static enum status claim(struct store_session *session, const struct claim_request *request,
                         struct claim_result *result, struct error *error) {
    if (fails(&injected->claims))
        return error_set(error, STATUS_UNAVAILABLE, "injected");
    return real->claim(session, request, result, error);
}

static enum status settle(struct store_session *session, struct settlement *settlements,
                          size_t count, struct error *error) {
    if (fails(&injected->settles))
        return error_set(error, STATUS_FULL, "injected");
    if (!fails(&injected->conflicts))
        return real->settle(session, settlements, count, error);
    for (size_t i = 0; i < count; i++)
        settlements[i].conflict = true;
    return STATUS_OK;
}

struct store *faulty_store_open(struct faults *faults) {
    struct store *store = NULL;
    struct error error;
    const struct store_options options = {.url = "memory:", .clock = &clock_system};
    enum status status = store_open(&store, &options, &error);
    check(status == STATUS_OK);
    injected = faults;
    real = store->ops;
    faulty = *real;
    faulty.insert = insert;
    faulty.claim = claim;
    faulty.settle = settle;
    store->ops = &faulty;
    return store;
}
