/* Streams of messages, NDJSON or CSV, of any length: read part by part, stored in groups, and
 * answered with a report that has a line for each line. Memory stays flat: while a group is being
 * stored the client waits, and a long report goes to a file. */
#ifndef API_BULK_H
#define API_BULK_H

#include "api/api_internal.h"
#include "api/idempotency.h"

#define BULK_LINE_BYTES_MAX (256 * 1024)
/* A group is stored when it has so many messages. */
#define BULK_GROUP_MESSAGES 200

enum bulk_kind { BULK_NONE, BULK_JSON, BULK_NDJSON, BULK_CSV };

/* By Content-Type; a client that names none means JSON. */
enum bulk_kind bulk_kind_of(const struct request *request);
/* Whether the body is to be streamed. */
bool bulk_is_wanted(const struct request *request);
/* Takes the request over. */
void bulk_read(struct call *call, const struct idempotency *key, enum bulk_kind kind);

#endif
