/* The API of seed 004, "Auto Message Sender API". */
#include "api/message_read.h"
#include "api/seed_answer.h"

#include <stdio.h>

#define PER_PAGE_DEFAULT 10
#define PER_PAGE_MAX 100

static void answer_change(struct call *call, bool active, const char *time_key,
                          const char *message) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_key(&answer.json, "is_active");
    json_value_bool(&answer.json, active);
    json_member_string(&answer.json, time_key, seed_now(call).text);
    json_member_string(&answer.json, "message", message);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void seed_004_start(struct call *call) {
    if (seed_start(call))
        answer_change(call, true, "started_at", "Scheduler started successfully");
    else
        seed_answer(call->request, 400, "error", "Scheduler is already running", NULL);
}

void seed_004_stop(struct call *call) {
    if (seed_stop(call))
        answer_change(call, false, "stopped_at", "Scheduler stopped successfully");
    else
        seed_answer(call->request, 400, "error", "Scheduler is not running", NULL);
}

static void write_item(struct json_writer *json, const struct message *message) {
    json_object_open(json);
    json_member_string(json, "id", message->id.text);
    json_member_text(json, "to", message->recipient);
    json_member_text(json, "content", message->content);
    json_member_string(json, "status", "sent");
    json_member_time_ms(json, "created_at", message->created_at_ms);
    if (message->sent_at_ms > 0)
        json_member_time_ms(json, "sent_at", message->sent_at_ms);
    if (message->provider_id.len > 0)
        json_member_text(json, "message_id", message->provider_id);
    json_member_int64(json, "retry_count", message->attempts > 1 ? message->attempts - 1 : 0);
    json_object_close(json);
}

/* A page of this seed's kind. */
struct wanted_page {
    int64_t number, per_page;
};

static void send_page(struct call *call, const struct store_page *page, int64_t total,
                      const struct wanted_page *wanted) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_key(&answer.json, "messages");
    json_array_open(&answer.json);
    for (size_t i = 0; i < page->count; i++)
        write_item(&answer.json, &page->messages[i]);
    json_array_close(&answer.json);
    json_member_int64(&answer.json, "total", total);
    json_member_int64(&answer.json, "page", wanted->number);
    json_member_int64(&answer.json, "per_page", wanted->per_page);
    json_member_int64(&answer.json, "total_pages",
                      (total + wanted->per_page - 1) / wanted->per_page);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

/* False when it has answered. */
static bool read_positive(struct call *call, const char *name, int64_t *number) {
    struct text given = request_query(call->request, name);
    char fault[96];
    if (given.data == NULL || (text_to_int64(given, number) && *number > 0))
        return true;
    snprintf(fault, sizeof fault, "Invalid %s parameter, must be a positive integer", name);
    seed_answer(call->request, 400, "error", fault, NULL);
    return false;
}

static enum status read_page(struct call *call, const struct wanted_page *wanted,
                             struct store_page *page, struct store_total *total,
                             struct error *error) {
    struct store_query query = {
        .states = MESSAGE_STATES_SENT,
        .order = STORE_LAST_SENT_FIRST,
        .limit = (size_t)wanted->per_page,
    };
    enum status status = message_read_total(call->api, &query, total, error);
    *page = (struct store_page){0};
    if (status != STATUS_OK || wanted->number - 1 > STORE_OFFSET_MAX / wanted->per_page)
        return status;
    query.offset = (size_t)((wanted->number - 1) * wanted->per_page);
    return message_read_once(call->api, &query, request_arena(call->request), page, error);
}

void seed_004_sent(struct call *call) {
    struct wanted_page wanted = {1, PER_PAGE_DEFAULT};
    struct store_page page;
    struct store_total total;
    struct error error;
    if (!read_positive(call, "page", &wanted.number) ||
        !read_positive(call, "per_page", &wanted.per_page))
        return;
    if (wanted.per_page > PER_PAGE_MAX)
        wanted.per_page = PER_PAGE_MAX;
    if (read_page(call, &wanted, &page, &total, &error) == STATUS_OK)
        send_page(call, &page, total.count, &wanted);
    else
        seed_answer(call->request, 500, "error", "Failed to retrieve messages", NULL);
}
