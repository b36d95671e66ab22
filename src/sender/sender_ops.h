/* What one kind of sender provides; sender.c is the only caller. */
#ifndef SENDER_SENDER_OPS_H
#define SENDER_SENDER_OPS_H

#include "sender/sender.h"

struct sender_ops {
    const char *name;
    void (*destroy)(struct sender *sender);
    enum status (*build)(const struct sender *sender, const struct message *message, int64_t now_ms,
                         struct http_request *request, struct error *error);
    /* The provider's own id of a message that it accepted, from the body of its answer; may leave
     * `provider_id` as it is: "". */
    void (*find_provider_id)(const struct sender *sender, struct text body,
                             char provider_id[OUTCOME_PROVIDER_ID_BYTES_MAX + 1]);
};

struct sender {
    const struct sender_ops *ops;
    int64_t timeout_ms;
};

/* Constructors, one per kind; sender.c has the table of them. */
enum status sender_webhook_create(struct sender **sender, const struct sender_options *options,
                                  struct error *error);

#endif
