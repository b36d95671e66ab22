/* Senders: how a message becomes a request to a provider, and what the provider's answer means.
 * Both are pure: a sender holds only its settings, may be used by any thread, and never waits. */
#ifndef SENDER_SENDER_H
#define SENDER_SENDER_H

#include "message/message.h"
#include "message/outcome.h"
#include "sender/http_client.h"

struct sender;

struct sender_options {
    const char *provider; /* "webhook" */
    /* webhook; all copied */
    const char *webhook_url;
    const char *webhook_auth_header;
    const char *webhook_auth_key; /* "" sends no such header */
    const char *webhook_secret;   /* see webhook_signer_create; NULL and "" sign nothing */
    int64_t webhook_timeout_ms;
};

enum verdict_kind {
    VERDICT_ACCEPTED,
    VERDICT_RETRY,     /* this try failed, a later one may not */
    VERDICT_PERMANENT, /* no try will be accepted */
};

struct verdict {
    enum verdict_kind kind;
    int64_t retry_after_ms;                              /* asked for by the provider; or -1 */
    char provider_id[OUTCOME_PROVIDER_ID_BYTES_MAX + 1]; /* "" where it gave none */
};

/* `*sender` is the caller's to destroy. STATUS_INVALID: there is no such provider. */
enum status sender_create(struct sender **sender, const struct sender_options *options,
                          struct error *error);
/* NULL is passed over. */
void sender_destroy(struct sender *sender);
/* "webhook" */
const char *sender_name(const struct sender *sender);
/* The whole time that one request may take. */
int64_t sender_timeout_ms(const struct sender *sender);

/* Fills a request taken from an HTTP client, to leave at `now_ms` (Unix time). STATUS_INVALID: this
 * message cannot be sent. */
enum status sender_build(const struct sender *sender, const struct message *message, int64_t now_ms,
                         struct http_request *request, struct error *error);
/* Judges a response; `now_ms` is Unix time, for a Retry-After that is a date. Also describes the
 * attempt: class, status and excerpt (number and time are the caller's). */
void sender_judge(const struct sender *sender, const struct http_response *response, int64_t now_ms,
                  struct verdict *verdict, struct attempt *attempt);

#endif
