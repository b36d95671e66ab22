/* The claimer: waits until there is something to do and room for it, claims it, and hands it on. */
#include "base/check.h"
#include "base/timestamp.h"
#include "dispatcher/events.h"
#include "dispatcher/orders.h"
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

/* Called locked. A pause whose time is over ends as if somebody had said start. */
static void end_pause(struct dispatcher *dispatcher) {
    if (dispatcher->state != DISPATCHER_PAUSED || dispatcher->resume_us == 0 ||
        dispatcher_now_us() < dispatcher->resume_us)
        return;
    dispatcher->started = true;
    dispatcher_move_to(dispatcher, DISPATCHER_RUNNING);
    struct event event = {.kind = EVENT_STARTED};
    event_set_detail(&event, TEXT_LITERAL("the pause is over"));
    if (dispatcher->options.events != NULL)
        events_publish(dispatcher->options.events, &event, 1);
}

static bool may_act(const struct dispatcher *dispatcher, const struct schedule *schedule) {
    return dispatcher->state == DISPATCHER_RUNNING && room(dispatcher) >= schedule->refill_min;
}

/* What is to be claimed next. */
struct work {
    size_t wanted;                  /* 0: nothing */
    struct dispatcher_order *order; /* for whom; NULL: the schedule */
    bool ending;
};

/* Called locked. */
static struct work find_work(struct dispatcher *dispatcher, struct schedule *schedule) {
    struct work work = {.ending = dispatcher->ending};
    if (work.ending)
        return work;
    end_pause(dispatcher);
    work.order = orders_take(dispatcher, &work.wanted);
    if (work.order == NULL)
        work.wanted = reserve(dispatcher, schedule);
    return work;
}

static int64_t longest_wait_us(const struct dispatcher *dispatcher,
                               const struct schedule *schedule) {
    int64_t wait_us = DISPATCHER_HEARTBEAT_US, now_us = dispatcher_now_us();
    if (may_act(dispatcher, schedule) && schedule_wait_us(schedule, now_us) < wait_us)
        wait_us = schedule_wait_us(schedule, now_us);
    if (dispatcher->resume_us > 0 && dispatcher->resume_us - now_us < wait_us)
        wait_us = dispatcher->resume_us - now_us;
    return wait_us;
}

/* Waits for work; there is none when it is time to show a heartbeat, or to end. */
static struct work wait_for_work(struct dispatcher *dispatcher, struct schedule *schedule) {
    monitor_lock(&dispatcher->monitor);
    struct work work = find_work(dispatcher, schedule);
    if (work.wanted == 0 && !work.ending) {
        monitor_wait_for(&dispatcher->monitor, longest_wait_us(dispatcher, schedule));
        work = find_work(dispatcher, schedule);
    }
    monitor_unlock(&dispatcher->monitor);
    return work;
}

/* Never tried, and settled as it is. */
static void end_untried(struct delivery *delivery, enum outcome_kind kind, enum attempt_class class,
                        const char *reason, int64_t now_ms) {
    struct attempt *attempt = &delivery->outcome.attempt;
    delivery->outcome.kind = kind;
    attempt->class = class;
    attempt->at_ms = now_ms;
    attempt_set_excerpt(attempt, text_of(reason));
}

static void mark_invalid(struct delivery *delivery, const struct message_fault *fault,
                         int64_t now_ms) {
    char text[ATTEMPT_EXCERPT_BYTES_MAX];
    snprintf(text, sizeof text, "%s %s", fault->field, fault->text);
    end_untried(delivery, OUTCOME_FAILED, ATTEMPT_INVALID, text, now_ms);
    log_warn("message breaks a rule and is failed",
             LOG_STRING("message", delivery_message(delivery)->id.text),
             LOG_STRING("reason", text));
}

static void mark_expired(struct delivery *delivery, int64_t now_ms) {
    const struct message *message = delivery_message(delivery);
    char at[TIMESTAMP_BYTES], text[ATTEMPT_EXCERPT_BYTES_MAX];
    timestamp_format(message->expires_at_ms, at);
    snprintf(text, sizeof text, "its time was over at %s", at);
    end_untried(delivery, OUTCOME_EXPIRED, ATTEMPT_EXPIRED, text, now_ms);
    log_warn("message expired before it was sent", LOG_STRING("message", message->id.text));
}

/* True when it is to be sent; else its outcome is decided. */
static bool is_to_be_sent(const struct dispatcher *dispatcher, struct delivery *delivery) {
    const struct message *message = delivery_message(delivery);
    int64_t now_ms = clock_wall_ms(dispatcher->options.clock);
    struct message_fault fault;
    if (remembered_decided(delivery))
        return false;
    if (!message_is_deliverable(message->recipient, message->content,
                                dispatcher->options.content_max, &fault)) {
        mark_invalid(delivery, &fault, now_ms);
        return false;
    }
    if (message->expires_at_ms > 0 && message->expires_at_ms <= now_ms) {
        mark_expired(delivery, now_ms);
        return false;
    }
    return true;
}

/* Hands the batch's deliveries on; returns how many of them are to be sent. */
static size_t hand_on(struct dispatcher *dispatcher, struct batch *batch) {
    size_t count = batch->claim->count, usable = 0;
    remembered_ask(dispatcher, batch);
    for (size_t i = 0; i < count; i++) {
        /* The last push may end the batch, so that nothing of it is looked at afterwards. */
        struct delivery *delivery = &batch->deliveries[i];
        bool sends = is_to_be_sent(dispatcher, delivery);
        bool pushed =
            queue_push(sends ? &dispatcher->to_courier : &dispatcher->to_settler, delivery);
        check(pushed);
        usable += sends;
    }
    http_client_wake(dispatcher->client);
    return usable;
}

static struct batch *register_batch(struct dispatcher *dispatcher, struct claim *claim,
                                    int64_t lease_until_us, struct dispatcher_order *order) {
    struct batch *batch = batch_create(claim, lease_until_us);
    batch->order = order;
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

static void note_claim(struct schedule *schedule, size_t wanted, size_t claimed,
                       int64_t next_due_in_ms) {
    int64_t now_us = dispatcher_now_us();
    schedule_claimed(schedule, now_us, wanted, claimed);
    if (claimed < wanted && next_due_in_ms >= 0)
        schedule_next_due(schedule, now_us, next_due_in_ms * 1000);
}

static void claim(struct dispatcher *dispatcher, struct schedule *schedule,
                  const struct work *work) {
    const struct claim_request request = {work->wanted, dispatcher->options.lease_ms};
    struct claim_result result;
    struct error error;
    /* The lease is reckoned from before the call, so that we never believe in it for too long. */
    int64_t lease_until_us = dispatcher_now_us() + request.lease_ms * 1000;
    enum status status = store_claim(dispatcher->claimer_session, &request, &result, &error);
    dispatcher_note_store(dispatcher, status == STATUS_OK ? NULL : &error);
    size_t claimed = status == STATUS_OK && result.claim != NULL ? result.claim->count : 0;
    return_reservation(dispatcher, work->wanted - claimed);
    if (status != STATUS_OK)
        schedule_failed(schedule, dispatcher_now_us());
    else if (work->order == NULL)
        note_claim(schedule, work->wanted, claimed, result.next_due_in_ms);
    if (claimed == 0 && work->order != NULL)
        orders_finish_empty(work->order, status == STATUS_OK ? NULL : &error);
    if (claimed == 0)
        return;
    size_t used =
        hand_on(dispatcher, register_batch(dispatcher, result.claim, lease_until_us, work->order));
    if (work->order == NULL)
        schedule_used(schedule, used);
}

void claimer_run(void *argument) {
    struct dispatcher *dispatcher = argument;
    struct schedule schedule = make_schedule(dispatcher);
    schedule_start(&schedule, dispatcher_now_us());
    for (bool ending = false; !ending;) {
        dispatcher_beat(dispatcher, THREAD_CLAIMER);
        struct work work = wait_for_work(dispatcher, &schedule);
        ending = work.ending;
        if (work.wanted > 0)
            claim(dispatcher, &schedule, &work);
    }
}
