/* A server that does on each of its connections, one after the other, exactly what a test wants:
 * what HTTP allows, and what it does not. */
#ifndef SUPPORT_RAW_SERVER_H
#define SUPPORT_RAW_SERVER_H

#include "base/thread.h"

#include <stdatomic.h>
#include <stdint.h>

struct raw_server {
    /* set once */
    uint16_t port;
    int listener;
    /* Called by the server's thread; the connection is closed when it returns. */
    void (*talk)(struct raw_server *server, int client);
    struct thread thread;
    /* written by the server's thread */
    _Atomic int connections;
    _Atomic int requests; /* counted by raw_server_hear */
    _Atomic int marks;    /* for what `talk` has to tell its test */
};

/* Listens on a loopback port chosen by the kernel. */
void raw_server_start(struct raw_server *server,
                      void (*talk)(struct raw_server *server, int client));
/* Every client must have hung up, or `talk` must end by itself. */
void raw_server_stop(struct raw_server *server);

/* For `talk`. Reads one request without a body; false when the client hung up instead. */
bool raw_server_hear(struct raw_server *server, int client);
/* False when the client hung up. */
bool raw_server_say(int client, const char *bytes);
/* Waits a moment, unless the client hangs up: then false. */
bool raw_server_linger(int client);
/* The next close of this connection resets it. */
void raw_server_reset(int client);

#endif
