/* Start, stop and pause, as the API and the program itself ask for it: done, told to those who
 * watch, and written into the audit, where a stop names the start that it ends. */
#ifndef API_CONTROL_H
#define API_CONTROL_H

#include "api/api_internal.h"

/* Each answers as the function of the dispatcher that it calls; `by` is who wants it. */
enum status control_start(struct api *api, const struct audit_note *by, struct error *error);
enum status control_stop(struct api *api, const struct audit_note *by, struct error *error);
enum status control_pause(struct api *api, int64_t wait_ms, const struct audit_note *by,
                          struct error *error);

/* The program ends: a start that lasts is ended in the audit. */
void control_note_end(struct api *api, const struct audit_note *by);

/* Who changed the state last; "" before the first change. */
void control_get_actor(struct api *api, char actor[CONTROL_ACTOR_BYTES]);

#endif
