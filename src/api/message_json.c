#include "api/message_json.h"

static void write_optional(struct json_writer *json, const char *key, struct text value) {
    json_key(json, key);
    if (value.len > 0)
        json_value_text(json, value);
    else
        json_value_null(json);
}

void message_json_members(struct json_writer *json, const struct message *message) {
    json_key(json, "id");
    json_value_string(json, message->id.text);
    json_key(json, "to");
    json_value_text(json, message->recipient);
    write_optional(json, "content", message->content);
    json_key(json, "status");
    json_value_string(json, message_state_name(message->state));
    json_key(json, "priority");
    json_value_int64(json, message->priority);
    json_key(json, "attempt_count");
    json_value_int64(json, message->attempts);
    json_key(json, "created_at");
    json_value_time_ms(json, message->created_at_ms);
    json_key(json, "due_at");
    json_value_time_ms(json, message->due_at_ms);
    json_key(json, "sent_at");
    json_value_time_ms(json, message->sent_at_ms);
    write_optional(json, "provider_id", message->provider_id);
    write_optional(json, "error", message->error);
}

static void write_attempt(struct json_writer *json, const struct attempt *attempt) {
    json_object_open(json);
    json_key(json, "number");
    json_value_int64(json, attempt->number);
    json_key(json, "at");
    json_value_time_ms(json, attempt->at_ms);
    json_key(json, "class");
    json_value_string(json, attempt_class_name(attempt->class));
    json_key(json, "http_status");
    json_value_int64(json, attempt->http_status);
    json_key(json, "excerpt");
    json_value_string(json, attempt->excerpt);
    json_key(json, "duration_ms");
    json_value_int64(json, attempt->duration_ms);
    json_object_close(json);
}

void message_json_attempts(struct json_writer *json, const struct attempt_list *attempts) {
    json_key(json, "attempts");
    json_array_open(json);
    for (size_t i = 0; i < attempts->count; i++)
        write_attempt(json, &attempts->items[i]);
    json_array_close(json);
}
