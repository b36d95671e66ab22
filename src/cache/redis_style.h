/* Keys and values as the seed systems write them, beside our own, for whoever reads these. */
#ifndef CACHE_REDIS_STYLE_H
#define CACHE_REDIS_STYLE_H

#include "base/buffer.h"

enum redis_style {
    REDIS_STYLE_OWN, /* nothing beside our own */
    REDIS_STYLE_000, /* "<provider's id>": the time */
    REDIS_STYLE_001, /* "message:<id>": message_id, messageId, sent_at, status */
    REDIS_STYLE_002, /* "delivery:<id>": message_id (the provider's), timestamp */
    REDIS_STYLE_003, /* "<provider's id>": the time, without fractions */
    REDIS_STYLE_004, /* "message_sent:<provider's id>": message_id (the provider's), sent_at */
};

/* "posthaste", "000" … "004"; false for anything else. */
bool redis_style_from_name(const char *name, enum redis_style *style);

struct redis_style_delivery {
    struct text id, provider_id;
    int64_t accepted_at_ms;
};

/* Append key and value. False, and nothing appended: the style has none for this delivery, because
 * the provider gave no id. */
bool redis_style_write_key(enum redis_style style, const struct redis_style_delivery *delivery,
                           struct buffer *key);
void redis_style_write_value(enum redis_style style, const struct redis_style_delivery *delivery,
                             struct buffer *value);

#endif
