/* /api/v1/messaging: start, stop, status. */
#include "api/api_internal.h"

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
    if (dispatcher_start(call->api->options.dispatcher, &error) == STATUS_OK)
        answer_state(call, "messages are being dispatched");
    else
        answer_failure(call->request, &error);
}

void messaging_stop(struct call *call) {
    struct error error;
    if (dispatcher_stop(call->api->options.dispatcher, &error) == STATUS_OK)
        answer_state(call, "no more messages are claimed; requests in the air are let finish");
    else
        answer_failure(call->request, &error);
}

static void write_status(struct json_writer *json, const struct dispatcher_status *status) {
    json_member_string(json, "state", dispatcher_state_name(status->state));
    json_member_time_ms(json, "since", status->since_ms);
    json_member_int64(json, "in_flight", status->in_flight);
    json_member_int64(json, "claimed", status->claimed);
    json_key(json, "next_batch_in_ms");
    if (status->next_batch_in_ms >= 0)
        json_value_int64(json, status->next_batch_in_ms);
    else
        json_value_null(json);
    json_key(json, "totals");
    json_object_open(json);
    json_member_int64(json, "sent", status->sent);
    json_member_int64(json, "retried", status->retried);
    json_member_int64(json, "failed", status->failed);
    json_object_close(json);
}

static void write_depth(struct json_writer *json, const struct store_depth *depth) {
    json_key(json, "messages");
    json_object_open(json);
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        json_member_int64(json, message_state_name((enum message_state)i), depth->messages[i]);
    }
    json_object_close(json);
    json_key(json, "oldest_due_age_ms");
    if (depth->oldest_due_age_ms >= 0)
        json_value_int64(json, depth->oldest_due_age_ms);
    else
        json_value_null(json);
}

void messaging_status(struct call *call) {
    struct store_depth depth;
    struct error error;
    if (api_read_depth(call->api, &depth, &error) != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    struct dispatcher_status status;
    dispatcher_get_status(call->api->options.dispatcher, &status);
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_status(&answer.json, &status);
    write_depth(&answer.json, &depth);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}
