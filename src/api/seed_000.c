/* The API of seed 000, "Go sender". */
#include "api/seed_answer.h"
#include "api/seed_list.h"

#define LIMIT_DEFAULT 10

void seed_000_start(struct call *call) {
    if (seed_start(call))
        seed_answer_empty(call->request, 200);
    else
        seed_answer(call->request, 400, "error", "sender is already running", NULL);
}

void seed_000_stop(struct call *call) {
    if (seed_stop(call))
        seed_answer_empty(call->request, 200);
    else
        seed_answer(call->request, 400, "error", "sender is not running", NULL);
}

static void write_item(struct json_writer *json, const struct message *message,
                       const struct cache_entry *entry) {
    (void)entry;
    bool sent = (MESSAGE_STATE_BIT(message->state) & MESSAGE_STATES_SENT) != 0;
    json_object_open(json);
    json_member_text(json, "content", message->content);
    json_member_text(json, "phone", message->recipient);
    json_key(json, "is_sent");
    json_value_bool(json, sent);
    json_object_close(json);
}

static void write_tail(struct buffer *text, int64_t count) {
    (void)count;
    buffer_append_byte(text, ']');
}

static void refuse(struct request *request, const struct error *error) {
    seed_answer(request, 500, "error", answer_words(request, error), NULL);
}

/* What is no number, or makes no sense, is as if it were not there. */
static int64_t number_or(struct call *call, const char *name, int64_t otherwise) {
    int64_t number = 0;
    bool good = text_to_int64(request_query(call->request, name), &number) && number > 0;
    return good ? number : otherwise;
}

void seed_000_messages(struct call *call) {
    static const struct seed_list_style style = {
        .head = "[",
        .empty = "[]",
        .write_item = write_item,
        .write_tail = write_tail,
        .refuse = refuse,
    };
    int64_t limit = number_or(call, "limit", LIMIT_DEFAULT), page = number_or(call, "page", 1);
    bool sent = true;
    text_to_bool(request_query(call->request, "is_sent"), &sent);
    struct store_query query = {
        .states = sent ? MESSAGE_STATES_SENT : ~MESSAGE_STATES_SENT & MESSAGE_STATES_ALL,
        .order = STORE_OLDEST_FIRST,
    };
    if (page - 1 > STORE_OFFSET_MAX / limit) {
        request_respond(call->request, 200, "application/json", TEXT_LITERAL("[]"));
        return;
    }
    query.offset = (size_t)((page - 1) * limit);
    seed_list_send(call, &query, (size_t)limit, &style);
}
