/* A message as v1 of the API writes it. */
#ifndef API_MESSAGE_JSON_H
#define API_MESSAGE_JSON_H

#include "base/json_writer.h"
#include "message/message.h"
#include "store/store.h"

/* The members only; the caller opens and closes the object, and may add more. */
void message_json_members(struct json_writer *json, const struct message *message);
/* "attempts":[…] */
void message_json_attempts(struct json_writer *json, const struct attempt_list *attempts);

#endif
