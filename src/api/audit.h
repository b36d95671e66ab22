/* The record of who did what, in the database. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/api_internal.h"

/* Of these a minute at most are recorded: who tries keys must not fill the database. */
#define AUDIT_REFUSALS_PER_MINUTE 60

/* What the request of a call says of who asks; the action is still to be named. */
struct audit_note audit_note_of(const struct call *call);
/* Writes it down; its id, or 0 where the store did not take it, which the log then tells: what was
 * done is done. */
int64_t audit_write(struct api *api, const struct audit_note *note);
/* A key that was refused. */
void audit_refusal(const struct call *call, const char *reason);

#endif
