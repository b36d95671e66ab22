/* The listening socket of a server. */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include "api/server.h"

/* Listens where `options` says; `*listener` is then the caller's to close, and `*port` what it is
 * bound to. The error says in words which option to change. */
enum status listener_open(int *listener, uint16_t *port, const struct server_options *options,
                          struct error *error);

#endif
