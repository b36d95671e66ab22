/* The claimer: waits until there is something to do and room for it, claims it, and hands it on. */
#include "base/check.h"
#include "dispatcher/remembered.h"
#include "log/log.h"
#include "message/message.h"

#include <stdio.h>

static struct schedule make_schedule(const struct dispatcher *dispatcher) {
    const struct dispatcher_options *options = &dispatcher->options;
    size_t quarter = dispatcher->outstanding_max / DISPATCHER_CLAIM_AHEAD;
    return (struct schedule){
        .interval_us = options->interval_ms * 1000,
        .poll_us = options->poll_interval_ms * 1000,
        .batch_size = options->batch_size,
        .refill_min = options->interval_ms == 0 && quarter > 1 ? quarter : 1,
    };
}

static size_t room(const struct dispatcher *dispatcher) {
    if (dispatcher->settling_fails)
        return 0;
    size_t free = dispatcher->outstanding_max - dispatcher->outstanding;
    return free < CLAIM_MESSAGES_MAX ? free : CLAIM_MESSAGES_MAX;
}

/* Called locked. How many to claim now; they are reserved as outstanding. */
static size_t reserve(struct dispatcher *dispatcher, struct schedule *schedule) {
    int64_t now_us = dispatcher_now_us();
    if (dispatcher->state != DISPATCHER_RUNNING)
        return 0;
    if (dispatcher->started) {
        schedule_start(schedule, now_us);
        dispatcher->last_claim_us = now_us;
    } else if (dispatcher->woken) {
        schedule_wake(schedule, now_us);
    }
    dispatcher->started = dispatcher->woken = false;
    size_t wanted = schedule_wanted(schedule, now_us, room(dispatcher));
    dispatcher->outstanding += wanted;
    dispatcher->next_tick_us = schedule->interval_us > 0 ? schedule->next_us : -1;
    return wanted;
}

static bool may_act(const struct dispatcher *dispatcher, const struct schedule *schedule) {
    return dispatcher->state == DISPATCHER_RUNNING && room(dispatcher) >= schedule->refill_min;
}

/* Waits for work; 0 when it is time to show a heartbeat, or to end. */
static size_t wait_for_work(struct dispatcher *dispatcher, struct schedule *schedule,
                            bool *ending) {
    monitor_lock(&dispatcher->monitor);
    size_t wanted = dispatcher->ending ? 0 : reserve(dispatcher, schedule);
    if (wanted == 0 && !dispatcher->ending) {
        int64_t wait_us = DISPATCHER_HEARTBEAT_US;
        int64_t next_us = schedule_wait_us(schedule, dispatcher_now_us());
        if (may_act(dispatcher, schedule) && next_us < wait_us)
            wait_us = next_us;
        monitor_wait_for(&dispatcher->monitor, wait_us);
        wanted = dispatcher->ending ? 0 : reserve(dispatcher, schedule);
    }
    *ending = dispatcher->ending;
    monitor_unlock(&dispatcher->monitor);
    return wanted;
}

static void mark_invalid(struct delivery *delivery, const struct message_fault *fault,
                         int64_t now_ms) {
    struct attempt *attempt = &delivery->outcome.attempt;
    delivery->outcome.kind = OUTCOME_FAILED;
    attempt->class = ATTEMPT_INVALID;
    attempt->at_ms = now_ms;
    char text[ATTEMPT_EXCERPT_BYTES_MAX];
    snprintf(text, sizeof text, "%s %s", fault->field, fault->text);
    attempt_set_excerpt(attempt, text_of(text));
    log_warn("message breaks a rule and is failed",
             LOG_STRING("message", delivery_message(delivery)->id.text),
             LOG_STRING("reason", attempt->excerpt));
}

/* Hands the batch's deliveries on; returns how many of them are to be sent. */
static size_t hand_on(struct dispatcher *dispatcher, struct batch *batch) {
    size_t count = batch->claim->count, usable = 0;
    remembered_ask(dispatcher, batch);
    for (size_t i = 0; i < count; i++) {
        /* The last push may end the batch, so that nothing of it is looked at afterwards. */
        struct delivery *delivery = &batch->deliveries[i];
        const struct message *message = delivery_message(delivery);
        struct message_fault fault;
        bool valid = message_is_deliverable(message->recipient, message->content,
                                            dispatcher->options.content_max, &fault);
        bool decided = remembered_decided(delivery);
        if (!valid && !decided)
            mark_invalid(delivery, &fault, clock_wall_ms(dispatcher->options.clock));
        bool sends = valid && !decided;
        bool pushed =
            queue_push(sends ? &dispatcher->to_courier : &dispatcher->to_settler, delivery);
        check(pushed);
        usable += sends;
    }
    http_client_wake(dispatcher->client);
    return usable;
}

static struct batch *register_batch(struct dispatcher *dispatcher, struct claim *claim,
                                    int64_t lease_until_us) {
    struct batch *batch = batch_create(claim, lease_until_us);
    monitor_lock(&dispatcher->monitor);
    batch->next = dispatcher->batches;
    dispatcher->batches = batch;
    dispatcher->last_claim_us = dispatcher_now_us();
    monitor_unlock(&dispatcher->monitor);
    return batch;
}

static void return_reservation(struct dispatcher *dispatcher, size_t count) {
    monitor_lock(&dispatcher->monitor);
    dispatcher_reduce_outstanding(dispatcher, count);
    monitor_unlock(&dispatcher->monitor);
}

static void claim(struct dispatcher *dispatcher, struct schedule *schedule, size_t wanted) {
    const struct claim_request request = {wanted, dispatcher->options.lease_ms};
    struct claim_result result;
    struct error error;
    /* The lease is reckoned from before the call, so that we never believe in it for too long. */
    int64_t lease_until_us = dispatcher_now_us() + request.lease_ms * 1000;
    enum status status = store_claim(dispatcher->claimer_session, &request, &result, &error);
    dispatcher_note_store(dispatcher, status == STATUS_OK ? NULL : &error);
    size_t claimed = status == STATUS_OK && result.claim != NULL ? result.claim->count : 0;
    return_reservation(dispatcher, wanted - claimed);
    int64_t now_us = dispatcher_now_us();
    if (status != STATUS_OK) {
        schedule_failed(schedule, now_us);
        return;
    }
    schedule_claimed(schedule, now_us, wanted, claimed);
    if (claimed < wanted && result.next_due_in_ms >= 0)
        schedule_next_due(schedule, now_us, result.next_due_in_ms * 1000);
    if (claimed > 0)
        schedule_used(schedule, hand_on(dispatcher,
                                        register_batch(dispatcher, result.claim, lease_until_us)));
}

void claimer_run(void *argument) {
    struct dispatcher *dispatcher = argument;
    struct schedule schedule = make_schedule(dispatcher);
    schedule_start(&schedule, dispatcher_now_us());
    for (bool ending = false; !ending;) {
        dispatcher_beat(dispatcher, THREAD_CLAIMER);
        size_t wanted = wait_for_work(dispatcher, &schedule, &ending);
        if (wanted > 0 && !ending)
            claim(dispatcher, &schedule, wanted);
    }
}
