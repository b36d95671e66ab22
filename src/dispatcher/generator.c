/* Inserts a sample message at every GENERATE_INTERVAL while the dispatcher runs, for trying out. */
#include "dispatcher/dispatcher_internal.h"
#include "log/log.h"

#include <stdio.h>

#define SAMPLE_CONTENT_CHARACTERS 32

static void insert_sample(struct dispatcher *dispatcher, struct random *random) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char recipient[16], content[SAMPLE_CONTENT_CHARACTERS + 1];
    snprintf(recipient, sizeof recipient, "+1555%07u", (unsigned)random_below(random, 10000000));
    for (size_t i = 0; i < SAMPLE_CONTENT_CHARACTERS; i++)
        content[i] = letters[random_below(random, sizeof letters - 1)];
    content[SAMPLE_CONTENT_CHARACTERS] = '\0';
    struct message_draft draft = {.recipient = text_of(recipient), .content = text_of(content)};
    struct message_id id;
    struct error error;
    if (store_insert(dispatcher->generator_session, &draft, 1, &id, &error) != STATUS_OK) {
        log_warn("sample message not inserted", LOG_STRING("reason", error.text));
        return;
    }
    log_info("sample message inserted", LOG_STRING("message", id.text));
    dispatcher_wake(dispatcher);
}

/* False when the dispatcher is to end. */
static bool wait_until(struct dispatcher *dispatcher, int64_t at_us) {
    monitor_lock(&dispatcher->monitor);
    while (!dispatcher->ending && dispatcher_now_us() < at_us)
        monitor_wait_for(&dispatcher->monitor, at_us - dispatcher_now_us());
    bool ending = dispatcher->ending;
    monitor_unlock(&dispatcher->monitor);
    return !ending;
}

void generator_run(void *argument) {
    struct dispatcher *dispatcher = argument;
    struct random random = random_from_system();
    int64_t interval_us = dispatcher->options.generate_interval_ms * 1000;
    int64_t next_us = dispatcher_now_us() + interval_us;
    for (; wait_until(dispatcher, next_us); next_us += interval_us) {
        struct dispatcher_status status;
        dispatcher_get_status(dispatcher, &status);
        if (status.state == DISPATCHER_RUNNING)
            insert_sample(dispatcher, &random);
    }
}
