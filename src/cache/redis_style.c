#include "cache/redis_style.h"

#include "base/json_writer.h"
#include "base/timestamp.h"

#include <string.h>

static const struct {
    const char *name;
    const char *key;  /* begins with */
    bool by_provider; /* and ends with the provider's id, else with ours */
} styles[] = {
    [REDIS_STYLE_OWN] = {"posthaste", "", false},
    [REDIS_STYLE_000] = {"000", "", true},
    [REDIS_STYLE_001] = {"001", "message:", false},
    [REDIS_STYLE_002] = {"002", "delivery:", false},
    [REDIS_STYLE_003] = {"003", "", true},
    [REDIS_STYLE_004] = {"004", "message_sent:", true},
};

bool redis_style_from_name(const char *name, enum redis_style *style) {
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(name, styles[i].name) == 0) {
            *style = (enum redis_style)i;
            return true;
        }
    return false;
}

bool redis_style_write_key(enum redis_style style, const struct redis_style_delivery *delivery,
                           struct buffer *key) {
    bool by_provider = styles[style].by_provider;
    if (style == REDIS_STYLE_OWN || (by_provider && delivery->provider_id.len == 0))
        return false;
    buffer_append_string(key, styles[style].key);
    return buffer_append(key, by_provider ? delivery->provider_id : delivery->id);
}

static void write_time(int64_t at_ms, struct buffer *value) {
    char text[TIMESTAMP_BYTES];
    timestamp_format(at_ms, text);
    buffer_append_string(value, text);
}

static void write_object(enum redis_style style, const struct redis_style_delivery *delivery,
                         struct buffer *value) {
    struct json_writer json = json_writer_on(value);
    json_object_open(&json);
    if (style == REDIS_STYLE_001) {
        json_member_text(&json, "message_id", delivery->id);
        json_member_text(&json, "messageId", delivery->provider_id);
        json_member_time_ms(&json, "sent_at", delivery->accepted_at_ms);
        json_member_string(&json, "status", "SENT");
    } else {
        json_member_text(&json, "message_id", delivery->provider_id);
        json_member_time_ms(&json, style == REDIS_STYLE_002 ? "timestamp" : "sent_at",
                            delivery->accepted_at_ms);
    }
    json_object_close(&json);
}

void redis_style_write_value(enum redis_style style, const struct redis_style_delivery *delivery,
                             struct buffer *value) {
    if (style == REDIS_STYLE_000) {
        write_time(delivery->accepted_at_ms, value);
    } else if (style == REDIS_STYLE_003) {
        char text[TIMESTAMP_BYTES];
        timestamp_format(delivery->accepted_at_ms, text);
        /* "…:00.250Z" to "…:00Z" */
        buffer_append(value, (struct text){text, strlen(text) - sizeof ".000Z" + 1});
        buffer_append_byte(value, 'Z');
    } else {
        write_object(style, delivery, value);
    }
}
