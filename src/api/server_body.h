/* Part of server.h: request bodies that are not collected but given on part by part, however large
 * they are.
 *
 * `handle` of a request for which `streams` says true is called when the head is there, and calls
 * request_read_body. No request_defer is needed then: the answer may come at any time, from any
 * thread, usually after `end`. Who answers before sees no further part (one may be under way in
 * the server's thread); the rest is dropped, up to SERVER_DISCARD_BYTES_MAX and within
 * `request_timeout_s`, and beyond that the connection ends, perhaps unanswered. Only a body that
 * is announced with Expect: 100-continue, or above that maximum, is left unread when the answer
 * comes before request_read_body, or before the handler returns.
 *
 * Until `end` was called with `whole`, other threads must not look at the request (its method,
 * headers, peer …): its client may go at any moment. Who needs them copies them in the handler. */
#ifndef API_SERVER_BODY_H
#define API_SERVER_BODY_H

#include "base/text.h"

#include <stdbool.h>

struct request;

struct body_sink {
    /* Called by the server's thread, in order; the bytes are there until it returns. False: give
     * me no more until request_read_on. */
    bool (*part)(void *context, struct text part);
    /* Called once, by the server's thread, after the last part; nothing uses the context after it.
     * `whole` is false when the client went away or stood still for `idle_timeout_s`, or when
     * parts were dropped after an early answer. Only request_arena, request_id and the answer may
     * then be asked of the request, which lives until it is answered: that is still to be done,
     * once, by whoever has not done it, and nobody will see it. */
    void (*end)(void *context, bool whole);
    void *context;
};

/* Once, in the handler, or later by whoever is to answer a request that the handler deferred; until
 * then the body waits. A request without a body has an `end` as well. `sink` is copied. */
void request_read_body(struct request *request, const struct body_sink *sink);
/* From any thread, once for each `part` that returned, or is about to return, false; not after
 * the answer. A paused body has no timeout, and does not notice that its client has gone. */
void request_read_on(struct request *request);

#endif
