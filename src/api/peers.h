/* How many connections there are, in all and from each address. Any thread may call. */
#ifndef API_PEERS_H
#define API_PEERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

union peer_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct peers;

/* `per_address_max` 0: only the total is limited. The result is the caller's to destroy. */
struct peers *peers_create(unsigned total_max, unsigned per_address_max);
/* All must have left. */
void peers_destroy(struct peers *peers);

/* False when a maximum is reached; else it is counted until peers_leave with the same address.
 * IPv6 addresses count by their first 64 bits, IPv4 ones written as IPv6 (::ffff:…) as IPv4. */
bool peers_enter(struct peers *peers, const union peer_address *address);
void peers_leave(struct peers *peers, const union peer_address *address);

#endif
