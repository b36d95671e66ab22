/* Cross-origin requests of browsers, by the Fetch standard (https://fetch.spec.whatwg.org,
 * "CORS protocol"): off unless origins are named. */
#ifndef API_CORS_H
#define API_CORS_H

#include "api/server.h"

#define CORS_ORIGINS_MAX 64

struct cors {
    char *list; /* owned; the origins point into it */
    struct text origins[CORS_ORIGINS_MAX];
    size_t count;
    bool any;
};

/* "https://shop.example.com,…" or "*"; NULL or "" for none. STATUS_INVALID in words. */
enum status cors_init(struct cors *cors, const char *origins, struct error *error);
void cors_deinit(struct cors *cors);

/* Adds the headers that an allowed origin is owed. True: it is a preflight of such an origin, to be
 * answered 204 without more. */
bool cors_judge(const struct cors *cors, struct request *request);

#endif
