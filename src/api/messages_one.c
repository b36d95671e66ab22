/* One message: read, cancel, retry. */
#include "api/audit.h"
#include "api/message_json.h"

#include <stdio.h>

static enum status read_one(struct call *call, struct message *message,
                            struct attempt_list *attempts, struct error *error) {
    struct arena *arena = request_arena(call->request);
    struct store_session *session = NULL;
    enum status status = api_borrow_session(call->api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_get(session, call->id, arena, message, error);
    if (status == STATUS_OK && attempts != NULL)
        status = store_attempts(session, call->id, arena, attempts, error);
    api_return_session(call->api, session);
    return status;
}

static void send_one(struct call *call, const struct message *message,
                     const struct attempt_list *attempts) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    if (message != NULL)
        message_json_members(&answer.json, message);
    if (attempts != NULL)
        message_json_attempts(&answer.json, attempts);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void messages_get(struct call *call) {
    struct message message;
    struct attempt_list attempts;
    struct error error;
    if (read_one(call, &message, &attempts, &error) == STATUS_OK)
        send_one(call, &message, &attempts);
    else
        answer_failure(call->request, &error);
}

void messages_attempts(struct call *call) {
    struct message message;
    struct attempt_list attempts;
    struct error error;
    if (read_one(call, &message, &attempts, &error) == STATUS_OK)
        send_one(call, NULL, &attempts);
    else
        answer_failure(call->request, &error);
}

static enum status change_one(struct call *call, enum store_change_kind kind, size_t *changed,
                              struct error *error) {
    struct message_id id = {""};
    struct store_session *session = NULL;
    struct store_change change = {.kind = kind, .ids = &id, .count = 1};
    if (call->id.len > MESSAGE_ID_BYTES_MAX)
        return error_set(error, STATUS_NOT_FOUND, "there is no message with this id");
    snprintf(id.text, sizeof id.text, "%.*s", TEXT_ARGUMENT(call->id));
    enum status status = api_borrow_session(call->api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_change(session, &change, error);
    *changed = change.changed;
    api_return_session(call->api, session);
    return status;
}

static void publish_cancel(const struct call *call, const struct message *message) {
    struct event event = {.kind = EVENT_CANCELLED, .message = message->id};
    snprintf(event.detail, sizeof event.detail, "by %s", caller_name(&call->caller));
    if (call->api->options.events != NULL)
        events_publish(call->api->options.events, &event, 1);
}

static void record(const struct call *call, enum store_change_kind kind,
                   const struct message *message) {
    struct audit_note note = audit_note_of(call);
    note.action = kind == STORE_CANCEL ? "cancel" : "retry";
    note.subject = text_of(message->id.text);
    audit_write(call->api, &note);
    if (kind == STORE_CANCEL)
        publish_cancel(call, message);
    else
        dispatcher_wake(call->api->options.dispatcher);
}

static void refuse(const struct call *call, enum store_change_kind kind,
                   const struct message *message) {
    char text[128];
    snprintf(text, sizeof text, "the message is %s; %s", message_state_name(message->state),
             kind == STORE_CANCEL
                 ? "only one that is pending can be cancelled"
                 : "only one that is failed, cancelled, expired or unknown can be retried");
    answer_error(call->request, 409, "conflict", text, NULL);
}

static void change_and_answer(struct call *call, enum store_change_kind kind) {
    struct message message;
    struct error error;
    size_t changed = 0;
    enum status status = change_one(call, kind, &changed, &error);
    if (status == STATUS_OK)
        status = read_one(call, &message, NULL, &error);
    if (status != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    if (changed == 0) {
        refuse(call, kind, &message);
        return;
    }
    record(call, kind, &message);
    send_one(call, &message, NULL);
}

void messages_cancel(struct call *call) {
    change_and_answer(call, STORE_CANCEL);
}

void messages_retry(struct call *call) {
    change_and_answer(call, STORE_RETRY);
}
