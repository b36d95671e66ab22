#include "cli/mock_record.h"

#include <string.h>

static void write_member(struct json_writer *json, const char *key, int64_t value) {
    json_member_int64(json, key, value);
}

/* A key that came from outside may need escapes. */
static void write_foreign_key(struct json_writer *json, struct text key) {
    json_value_text(json, key);
    buffer_append_byte(json->buffer, ':');
    json->comma = false;
}

/* Its parts are read under one lock, so that they fit together. */
static void write_repeats(const struct mock_record *record, struct json_writer *json) {
    const struct mock_sums *sums = &record->sums;
    write_member(json, "unique", (int64_t)record->ids.count);
    write_member(json, "duplicates", sums->with_id - (int64_t)record->ids.count);
    write_member(json, "accepted_unique", sums->accepted_unique);
    write_member(json, "accepted_duplicates", sums->accepted_again);
    write_member(json, "untracked", sums->untracked);
}

void mock_record_write_sums(struct mock_record *record, struct buffer *buffer) {
    const struct mock_sums *sums = &record->sums;
    struct json_writer json = json_writer_on(buffer);
    monitor_lock(&record->monitor);
    json_object_open(&json);
    write_member(&json, "requests", sums->requests);
    write_member(&json, "accepted", sums->accepted);
    write_member(&json, "failed", sums->failed);
    write_member(&json, "hung", sums->hung);
    write_member(&json, "reset", sums->reset);
    write_member(&json, "in_flight", sums->in_flight);
    write_member(&json, "in_flight_max", sums->in_flight_max);
    write_member(&json, "first_at_ms", sums->first_at_ms);
    write_member(&json, "last_at_ms", sums->last_at_ms);
    write_repeats(record, &json);
    json_object_close(&json);
    monitor_unlock(&record->monitor);
}

static void write_id_counts(const struct mock_id *counted, struct json_writer *json) {
    write_member(json, "received", counted != NULL ? counted->received : 0);
    write_member(json, "accepted", counted != NULL ? counted->accepted : 0);
}

void mock_record_write_counts(struct mock_record *record, struct buffer *buffer) {
    struct json_writer json = json_writer_on(buffer);
    monitor_lock(&record->monitor);
    json_object_open(&json);
    write_member(&json, "total", record->sums.requests);
    write_repeats(record, &json);
    json_key(&json, "counts");
    json_object_open(&json);
    for (size_t i = 0; i < record->ids.size && !buffer->overflowed; i++) {
        const struct mock_id *counted = &record->ids.slots[i];
        if (counted->id.data == NULL)
            continue;
        write_foreign_key(&json, counted->id);
        json_object_open(&json);
        write_id_counts(counted, &json);
        json_object_close(&json);
    }
    json_object_close(&json);
    json_object_close(&json);
    monitor_unlock(&record->monitor);
}

void mock_record_write_count(struct mock_record *record, struct text id, struct buffer *buffer) {
    struct json_writer json = json_writer_on(buffer);
    monitor_lock(&record->monitor);
    json_object_open(&json);
    json_member_text(&json, "id", id);
    write_id_counts(mock_ids_find(&record->ids, id), &json);
    json_object_close(&json);
    monitor_unlock(&record->monitor);
}

/* Takes what stands before the next NUL. */
static struct text next_text(struct text *rest) {
    struct text text = {rest->data, strlen(rest->data)};
    rest->data += text.len + 1;
    rest->len -= text.len + 1;
    return text;
}

static bool was_before(struct text name, struct text headers, const char *end) {
    while (headers.data < end) {
        struct text earlier = next_text(&headers);
        next_text(&headers);
        if (text_equal(earlier, name))
            return true;
    }
    return false;
}

/* A JSON object has each key once, so of a repeated header the first one stands. */
static void write_headers(struct text headers, struct json_writer *json) {
    struct text rest = headers;
    json_object_open(json);
    while (rest.len > 0) {
        const char *begin = rest.data;
        struct text name = next_text(&rest);
        struct text value = next_text(&rest);
        if (was_before(name, headers, begin))
            continue;
        write_foreign_key(json, name);
        json_value_text(json, value);
    }
    json_object_close(json);
}

static struct text take_bytes(struct text *rest, size_t len) {
    struct text taken = {rest->data, len};
    rest->data += len;
    rest->len -= len;
    return taken;
}

static void write_text_or_null(struct json_writer *json, const char *key, struct text value,
                               bool present) {
    json_key(json, key);
    if (present)
        json_value_text(json, value);
    else
        json_value_null(json);
}

static void write_kept(const struct mock_kept *kept, struct json_writer *json) {
    struct text rest = buffer_view(&kept->bytes);
    struct text id = take_bytes(&rest, kept->id_len);
    struct text to = take_bytes(&rest, kept->to_len);
    struct text content = take_bytes(&rest, kept->content_len);
    json_object_open(json);
    write_text_or_null(json, "id", id, kept->has_id);
    write_text_or_null(json, "to", to, to.len > 0);
    write_text_or_null(json, "content", content, content.len > 0);
    write_member(json, "at_ms", kept->at_ms);
    write_member(json, "status", kept->status);
    json_member_string(json, "outcome", mock_fate_name(kept->fate));
    json_key(json, "headers");
    write_headers(rest, json);
    json_object_close(json);
}

void mock_record_write_requests(struct mock_record *record, size_t limit, struct buffer *buffer) {
    struct json_writer json = json_writer_on(buffer);
    monitor_lock(&record->monitor);
    size_t count = record->kept_count;
    json_object_open(&json);
    json_key(&json, "requests");
    json_array_open(&json);
    for (size_t i = count > limit ? count - limit : 0; i < count; i++)
        write_kept(&record->kept[(record->kept_first + i) % MOCK_REQUESTS_KEPT], &json);
    json_array_close(&json);
    json_object_close(&json);
    monitor_unlock(&record->monitor);
}
