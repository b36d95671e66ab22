/* The webhook: POST {"to","content"} as JSON to one address. */
#include "base/check.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "sender/sender_ops.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct webhook {
    struct sender sender; /* first: it is the base */
    char *url;
    char *auth_header;
    char *auth_key;
};

static const struct webhook *of(const struct sender *sender) {
    return (const struct webhook *)sender;
}

static void write_body(const struct message *message, struct buffer *body) {
    struct json_writer json = json_writer_on(body);
    json_object_open(&json);
    json_key(&json, "to");
    json_value_text(&json, message->recipient);
    json_key(&json, "content");
    json_value_text(&json, message->content);
    json_object_close(&json);
}

static enum status build(const struct sender *sender, const struct message *message,
                         struct http_request *request, struct error *error) {
    const struct webhook *webhook = of(sender);
    request->method = "POST";
    request->url = webhook->url;
    write_body(message, &request->body);
    bool fits = !request->body.overflowed &&
                http_request_add_header(request, TEXT_LITERAL("Content-Type"),
                                        TEXT_LITERAL("application/json")) &&
                http_request_add_header(request, TEXT_LITERAL("Idempotency-Key"),
                                        text_of(message->id.text));
    if (fits && webhook->auth_key[0] != '\0')
        fits = http_request_add_header(request, text_of(webhook->auth_header),
                                       text_of(webhook->auth_key));
    return fits ? STATUS_OK
                : error_set(error, STATUS_INVALID,
                            "the request is too large, or a header holds a control character");
}

/* Providers name it messageId, message_id or id, as a string or a number. */
static void find_provider_id(const struct sender *sender, struct text body,
                             char provider_id[OUTCOME_PROVIDER_ID_BYTES_MAX + 1]) {
    (void)sender;
    static const char *const names[] = {"messageId", "message_id", "id"};
    json_t *root = json_loadb(body.data, body.len, JSON_DISABLE_EOF_CHECK, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && provider_id[0] == '\0'; i++) {
        const json_t *value = json_object_get(root, names[i]);
        struct buffer text;
        buffer_init(&text, OUTCOME_PROVIDER_ID_BYTES_MAX);
        if (json_is_integer(value))
            buffer_append_int64(&text, json_integer_value(value));
        else if (json_is_string(value))
            buffer_append(&text,
                          (struct text){json_string_value(value), json_string_length(value)});
        if (text.len > 0)
            memcpy(provider_id, text.data, strlen(text.data) + 1);
        buffer_deinit(&text);
    }
    json_decref(root);
}

static void destroy(struct sender *sender) {
    struct webhook *webhook = (struct webhook *)sender;
    free(webhook->url);
    free(webhook->auth_header);
    free(webhook->auth_key);
    free(webhook);
}

static const struct sender_ops webhook_ops = {
    .name = "webhook",
    .destroy = destroy,
    .build = build,
    .find_provider_id = find_provider_id,
};

enum status sender_webhook_create(struct sender **sender, const struct sender_options *options,
                                  struct error *error) {
    (void)error;
    check(options->webhook_url != NULL && options->webhook_url[0] != '\0');
    check(options->webhook_timeout_ms > 0);
    struct webhook *webhook = memory_zeroed(1, sizeof *webhook);
    webhook->sender.ops = &webhook_ops;
    webhook->sender.timeout_ms = options->webhook_timeout_ms;
    webhook->url = memory_copy_string(options->webhook_url);
    webhook->auth_header = memory_copy_string(options->webhook_auth_header);
    webhook->auth_key = memory_copy_string(options->webhook_auth_key);
    *sender = &webhook->sender;
    return STATUS_OK;
}
