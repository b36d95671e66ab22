#include "store/postgres/postgres_array.h"
#include "store/postgres/postgres_store.h"

#include <stdio.h>

#define QUERY_BYTES_MAX ((size_t)1 << 20)
#define NUMBER_BYTES 24

static void write_states(struct json_writer *json, unsigned states) {
    json_key(json, "states");
    json_array_open(json);
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        if ((states & MESSAGE_STATE_BIT(i)) != 0)
            json_value_string(json, message_state_name((enum message_state)i));
    json_array_close(json);
}

/* The query as posthaste_list takes it; the buffer is the caller's to deinit. False: it is too
 * long. */
static bool write_query(struct buffer *buffer, const struct store_query *query, const char *after) {
    static const char *const orders[] = {
        [STORE_NEWEST_FIRST] = "newest",
        [STORE_OLDEST_FIRST] = "oldest",
        [STORE_LAST_SENT_FIRST] = "last_sent",
    };
    buffer_init(buffer, QUERY_BYTES_MAX);
    struct json_writer json = json_writer_on(buffer);
    json_object_open(&json);
    write_states(&json, query->states);
    json_member_string(&json, "after", after);
    json_member_string(&json, "order", orders[query->order]);
    json_member_int64(&json, "scan", store_query_is_selective(query) ? STORE_SCAN_MAX : 0);
    postgres_text_write(&json, "recipient", query->recipient);
    postgres_text_write(&json, "provider", query->provider);
    postgres_text_write(&json, "content", query->content);
    json_member_int64(&json, "created_from", query->created.from_ms);
    json_member_int64(&json, "created_to", query->created.to_ms);
    json_member_int64(&json, "sent_from", query->sent.from_ms);
    json_member_int64(&json, "sent_to", query->sent.to_ms);
    json_object_close(&json);
    return !buffer->overflowed;
}

/* Where the scan of a selective query ended, when it found less than a page. */
static enum status find_end(struct store_session *session, const char *query,
                            struct store_page *page, struct error *error) {
    struct postgres_rows rows;
    enum status status =
        postgres_read_rows(session, POSTGRES_LIST_END, (const char *const[]){query}, &rows, error);
    if (status != STATUS_OK)
        return status;
    page->more = !postgres_is_null(&rows, 0, 0);
    if (page->more)
        snprintf(page->next.text, sizeof page->next.text, "%s", postgres_text(&rows, 0, 0).data);
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}

static enum status ask(struct store_session *session, const struct store_query *query,
                       const char *json, struct postgres_rows *rows, struct error *error) {
    char limit[NUMBER_BYTES], offset[NUMBER_BYTES];
    snprintf(limit, sizeof limit, "%zu", query->limit + 1);
    snprintf(offset, sizeof offset, "%zu", query->offset);
    return postgres_read_rows(session, POSTGRES_LIST, (const char *const[]){json, limit, offset},
                              rows, error);
}

static enum status read_page(const struct postgres_rows *rows, struct arena *arena,
                             struct store_page *page, struct error *error) {
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && page->count < rows->count; page->count++)
        status =
            postgres_read_message(rows, page->count, arena, &page->messages[page->count], error);
    return status;
}

enum status postgres_list(struct store_session *session, const struct store_query *query,
                          struct arena *arena, struct store_page *page, struct error *error) {
    char after[MESSAGE_ID_BYTES_MAX + 1] = "";
    if (query->after.len > 0 && !postgres_id_parameter(query->after, after))
        return error_set(error, STATUS_INVALID, "the cursor is no id of a message");
    struct buffer json;
    struct postgres_rows rows = {0};
    enum status status = write_query(&json, query, after)
                             ? ask(session, query, json.data, &rows, error)
                             : error_set(error, STATUS_INVALID, "the filters are too long");
    if (status == STATUS_OK)
        status = read_page(&rows, arena, page, error);
    postgres_rows_deinit(&rows);
    bool may_go_on = store_query_is_selective(query) && query->order != STORE_LAST_SENT_FIRST;
    if (status == STATUS_OK && may_go_on && page->count <= query->limit)
        status = find_end(session, json.data, page, error);
    buffer_deinit(&json);
    return status;
}

enum status postgres_count(struct store_session *session, const struct store_query *query,
                           struct store_total *total, struct error *error) {
    struct buffer json;
    char max[NUMBER_BYTES];
    snprintf(max, sizeof max, "%d", STORE_COUNT_MAX);
    struct postgres_rows rows;
    enum status status =
        write_query(&json, query, "")
            ? postgres_read_rows(session, POSTGRES_COUNT, (const char *const[]){json.data, max},
                                 &rows, error)
            : error_set(error, STATUS_INVALID, "the filters are too long");
    struct store_page end = {0};
    if (status == STATUS_OK) {
        total->count = postgres_number(&rows, 0, 0);
        postgres_rows_deinit(&rows);
        if (total->count < STORE_COUNT_MAX)
            status = find_end(session, json.data, &end, error);
    }
    total->exact = total->count < STORE_COUNT_MAX && !end.more;
    buffer_deinit(&json);
    return status;
}
