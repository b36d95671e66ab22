#include "api/server_internal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ACCEPTS_AT_ONCE_MAX 32
/* Without descriptors, accepting has to wait for some connection to end. */
#define ACCEPT_PAUSE_US 100000
#define SWEEP_US 1000000
#define LEFT_OVER_BYTES_MAX (64 * 1024)

struct connection *connection_of(struct MHD_Connection *handle) {
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static struct connection *open_connection(struct loop *loop, struct MHD_Connection *handle) {
    struct connection *connection = memory_zeroed(1, sizeof *connection);
    const struct sockaddr *peer =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    bool v6 = peer->sa_family == AF_INET6;
    memcpy(&connection->peer, peer, v6 ? sizeof connection->peer.v6 : sizeof connection->peer.v4);
    connection->loop = loop;
    connection->handle = handle;
    connection->next = loop->connections;
    connection->link = &loop->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    loop->connections = connection;
    connection->request = request_create(connection);
    return connection;
}

static void close_connection(struct connection *connection) {
    peers_leave(connection->loop->server->peers, &connection->peer);
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    if (connection->request != NULL)
        request_destroy(connection->request);
    free(connection);
}

void server_on_connection(void *context, struct MHD_Connection *handle, void **connection_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct loop *loop = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        loop->admitting = false;
        *connection_context = open_connection(loop, handle);
    } else {
        close_connection(*connection_context);
    }
}

void *server_on_url(void *context, const char *url, struct MHD_Connection *handle) {
    (void)context;
    connection_of(handle)->url_too_long = strlen(url) > SERVER_URL_BYTES_MAX;
    return NULL;
}

/* With TLS these are not the bytes of requests, but they grow with them. */
static uint64_t bytes_received(int descriptor) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_bytes_received
               : 0;
}

static int descriptor_of(const struct connection *connection) {
    return MHD_get_connection_info(connection->handle, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

void connection_rest(struct connection *connection) {
    connection->active = false;
    connection->reading_since_us = 0;
    if (connection->loop->server->options.request_timeout_s > 0)
        connection->bytes_before = bytes_received(descriptor_of(connection));
}

/* What is left unread when a socket is closed makes the kernel send RST, and that can overtake the
 * answer in its client. */
static void drop_left_over(int descriptor) {
    char bytes[4096];
    for (size_t i = 0; i < LEFT_OVER_BYTES_MAX / sizeof bytes; i++)
        if (recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
            return;
}

static void refuse_connection(const struct server *server, int descriptor) {
    if (server->tls == NULL) {
        server_send_refusal(server, descriptor, &refusal_too_many);
        shutdown(descriptor, SHUT_WR);
        drop_left_over(descriptor);
    }
    close(descriptor);
}

static void admit(struct loop *loop, int descriptor, const union peer_address *address,
                  socklen_t length) {
    struct peers *peers = loop->server->peers;
    if (!peers_enter(peers, address)) {
        refuse_connection(loop->server, descriptor);
        return;
    }
    loop->admitting = true;
    if (MHD_add_connection(loop->daemon, descriptor, &address->any, length) != MHD_YES &&
        loop->admitting)
        peers_leave(peers, address);
}

void loop_accept(struct loop *loop) {
    for (int i = 0; i < ACCEPTS_AT_ONCE_MAX; i++) {
        union peer_address address = {0};
        socklen_t length = sizeof address;
        int descriptor =
            accept4(loop->server->listener, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            admit(loop, descriptor, &address, length);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop->accept_at_us = clock_monotonic_us(&clock_system) + ACCEPT_PAUSE_US;
            log_warn("connections wait: no descriptors or memory left; raise the limit", LOG_NONE);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

void connection_cut_off(struct connection *connection, const struct refusal *refusal) {
    const struct server *server = connection->loop->server;
    struct request *request = connection->request;
    int descriptor = descriptor_of(connection);
    connection->cut_off = true;
    if (!request->handed_over && server->tls == NULL) {
        drop_left_over(descriptor);
        server_send_refusal(server, descriptor, refusal);
        request->status = connection->active ? refusal->status : 0;
    }
    shutdown(descriptor, SHUT_RDWR);
}

/* Nobody else looks at a stream that waits, nor at a request that was aborted in its body. */
static void look_after(struct request *request) {
    if (request->streamed && request_has(request, REQUEST_ANSWERED) && request->response == NULL) {
        if (request->reset)
            request_reset_connection(request);
        else
            connection_cut_off(request->connection, &refusal_too_slow);
    } else if (request_has(request, REQUEST_ANSWERED) && request_has(request, REQUEST_PARKED)) {
        request->hung_up = request_client_is_gone(request);
        request_signal(request, REQUEST_WOKEN);
    }
}

/* When the end of the connection comes together with bytes, libmicrohttpd reads those and then
 * waits for an edge of epoll that has been. */
static bool has_ended(const struct connection *connection) {
    int descriptor = descriptor_of(connection), unread = 0;
    struct pollfd poll_end = {.fd = descriptor, .events = POLLRDHUP};
    bool wants_more = !connection->active || !connection->request->received;
    return wants_more && !connection_is_suspended(connection) && poll(&poll_end, 1, 0) > 0 &&
           ioctl(descriptor, FIONREAD, &unread) == 0 && unread == 0;
}

static void sweep(struct connection *connection, int64_t now_us) {
    int64_t timeout_us = (int64_t)connection->loop->server->options.request_timeout_s * 1000000;
    if (connection->cut_off || connection->request == NULL)
        return;
    if (connection->active && connection->request->handed_over)
        look_after(connection->request);
    if (has_ended(connection))
        shutdown(descriptor_of(connection), SHUT_RDWR);
    if (timeout_us == 0)
        return;
    if (!connection->active && connection->reading_since_us == 0 &&
        bytes_received(descriptor_of(connection)) > connection->bytes_before)
        connection->reading_since_us = now_us;
    if (connection->reading_since_us != 0 && now_us - connection->reading_since_us >= timeout_us)
        connection_cut_off(connection, &refusal_too_slow);
}

void loop_sweep(struct loop *loop, int64_t now_us) {
    if (now_us < loop->sweep_at_us && !atomic_load(&loop->server->stopping))
        return;
    loop->sweep_at_us = now_us + SWEEP_US;
    for (struct connection *one = loop->connections; one != NULL; one = one->next)
        sweep(one, now_us);
}
