/* The webhook: POST {"to","content"} as JSON to one address. */
#include "base/check.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "sender/sender_ops.h"
#include "sender/webhook_signature.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESTAMP_DIGITS 24
#define SIGNATURE_BYTES_MAX 2048

struct webhook {
    struct sender sender; /* first: it is the base */
    char *url;
    char *auth_header;
    char *auth_key;
    struct webhook_signer *signer; /* NULL: nothing is signed */
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

/* The headers of Standard Webhooks. The id is the message's at every try, the time is this try's.
 */
static bool sign(const struct webhook *webhook, const struct message *message, int64_t now_ms,
                 struct http_request *request) {
    const struct webhook_content content = {text_of(message->id.text), now_ms / 1000,
                                            buffer_view(&request->body)};
    char timestamp[TIMESTAMP_DIGITS];
    struct buffer signature;
    buffer_init(&signature, SIGNATURE_BYTES_MAX);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)content.timestamp_s);
    bool fits =
        webhook_sign(webhook->signer, &content, &signature) &&
        http_request_add_header(request, TEXT_LITERAL("webhook-id"), content.id) &&
        http_request_add_header(request, TEXT_LITERAL("webhook-timestamp"), text_of(timestamp)) &&
        http_request_add_header(request, TEXT_LITERAL("webhook-signature"),
                                buffer_view(&signature));
    buffer_deinit(&signature);
    return fits;
}

static enum status build(const struct sender *sender, const struct message *message, int64_t now_ms,
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
    if (fits && webhook->signer != NULL)
        fits = sign(webhook, message, now_ms, request);
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
    webhook_signer_destroy(webhook->signer);
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
    check(options->webhook_url != NULL && options->webhook_url[0] != '\0');
    check(options->webhook_timeout_ms > 0);
    struct webhook *webhook = memory_zeroed(1, sizeof *webhook);
    webhook->sender.ops = &webhook_ops;
    webhook->sender.timeout_ms = options->webhook_timeout_ms;
    webhook->url = memory_copy_string(options->webhook_url);
    webhook->auth_header = memory_copy_string(options->webhook_auth_header);
    webhook->auth_key = memory_copy_string(options->webhook_auth_key);
    enum status status = STATUS_OK;
    if (options->webhook_secret != NULL && options->webhook_secret[0] != '\0')
        status = webhook_signer_create(&webhook->signer, options->webhook_secret, error);
    if (status == STATUS_OK)
        *sender = &webhook->sender;
    else
        destroy(&webhook->sender);
    return status;
}
