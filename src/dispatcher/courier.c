/* The courier: turns deliveries into requests, keeps as many in the air as it may, judges the
 * answers, and hands the outcomes to the settler. */
#include "base/check.h"
#include "dispatcher/remembered.h"
#include "log/log.h"
#include "metrics/metrics.h"

#define COURIER_POLL_MAX 256

struct courier {
    struct dispatcher *dispatcher;
    struct random random;
};

static void hand_over(struct dispatcher *dispatcher, struct delivery *delivery) {
    bool pushed = queue_push(&dispatcher->to_settler, delivery);
    check(pushed);
}

static void release(struct dispatcher *dispatcher, struct delivery *delivery) {
    delivery->outcome.kind = OUTCOME_RELEASED;
    hand_over(dispatcher, delivery);
}

/* A request is begun only when its claim outlasts it, so that nobody else can be sending the same
 * message meanwhile. */
static bool lease_outlasts(const struct dispatcher *dispatcher, const struct delivery *delivery) {
    int64_t needed_ms = sender_timeout_ms(dispatcher->options.sender) + DISPATCHER_LEASE_MARGIN_MS;
    int64_t until_us = atomic_load_explicit(&delivery->batch->lease_until_us, memory_order_relaxed);
    return dispatcher_now_us() + needed_ms * 1000 <= until_us;
}

static void fail_unbuildable(struct dispatcher *dispatcher, struct delivery *delivery,
                             const struct error *error) {
    struct attempt *attempt = &delivery->outcome.attempt;
    delivery->outcome.kind = OUTCOME_FAILED;
    attempt->class = ATTEMPT_INVALID;
    attempt_set_excerpt(attempt, text_of(error->text));
    hand_over(dispatcher, delivery);
}

static void launch(struct dispatcher *dispatcher, struct delivery *delivery) {
    const struct message *message = delivery_message(delivery);
    struct http_exchange *exchange = http_client_take(dispatcher->client);
    if (exchange == NULL) {
        release(dispatcher, delivery);
        return;
    }
    struct error error;
    delivery->outcome.attempt.at_ms = clock_wall_ms(dispatcher->options.clock);
    exchange->context = delivery;
    if (sender_build(dispatcher->options.sender, message, delivery->outcome.attempt.at_ms,
                     &exchange->request, &error) != STATUS_OK) {
        http_client_give_back(dispatcher->client, exchange);
        fail_unbuildable(dispatcher, delivery, &error);
        return;
    }
    atomic_fetch_add(&dispatcher->in_air, 1);
    metrics_change(METRIC_IN_FLIGHT, 1);
    http_client_submit(dispatcher->client, exchange);
}

/* How many requests may be begun now: bounded by those in the air, and by what is in the air or
 * answered and not yet settled, which is what a crash could send twice. */
static size_t free_slots(struct dispatcher *dispatcher) {
    size_t max = dispatcher->options.max_in_flight;
    size_t in_air = atomic_load(&dispatcher->in_air);
    size_t unsettled = in_air + atomic_load(&dispatcher->answered);
    size_t slots = in_air < max ? max - in_air : 0;
    size_t unsettled_max = max * DISPATCHER_UNSETTLED_AHEAD;
    size_t left = unsettled < unsettled_max ? unsettled_max - unsettled : 0;
    return slots < left ? slots : left;
}

/* What somebody ordered leaves even while nothing else does, except at the very end. */
static bool is_ordered(const struct dispatcher *dispatcher, const struct delivery *delivery) {
    return delivery->batch->order != NULL && !atomic_load(&dispatcher->cutting);
}

static void launch_waiting(struct dispatcher *dispatcher) {
    for (;;) {
        bool releasing = atomic_load(&dispatcher->releasing);
        size_t slots = releasing ? COURIER_POLL_MAX : free_slots(dispatcher);
        void *items[COURIER_POLL_MAX];
        if (slots > COURIER_POLL_MAX)
            slots = COURIER_POLL_MAX;
        size_t count = slots > 0 ? queue_pop(&dispatcher->to_courier, items, slots, 0) : 0;
        if (count == 0)
            return;
        for (size_t i = 0; i < count; i++) {
            struct delivery *delivery = items[i];
            bool wanted = !releasing || is_ordered(dispatcher, delivery);
            if (!wanted || !lease_outlasts(dispatcher, delivery))
                release(dispatcher, delivery);
            else
                launch(dispatcher, delivery);
        }
    }
}

static bool ends_before(const struct dispatcher *dispatcher, const struct message *message,
                        int64_t delay_ms) {
    int64_t next_ms = clock_wall_ms(dispatcher->options.clock) + delay_ms;
    return message->expires_at_ms > 0 && message->expires_at_ms <= next_ms;
}

static void decide(struct courier *courier, struct delivery *delivery,
                   const struct verdict *verdict) {
    const struct retry_policy *policy = &courier->dispatcher->options.retry;
    struct outcome *outcome = &delivery->outcome;
    int64_t attempts = outcome->attempt.number;
    const struct message *message = delivery_message(delivery);
    bool allowed = message->max_attempts > 0 ? attempts < message->max_attempts
                                             : retry_is_allowed(policy, attempts);
    /* An attempt that we cut off ourselves says nothing about the message. */
    bool retry =
        verdict->kind == VERDICT_RETRY && (outcome->attempt.class == ATTEMPT_ABORTED || allowed);
    if (verdict->kind == VERDICT_ACCEPTED)
        outcome->kind = OUTCOME_SENT;
    else
        outcome->kind = retry ? OUTCOME_RETRY : OUTCOME_FAILED;
    if (retry)
        outcome->delay_ms =
            retry_delay_ms(policy, attempts, verdict->retry_after_ms, &courier->random);
    if (retry && ends_before(courier->dispatcher, message, outcome->delay_ms))
        outcome->kind = OUTCOME_EXPIRED;
    struct text id = text_of(verdict->provider_id);
    for (size_t i = 0; i <= id.len; i++)
        outcome->provider_id[i] = verdict->provider_id[i];
}

static void count_attempt(const struct attempt *attempt, int64_t duration_us) {
    static const enum metric_counter counters[ATTEMPT_CLASSES] = {
        [ATTEMPT_ACCEPTED] = METRIC_ATTEMPT_ACCEPTED,
        [ATTEMPT_DNS] = METRIC_ATTEMPT_DNS,
        [ATTEMPT_REFUSED] = METRIC_ATTEMPT_REFUSED,
        [ATTEMPT_RESET] = METRIC_ATTEMPT_RESET,
        [ATTEMPT_CONNECT_TIMEOUT] = METRIC_ATTEMPT_CONNECT_TIMEOUT,
        [ATTEMPT_READ_TIMEOUT] = METRIC_ATTEMPT_READ_TIMEOUT,
        [ATTEMPT_TLS] = METRIC_ATTEMPT_TLS,
        [ATTEMPT_BODY_LIMIT] = METRIC_ATTEMPT_BODY_LIMIT,
        [ATTEMPT_HTTP_3XX] = METRIC_ATTEMPT_HTTP_3XX,
        [ATTEMPT_HTTP_4XX] = METRIC_ATTEMPT_HTTP_4XX,
        [ATTEMPT_HTTP_5XX] = METRIC_ATTEMPT_HTTP_5XX,
        [ATTEMPT_ABORTED] = METRIC_ATTEMPT_ABORTED,
    };
    metrics_add(counters[attempt->class], 1);
    metrics_observe_us(METRIC_ATTEMPT_SECONDS, duration_us);
}

static void log_attempt(const struct dispatcher *dispatcher, const struct delivery *delivery) {
    const struct outcome *outcome = &delivery->outcome;
    struct log_field id = LOG_STRING("message", delivery_message(delivery)->id.text);
    struct log_field provider = LOG_STRING("provider", sender_name(dispatcher->options.sender));
    struct log_field attempt = LOG_INT("attempt", outcome->attempt.number);
    struct log_field took = LOG_INT("ms", outcome->attempt.duration_ms);
    struct log_field class = LOG_STRING("class", attempt_class_name(outcome->attempt.class));
    struct log_field status = LOG_INT("status", outcome->attempt.http_status);
    struct log_field reason = LOG_STRING("reason", outcome->attempt.excerpt);
    if (outcome->kind == OUTCOME_SENT)
        log_debug("message accepted by the provider", id, provider, status, attempt, took,
                  LOG_RECIPIENT(delivery_message(delivery)->recipient));
    else if (outcome->kind == OUTCOME_RETRY)
        log_warn("attempt failed, will be retried", id, provider, class, status, attempt,
                 LOG_INT("retry_in_ms", outcome->delay_ms), reason);
    else
        log_warn("message failed for good", id, provider, class, status, attempt, reason);
}

/* Returns the delivery with its outcome, still to be handed over. */
static struct delivery *judge(struct courier *courier, struct http_exchange *exchange) {
    struct dispatcher *dispatcher = courier->dispatcher;
    struct delivery *delivery = exchange->context;
    struct attempt *attempt = &delivery->outcome.attempt;
    struct verdict verdict;
    sender_judge(dispatcher->options.sender, &exchange->response,
                 clock_wall_ms(dispatcher->options.clock), &verdict, attempt);
    attempt->number = delivery_message(delivery)->attempts + 1;
    attempt->duration_ms = exchange->response.duration_us / 1000;
    decide(courier, delivery, &verdict);
    count_attempt(attempt, exchange->response.duration_us);
    log_attempt(dispatcher, delivery);
    http_client_give_back(dispatcher->client, exchange);
    atomic_fetch_add(&dispatcher->answered, 1);
    atomic_fetch_sub(&dispatcher->in_air, 1);
    metrics_change(METRIC_IN_FLIGHT, -1);
    return delivery;
}

static void judge_all(struct courier *courier, struct http_exchange *const *finished,
                      size_t count) {
    struct delivery *deliveries[COURIER_POLL_MAX];
    for (size_t i = 0; i < count; i++)
        deliveries[i] = judge(courier, finished[i]);
    remembered_tell(courier->dispatcher, deliveries, count);
    for (size_t i = 0; i < count; i++)
        hand_over(courier->dispatcher, deliveries[i]);
}

void courier_run(void *argument) {
    struct courier courier = {.dispatcher = argument, .random = random_from_system()};
    struct dispatcher *dispatcher = courier.dispatcher;
    while (!queue_is_closed(&dispatcher->to_courier)) {
        dispatcher_beat(dispatcher, THREAD_COURIER);
        launch_waiting(dispatcher);
        struct http_exchange *finished[COURIER_POLL_MAX];
        size_t count = http_client_poll(dispatcher->client, finished, COURIER_POLL_MAX,
                                        DISPATCHER_HEARTBEAT_US / 1000);
        judge_all(&courier, finished, count);
        if (atomic_load(&dispatcher->cutting))
            http_client_abort_all(dispatcher->client);
    }
}
