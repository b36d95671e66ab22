/* /api/v1/messaging: start, stop, pause, status. */
#include "api/audit.h"
#include "api/control.h"

#define PAUSE_MS_MAX ((int64_t)7 * 24 * 3600 * 1000)

static void answer_state(struct call *call, const char *message) {
    struct dispatcher_status status;
    dispatcher_get_status(call->api->options.dispatcher, &status);
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_member_string(json, "state", dispatcher_state_name(status.state));
    json_member_string(json, "message", message);
    json_object_close(json);
    answer_send(&answer, call->request, 200);
}

void messaging_start(struct call *call) {
    struct error error;
    const struct audit_note by = audit_note_of(call);
    if (control_start(call->api, &by, &error) == STATUS_OK)
        answer_state(call, "messages are being dispatched");
    else
        answer_failure(call->request, &error);
}

void messaging_stop(struct call *call) {
    struct error error;
    const struct audit_note by = audit_note_of(call);
    if (control_stop(call->api, &by, &error) == STATUS_OK)
        answer_state(call, "no more messages are claimed; requests in the air are let finish");
    else
        answer_failure(call->request, &error);
}

void messaging_pause(struct call *call) {
    struct text given = request_query(call->request, "for");
    int64_t wait_ms = 0;
    struct error error;
    const struct audit_note by = audit_note_of(call);
    if (given.len > 0 &&
        (!text_to_duration_ms(given, &wait_ms) || wait_ms <= 0 || wait_ms > PAUSE_MS_MAX))
        answer_error(call->request, 422, "invalid_field",
                     "must be a time like 30s, 10m or 1h, up to 168h; without it the pause lasts"
                     " until a start",
                     "for");
    else if (control_pause(call->api, wait_ms, &by, &error) == STATUS_OK)
        answer_state(call, wait_ms > 0 ? "no more messages are claimed until the time is over"
                                       : "no more messages are claimed until a start");
    else
        answer_failure(call->request, &error);
}

static void write_optional(struct json_writer *json, const char *key, int64_t value) {
    json_key(json, key);
    if (value >= 0)
        json_value_int64(json, value);
    else
        json_value_null(json);
}

static void write_rates(struct json_writer *json, const struct dispatcher_status *status) {
    json_key(json, "rates");
    json_object_open(json);
    json_key(json, "sent_per_second_1m");
    json_value_double(json, status->sent_per_s_1m);
    json_key(json, "sent_per_second_5m");
    json_value_double(json, status->sent_per_s_5m);
    json_object_close(json);
}

static void write_status(struct json_writer *json, const struct dispatcher_status *status) {
    json_member_int64(json, "in_flight", status->in_flight);
    json_member_int64(json, "claimed", status->claimed);
    write_optional(json, "next_batch_in_ms", status->next_batch_in_ms);
    write_optional(json, "resumes_in_ms", status->resumes_in_ms);
    json_key(json, "totals");
    json_object_open(json);
    json_member_int64(json, "sent", status->sent);
    json_member_int64(json, "retried", status->retried);
    json_member_int64(json, "failed", status->failed);
    json_object_close(json);
    write_rates(json, status);
}

static void write_depth(struct json_writer *json, const struct store_depth *depth) {
    json_key(json, "messages");
    json_object_open(json);
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        json_member_int64(json, message_state_name((enum message_state)i), depth->messages[i]);
    }
    json_object_close(json);
    write_optional(json, "oldest_due_age_ms", depth->oldest_due_age_ms);
}

/* The names that clients of seed 001 know; absent where there is nothing. */
static void write_seed_001(struct json_writer *json, const struct dispatcher_status *status,
                           const struct store_depth *depth, int64_t now_ms) {
    json_key(json, "isProcessing");
    json_value_bool(json, status->claimed > 0);
    if (status->last_settled_ms > 0)
        json_member_time_ms(json, "lastProcessedAt", status->last_settled_ms);
    json_member_int64(json, "pendingCount", depth->messages[MESSAGE_PENDING]);
    json_member_int64(json, "processedToday", status->sent_today);
    json_member_int64(json, "failedToday", status->failed_today);
    if (status->next_batch_in_ms >= 0)
        json_member_time_ms(json, "nextProcessingAt", now_ms + status->next_batch_in_ms);
}

void messaging_status(struct call *call) {
    struct store_depth depth;
    struct error error;
    if (api_read_depth(call->api, &depth, &error) != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    struct dispatcher_status status;
    char actor[CONTROL_ACTOR_BYTES];
    dispatcher_get_status(call->api->options.dispatcher, &status);
    control_get_actor(call->api, actor);
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_member_string(json, "state", dispatcher_state_name(status.state));
    json_member_time_ms(json, "since", status.since_ms);
    json_member_string(json, "by", actor[0] != '\0' ? actor : NULL);
    write_status(json, &status);
    write_depth(json, &depth);
    write_seed_001(json, &status, &depth, clock_wall_ms(call->api->options.clock));
    json_object_close(json);
    answer_send(&answer, call->request, 200);
}
