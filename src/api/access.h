/* The access log: a line per request, with its id. */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "api/server.h"

/* For server_options.ended; `context` is not looked at. What asks for health and metrics, again and
 * again, is logged at the level debug. */
void access_log(const struct request *request, unsigned status, int64_t took_us, void *context);
/* The same without a line: requests then have ids all the same. */
void access_forget(const struct request *request, unsigned status, int64_t took_us, void *context);

#endif
