#include "base/check.h"
#include "base/timestamp.h"
#include "sender/sender_ops.h"

#include <string.h>

#define HTTP_REQUEST_TIMEOUT 408
#define HTTP_TOO_EARLY 425
#define HTTP_TOO_MANY_REQUESTS 429

static const struct {
    const char *name;
    enum status (*create)(struct sender **, const struct sender_options *, struct error *);
} kinds[] = {
    {"webhook", sender_webhook_create},
};

enum status sender_create(struct sender **sender, const struct sender_options *options,
                          struct error *error) {
    check(sender != NULL && options != NULL && options->provider != NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, options->provider) == 0)
            return kinds[i].create(sender, options, error);
    return error_set(error, STATUS_INVALID, "PROVIDER: there is no provider %s", options->provider);
}

void sender_destroy(struct sender *sender) {
    if (sender != NULL)
        sender->ops->destroy(sender);
}

const char *sender_name(const struct sender *sender) {
    check(sender != NULL);
    return sender->ops->name;
}

int64_t sender_timeout_ms(const struct sender *sender) {
    check(sender != NULL);
    return sender->timeout_ms;
}

enum status sender_build(const struct sender *sender, const struct message *message, int64_t now_ms,
                         struct http_request *request, struct error *error) {
    check(sender != NULL && message != NULL && request != NULL);
    request->timeout_ms = sender->timeout_ms;
    return sender->ops->build(sender, message, now_ms, request, error);
}

/* RFC 9110, section 10.2.3: seconds, or a date. */
static int64_t retry_after_ms(struct text header, int64_t now_ms) {
    int64_t value = 0;
    if (text_to_int64(header, &value) && value >= 0)
        return value > INT64_MAX / 1000 ? INT64_MAX : value * 1000;
    if (timestamp_from_http_date(header, &value))
        return value > now_ms ? value - now_ms : 0;
    return -1;
}

static enum verdict_kind judge_status(const struct http_response *response) {
    /* A status line of 2xx is an acceptance, even where the body then broke off: to send again
     * would send twice. */
    if (response->status >= 200 && response->status < 300)
        return VERDICT_ACCEPTED;
    if (response->class != ATTEMPT_HTTP_4XX)
        return VERDICT_RETRY;
    bool passing = response->status == HTTP_REQUEST_TIMEOUT || response->status == HTTP_TOO_EARLY ||
                   response->status == HTTP_TOO_MANY_REQUESTS;
    return passing ? VERDICT_RETRY : VERDICT_PERMANENT;
}

void sender_judge(const struct sender *sender, const struct http_response *response, int64_t now_ms,
                  struct verdict *verdict, struct attempt *attempt) {
    check(sender != NULL && response != NULL && verdict != NULL && attempt != NULL);
    verdict->kind = judge_status(response);
    verdict->retry_after_ms = -1;
    verdict->provider_id[0] = '\0';
    attempt->http_status = response->status;
    attempt->class = response->class;
    attempt->excerpt[0] = '\0';
    if (verdict->kind == VERDICT_ACCEPTED) {
        attempt->class = ATTEMPT_ACCEPTED;
        sender->ops->find_provider_id(sender, response->body, verdict->provider_id);
        return;
    }
    verdict->retry_after_ms = retry_after_ms(response->retry_after, now_ms);
    attempt_set_excerpt(attempt,
                        response->error[0] != '\0' ? text_of(response->error) : response->body);
}
