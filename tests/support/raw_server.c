#include "support/raw_server.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOMENT_MS 5

static void run(void *argument) {
    struct raw_server *server = argument;
    for (int client; (client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        atomic_fetch_add(&server->connections, 1);
        server->talk(server, client);
        close(client);
    }
}

void raw_server_start(struct raw_server *server,
                      void (*talk)(struct raw_server *server, int client)) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct error error;
    *server = (struct raw_server){.talk = talk};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listening = server->listener >= 0 &&
                     bind(server->listener, (struct sockaddr *)&address, length) == 0 &&
                     listen(server->listener, SOMAXCONN) == 0 &&
                     getsockname(server->listener, (struct sockaddr *)&address, &length) == 0;
    check(listening);
    server->port = ntohs(address.sin_port);
    enum status status = thread_start(&server->thread, "raw server", run, server, &error);
    check(status == STATUS_OK);
}

void raw_server_stop(struct raw_server *server) {
    shutdown(server->listener, SHUT_RDWR); /* ends accept */
    thread_join(&server->thread);
    close(server->listener);
}

bool raw_server_hear(struct raw_server *server, int client) {
    char last[4] = {0};
    while (memcmp(last, "\r\n\r\n", sizeof last) != 0) {
        memmove(last, last + 1, sizeof last - 1);
        if (recv(client, last + 3, 1, 0) != 1)
            return false;
    }
    atomic_fetch_add(&server->requests, 1);
    return true;
}

bool raw_server_say(int client, const char *bytes) {
    size_t len = strlen(bytes);
    for (ssize_t sent; len > 0; bytes += sent, len -= (size_t)sent)
        if ((sent = send(client, bytes, len, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

bool raw_server_linger(int client) {
    struct pollfd event = {.fd = client, .events = POLLRDHUP};
    return poll(&event, 1, MOMENT_MS) == 0;
}

void raw_server_reset(int client) {
    const struct linger at_once = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
