/* Who may pass: for each request who the client is, whether its page may ask, whether it asks too
 * often, and whether its key allows what it asks for. */
#ifndef API_GATE_H
#define API_GATE_H

#include "api/client_address.h"
#include "api/route.h"
#include "api/server.h"

#define GATE_CALLERS_MAX 100000 /* that the rate limit remembers */

struct gate;

struct gate_options {
    const char *keys;            /* see key_ring_create; NULL as "" */
    const char *keys_file;       /* a path; "" for none */
    const char *key;             /* one with all rights; "" for none */
    const char *trusted_proxies; /* see trusted_proxies_create */
    int64_t rate_limit;          /* a minute; 0: none */
    int64_t rate_limit_burst;    /* 0: as rate_limit */
    const char *cors_origins;    /* separated by commas, or "*"; "" for none */
};

/* Who asks. */
struct caller {
    char address[CLIENT_ADDRESS_BYTES];
    const struct key *key; /* NULL: came without one */
};

/* What stands between a request and its handler. */
enum gate_verdict {
    GATE_ADMITTED,
    GATE_PREFLIGHT, /* a browser asks whether it may ask: to be answered 204 */
    GATE_TOO_OFTEN, /* the headers say when to come again */
    GATE_NO_KEY,    /* there is none, or it is malformed */
    GATE_UNKNOWN_KEY,
    GATE_NOT_ALLOWED, /* the key has not the right */
};

/* STATUS_INVALID in words for what cannot be read in the options. `*gate` is the caller's to
 * destroy. */
enum status gate_create(struct gate **gate, const struct gate_options *options,
                        struct error *error);
void gate_destroy(struct gate *gate);

/* Judges, and adds headers (CORS, rate) to the answer. `route` NULL: there is none at this path.
 * Any thread. */
enum gate_verdict gate_judge(struct gate *gate, struct request *request, const struct route *route,
                             struct caller *caller);
/* Who the client is, for the access log. */
void gate_address(const struct gate *gate, const struct request *request,
                  char address[CLIENT_ADDRESS_BYTES]);
/* "anonymous" for a caller without a key. */
const char *caller_name(const struct caller *caller);

#endif
