/* The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0): made at the start, from the
 * table of routes and from web/openapi/components.json, which holds the shapes. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/api_internal.h"

/* Both forms of it, in the api's buffers. */
void openapi_init(struct api *api);
void openapi_deinit(struct api *api);
/* The document as JSON, appended; for docs/openapi.json. */
void openapi_write(struct buffer *buffer);

#endif
