#include "base/check.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "store/store_ops.h"

static const struct {
    const char *scheme;
    enum status (*open)(struct store **, const char *, const struct store_options *,
                        struct error *);
} back_ends[] = {
    {"sqlite:", store_sqlite_open},
    {"memory:", store_memory_open},
    {"postgres://", store_postgres_open},
    {"postgresql://", store_postgres_open},
};

enum status store_finish(enum status status, const char *doing, struct error *error) {
    if (status == STATUS_OK || status == STATUS_CONFLICT || status == STATUS_NOT_FOUND)
        return status;
    if (status != STATUS_INVALID)
        metrics_add(METRIC_STORE_ERRORS, 1);
    return error_wrap(error, "%s", doing);
}

enum status store_open(struct store **store, const struct store_options *options,
                       struct error *error) {
    check(store != NULL && options != NULL && options->url != NULL && options->clock != NULL);
    struct text url = text_of(options->url);
    for (size_t i = 0; i < sizeof back_ends / sizeof back_ends[0]; i++) {
        struct text scheme = text_of(back_ends[i].scheme);
        if (text_starts_with(url, back_ends[i].scheme))
            return store_finish(back_ends[i].open(store, url.data + scheme.len, options, error),
                                "open store", error);
    }
    return error_set(error, STATUS_INVALID,
                     "open store: STORE_URL must be sqlite:FILE, postgres://… or memory:");
}

void store_close(struct store *store) {
    if (store != NULL)
        store->ops->close(store);
}

const char *store_kind(const struct store *store) {
    check(store != NULL);
    return store->ops->kind;
}

enum status store_session_open(struct store_session **session, struct store *store,
                               struct error *error) {
    check(session != NULL && store != NULL);
    return store_finish(store->ops->session_open(session, store, error), "open store session",
                        error);
}

void store_session_close(struct store_session *session) {
    if (session != NULL)
        session->store->ops->session_close(session);
}

enum status store_insert(struct store_session *session, const struct message_draft *drafts,
                         size_t count, struct message_id *ids, struct error *error) {
    check(session != NULL && drafts != NULL && ids != NULL);
    check(count > 0 && count <= STORE_INSERT_MESSAGES_MAX);
    int64_t start_us = clock_monotonic_us(&clock_system);
    enum status status = session->store->ops->insert(session, drafts, count, ids, error);
    metrics_observe_us(METRIC_INSERT_SECONDS, clock_monotonic_us(&clock_system) - start_us);
    return store_finish(status, "insert messages", error);
}

enum status store_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                            struct error *error) {
    check(session != NULL && keys != NULL && count > 0);
    return store_finish(session->store->ops->find_keys(session, keys, count, error), "find keys",
                        error);
}

static void note_claim(const struct claim_result *result) {
    if (result->taken_over > 0) {
        metrics_add(METRIC_LEASE_TAKEOVERS, result->taken_over);
        log_warn("messages taken over from a claim whose owner is gone",
                 LOG_INT("messages", result->taken_over));
    }
    if (result->claim == NULL)
        return;
    result->claim->unsettled = result->claim->count;
    metrics_add(METRIC_CLAIMED, result->claim->count);
}

enum status store_claim(struct store_session *session, const struct claim_request *request,
                        struct claim_result *result, struct error *error) {
    check(session != NULL && request != NULL && result != NULL);
    check(request->messages_max > 0 && request->messages_max <= CLAIM_MESSAGES_MAX);
    check(request->lease_ms > 0);
    *result = (struct claim_result){.next_due_in_ms = -1};
    int64_t start_us = clock_monotonic_us(&clock_system);
    enum status status = session->store->ops->claim(session, request, result, error);
    metrics_observe_us(METRIC_CLAIM_SECONDS, clock_monotonic_us(&clock_system) - start_us);
    if (status == STATUS_OK)
        note_claim(result);
    return store_finish(status, "claim messages", error);
}

static void mark_settled(const struct settlement *settlement, bool settled) {
    for (size_t i = 0; i < settlement->count; i++) {
        size_t index = settlement->indexes[i];
        check(index < settlement->claim->count && settlement->claim->settled[index] != settled);
        settlement->claim->settled[index] = settled;
    }
}

static void count_outcomes(const struct settlement *settlement) {
    static const enum metric_counter counters[] = {
        [OUTCOME_SENT] = METRIC_SENT,         [OUTCOME_RETRY] = METRIC_RETRIED,
        [OUTCOME_FAILED] = METRIC_FAILED,     [OUTCOME_EXPIRED] = METRIC_EXPIRED,
        [OUTCOME_RELEASED] = METRIC_RELEASED,
    };
    uint64_t sums[sizeof counters / sizeof counters[0]] = {0};
    for (size_t i = 0; i < settlement->count; i++)
        sums[settlement->outcomes[i]->kind]++;
    for (size_t kind = 0; kind < sizeof counters / sizeof counters[0]; kind++)
        if (sums[kind] > 0)
            metrics_add(counters[kind], sums[kind]);
}

static void note_settlement(const struct settlement *settlement) {
    settlement->claim->unsettled -= settlement->count;
    if (!settlement->conflict) {
        count_outcomes(settlement);
        return;
    }
    metrics_add(METRIC_LEASE_CONFLICTS, settlement->count);
    log_warn("outcomes refused: the claim was taken over by someone else",
             LOG_INT("claim", settlement->claim->id), LOG_INT("messages", settlement->count));
}

enum status store_settle(struct store_session *session, struct settlement *settlements,
                         size_t count, struct error *error) {
    check(session != NULL && settlements != NULL && count > 0);
    for (size_t i = 0; i < count; i++) {
        settlements[i].conflict = false;
        mark_settled(&settlements[i], true);
    }
    int64_t start_us = clock_monotonic_us(&clock_system);
    enum status status = session->store->ops->settle(session, settlements, count, error);
    metrics_observe_us(METRIC_SETTLE_SECONDS, clock_monotonic_us(&clock_system) - start_us);
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK)
            note_settlement(&settlements[i]);
        else
            mark_settled(&settlements[i], false);
    }
    return store_finish(status, "settle messages", error);
}

enum status store_extend(struct store_session *session, const struct claim *claim, int64_t lease_ms,
                         struct error *error) {
    check(session != NULL && claim != NULL && lease_ms > 0);
    return store_finish(session->store->ops->extend(session, claim, lease_ms, error),
                        "extend lease", error);
}

enum status store_get(struct store_session *session, struct text id, struct arena *arena,
                      struct message *message, struct error *error) {
    check(session != NULL && arena != NULL && message != NULL);
    if (id.len == 0 || id.len > MESSAGE_ID_BYTES_MAX)
        return error_set(error, STATUS_NOT_FOUND, "there is no message with this id");
    return store_finish(session->store->ops->get(session, id, arena, message, error), "get message",
                        error);
}

enum status store_attempts(struct store_session *session, struct text id, struct arena *arena,
                           struct attempt_list *attempts, struct error *error) {
    check(session != NULL && arena != NULL && attempts != NULL);
    *attempts = (struct attempt_list){0};
    return store_finish(session->store->ops->attempts(session, id, arena, attempts, error),
                        "get attempts", error);
}

enum status store_depth(struct store_session *session, struct store_depth *depth,
                        struct error *error) {
    check(session != NULL && depth != NULL);
    *depth = (struct store_depth){.oldest_due_age_ms = -1};
    return store_finish(session->store->ops->depth(session, depth, error), "count messages", error);
}

enum status store_version(struct store *store, struct store_version *version, struct error *error) {
    check(store != NULL && version != NULL);
    return store_finish(store->ops->version(store, version, error), "read schema version", error);
}

enum status store_migrate_up(struct store *store, struct buffer *report, struct error *error) {
    check(store != NULL && report != NULL);
    return store_finish(store->ops->migrate_up(store, report, error), "migrate up", error);
}

enum status store_migrate_down(struct store *store, struct buffer *report, struct error *error) {
    check(store != NULL && report != NULL);
    return store_finish(store->ops->migrate_down(store, report, error), "migrate down", error);
}

enum status store_migrate_plan(struct store *store, struct buffer *report, struct error *error) {
    check(store != NULL && report != NULL);
    return store_finish(store->ops->migrate_plan(store, report, error), "plan migration", error);
}

bool store_can_watch(const struct store *store) {
    check(store != NULL);
    return store->ops->can_watch != NULL && store->ops->can_watch(store);
}

enum status store_watch_open(struct store_session **session, struct store *store,
                             struct error *error) {
    check(session != NULL && store_can_watch(store));
    return store_finish(store->ops->watch_open(session, store, error), "open store session", error);
}

enum status store_watch(struct store_session *session, int64_t wait_ms, bool *told,
                        struct error *error) {
    check(session != NULL && told != NULL && wait_ms >= 0);
    return store_finish(session->store->ops->watch(session, wait_ms, told, error),
                        "watch for inserts", error);
}

void store_watch_end(struct store_session *session) {
    session->store->ops->watch_end(session);
}
