/* The settler: gathers outcomes, writes them in one transaction, and keeps the leases of what is
 * still unsettled from running out. */
#include "base/check.h"
#include "dispatcher/events.h"
#include "dispatcher/orders.h"
#include "dispatcher/remembered.h"
#include "log/log.h"

#include <stdlib.h>

#define SETTLE_MESSAGES_MAX 1000
#define EVENTS_AT_ONCE 128
#define SETTLE_RETRY_US_MIN 50000
#define SETTLE_RETRY_US_MAX 1000000

struct settler {
    struct dispatcher *dispatcher;
    int64_t usable_us;      /* of a lease: what is left of it beyond one attempt */
    int64_t next_extend_us; /* when to look at the leases again */
    /* one round */
    struct delivery *deliveries[SETTLE_MESSAGES_MAX];
    size_t indexes[SETTLE_MESSAGES_MAX];
    const struct outcome *outcomes[SETTLE_MESSAGES_MAX];
    struct settlement settlements[SETTLE_MESSAGES_MAX];
    struct batch *batches[SETTLE_MESSAGES_MAX]; /* of the settlements */
    size_t count, settlement_count, courier_count;
};

/* By batch, and in the order of ids within it, so that all settlers lock rows in one order. */
static int compare(const void *a, const void *b) {
    const struct delivery *left = *(struct delivery *const *)a;
    const struct delivery *right = *(struct delivery *const *)b;
    if (left->batch != right->batch)
        return left->batch < right->batch ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static bool came_from_courier(const struct delivery *delivery) {
    const struct outcome *outcome = &delivery->outcome;
    return outcome->kind != OUTCOME_RELEASED && outcome->attempt.class != ATTEMPT_INVALID &&
           outcome->attempt.class != ATTEMPT_EXPIRED && !remembered_decided(delivery);
}

/* Sorts the round's deliveries into one settlement per batch. */
static void group(struct settler *settler) {
    qsort(settler->deliveries, settler->count, sizeof settler->deliveries[0], compare);
    settler->settlement_count = settler->courier_count = 0;
    struct settlement *current = NULL;
    const struct batch *batch = NULL;
    for (size_t i = 0; i < settler->count; i++) {
        const struct delivery *delivery = settler->deliveries[i];
        settler->indexes[i] = delivery->index;
        settler->outcomes[i] = &delivery->outcome;
        settler->courier_count += came_from_courier(delivery);
        if (delivery->batch != batch) {
            batch = delivery->batch;
            settler->batches[settler->settlement_count] = delivery->batch;
            current = &settler->settlements[settler->settlement_count++];
            *current = (struct settlement){.claim = batch->claim,
                                           .indexes = &settler->indexes[i],
                                           .outcomes = &settler->outcomes[i]};
        }
        check(current != NULL);
        current->count++;
    }
}

static void set_failing(struct dispatcher *dispatcher, bool failing, const struct error *error) {
    dispatcher_note_store(dispatcher, error);
    monitor_lock(&dispatcher->monitor);
    if (dispatcher->settling_fails != failing)
        monitor_signal(&dispatcher->monitor);
    dispatcher->settling_fails = failing;
    monitor_unlock(&dispatcher->monitor);
}

static bool is_ending(struct dispatcher *dispatcher) {
    monitor_lock(&dispatcher->monitor);
    bool ending = dispatcher->ending;
    monitor_unlock(&dispatcher->monitor);
    return ending;
}

/* Waits without holding anything; ends early when the dispatcher is to end. */
static void pause_for(struct dispatcher *dispatcher, int64_t wait_us) {
    int64_t end_us = dispatcher_now_us() + wait_us;
    monitor_lock(&dispatcher->monitor);
    while (!dispatcher->ending &&
           monitor_wait_for(&dispatcher->monitor, end_us - dispatcher_now_us()))
        continue;
    monitor_unlock(&dispatcher->monitor);
}

/* Tries until the store takes it: outcomes are the one thing that only this process knows. False
 * when the dispatcher ended first. */
static bool settle(struct settler *settler) {
    struct dispatcher *dispatcher = settler->dispatcher;
    struct error error;
    int64_t pause_us = SETTLE_RETRY_US_MIN;
    while (store_settle(dispatcher->settler_session, settler->settlements,
                        settler->settlement_count, &error) != STATUS_OK) {
        set_failing(dispatcher, true, &error);
        dispatcher_beat(dispatcher, THREAD_SETTLER);
        if (is_ending(dispatcher)) {
            log_error("outcomes are lost; their messages will be sent again",
                      LOG_INT("messages", settler->count), LOG_STRING("reason", error.text));
            return false;
        }
        pause_for(dispatcher, pause_us);
        if (pause_us < SETTLE_RETRY_US_MAX)
            pause_us *= 2;
    }
    set_failing(dispatcher, false, NULL);
    return true;
}

/* What became of the round, and which of its messages were settled by us. */
struct sums {
    int64_t sent, retried, failed, released;
};

static struct sums sum_up(const struct settler *settler) {
    struct sums sums = {0};
    for (size_t i = 0; i < settler->settlement_count; i++) {
        const struct settlement *settlement = &settler->settlements[i];
        for (size_t j = 0; j < settlement->count && !settlement->conflict; j++) {
            enum outcome_kind kind = settlement->outcomes[j]->kind;
            sums.sent += kind == OUTCOME_SENT;
            sums.retried += kind == OUTCOME_RETRY;
            sums.failed += kind == OUTCOME_FAILED || kind == OUTCOME_EXPIRED;
            sums.released += kind == OUTCOME_RELEASED;
        }
    }
    return sums;
}

static void describe(const struct message *message, const struct outcome *outcome,
                     struct event *event) {
    static const enum event_kind kinds[] = {
        [OUTCOME_SENT] = EVENT_SENT,
        [OUTCOME_RETRY] = EVENT_RETRIED,
        [OUTCOME_FAILED] = EVENT_FAILED,
        [OUTCOME_EXPIRED] = EVENT_EXPIRED,
    };
    bool sent = outcome->kind == OUTCOME_SENT;
    *event = (struct event){.kind = kinds[outcome->kind], .message = message->id};
    event_set_detail(event, text_of(sent ? outcome->provider_id : outcome->attempt.excerpt));
}

/* Tells those who watch what became of the messages. */
static void publish(struct settler *settler) {
    struct events *events = settler->dispatcher->options.events;
    struct event batch[EVENTS_AT_ONCE];
    size_t count = 0;
    for (size_t i = 0; i < settler->settlement_count && events != NULL; i++) {
        const struct settlement *settlement = &settler->settlements[i];
        for (size_t j = 0; j < settlement->count && !settlement->conflict; j++) {
            if (settlement->outcomes[j]->kind == OUTCOME_RELEASED)
                continue;
            describe(&settlement->claim->messages[settlement->indexes[j]], settlement->outcomes[j],
                     &batch[count++]);
            if (count == EVENTS_AT_ONCE) {
                events_publish(events, batch, count);
                count = 0;
            }
        }
    }
    if (count > 0)
        events_publish(events, batch, count);
}

static void unlink_batch(struct dispatcher *dispatcher, const struct batch *batch) {
    struct batch **link = &dispatcher->batches;
    while (*link != batch)
        link = &(*link)->next;
    *link = batch->next;
}

static void end_batch(struct batch *batch) {
    if (batch->order != NULL)
        orders_finish(batch->order, batch);
    batch_destroy(batch);
}

/* Ends the batches whose last message is settled, and makes room for the claimer. */
static void end_round(struct settler *settler, const struct sums *sums) {
    struct dispatcher *dispatcher = settler->dispatcher;
    monitor_lock(&dispatcher->monitor);
    dispatcher_count(dispatcher, sums->sent, sums->retried, sums->failed);
    for (size_t i = 0; i < settler->settlement_count; i++)
        if (settler->batches[i]->claim->unsettled == 0)
            unlink_batch(dispatcher, settler->batches[i]);
    dispatcher_reduce_outstanding(dispatcher, settler->count);
    monitor_unlock(&dispatcher->monitor);
    for (size_t i = 0; i < settler->settlement_count; i++)
        if (settler->batches[i]->claim->unsettled == 0)
            end_batch(settler->batches[i]);
    atomic_fetch_sub(&dispatcher->answered, settler->courier_count);
    http_client_wake(dispatcher->client);
}

static void settle_round(struct settler *settler) {
    int64_t start_us = dispatcher_now_us();
    group(settler);
    if (!settle(settler))
        return;
    struct sums sums = sum_up(settler);
    publish(settler);
    log_info("settled", LOG_INT("sent", sums.sent), LOG_INT("retried", sums.retried),
             LOG_INT("failed", sums.failed), LOG_INT("released", sums.released),
             LOG_INT("us", dispatcher_now_us() - start_us));
    end_round(settler, &sums);
}

/* Only the settler ends batches, so it may walk the list without the lock once it has its head:
 * the claimer adds in front. */
static void extend_leases(struct settler *settler) {
    struct dispatcher *dispatcher = settler->dispatcher;
    int64_t now_us = dispatcher_now_us(), lease_us = dispatcher->options.lease_ms * 1000;
    monitor_lock(&dispatcher->monitor);
    struct batch *batch = dispatcher->batches;
    monitor_unlock(&dispatcher->monitor);
    for (; batch != NULL; batch = batch->next) {
        int64_t used_us = now_us - (atomic_load(&batch->lease_until_us) - lease_us);
        if (used_us < settler->usable_us / 2)
            continue;
        struct error error;
        int64_t until_us = dispatcher_now_us() + lease_us;
        enum status status = store_extend(dispatcher->settler_session, batch->claim,
                                          dispatcher->options.lease_ms, &error);
        if (status == STATUS_OK)
            atomic_store(&batch->lease_until_us, until_us);
        else if (status != STATUS_CONFLICT)
            dispatcher_note_store(dispatcher, &error);
    }
    settler->next_extend_us = now_us + settler->usable_us / 4;
}

static int64_t wait_us(const struct settler *settler) {
    int64_t wait = settler->next_extend_us - dispatcher_now_us();
    if (wait > DISPATCHER_HEARTBEAT_US)
        wait = DISPATCHER_HEARTBEAT_US;
    return wait > 0 ? wait : 0;
}

void settler_run(void *argument) {
    struct dispatcher *dispatcher = argument;
    struct settler *settler = calloc(1, sizeof *settler);
    check(settler != NULL);
    settler->dispatcher = dispatcher;
    settler->usable_us = (dispatcher->options.lease_ms - DISPATCHER_LEASE_MARGIN_MS -
                          sender_timeout_ms(dispatcher->options.sender)) *
                         1000;
    while (!is_ending(dispatcher)) {
        dispatcher_beat(dispatcher, THREAD_SETTLER);
        settler->count = queue_pop(&dispatcher->to_settler, (void **)settler->deliveries,
                                   SETTLE_MESSAGES_MAX, wait_us(settler));
        if (settler->count > 0)
            settle_round(settler);
        if (dispatcher_now_us() >= settler->next_extend_us)
            extend_leases(settler);
    }
    free(settler);
}
