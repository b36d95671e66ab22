/* Finds the handler of a request in the table of routes. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/api_internal.h"

/* Calls the handler, or answers 404, or 405 with `Allow`. HEAD is answered as GET. */
void router_dispatch(struct api *api, struct request *request);

#endif
