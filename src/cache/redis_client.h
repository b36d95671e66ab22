/* One connection to Redis, for the few things that the cache asks of it. The only user of hiredis.
 * Belongs to one thread at a time. A zeroed struct is a closed client. What fails closes it, and
 * `error` says why; a password is never in it. */
#ifndef CACHE_REDIS_CLIENT_H
#define CACHE_REDIS_CLIENT_H

#include "base/error.h"
#include "base/text.h"

struct redis_address {
    char *host; /* NULL where `socket` is set */
    int port;
    char *socket;
    char *user, *password; /* NULL: none */
    int database;
};

/* From "redis://[user][:password@]host[:port][/db]" or "redis+unix:///path[?db=N]", with %XX for
 * what stands for itself otherwise. STATUS_INVALID never shows the URL. To be ended with deinit. */
enum status redis_address_init(struct redis_address *address, const char *url, struct error *error);
void redis_address_deinit(struct redis_address *address);

struct redis_client {
    void *link;  /* NULL: not connected */
    void *reply; /* of the last redis_client_get */
    int64_t end_us;
};

/* What is asked of the server from now on, however much of it, is over within `timeout_ms`, or
 * fails; until this is called again. */
void redis_client_allow(struct redis_client *client, int64_t timeout_ms);
/* Connects, logs in, selects the database. Looking up the host's name takes what the system
 * takes for it. */
enum status redis_client_open(struct redis_client *client, const struct redis_address *address,
                              struct error *error);
void redis_client_close(struct redis_client *client);
/* Whether it is connected, and the server has not closed the connection in the meantime. */
bool redis_client_is_open(const struct redis_client *client);

/* Writes something that is gone again at once: a server without memory, or one that may only be
 * read, refuses. */
enum status redis_client_probe(struct redis_client *client, struct error *error);

struct redis_pair {
    struct text key, value;
};

struct redis_batch {
    const struct redis_pair *pairs;
    size_t count;
    int64_t ttl_ms; /* how long each stays */
    size_t taken;   /* out: how many the server has taken, also on failure */
};

/* Sets all in one pipeline. */
enum status redis_client_set(struct redis_client *client, struct redis_batch *batch,
                             struct error *error);
/* Gets all in one exchange. values[i].data is NULL where there is none of that key, or no string;
 * valid until the next call. */
enum status redis_client_get(struct redis_client *client, const struct text *keys, size_t count,
                             struct text *values, struct error *error);

#endif
