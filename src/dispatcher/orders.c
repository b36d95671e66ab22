#include "dispatcher/orders.h"

#include <stdio.h>

bool dispatcher_submit(struct dispatcher *dispatcher, struct dispatcher_order *order) {
    monitor_lock(&dispatcher->monitor);
    bool taken = !dispatcher->draining && !dispatcher->ending;
    if (taken) {
        struct dispatcher_order **end = &dispatcher->orders;
        while (*end != NULL)
            end = &(*end)->next;
        order->next = NULL;
        *end = order;
        monitor_signal(&dispatcher->monitor);
    }
    monitor_unlock(&dispatcher->monitor);
    return taken;
}

struct dispatcher_order *orders_take(struct dispatcher *dispatcher, size_t *reserved) {
    struct dispatcher_order *order = dispatcher->orders;
    size_t room =
        dispatcher->settling_fails ? 0 : dispatcher->outstanding_max - dispatcher->outstanding;
    if (order == NULL || room == 0)
        return NULL;
    dispatcher->orders = order->next;
    *reserved = order->messages_max < room ? order->messages_max : room;
    dispatcher->outstanding += *reserved;
    return order;
}

void orders_finish_empty(struct dispatcher_order *order, const struct error *error) {
    struct dispatcher_result result = {0};
    if (error != NULL)
        snprintf(result.errors[result.errors_count++], sizeof result.errors[0], "%.*s",
                 (int)sizeof result.errors[0] - 1, error->text);
    order->done(order, &result);
}

static void add_outcome(struct dispatcher_result *result, const struct outcome *outcome) {
    if (outcome->kind == OUTCOME_RELEASED)
        return;
    result->processed++;
    if (outcome->kind == OUTCOME_SENT) {
        result->sent++;
        return;
    }
    result->failed++;
    if (result->errors_count < DISPATCHER_RESULT_ERRORS_MAX)
        snprintf(result->errors[result->errors_count++], sizeof result->errors[0], "%s",
                 outcome->attempt.excerpt);
}

void orders_finish(struct dispatcher_order *order, const struct batch *batch) {
    struct dispatcher_result result = {0};
    for (size_t i = 0; i < batch->claim->count; i++)
        add_outcome(&result, &batch->deliveries[i].outcome);
    order->done(order, &result);
}

static void finish_all(struct dispatcher_order *order, const struct error *error) {
    while (order != NULL) {
        struct dispatcher_order *next = order->next;
        orders_finish_empty(order, error);
        order = next;
    }
}

void orders_abandon(struct dispatcher *dispatcher) {
    struct dispatcher_order *abandoned = NULL;
    struct error error;
    error_set(&error, STATUS_TIMEOUT, "the program ends before it is known what became of it");
    monitor_lock(&dispatcher->monitor);
    for (struct batch *batch = dispatcher->batches; batch != NULL; batch = batch->next) {
        if (batch->order == NULL)
            continue;
        batch->order->next = abandoned;
        abandoned = batch->order;
        batch->order = NULL;
    }
    monitor_unlock(&dispatcher->monitor);
    finish_all(abandoned, &error);
}

void orders_drop(struct dispatcher *dispatcher) {
    struct error error;
    error_set(&error, STATUS_UNAVAILABLE, "the program is about to end");
    monitor_lock(&dispatcher->monitor);
    struct dispatcher_order *order = dispatcher->orders;
    dispatcher->orders = NULL;
    monitor_unlock(&dispatcher->monitor);
    finish_all(order, &error);
}
