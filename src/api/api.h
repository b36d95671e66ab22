/* The REST API: everything below /api/v1 and the health, metrics and version pages. */
#ifndef API_API_H
#define API_API_H

#include "api/gate.h"
#include "dispatcher/dispatcher.h"
#include "dispatcher/events.h"
#include "store/store.h"

#include <stdint.h>

#define API_THREADS 2

struct api;

struct api_options {
    const char *bind;              /* a numeric address, or "localhost" */
    uint16_t port;                 /* 0: chosen by the system, see api_port */
    struct store *store;           /* borrowed */
    struct dispatcher *dispatcher; /* borrowed */
    struct cache *cache;           /* borrowed; NULL: there is none */
    const struct clock *clock;
    struct events *events;    /* borrowed */
    const char *provider;     /* the name of the one that there is; borrowed */
    int64_t content_max;      /* in characters */
    bool access_log;          /* a line per request */
    struct gate_options gate; /* its strings are read while it is created only */
    size_t body_bytes_max;
    unsigned connections_max, connections_per_address_max;
    unsigned idle_timeout_s, request_timeout_s;
    const char *tls_certificate, *tls_key; /* paths, borrowed; NULL: no TLS */
};

/* Listening when it returns STATUS_OK. */
enum status api_create(struct api **api, const struct api_options *options, struct error *error);
uint16_t api_port(const struct api *api);
/* Begins dispatching, and ends it, as the program itself does: with a line in the audit. */
enum status api_start_dispatching(struct api *api, struct error *error);
void api_note_end(struct api *api);
/* Reads the certificate again; on failure the old one stays in use. */
enum status api_reload(struct api *api, struct error *error);
/* New connections are refused from now on; those that are open are still served. */
void api_stop_listening(struct api *api);
/* Refuses new connections, answers what has been accepted, then ends. */
void api_destroy(struct api *api);

#endif
