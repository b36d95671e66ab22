/* The whole of a serving process: store, sender, cache, dispatcher and API, made in this order and
 * ended in the reverse one. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "api/api.h"
#include "config/config.h"

struct service {
    struct store *store;
    struct sender *sender;
    struct cache *cache;
    struct events *events;
    struct dispatcher *dispatcher;
    struct api *api;
};

/* Blocks the signals that service_wait waits for, and ignores those that writing into a closed
 * pipe or a full disk would end the process with. Before the first thread is started. */
void service_prepare_signals(void);

/* Initialises the log from `config`, and runs everything. On failure nothing is left running. */
enum status service_start(struct service *service, const struct config *config,
                          struct error *error);
/* Waits for SIGINT or SIGTERM; SIGHUP has certificates read again. From then on a second one ends
 * the process at once. */
void service_wait(struct service *service);
/* Refuses new connections, drains the dispatcher within the grace period, and ends everything. */
void service_stop(struct service *service, int64_t grace_ms);

#endif
