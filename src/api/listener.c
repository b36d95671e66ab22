#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const struct server_options *options, union address *address) {
    *address = (union address){0};
    if (inet_pton(AF_INET, options->bind, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(options->port);
        return true;
    }
    if (inet_pton(AF_INET6, options->bind, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(options->port);
        return true;
    }
    return false;
}

static const char *words_of(int number, char *buffer, size_t size) {
    switch (number) {
    case EADDRINUSE: return "address already in use; choose another PORT";
    case EACCES: return "permission denied; choose a PORT above 1023";
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return "no such address on this machine; choose another BIND";
    default: return strerror_r(number, buffer, size);
    }
}

static enum status listen_failed(const struct server_options *options, struct error *error) {
    char buffer[128];
    const char *words = words_of(errno, buffer, sizeof buffer);
    bool v6 = strchr(options->bind, ':') != NULL;
    return error_set(error, STATUS_UNAVAILABLE, "listen on %s%s%s:%u: %s", v6 ? "[" : "",
                     options->bind, v6 ? "]" : "", options->port, words);
}

enum status listener_open(int *listener_fd, uint16_t *port, const struct server_options *options,
                          struct error *error) {
    union address address;
    if (!parse_address(options, &address))
        return error_set(error, STATUS_INVALID,
                         "listen on \"%s\": BIND must be a numeric address as 127.0.0.1 or ::1",
                         options->bind);
    bool v6 = address.any.sa_family == AF_INET6;
    socklen_t length = v6 ? sizeof address.v6 : sizeof address.v4;
    const int yes = 1;
    int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return listen_failed(options, error);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, &address.any, length) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, &address.any, &length) != 0) {
        enum status status = listen_failed(options, error);
        close(listener);
        return status;
    }
    *listener_fd = listener;
    *port = ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port);
    return STATUS_OK;
}
