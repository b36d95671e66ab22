#include "api/server_internal.h"

#include "api/listener.h"
#include "api/server_tls.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIBRARY_LINE_BYTES_MAX 512
#define LOOP_WAIT_MS_MAX 1000
#define NUL_ESCAPED "%00"

__attribute__((format(printf, 2, 0))) static void on_library_line(void *context, const char *format,
                                                                  va_list arguments) {
    (void)context;
    if (!log_enabled(LOG_LEVEL_DEBUG))
        return;
    char line[LIBRARY_LINE_BYTES_MAX];
    vsnprintf(line, sizeof line, format, arguments);
    log_debug("libmicrohttpd", LOG_TEXT("line", text_trim(text_of(line))));
}

enum { POLL_LIBRARY, POLL_WAKE, POLL_LISTENER, POLLS };

static int wait_ms_of(const struct loop *loop, int64_t now_us) {
    MHD_UNSIGNED_LONG_LONG timeout_ms = LOOP_WAIT_MS_MAX;
    if (MHD_get_timeout(loop->daemon, &timeout_ms) != MHD_YES || timeout_ms > LOOP_WAIT_MS_MAX)
        timeout_ms = LOOP_WAIT_MS_MAX;
    int64_t accept_ms = (loop->accept_at_us - now_us) / 1000 + 1;
    if (loop->accept_at_us > now_us && accept_ms < (int64_t)timeout_ms)
        return (int)accept_ms;
    return (int)timeout_ms;
}

/* Waits, and takes in what has come. */
static void wait(struct loop *loop, struct pollfd polls[POLLS]) {
    uint64_t wakes;
    int64_t now_us = clock_monotonic_us(&clock_system);
    polls[POLL_LISTENER].events = loop->accept_at_us > now_us ? 0 : POLLIN;
    if (poll(polls, POLLS, wait_ms_of(loop, now_us)) <= 0)
        return;
    if (polls[POLL_WAKE].revents != 0 && read(loop->wake, &wakes, sizeof wakes) < 0)
        log_debug("wake of the http loop not read", LOG_NONE);
    if ((polls[POLL_LISTENER].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        polls[POLL_LISTENER].fd = -1; /* server_stop_listening */
    else if (polls[POLL_LISTENER].revents != 0)
        loop_accept(loop);
}

/* libmicrohttpd's own thread would stop serving when exactly as many connections become ready at
 * once as it asks epoll for (128 in 0.9.75): it asks again before it serves them, and waits. So the
 * waiting is ours, and it only ever looks. To accept is ours as well, since only then a connection
 * that is refused can be told why. */
static void run_loop(void *argument) {
    struct loop *loop = argument;
    struct pollfd polls[POLLS] = {
        {.fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
         .events = POLLIN},
        {.fd = loop->wake, .events = POLLIN},
        {.fd = loop->server->listener, .events = POLLIN},
    };
    server_tls_use(loop->server->tls);
    while (!atomic_load(&loop->server->ending)) {
        wait(loop, polls);
        loop_sweep(loop, clock_monotonic_us(&clock_system));
        MHD_run(loop->daemon);
        server_end_orphans(loop->server);
    }
}

/* The path comes to us as a C string, which a decoded %00 would end: it stays as it was sent. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text) {
    (void)context, (void)connection;
    char *end = text;
    for (char *part = text; part != NULL;) {
        char *next = strstr(part, NUL_ESCAPED);
        if (next != NULL)
            *next = '\0';
        size_t len = MHD_http_unescape(part);
        memmove(end, part, len);
        end += len;
        if (next != NULL) {
            memcpy(end, NUL_ESCAPED, strlen(NUL_ESCAPED));
            end += strlen(NUL_ESCAPED);
            next += strlen(NUL_ESCAPED);
        }
        part = next;
    }
    *end = '\0';
    return (size_t)(end - text);
}

static struct MHD_Daemon *make_daemon(struct loop *loop) {
    struct server *server = loop->server;
    const struct server_options *options = &server->options;
    struct MHD_OptionItem tls_options[SERVER_TLS_OPTIONS_MAX];
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_USE_ERROR_LOG | (server->tls != NULL ? MHD_USE_TLS : 0u);
    server_tls_options(server->tls, tls_options);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, server_on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
        on_library_line, NULL, MHD_OPTION_ARRAY, tls_options, MHD_OPTION_UNESCAPE_CALLBACK,
        unescape, NULL, MHD_OPTION_URI_LOG_CALLBACK, server_on_url, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, server_on_request_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        server_on_connection, loop, MHD_OPTION_CONNECTION_LIMIT, options->connections_max + 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVER_CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        options->idle_timeout_s, MHD_OPTION_END);
}

static enum status start_loop(struct server *server, struct loop *loop, struct error *error) {
    loop->server = server;
    loop->random = random_from_system();
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->daemon = loop->wake >= 0 ? make_daemon(loop) : NULL;
    if (loop->daemon == NULL) {
        if (loop->wake >= 0)
            close(loop->wake);
        return error_set(error, STATUS_UNAVAILABLE,
                         "start the HTTP server: no descriptors left; raise the limit");
    }
    server->loop_count++;
    return thread_start(&loop->thread, "http", run_loop, loop, error);
}

static enum status start_loops(struct server *server, struct error *error) {
    enum status status = STATUS_OK;
    server->listening = true;
    for (unsigned i = 0; i < server->options.threads && status == STATUS_OK; i++)
        status = start_loop(server, &server->loops[i], error);
    return status;
}

static void wake_loops(const struct server *server) {
    for (unsigned i = 0; i < server->loop_count; i++)
        loop_wake(&server->loops[i]);
}

/* Who got a request whose body was cut off here still has to answer it. */
static void await_orphans(struct server *server) {
    while (atomic_load(&server->under_way) > 0) {
        server_end_orphans(server);
        monitor_lock(&server->drained);
        if (atomic_load(&server->under_way) > 0 && server->orphans == NULL)
            monitor_wait(&server->drained);
        monitor_unlock(&server->drained);
    }
    while (atomic_load(&server->signals) > 0)
        sched_yield();
}

static void end_loops(struct server *server) {
    atomic_store(&server->ending, true);
    wake_loops(server);
    for (unsigned i = 0; i < server->loop_count; i++)
        thread_join(&server->loops[i].thread);
    for (unsigned i = 0; i < server->loop_count; i++)
        MHD_stop_daemon(server->loops[i].daemon);
    await_orphans(server);
    for (unsigned i = 0; i < server->loop_count; i++)
        close(server->loops[i].wake);
}

static void destroy(struct server *server) {
    peers_destroy(server->peers);
    server_tls_destroy(server->tls);
    monitor_deinit(&server->drained);
    free(server->loops);
    free(server);
}

static void check_options(const struct server_options *options) {
    check(options != NULL && options->bind != NULL && options->handle != NULL);
    check(options->threads > 0 && options->connections_max > 0 && options->body_bytes_max > 0);
}

enum status server_create(struct server **out, const struct server_options *options,
                          struct error *error) {
    check(out != NULL);
    check_options(options);
    struct server *server = memory_zeroed(1, sizeof *server);
    server->options = *options;
    server->loops = memory_zeroed(options->threads, sizeof *server->loops);
    server->peers = peers_create(options->connections_max, options->connections_per_address_max);
    monitor_init(&server->drained);
    enum status status = server_tls_create(&server->tls, options, error);
    if (status == STATUS_OK)
        status = listener_open(&server->listener, &server->port, options, error);
    if (status != STATUS_OK)
        goto fail;
    status = start_loops(server, error);
    if (status != STATUS_OK)
        goto fail_loops;
    server->options.bind = NULL;
    *out = server;
    return STATUS_OK;
fail_loops:
    server_stop_listening(server);
    end_loops(server);
    close(server->listener);
fail:
    destroy(server);
    return status;
}

uint16_t server_port(const struct server *server) {
    return server->port;
}

enum status server_reload_certificate(struct server *server, struct error *error) {
    return server->tls != NULL ? server_tls_reload(server->tls, error) : STATUS_OK;
}

/* The descriptor stays open until the threads are gone, lest one of them accepts on whatever came
 * to bear its number. */
void server_stop_listening(struct server *server) {
    if (!server->listening)
        return;
    server->listening = false;
    shutdown(server->listener, SHUT_RDWR);
}

static void drain(struct server *server) {
    int64_t end_us = clock_monotonic_us(&clock_system) + SERVER_DRAIN_MS_MAX * 1000;
    atomic_store(&server->stopping, true);
    wake_loops(server);
    monitor_lock(&server->drained);
    while (atomic_load(&server->under_way) > 0 &&
           monitor_wait_for(&server->drained, end_us - clock_monotonic_us(&clock_system)))
        continue;
    monitor_unlock(&server->drained);
}

void server_destroy(struct server *server) {
    check(server != NULL);
    server_stop_listening(server);
    drain(server);
    end_loops(server);
    close(server->listener);
    check(atomic_load(&server->bodies_bytes) == 0);
    destroy(server);
}
