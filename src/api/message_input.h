/* Reads what a client wants to have sent: one message, or {"messages":[…]}. */
#ifndef API_MESSAGE_INPUT_H
#define API_MESSAGE_INPUT_H

#include "base/arena.h"
#include "message/message.h"

#include <jansson.h>

#define MESSAGE_INPUT_MESSAGES_MAX 10000
#define MESSAGE_INPUT_PRIORITY_MAX 1000
#define MESSAGE_INPUT_ATTEMPTS_MAX 1000
#define MESSAGE_INPUT_KEY_BYTES_MAX 255
#define MESSAGE_INPUT_FIELD_BYTES_MAX 127
#define MESSAGE_INPUT_TEXT_BYTES_MAX 255

/* What a message is measured by. */
struct message_rules {
    int64_t content_max;  /* in characters */
    int64_t now_ms;       /* Unix time */
    const char *provider; /* that there is, beside "default" */
};

struct message_input {
    json_t *root; /* owned; the drafts' views point into it */
    struct message_draft *drafts;
    size_t count;
    bool many; /* it came as a list */
};

/* What is wrong, in the client's terms. */
struct message_input_fault {
    bool syntax;                                   /* it is no JSON at all */
    char field[MESSAGE_INPUT_FIELD_BYTES_MAX + 1]; /* "to", "messages[3].content"; "" for none */
    char text[MESSAGE_INPUT_TEXT_BYTES_MAX + 1];
};

/* True: `input` is filled, with drafts in `arena`, to be ended with message_input_deinit. False:
 * `fault` names the first thing that is wrong, and there is nothing to end. */
bool message_input_parse(struct message_input *input, struct text body,
                         const struct message_rules *rules, struct arena *arena,
                         struct message_input_fault *fault);
void message_input_deinit(struct message_input *input);

/* One message from a JSON value, which the draft's views point into; what cannot be a view is in
 * `arena`. */
bool message_input_read(const json_t *value, const struct message_rules *rules, struct arena *arena,
                        struct message_draft *draft, struct message_input_fault *fault);
/* A visible ASCII string of 1 to MESSAGE_INPUT_KEY_BYTES_MAX bytes. */
bool message_input_is_key(struct text key);

#endif
