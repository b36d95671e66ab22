/* The states of a message, the moves between them, and the one function that makes a move.
 *
 * `sending` is not written to a message's row: a message is sending while a live claim holds it
 * (see store.h), and the stores show it so. */
#ifndef MESSAGE_MESSAGE_STATE_H
#define MESSAGE_MESSAGE_STATE_H

#include "base/buffer.h"

#include <stdbool.h>

enum message_state {
    MESSAGE_PENDING,     /* waits in the store, now or for its time */
    MESSAGE_SENDING,     /* held by a dispatcher's claim */
    MESSAGE_SENT,        /* the provider accepted it */
    MESSAGE_FAILED,      /* will not be tried again by itself */
    MESSAGE_CANCELLED,   /* taken back before it left */
    MESSAGE_EXPIRED,     /* its time was over before it left */
    MESSAGE_DELIVERED,   /* a receipt says it reached the recipient */
    MESSAGE_UNDELIVERED, /* a receipt says it did not */
    MESSAGE_UNKNOWN,     /* the request left and no answer came (at-most-once) */
};
#define MESSAGE_STATES (MESSAGE_UNKNOWN + 1)
/* For sets of states. */
#define MESSAGE_STATE_BIT(state) (1U << (unsigned)(state))
#define MESSAGE_STATES_ALL (MESSAGE_STATE_BIT(MESSAGE_STATES) - 1)
/* What the provider has accepted, whatever became of it later. */
#define MESSAGE_STATES_SENT                                                                        \
    (MESSAGE_STATE_BIT(MESSAGE_SENT) | MESSAGE_STATE_BIT(MESSAGE_DELIVERED) |                      \
     MESSAGE_STATE_BIT(MESSAGE_UNDELIVERED))
/* What an operator may have sent again. */
#define MESSAGE_STATES_RETRYABLE                                                                   \
    (MESSAGE_STATE_BIT(MESSAGE_FAILED) | MESSAGE_STATE_BIT(MESSAGE_CANCELLED) |                    \
     MESSAGE_STATE_BIT(MESSAGE_EXPIRED) | MESSAGE_STATE_BIT(MESSAGE_UNKNOWN))

struct message_move {
    enum message_state from;
    enum message_state to;
    const char *reason; /* in words, for the log and for the diagram */
};

extern const struct message_move message_moves[];
extern const size_t message_moves_count;

/* "pending", "sending", …: as in the API and in the database. */
const char *message_state_name(enum message_state state);
/* False leaves `*state` alone. */
bool message_state_from_name(struct text name, enum message_state *state);

/* The move that leads there, or NULL when the table has none. */
const struct message_move *message_move_find(enum message_state from, enum message_state to);
/* Moves `*state`; a move that the table does not have is our bug. */
void message_state_move(enum message_state *state, enum message_state to);

/* The table as Markdown, for ARCHITECTURE.md. */
void message_states_write_markdown(struct buffer *buffer);

#endif
