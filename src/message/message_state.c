#include "message/message_state.h"

#include "base/check.h"

static const char *const names[MESSAGE_STATES] = {
    [MESSAGE_PENDING] = "pending",     [MESSAGE_SENDING] = "sending",
    [MESSAGE_SENT] = "sent",           [MESSAGE_FAILED] = "failed",
    [MESSAGE_CANCELLED] = "cancelled", [MESSAGE_EXPIRED] = "expired",
    [MESSAGE_DELIVERED] = "delivered", [MESSAGE_UNDELIVERED] = "undelivered",
    [MESSAGE_UNKNOWN] = "unknown",
};

const struct message_move message_moves[] = {
    {MESSAGE_PENDING, MESSAGE_SENDING, "claimed by a dispatcher"},
    {MESSAGE_SENDING, MESSAGE_SENT, "accepted by the provider"},
    {MESSAGE_SENDING, MESSAGE_PENDING, "to be retried, given back on stop, or its lease ran out"},
    {MESSAGE_SENDING, MESSAGE_FAILED, "refused for good, or attempts used up"},
    {MESSAGE_SENDING, MESSAGE_EXPIRED, "its time was over before it left, or between two tries"},
    {MESSAGE_SENDING, MESSAGE_UNKNOWN, "left without an answer, and must not be sent twice"},
    {MESSAGE_PENDING, MESSAGE_CANCELLED, "cancelled by an operator"},
    {MESSAGE_SENT, MESSAGE_DELIVERED, "receipt: it reached the recipient"},
    {MESSAGE_SENT, MESSAGE_UNDELIVERED, "receipt: it did not reach the recipient"},
    {MESSAGE_FAILED, MESSAGE_PENDING, "sent again by an operator"},
    {MESSAGE_CANCELLED, MESSAGE_PENDING, "sent again by an operator"},
    {MESSAGE_EXPIRED, MESSAGE_PENDING, "sent again by an operator"},
    {MESSAGE_UNKNOWN, MESSAGE_PENDING, "sent again by an operator"},
};
const size_t message_moves_count = sizeof message_moves / sizeof message_moves[0];

const char *message_state_name(enum message_state state) {
    check((size_t)state < MESSAGE_STATES);
    return names[state];
}

bool message_state_from_name(struct text name, enum message_state *state) {
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        if (text_equal_ignoring_case(name, text_of(names[i]))) {
            *state = (enum message_state)i;
            return true;
        }
    return false;
}

const struct message_move *message_move_find(enum message_state from, enum message_state to) {
    for (size_t i = 0; i < message_moves_count; i++)
        if (message_moves[i].from == from && message_moves[i].to == to)
            return &message_moves[i];
    return NULL;
}

void message_state_move(enum message_state *state, enum message_state to) {
    check(message_move_find(*state, to) != NULL);
    *state = to;
}

void message_states_write_markdown(struct buffer *buffer) {
    buffer_append_string(buffer, "| from | to | because |\n|---|---|---|\n");
    for (size_t i = 0; i < message_moves_count; i++)
        buffer_printf(buffer, "| %s | %s | %s |\n", names[message_moves[i].from],
                      names[message_moves[i].to], message_moves[i].reason);
}
