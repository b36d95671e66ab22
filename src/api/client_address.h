/* Who the client is, also behind proxies. `X-Forwarded-For` is believed only as far as trusted
 * proxies wrote it. All is pure; what was created never changes, so that all threads may read. */
#ifndef API_CLIENT_ADDRESS_H
#define API_CLIENT_ADDRESS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <sys/socket.h>

#define TRUSTED_PROXIES_MAX 256
#define CLIENT_ADDRESS_BYTES 48 /* of any address or network written here, with the NUL */

struct trusted_proxies;

/* `list`: addresses ("10.0.0.1", "::1") and networks ("10.0.0.0/8", "fd00::/8") separated by
 * commas, at most TRUSTED_PROXIES_MAX; NULL or blank: none. A network of IPv6 holds no address of
 * IPv4. STATUS_INVALID, which quotes it, for what is neither. On success `*proxies` is the
 * caller's to destroy. */
enum status trusted_proxies_create(struct trusted_proxies **proxies, const char *list,
                                   struct error *error);
/* NULL does nothing. */
void trusted_proxies_destroy(struct trusted_proxies *proxies);

/* Writes the client's address, without a port. That is `peer`, unless it is a trusted proxy; then
 * the rightmost address in `x_forwarded_for` that is not trusted, or the leftmost when all are. An
 * entry that is no address (a port after it is allowed: "192.0.2.1:55", "[::1]:55") ends the
 * search at the last good one. Several such headers are joined by commas in their order; an absent
 * one is empty. `proxies` NULL: none are trusted. IPv4 in IPv6 is written as IPv4; a peer that is
 * neither (NULL too) as "unknown". */
void client_address(const struct trusted_proxies *proxies, const struct sockaddr *peer,
                    struct text x_forwarded_for, char out[CLIENT_ADDRESS_BYTES]);

/* By what to count clients: an IPv6 address as its /64 ("2001:db8::/64"), of which one household
 * has all, everything else as it is. `address` is as client_address writes it. */
void client_address_network(const char *address, char out[CLIENT_ADDRESS_BYTES]);

/* 127.0.0.0/8, ::1, the same in IPv6, and "localhost". */
bool client_address_is_loopback(const char *text);

#endif
