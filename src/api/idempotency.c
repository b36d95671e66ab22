#include "api/idempotency.h"

#include "base/buffer.h"
#include "base/crypto.h"

#include <stdio.h>

#define FINGERPRINT_BYTES_MAX ((size_t)1 << 20)

static bool set_key(struct message_draft *draft, struct arena *arena, struct text owner,
                    struct text key, int64_t place) {
    char text[MESSAGE_KEY_BYTES_MAX + 1];
    int length = place < 0 ? snprintf(text, sizeof text, "%.*s/own/%.*s", TEXT_ARGUMENT(owner),
                                      TEXT_ARGUMENT(key))
                           : snprintf(text, sizeof text, "%.*s/request/%.*s/%lld",
                                      TEXT_ARGUMENT(owner), TEXT_ARGUMENT(key), (long long)place);
    draft->key = arena_copy(arena, (struct text){text, (size_t)length});
    return draft->key.data != NULL;
}

static bool set_fingerprint(struct message_draft *draft, struct arena *arena, struct text source) {
    char hex[SHA256_HEX_BYTES];
    sha256_hex(source, hex);
    draft->fingerprint = arena_copy(arena, text_of(hex));
    return draft->fingerprint.data != NULL;
}

/* Everything that makes the message what it is; lengths keep the parts apart. */
static void write_draft(struct buffer *buffer, const struct message_draft *draft) {
    const struct text texts[] = {draft->recipient, draft->content, draft->metadata,
                                 draft->provider};
    buffer_printf(buffer, "%lld %lld %lld %lld", (long long)draft->priority,
                  (long long)draft->due_at_ms, (long long)draft->expires_at_ms,
                  (long long)draft->max_attempts);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer_printf(buffer, " %zu ", texts[i].len);
        buffer_append(buffer, texts[i]);
    }
}

static bool fingerprint_itself(struct message_draft *draft, struct arena *arena) {
    struct buffer words;
    buffer_init(&words, FINGERPRINT_BYTES_MAX);
    write_draft(&words, draft);
    bool set = !words.overflowed && set_fingerprint(draft, arena, buffer_view(&words));
    buffer_deinit(&words);
    return set;
}

bool idempotency_apply_line(const struct idempotency *request, struct message_draft *draft,
                            int64_t number, struct arena *arena) {
    if (request->key.len == 0 && draft->key.len == 0)
        return true;
    bool of_request = request->key.len > 0;
    return fingerprint_itself(draft, arena) &&
           set_key(draft, arena, request->owner, of_request ? request->key : draft->key,
                   of_request ? number : -1);
}

bool idempotency_apply(const struct idempotency *request, struct message_draft *drafts,
                       size_t count, struct arena *arena) {
    struct message_draft whole = {0};
    bool of_request = request->key.len > 0;
    if (of_request && !set_fingerprint(&whole, arena, request->body))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool applied = of_request
                           ? set_key(&drafts[i], arena, request->owner, request->key, (int64_t)i)
                           : idempotency_apply_line(request, &drafts[i], 0, arena);
        if (!applied)
            return false;
        if (of_request)
            drafts[i].fingerprint = whole.fingerprint;
    }
    return true;
}
