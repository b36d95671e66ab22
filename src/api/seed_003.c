/* The API of seed 003, "Messaging Server". */
#include "api/json_input.h"
#include "api/seed_answer.h"
#include "api/seed_list.h"

#include <string.h>

void seed_003_welcome(struct call *call) {
    seed_answer(call->request, 200, "message", "Welcome to Messaging Server V1!", NULL);
}

/* A start or stop of what is started or stopped already is answered alike. */
static void control(struct call *call, const char *action) {
    if (action != NULL && strcmp(action, "start") == 0) {
        seed_start(call);
        seed_answer(call->request, 200, "message", "Cron job started", NULL);
    } else if (action != NULL && strcmp(action, "stop") == 0) {
        seed_stop(call);
        seed_answer(call->request, 202, "message", "Cron job will be stopped", NULL);
    } else {
        seed_answer(call->request, 400, "error", "action must be 'start' or 'stop'", NULL);
    }
}

void seed_003_control(struct call *call) {
    char ignored[JSON_INPUT_FAULT_BYTES];
    json_t *root = json_input_parse(request_body(call->request), ignored);
    if (json_is_object(root))
        control(call, json_string_value(json_object_get(root, "action")));
    else
        seed_answer(call->request, 400, "error", "invalid JSON payload", NULL);
    json_decref(root);
}

static void write_item(struct json_writer *json, const struct message *message,
                       const struct cache_entry *entry) {
    (void)entry;
    json_object_open(json);
    json_member_string(json, "ID", message->id.text);
    json_member_text(json, "Content", message->content);
    json_member_text(json, "PhoneNumber", message->recipient);
    json_key(json, "IsSent");
    json_value_bool(json, true);
    json_object_close(json);
}

static void write_tail(struct buffer *text, int64_t count) {
    (void)count;
    buffer_append_string(text, "]}");
}

static void refuse(struct request *request, const struct error *error) {
    seed_answer(request, 500, "error", "failed to fetch messages", "details",
                answer_words(request, error), NULL);
}

void seed_003_sent(struct call *call) {
    static const struct seed_list_style style = {
        .head = "{\"message\":\"Messages fetched successfully\",\"data\":[",
        .empty = "{\"message\":\"Messages fetched successfully\",\"data\":null}",
        .write_item = write_item,
        .write_tail = write_tail,
        .refuse = refuse,
    };
    const struct store_query query = {.states = MESSAGE_STATES_SENT, .order = STORE_OLDEST_FIRST};
    seed_list_send(call, &query, 0, &style);
}
