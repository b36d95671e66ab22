/* The certificate of a server, and what libmicrohttpd needs to use it. */
#ifndef API_SERVER_TLS_H
#define API_SERVER_TLS_H

#include "api/server.h"

#include <microhttpd.h>

#define SERVER_TLS_OPTIONS_MAX 3

struct server_tls;

/* Reads the files; `*tls` is then the caller's to destroy, or NULL where the options name none. */
enum status server_tls_create(struct server_tls **tls, const struct server_options *options,
                              struct error *error);
/* After the last handshake; `tls` may be NULL. */
void server_tls_destroy(struct server_tls *tls);
/* See server_reload_certificate. */
enum status server_tls_reload(struct server_tls *tls, struct error *error);
/* For MHD_OPTION_ARRAY; `tls` may be NULL. */
void server_tls_options(const struct server_tls *tls,
                        struct MHD_OptionItem items[SERVER_TLS_OPTIONS_MAX]);
/* To be called by each thread before it serves: GnuTLS asks for a certificate without a context of
 * ours, so the thread has to know whose it is. */
void server_tls_use(struct server_tls *tls);

#endif
