#include "store/store_query.h"

#include "base/check.h"
#include "store/store_ops.h"

#include <string.h>

bool store_query_is_selective(const struct store_query *query) {
    return query->recipient.len > 0 || query->provider.len > 0 || query->content.len > 0 ||
           query->created.from_ms > 0 || query->created.to_ms > 0 || query->sent.from_ms > 0 ||
           query->sent.to_ms > 0;
}

static bool in_range(const struct store_range *range, int64_t at_ms) {
    bool asked = range->from_ms > 0 || range->to_ms > 0;
    return !asked ||
           (at_ms > 0 && at_ms >= range->from_ms && (range->to_ms == 0 || at_ms < range->to_ms));
}

static bool is_wanted(struct text wanted, struct text value) {
    return wanted.len == 0 || text_equal(wanted, value);
}

static bool contains(struct text text, struct text part) {
    return part.len == 0 ||
           (text.data != NULL && memmem(text.data, text.len, part.data, part.len) != NULL);
}

bool store_query_matches(const struct store_query *query, const struct message *message) {
    return (query->states == 0 || (query->states & MESSAGE_STATE_BIT(message->state)) != 0) &&
           is_wanted(query->recipient, message->recipient) &&
           is_wanted(query->provider, message->provider) &&
           contains(message->content, query->content) &&
           in_range(&query->created, message->created_at_ms) &&
           in_range(&query->sent, message->sent_at_ms);
}

static void check_query(const struct store_query *query) {
    check(query->order != STORE_LAST_SENT_FIRST || (query->after.len == 0 && query->states != 0 &&
                                                    (query->states & ~MESSAGE_STATES_SENT) == 0));
}

enum status store_list(struct store_session *session, const struct store_query *query,
                       struct arena *arena, struct store_page *page, struct error *error) {
    check(session != NULL && query != NULL && arena != NULL && page != NULL);
    check(query->limit > 0 && query->limit <= STORE_LIST_LIMIT_MAX);
    check(query->offset <= STORE_OFFSET_MAX);
    check_query(query);
    *page = (struct store_page){0};
    page->messages = arena_alloc(arena, (query->limit + 1) * sizeof *page->messages);
    if (page->messages == NULL)
        return error_set(error, STATUS_FULL, "list messages: the list takes too much memory");
    enum status status = session->store->ops->list(session, query, arena, page, error);
    if (status == STATUS_OK && page->count > query->limit) {
        page->count = query->limit;
        page->more = true;
        page->next = page->messages[page->count - 1].id;
    }
    return store_finish(status, "list messages", error);
}

static enum status count_states(struct store_session *session, const struct store_query *query,
                                struct store_total *total, struct error *error) {
    struct store_depth depth;
    enum status status = store_depth(session, &depth, error);
    for (size_t i = 0; i < MESSAGE_STATES && status == STATUS_OK; i++)
        if (query->states == 0 || (query->states & MESSAGE_STATE_BIT(i)) != 0)
            total->count += depth.messages[i];
    return status;
}

enum status store_count(struct store_session *session, const struct store_query *query,
                        struct store_total *total, struct error *error) {
    check(session != NULL && query != NULL && total != NULL);
    check_query(query);
    *total = (struct store_total){.exact = true};
    if (!store_query_is_selective(query))
        return count_states(session, query, total, error);
    return store_finish(session->store->ops->count(session, query, total, error), "count messages",
                        error);
}
