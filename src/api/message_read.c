#include "api/message_read.h"

#include "api/filter_input.h"

static struct text from_request(const void *context, const char *name) {
    return request_query(context, name);
}

static bool read_order(struct call *call, struct store_query *query) {
    struct text order = request_query(call->request, "order");
    if (order.len == 0 || text_equal_string(order, "newest"))
        return true;
    query->order = STORE_OLDEST_FIRST;
    if (text_equal_string(order, "oldest"))
        return true;
    answer_error(call->request, 422, "invalid_field", "must be newest or oldest", "order");
    return false;
}

bool message_read_query(struct call *call, struct store_query *query) {
    struct filter_fault fault;
    *query = (struct store_query){0};
    if (!filter_input_read(query, from_request, call->request, &fault)) {
        answer_error(call->request, 422, "invalid_field", fault.text, fault.field);
        return false;
    }
    return read_order(call, query);
}

enum status message_read_once(struct api *api, const struct store_query *query, struct arena *arena,
                              struct store_page *page, struct error *error) {
    struct store_session *session = NULL;
    enum status status = api_borrow_session(api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_list(session, query, arena, page, error);
    api_return_session(api, session);
    return status;
}

enum status message_read_page(struct api *api, const struct store_query *query, struct arena *arena,
                              struct store_page *page, struct error *error) {
    struct store_query next = *query;
    int64_t end_us = clock_monotonic_us(&clock_system) + MESSAGE_READ_PATIENCE_US;
    enum status status = STATUS_OK;
    do {
        status = message_read_once(api, &next, arena, page, error);
        next.after = text_of(page->next.text);
    } while (status == STATUS_OK && page->count == 0 && page->more && query->offset == 0 &&
             clock_monotonic_us(&clock_system) < end_us);
    return status;
}

enum status message_read_total(struct api *api, const struct store_query *query,
                               struct store_total *total, struct error *error) {
    struct store_session *session = NULL;
    enum status status = api_borrow_session(api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_count(session, query, total, error);
    api_return_session(api, session);
    return status;
}
