#include "base/check.h"
#include "base/memory.h"
#include "dispatcher/orders.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <stdlib.h>

/* After a drain has cut off what was in the air, this long is given to settle it. */
#define DRAIN_SETTLE_MS 5000
#define DAY_MS 86400000

static const char *const state_names[] = {
    [DISPATCHER_STOPPED] = "stopped",
    [DISPATCHER_RUNNING] = "running",
    [DISPATCHER_STOPPING] = "stopping",
    [DISPATCHER_PAUSED] = "paused",
};

const char *dispatcher_state_name(enum dispatcher_state state) {
    check((size_t)state < sizeof state_names / sizeof state_names[0]);
    return state_names[state];
}

void dispatcher_move_to(struct dispatcher *dispatcher, enum dispatcher_state state) {
    dispatcher->state = state;
    dispatcher->resume_us = 0;
    dispatcher->since_ms = clock_wall_ms(dispatcher->options.clock);
    atomic_store(&dispatcher->releasing, state != DISPATCHER_RUNNING);
    metrics_set(METRIC_RUNNING, state == DISPATCHER_RUNNING);
    monitor_signal(&dispatcher->monitor);
    log_info("dispatcher", LOG_STRING("state", state_names[state]),
             LOG_INT("sent", dispatcher->sent), LOG_INT("retried", dispatcher->retried),
             LOG_INT("failed", dispatcher->failed));
}

void dispatcher_reduce_outstanding(struct dispatcher *dispatcher, size_t count) {
    check(count <= dispatcher->outstanding);
    dispatcher->outstanding -= count;
    if (dispatcher->outstanding == 0 && dispatcher->state == DISPATCHER_STOPPING)
        dispatcher_move_to(dispatcher, DISPATCHER_STOPPED);
    if (count > 0)
        monitor_signal(&dispatcher->monitor);
}

void dispatcher_count(struct dispatcher *dispatcher, int64_t sent, int64_t retried,
                      int64_t failed) {
    int64_t now_ms = clock_wall_ms(dispatcher->options.clock);
    if (now_ms / DAY_MS != dispatcher->day) {
        dispatcher->day = now_ms / DAY_MS;
        dispatcher->sent_today = dispatcher->failed_today = 0;
    }
    dispatcher->sent += sent;
    dispatcher->retried += retried;
    dispatcher->failed += failed;
    dispatcher->sent_today += sent;
    dispatcher->failed_today += failed;
    if (sent + retried + failed > 0)
        dispatcher->last_settled_ms = now_ms;
    rates_add(&dispatcher->rates, dispatcher_now_us(), sent);
}

void dispatcher_note_store(struct dispatcher *dispatcher, const struct error *error) {
    monitor_lock(&dispatcher->monitor);
    bool was_well = dispatcher->trouble.status == STATUS_OK;
    if (error != NULL)
        dispatcher->trouble = *error;
    else
        dispatcher->trouble.status = STATUS_OK;
    monitor_unlock(&dispatcher->monitor);
    if (error != NULL)
        log_error("the store does not work", LOG_STRING("reason", error->text));
    else if (!was_well)
        log_info("the store works again", LOG_NONE);
}

static enum status open_sessions(struct dispatcher *dispatcher, struct error *error) {
    struct store *store = dispatcher->options.store;
    enum status status = store_session_open(&dispatcher->claimer_session, store, error);
    if (status == STATUS_OK)
        status = store_session_open(&dispatcher->settler_session, store, error);
    if (status == STATUS_OK && dispatcher->options.generate_interval_ms > 0)
        status = store_session_open(&dispatcher->generator_session, store, error);
    if (status == STATUS_OK && store_can_watch(store))
        status = store_watch_open(&dispatcher->watcher_session, store, error);
    return status;
}

static enum status start_threads(struct dispatcher *dispatcher, struct error *error) {
    static const struct {
        const char *name;
        void (*run)(void *);
    } threads[DISPATCHER_THREADS] = {
        [THREAD_CLAIMER] = {"claimer", claimer_run},
        [THREAD_COURIER] = {"courier", courier_run},
        [THREAD_SETTLER] = {"settler", settler_run},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < DISPATCHER_THREADS && status == STATUS_OK; i++) {
        dispatcher_beat(dispatcher, (enum dispatcher_thread)i);
        status = thread_start(&dispatcher->threads[i], threads[i].name, threads[i].run, dispatcher,
                              error);
    }
    if (status == STATUS_OK && dispatcher->generator_session != NULL)
        status =
            thread_start(&dispatcher->generator, "generator", generator_run, dispatcher, error);
    if (status == STATUS_OK && dispatcher->watcher_session != NULL)
        status = thread_start(&dispatcher->watcher, "watcher", watcher_run, dispatcher, error);
    return status;
}

static size_t most_outstanding(const struct dispatcher_options *options) {
    size_t most = options->max_in_flight * DISPATCHER_CLAIM_AHEAD;
    return most > options->batch_size ? most : options->batch_size;
}

enum status dispatcher_create(struct dispatcher **dispatcher,
                              const struct dispatcher_options *options, struct error *error) {
    check(dispatcher != NULL && options != NULL && options->max_in_flight > 0);
    check(options->lease_ms > sender_timeout_ms(options->sender) + DISPATCHER_LEASE_MARGIN_MS);
    struct dispatcher *created = memory_zeroed(1, sizeof *created);
    created->options = *options;
    created->outstanding_max = most_outstanding(options);
    created->since_ms = clock_wall_ms(options->clock);
    created->next_tick_us = -1;
    atomic_store(&created->releasing, true);
    monitor_init(&created->monitor);
    queue_init(&created->to_courier, created->outstanding_max);
    queue_init(&created->to_settler, created->outstanding_max);
    const struct http_client_options client_options = {
        .exchanges_max = options->max_in_flight,
        .connections_max = options->max_in_flight,
    };
    enum status status = http_client_create(&created->client, &client_options, error);
    if (status == STATUS_OK)
        status = open_sessions(created, error);
    if (status == STATUS_OK)
        status = start_threads(created, error);
    if (status != STATUS_OK) {
        dispatcher_destroy(created);
        return error_wrap(error, "start the dispatcher");
    }
    *dispatcher = created;
    return STATUS_OK;
}

static void drop_all(struct queue *queue) {
    void *item;
    while (queue_pop(queue, &item, 1, 0) > 0)
        continue;
    queue_deinit(queue);
}

static void join_threads(struct dispatcher *dispatcher) {
    monitor_lock(&dispatcher->monitor);
    dispatcher->ending = true;
    monitor_signal(&dispatcher->monitor);
    monitor_unlock(&dispatcher->monitor);
    queue_close(&dispatcher->to_courier);
    if (dispatcher->client != NULL)
        http_client_wake(dispatcher->client);
    /* The settler's queue stays open until nobody pushes into it any more. */
    thread_join(&dispatcher->threads[THREAD_CLAIMER]);
    thread_join(&dispatcher->threads[THREAD_COURIER]);
    queue_close(&dispatcher->to_settler);
    thread_join(&dispatcher->threads[THREAD_SETTLER]);
    thread_join(&dispatcher->generator);
    if (dispatcher->watcher_session != NULL)
        store_watch_end(dispatcher->watcher_session);
    thread_join(&dispatcher->watcher);
}

void dispatcher_destroy(struct dispatcher *dispatcher) {
    if (dispatcher == NULL)
        return;
    join_threads(dispatcher);
    orders_drop(dispatcher);
    orders_abandon(dispatcher);
    drop_all(&dispatcher->to_courier);
    drop_all(&dispatcher->to_settler);
    for (struct batch *batch = dispatcher->batches; batch != NULL;) {
        struct batch *next = batch->next;
        batch_destroy(batch);
        batch = next;
    }
    http_client_destroy(dispatcher->client);
    store_session_close(dispatcher->claimer_session);
    store_session_close(dispatcher->settler_session);
    store_session_close(dispatcher->generator_session);
    store_session_close(dispatcher->watcher_session);
    monitor_deinit(&dispatcher->monitor);
    free(dispatcher);
}

enum status dispatcher_start(struct dispatcher *dispatcher, struct error *error) {
    monitor_lock(&dispatcher->monitor);
    enum status status = STATUS_OK;
    if (dispatcher->state == DISPATCHER_RUNNING) {
        status = error_set(error, STATUS_CONFLICT, "the dispatcher is already running");
    } else if (dispatcher->draining) {
        status = error_set(error, STATUS_CONFLICT, "the program is about to end");
    } else {
        dispatcher->started = true;
        dispatcher->last_claim_us = dispatcher_now_us();
        dispatcher_move_to(dispatcher, DISPATCHER_RUNNING);
    }
    monitor_unlock(&dispatcher->monitor);
    return status;
}

enum status dispatcher_stop(struct dispatcher *dispatcher, struct error *error) {
    monitor_lock(&dispatcher->monitor);
    enum status status = STATUS_OK;
    if (dispatcher->state == DISPATCHER_STOPPED)
        status = error_set(error, STATUS_CONFLICT, "the dispatcher is not running");
    else if (dispatcher->state == DISPATCHER_STOPPING)
        status = error_set(error, STATUS_CONFLICT, "the dispatcher is stopping already");
    else
        dispatcher_move_to(dispatcher,
                           dispatcher->outstanding > 0 ? DISPATCHER_STOPPING : DISPATCHER_STOPPED);
    dispatcher->next_tick_us = -1;
    monitor_unlock(&dispatcher->monitor);
    http_client_wake(dispatcher->client);
    return status;
}

enum status dispatcher_pause(struct dispatcher *dispatcher, int64_t wait_ms, struct error *error) {
    check(dispatcher != NULL && wait_ms >= 0);
    monitor_lock(&dispatcher->monitor);
    enum status status = STATUS_OK;
    if (dispatcher->state != DISPATCHER_RUNNING && dispatcher->state != DISPATCHER_PAUSED)
        status = error_set(error, STATUS_CONFLICT, "the dispatcher is not running");
    else
        dispatcher_move_to(dispatcher, DISPATCHER_PAUSED);
    if (status == STATUS_OK && wait_ms > 0)
        dispatcher->resume_us = dispatcher_now_us() + wait_ms * 1000;
    dispatcher->next_tick_us = -1;
    monitor_unlock(&dispatcher->monitor);
    http_client_wake(dispatcher->client);
    return status;
}

/* Returns how many are left when the time is over. */
static size_t wait_until_settled(struct dispatcher *dispatcher, int64_t wait_ms) {
    int64_t end_us = dispatcher_now_us() + wait_ms * 1000;
    monitor_lock(&dispatcher->monitor);
    while (dispatcher->outstanding > 0 && dispatcher_now_us() < end_us)
        monitor_wait_for(&dispatcher->monitor, end_us - dispatcher_now_us());
    size_t left = dispatcher->outstanding;
    monitor_unlock(&dispatcher->monitor);
    return left;
}

size_t dispatcher_drain(struct dispatcher *dispatcher, int64_t grace_ms) {
    check(dispatcher != NULL && grace_ms >= 0);
    struct error ignored;
    monitor_lock(&dispatcher->monitor);
    dispatcher->draining = true;
    monitor_unlock(&dispatcher->monitor);
    dispatcher_stop(dispatcher, &ignored);
    orders_drop(dispatcher);
    size_t left = wait_until_settled(dispatcher, grace_ms);
    if (left == 0)
        return 0;
    log_warn("the grace period is over; requests in the air are cut off",
             LOG_INT("messages", left));
    atomic_store(&dispatcher->cutting, true);
    http_client_wake(dispatcher->client);
    left = wait_until_settled(dispatcher, DRAIN_SETTLE_MS);
    if (left > 0)
        orders_abandon(dispatcher);
    return left;
}

void dispatcher_wake(struct dispatcher *dispatcher) {
    monitor_lock(&dispatcher->monitor);
    if (!dispatcher->woken)
        monitor_signal(&dispatcher->monitor);
    dispatcher->woken = true;
    monitor_unlock(&dispatcher->monitor);
}

void dispatcher_get_status(struct dispatcher *dispatcher, struct dispatcher_status *status) {
    check(dispatcher != NULL && status != NULL);
    int64_t now_us = dispatcher_now_us();
    monitor_lock(&dispatcher->monitor);
    *status = (struct dispatcher_status){
        .state = dispatcher->state,
        .since_ms = dispatcher->since_ms,
        .in_flight = (int64_t)atomic_load(&dispatcher->in_air),
        .claimed = (int64_t)dispatcher->outstanding,
        .next_batch_in_ms = -1,
        .sent = dispatcher->sent,
        .retried = dispatcher->retried,
        .failed = dispatcher->failed,
        .resumes_in_ms = dispatcher->resume_us > 0 ? (dispatcher->resume_us - now_us) / 1000 : -1,
        .last_settled_ms = dispatcher->last_settled_ms,
        .interval_ms = dispatcher->options.interval_ms,
        .batch_size = (int64_t)dispatcher->options.batch_size,
        .sent_per_s_1m = rates_per_second(&dispatcher->rates, now_us, 60),
        .sent_per_s_5m = rates_per_second(&dispatcher->rates, now_us, 300),
    };
    if (clock_wall_ms(dispatcher->options.clock) / DAY_MS == dispatcher->day) {
        status->sent_today = dispatcher->sent_today;
        status->failed_today = dispatcher->failed_today;
    }
    int64_t wait_us = dispatcher->next_tick_us - now_us;
    if (dispatcher->next_tick_us >= 0)
        status->next_batch_in_ms = wait_us > 0 ? wait_us / 1000 : 0;
    monitor_unlock(&dispatcher->monitor);
}

static enum status find_standing_thread(const struct dispatcher *dispatcher, int64_t now_us,
                                        struct error *error) {
    static const char *const names[] = {"claimer", "courier", "settler"};
    for (size_t i = 0; i < DISPATCHER_THREADS; i++) {
        int64_t still_ms = (now_us - atomic_load(&dispatcher->heartbeat_us[i])) / 1000;
        if (still_ms > DISPATCHER_STALL_MS)
            return error_set(error, STATUS_TIMEOUT, "the %s has not moved for %lld s", names[i],
                             (long long)still_ms / 1000);
    }
    return STATUS_OK;
}

bool dispatcher_is_healthy(struct dispatcher *dispatcher, const struct store_depth *depth,
                           struct error *error) {
    check(dispatcher != NULL && depth != NULL && error != NULL);
    int64_t now_us = dispatcher_now_us();
    if (find_standing_thread(dispatcher, now_us, error) != STATUS_OK)
        return false;
    monitor_lock(&dispatcher->monitor);
    struct error trouble = dispatcher->trouble;
    int64_t idle_ms = (now_us - dispatcher->last_claim_us) / 1000;
    bool running = dispatcher->state == DISPATCHER_RUNNING;
    bool has_room = dispatcher->outstanding < dispatcher->outstanding_max;
    monitor_unlock(&dispatcher->monitor);
    if (trouble.status != STATUS_OK) {
        *error = trouble;
        return false;
    }
    int64_t longest_ms = DISPATCHER_STALL_MS + dispatcher->options.interval_ms;
    if (!running || !has_room || idle_ms < longest_ms || depth->oldest_due_age_ms < longest_ms)
        return true;
    error_set(error, STATUS_TIMEOUT,
              "stuck: a message has been due for %lld s and nothing was claimed for %lld s",
              (long long)depth->oldest_due_age_ms / 1000, (long long)idle_ms / 1000);
    return false;
}
