/* The rows of routes.def as data, for whatever treats all routes alike. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/keys.h"
#include "base/buffer.h"

#include <stddef.h>

struct call;

/* See routes.def for the columns. */
struct route {
    const char *method;
    const char *pattern;
    const char *name; /* of the handler */
    void (*handle)(struct call *call);
    enum right right;
    const char *tag;
    const char *parameters;
    const char *body;
    const char *answers;
    const char *summary;
};

extern const struct route routes[];
extern const size_t routes_count;

/* Health and metrics: asked for by machines at all times, and not counted by the rate limit. */
bool route_is_routine(const struct route *route);

/* All of them, for docs/api.md. */
void routes_write_markdown(struct buffer *buffer);

#endif
