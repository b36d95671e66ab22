#include "api/peers.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <endian.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct peer {
    uint64_t key;
    unsigned count;
    struct peer *next;
};

struct peers {
    pthread_mutex_t mutex;
    /* guarded by it */
    unsigned total;
    struct peer *buckets[BUCKETS];
    /* set once */
    unsigned total_max;
    unsigned per_address_max;
    uint64_t seed;
};

struct peers *peers_create(unsigned total_max, unsigned per_address_max) {
    struct peers *peers = memory_zeroed(1, sizeof *peers);
    struct random random = random_from_system();
    int failed = pthread_mutex_init(&peers->mutex, NULL);
    check(!failed);
    peers->total_max = total_max;
    peers->per_address_max = per_address_max;
    peers->seed = random_next(&random);
    return peers;
}

void peers_destroy(struct peers *peers) {
    if (peers == NULL)
        return;
    check(peers->total == 0);
    pthread_mutex_destroy(&peers->mutex);
    free(peers);
}

/* Networks of 64 bits that begin with 32 zeros are not given to anybody, so that IPv4 has them. */
static uint64_t key_of(const union peer_address *address) {
    uint64_t network = 0;
    uint32_t host = 0;
    if (address->any.sa_family == AF_INET)
        return ntohl(address->v4.sin_addr.s_addr);
    const uint8_t *bytes = address->v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        memcpy(&host, bytes + 12, sizeof host);
        return ntohl(host);
    }
    memcpy(&network, bytes, sizeof network);
    return be64toh(network);
}

/* The seed keeps a stranger with many addresses from choosing those of one bucket. */
static struct peer **place_of(struct peers *peers, uint64_t key) {
    struct random random = random_from_seed(key ^ peers->seed);
    struct peer **place = &peers->buckets[random_below(&random, BUCKETS)];
    while (*place != NULL && (*place)->key != key)
        place = &(*place)->next;
    return place;
}

static bool enter(struct peers *peers, uint64_t key) {
    if (peers->total >= peers->total_max)
        return false;
    struct peer **place = place_of(peers, key);
    if (*place != NULL && peers->per_address_max > 0 && (*place)->count >= peers->per_address_max)
        return false;
    if (*place == NULL) {
        *place = memory_zeroed(1, sizeof **place);
        (*place)->key = key;
    }
    (*place)->count++;
    peers->total++;
    return true;
}

bool peers_enter(struct peers *peers, const union peer_address *address) {
    pthread_mutex_lock(&peers->mutex);
    bool entered = enter(peers, key_of(address));
    pthread_mutex_unlock(&peers->mutex);
    return entered;
}

void peers_leave(struct peers *peers, const union peer_address *address) {
    pthread_mutex_lock(&peers->mutex);
    struct peer **place = place_of(peers, key_of(address));
    struct peer *peer = *place;
    check(peer != NULL && peer->count > 0);
    peers->total--;
    if (--peer->count == 0) {
        *place = peer->next;
        free(peer);
    }
    pthread_mutex_unlock(&peers->mutex);
}
