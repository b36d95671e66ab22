#include "api/control.h"

#include "api/audit.h"

#include <stdio.h>

static void publish(const struct api *api, enum event_kind kind, const char *actor) {
    struct event event = {.kind = kind};
    snprintf(event.detail, sizeof event.detail, "by %s", actor);
    if (api->options.events != NULL)
        events_publish(api->options.events, &event, 1);
}

/* Remembers who did it, and the start's place in the audit. */
static void remember(struct api *api, const char *actor, int64_t start_id) {
    monitor_lock(&api->monitor);
    snprintf(api->control.actor, sizeof api->control.actor, "%s", actor);
    api->control.start_id = start_id;
    monitor_unlock(&api->monitor);
}

static int64_t last_start(struct api *api) {
    monitor_lock(&api->monitor);
    int64_t start_id = api->control.start_id;
    monitor_unlock(&api->monitor);
    return start_id;
}

enum status control_start(struct api *api, const struct audit_note *by, struct error *error) {
    enum status status = dispatcher_start(api->options.dispatcher, error);
    if (status != STATUS_OK)
        return status;
    publish(api, EVENT_STARTED, by->actor);
    struct audit_note note = *by;
    note.action = "start";
    remember(api, by->actor, audit_write(api, &note));
    return STATUS_OK;
}

enum status control_stop(struct api *api, const struct audit_note *by, struct error *error) {
    enum status status = dispatcher_stop(api->options.dispatcher, error);
    if (status != STATUS_OK)
        return status;
    publish(api, EVENT_STOPPED, by->actor);
    struct audit_note note = *by;
    note.action = "stop";
    note.start_id = last_start(api);
    audit_write(api, &note);
    remember(api, by->actor, 0);
    return STATUS_OK;
}

enum status control_pause(struct api *api, int64_t wait_ms, const struct audit_note *by,
                          struct error *error) {
    enum status status = dispatcher_pause(api->options.dispatcher, wait_ms, error);
    if (status != STATUS_OK)
        return status;
    publish(api, EVENT_PAUSED, by->actor);
    struct audit_note note = *by;
    note.action = "pause";
    note.start_id = last_start(api);
    audit_write(api, &note);
    remember(api, by->actor, note.start_id);
    return STATUS_OK;
}

void control_note_end(struct api *api, const struct audit_note *by) {
    struct audit_note note = *by;
    note.action = "stop";
    note.start_id = last_start(api);
    if (note.start_id > 0)
        audit_write(api, &note);
}

void control_get_actor(struct api *api, char actor[CONTROL_ACTOR_BYTES]) {
    monitor_lock(&api->monitor);
    snprintf(actor, CONTROL_ACTOR_BYTES, "%s", api->control.actor);
    monitor_unlock(&api->monitor);
}
