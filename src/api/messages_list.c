/* GET /api/v1/messages: by cursor, or in pages for those who want pages. */
#include "api/enrich.h"
#include "api/message_json.h"
#include "api/message_read.h"

#include <stdio.h>

#define LIMIT_DEFAULT 50
#define CURSOR_RULE "must be the next_cursor of an earlier answer"

/* What a list was asked for beside its filters. */
struct listing {
    struct store_query query;
    int64_t page, per_page; /* page 0: it is no list of pages */
    bool counts;            /* the total is wanted */
};

static bool refuse(struct call *call, const char *field, const char *text) {
    answer_error(call->request, 422, "invalid_field", text, field);
    return false;
}

/* ?page=&per_page= are another way to say ?offset=&limit=. */
static bool read_place(struct call *call, struct listing *listing) {
    int64_t limit = LIMIT_DEFAULT, offset = 0;
    listing->per_page = LIMIT_DEFAULT;
    bool pages = request_query(call->request, "page").len > 0 ||
                 request_query(call->request, "per_page").len > 0;
    listing->page = pages ? 1 : 0;
    if (!query_number(call, "limit", 1, STORE_LIST_LIMIT_MAX, &limit) ||
        !query_number(call, "offset", 0, STORE_OFFSET_MAX, &offset) ||
        !query_number(call, "page", 1, STORE_OFFSET_MAX, &listing->page) ||
        !query_number(call, "per_page", 1, STORE_LIST_LIMIT_MAX, &listing->per_page))
        return false;
    if (pages) {
        limit = listing->per_page;
        offset = (listing->page - 1) * listing->per_page;
    }
    if (offset > STORE_OFFSET_MAX)
        return refuse(call, "page", "is too far; use the cursor, or filters");
    listing->query.limit = (size_t)limit;
    listing->query.offset = (size_t)offset;
    listing->counts = pages || offset > 0 || !store_query_is_selective(&listing->query);
    return true;
}

static bool read_listing(struct call *call, struct listing *listing) {
    *listing = (struct listing){0};
    if (!message_read_query(call, &listing->query) || !read_place(call, listing) ||
        !query_bool(call, "total", &listing->counts))
        return false;
    listing->query.after = request_query(call->request, "cursor");
    if (listing->query.after.len > MESSAGE_ID_BYTES_MAX)
        return refuse(call, "cursor", CURSOR_RULE);
    if (listing->query.after.len > 0 && listing->query.offset > 0)
        return refuse(call, "cursor", "cannot stand beside page or offset");
    return true;
}

static void write_total(struct json_writer *json, const struct listing *listing,
                        const struct store_total *total) {
    json_member_int64(json, "total", total->count);
    json_key(json, "total_is_exact");
    json_value_bool(json, total->exact);
    if (listing->page == 0)
        return;
    json_member_int64(json, "page", listing->page);
    json_member_int64(json, "per_page", listing->per_page);
    json_member_int64(json, "total_pages",
                      (total->count + listing->per_page - 1) / listing->per_page);
}

static void add_total_header(struct request *request, const struct store_total *total) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)total->count);
    request_add_header(request, "X-Total-Count", text);
}

static void write_messages(struct json_writer *json, struct call *call,
                           const struct store_page *page) {
    const struct cache_entry *entries = enrich_find(call->api->options.cache, page->messages,
                                                    page->count, request_arena(call->request));
    json_key(json, "messages");
    json_array_open(json);
    for (size_t i = 0; i < page->count; i++) {
        json_object_open(json);
        message_json_members(json, &page->messages[i]);
        if (entries != NULL)
            enrich_members(json, &entries[i]);
        json_object_close(json);
    }
    json_array_close(json);
}

static void send_list(struct call *call, const struct listing *listing,
                      const struct store_page *page, const struct store_total *total) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_messages(&answer.json, call, page);
    json_member_string(&answer.json, "next_cursor", page->more ? page->next.text : NULL);
    if (listing->counts) {
        write_total(&answer.json, listing, total);
        add_total_header(call->request, total);
    }
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void messages_list(struct call *call) {
    struct listing listing;
    struct store_page page;
    struct store_total total = {0};
    struct error error;
    if (!read_listing(call, &listing))
        return;
    enum status status =
        message_read_page(call->api, &listing.query, request_arena(call->request), &page, &error);
    if (status == STATUS_OK && listing.counts)
        status = message_read_total(call->api, &listing.query, &total, &error);
    if (status == STATUS_OK)
        send_list(call, &listing, &page, &total);
    else if (status == STATUS_INVALID)
        answer_error(call->request, 422, "invalid_field", CURSOR_RULE, "cursor");
    else
        answer_failure(call->request, &error);
}
