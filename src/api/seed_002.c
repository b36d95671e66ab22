/* The API of seed 002, "Automated Message Sending System". */
#include "api/seed_answer.h"
#include "api/seed_list.h"

void seed_002_start(struct call *call) {
    if (seed_start(call))
        seed_answer(call->request, 200, "status", "started", "message",
                    "Message processing started successfully", NULL);
    else
        seed_answer(call->request, 200, "status", "running", "message",
                    "Message processing is already running", NULL);
}

void seed_002_stop(struct call *call) {
    bool stopped = seed_stop(call);
    seed_answer(call->request, 200, "status", "stopped", "message",
                stopped ? "Message processing stopped successfully"
                        : "Message processing is not running",
                NULL);
}

/* A number, as the seed's ids are, where ours are such too. */
static void write_id(struct json_writer *json, const struct message_id *id) {
    int64_t number = 0;
    json_key(json, "id");
    if (message_id_to_number(text_of(id->text), &number))
        json_value_int64(json, number);
    else
        json_value_string(json, id->text);
}

static void write_item(struct json_writer *json, const struct message *message,
                       const struct cache_entry *entry) {
    json_object_open(json);
    write_id(json, &message->id);
    json_member_text(json, "phone_number", message->recipient);
    json_member_text(json, "content", message->content);
    json_key(json, "sent");
    json_value_bool(json, true);
    json_member_time_ms(json, "created_at", message->created_at_ms);
    if (entry != NULL)
        enrich_members(json, entry);
    json_object_close(json);
}

static void write_tail(struct buffer *text, int64_t count) {
    buffer_printf(text, "],\"total\":%lld}", (long long)count);
}

static void refuse(struct request *request, const struct error *error) {
    (void)error;
    seed_answer(request, 500, "error", "retrieval_failed", "message",
                "Failed to retrieve sent messages", NULL);
}

void seed_002_sent(struct call *call) {
    static const struct seed_list_style style = {
        .head = "{\"messages\":[",
        .write_item = write_item,
        .write_tail = write_tail,
        .asks_cache = true,
        .refuse = refuse,
    };
    const struct store_query query = {.states = MESSAGE_STATES_SENT, .order = STORE_OLDEST_FIRST};
    seed_list_send(call, &query, 0, &style);
}
