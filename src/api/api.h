/* The REST API: everything below /api/v1 and the health, metrics and version pages. */
#ifndef API_API_H
#define API_API_H

#include "dispatcher/dispatcher.h"
#include "store/store.h"

#include <stdint.h>

#define API_BODY_BYTES_MAX (16 * 1024 * 1024)
#define API_CONNECTIONS_MAX 4096
#define API_IDLE_TIMEOUT_S 60
#define API_THREADS 2

struct api;

struct api_options {
    const char *bind;              /* a numeric address, or "localhost" */
    uint16_t port;                 /* 0: chosen by the system, see api_port */
    struct store *store;           /* borrowed */
    struct dispatcher *dispatcher; /* borrowed */
    struct cache *cache;           /* borrowed; NULL: there is none */
    const struct clock *clock;
    int64_t content_max; /* in characters */
    bool access_log;     /* a line per request */
};

/* Listening when it returns STATUS_OK. */
enum status api_create(struct api **api, const struct api_options *options, struct error *error);
uint16_t api_port(const struct api *api);
/* New connections are refused from now on; those that are open are still served. */
void api_stop_listening(struct api *api);
/* Refuses new connections, answers what has been accepted, then ends. */
void api_destroy(struct api *api);

#endif
