#include "api/message_json.h"

#include "message/segments.h"

#include <jansson.h>

static void write_optional(struct json_writer *json, const char *key, struct text value) {
    json_key(json, key);
    if (value.len > 0)
        json_value_text(json, value);
    else
        json_value_null(json);
}

/* What another program wrote into the row may be anything. */
static void write_metadata(struct json_writer *json, struct text metadata) {
    json_t *parsed = metadata.len > 0 ? json_loadb(metadata.data, metadata.len, 0, NULL) : NULL;
    json_key(json, "metadata");
    if (json_is_object(parsed))
        json_value_raw(json, metadata);
    else
        json_value_null(json);
    json_decref(parsed);
}

/* The names that clients of seed 001 know; absent where there is nothing. */
static void write_seed_001_members(struct json_writer *json, const struct message *message) {
    int64_t retries = message->attempts > 1 ? message->attempts - 1 : 0;
    json_member_text(json, "phoneNumber", message->recipient);
    if (message->provider_id.len > 0)
        json_member_text(json, "externalId", message->provider_id);
    json_member_int64(json, "retryCount", retries);
    json_member_int64(json, "retry_count", retries);
    json_member_time_ms(json, "createdAt", message->created_at_ms);
    if (message->sent_at_ms > 0)
        json_member_time_ms(json, "sentAt", message->sent_at_ms);
}

/* What the content costs where it goes out as SMS. */
static void write_segments(struct json_writer *json, struct text content) {
    struct sms_size size = sms_measure(content);
    json_member_string(json, "encoding", sms_encoding_name(size.encoding));
    json_member_int64(json, "segments", size.segments);
}

void message_json_members(struct json_writer *json, const struct message *message) {
    json_member_string(json, "id", message->id.text);
    json_member_text(json, "to", message->recipient);
    write_optional(json, "content", message->content);
    write_segments(json, message->content);
    json_member_string(json, "status", message_state_name(message->state));
    json_member_int64(json, "priority", message->priority);
    write_metadata(json, message->metadata);
    write_optional(json, "provider", message->provider);
    json_member_int64(json, "attempt_count", message->attempts);
    json_key(json, "max_attempts");
    if (message->max_attempts > 0)
        json_value_int64(json, message->max_attempts);
    else
        json_value_null(json);
    json_member_time_ms(json, "created_at", message->created_at_ms);
    json_member_time_ms(json, "due_at", message->due_at_ms);
    json_member_time_ms(json, "expires_at", message->expires_at_ms);
    json_member_time_ms(json, "sent_at", message->sent_at_ms);
    write_optional(json, "provider_id", message->provider_id);
    write_optional(json, "error", message->error);
    write_seed_001_members(json, message);
}

static void write_attempt(struct json_writer *json, const struct attempt *attempt) {
    json_object_open(json);
    json_member_int64(json, "number", attempt->number);
    json_member_time_ms(json, "at", attempt->at_ms);
    json_member_string(json, "class", attempt_class_name(attempt->class));
    json_member_int64(json, "http_status", attempt->http_status);
    json_member_string(json, "excerpt", attempt->excerpt);
    json_member_int64(json, "duration_ms", attempt->duration_ms);
    json_object_close(json);
}

void message_json_attempts(struct json_writer *json, const struct attempt_list *attempts) {
    json_key(json, "attempts");
    json_array_open(json);
    for (size_t i = 0; i < attempts->count; i++)
        write_attempt(json, &attempts->items[i]);
    json_array_close(json);
}
