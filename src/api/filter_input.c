#include "api/filter_input.h"

#include "base/timestamp.h"

#include <string.h>

static const char *const names[] = {"status",       "recipient",  "provider",  "q",
                                    "created_from", "created_to", "sent_from", "sent_to"};
#define NAMES (sizeof names / sizeof names[0])

static bool refuse(struct filter_fault *fault, const char *field, const char *text) {
    *fault = (struct filter_fault){field, text};
    return false;
}

static bool set_states(struct store_query *query, struct text value, struct filter_fault *fault) {
    for (struct text rest = value; rest.data != NULL;) {
        enum message_state state;
        if (!message_state_from_name(text_cut(&rest, ','), &state))
            return refuse(fault, "status",
                          "must be of pending, sending, sent, failed, cancelled, expired,"
                          " delivered, undelivered, unknown; several are separated by commas");
        query->states |= MESSAGE_STATE_BIT(state);
    }
    return true;
}

static bool set_text(struct text *target, const char *name, struct text value,
                     struct filter_fault *fault) {
    if (value.len > FILTER_TEXT_BYTES_MAX)
        return refuse(fault, name, "is longer than 1000 bytes");
    if (text_utf8_count(value) < 0 || memchr(value.data, '\0', value.len) != NULL)
        return refuse(fault, name, "is no text");
    *target = value;
    return true;
}

static bool set_time(int64_t *target, const char *name, struct text value,
                     struct filter_fault *fault) {
    return timestamp_parse(value, target) ||
           refuse(fault, name, "must be a time like 2026-01-31T09:30:00Z (RFC 3339)");
}

bool filter_input_set(struct store_query *query, const char *name, struct text value,
                      struct filter_fault *fault) {
    *fault = (struct filter_fault){0};
    if (strcmp(name, "status") == 0)
        return set_states(query, value, fault);
    if (strcmp(name, "recipient") == 0)
        return set_text(&query->recipient, name, value, fault);
    if (strcmp(name, "provider") == 0)
        return set_text(&query->provider, name, value, fault);
    if (strcmp(name, "q") == 0)
        return set_text(&query->content, name, value, fault);
    if (strcmp(name, "created_from") == 0)
        return set_time(&query->created.from_ms, name, value, fault);
    if (strcmp(name, "created_to") == 0)
        return set_time(&query->created.to_ms, name, value, fault);
    if (strcmp(name, "sent_from") == 0)
        return set_time(&query->sent.from_ms, name, value, fault);
    if (strcmp(name, "sent_to") == 0)
        return set_time(&query->sent.to_ms, name, value, fault);
    return false;
}

bool filter_input_read(struct store_query *query,
                       struct text (*look_up)(const void *context, const char *name),
                       const void *context, struct filter_fault *fault) {
    for (size_t i = 0; i < NAMES; i++) {
        struct text value = look_up(context, names[i]);
        if (value.len > 0 && !filter_input_set(query, names[i], value, fault))
            return false;
    }
    return true;
}

bool filter_input_from_json(struct store_query *query, const json_t *object,
                            struct filter_fault *fault) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        if (!json_is_string(value))
            return refuse(fault, name, "must be a string");
        struct text text = {json_string_value(value), json_string_length(value)};
        if (filter_input_set(query, name, text, fault))
            continue;
        return fault->field != NULL ? false
                                    : refuse(fault, name,
                                             "is not a known filter; known are status, recipient,"
                                             " provider, q, created_from, created_to, sent_from,"
                                             " sent_to");
    }
    return true;
}
