/* Finds the handler of a request in the table of routes, and lets through whom the gate admits. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/api_internal.h"

/* Calls the handler, or answers 401, 403, 404, 405 with `Allow`, 414, 429. HEAD is answered as
 * GET. */
void router_dispatch(struct api *api, struct request *request);
/* Whether the body of this request is a stream, which its handler reads itself. */
bool router_streams(const struct request *request);

#endif
