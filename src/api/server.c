#include "api/server.h"

#include "api/listener.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "log/log.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_KEPT_BYTES_MAX 4096
#define LIBRARY_LINE_BYTES_MAX 512
#define LOOP_WAIT_MS_MAX 1000
#define NUL_ESCAPED "%00"
/* The head of a request has to fit; libmicrohttpd clears all of it for each request. */
#define CONNECTION_BYTES ((size_t)16 * 1024)

struct server;

/* A thread and what it serves. All loops share the listening socket. */
struct loop {
    struct server *server;
    struct MHD_Daemon *daemon;
    struct thread thread;
    struct random random; /* the thread's */
    int wake;             /* an eventfd: something was resumed, or the loop is to end */
};

struct server {
    /* set once */
    struct server_options options;
    struct loop *loops;
    unsigned loop_count;
    int listener;
    uint16_t port;
    /* any thread */
    atomic_uint connections;
    atomic_size_t bodies_bytes;
    atomic_size_t under_way; /* given to the handler and not yet ended */
    atomic_bool stopping;    /* answers end their connections */
    atomic_bool ending;      /* the loops are to end */
    struct monitor drained;
    /* the owner's thread */
    bool listening;
};

enum phase { PHASE_RUNNING, PHASE_SUSPENDED, PHASE_ANSWERED };
enum body_fate { BODY_WELCOME, BODY_TOO_LARGE, BODY_WITHOUT_ROOM };

struct added_header {
    const char *name;
    const char *value;
    struct added_header *next;
};

/* One for each connection, which has one request at a time; it is emptied between them. */
struct request {
    /* set once */
    struct server *server;
    struct loop *loop;
    struct MHD_Connection *connection;
    /* the thread of the connection until request_defer, then whoever is to answer */
    const char *method;
    const char *path;
    struct text id; /* terminated; empty: none */
    int64_t started_us;
    struct arena arena;
    struct buffer body;
    size_t body_counted; /* the part of server->bodies_bytes that is ours */
    enum body_fate body_fate;
    bool handed_over;
    bool deferred;
    struct added_header *headers;
    struct added_header **headers_end;
    bool headers_lost;
    struct MHD_Response *response; /* NULL in an answered one: end the connection */
    unsigned status;
    bool reset;
    /* both, see hand_over */
    _Atomic(enum phase) phase;
};

static struct request *request_create(struct loop *loop, struct MHD_Connection *connection) {
    struct server *server = loop->server;
    struct request *request = memory_zeroed(1, sizeof *request);
    request->server = server;
    request->loop = loop;
    request->connection = connection;
    request->headers_end = &request->headers;
    arena_init(&request->arena, SERVER_REQUEST_ARENA_BYTES_MAX);
    buffer_init(&request->body, server->options.body_bytes_max);
    return request;
}

static void drop_body(struct request *request) {
    buffer_deinit(&request->body);
    atomic_fetch_sub(&request->server->bodies_bytes, request->body_counted);
    request->body_counted = 0;
}

static void request_destroy(struct request *request) {
    drop_body(request);
    arena_deinit(&request->arena);
    free(request);
}

static void empty(struct request *request) {
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    arena_deinit(&request->arena);
    if (request->body.size > BODY_KEPT_BYTES_MAX)
        drop_body(request);
    else
        buffer_clear(&request->body);
    request->body_fate = BODY_WELCOME;
    request->handed_over = request->deferred = request->headers_lost = request->reset = false;
    request->headers = NULL;
    request->headers_end = &request->headers;
    request->response = NULL;
    request->status = 0;
    request->id = (struct text){0};
    atomic_store(&request->phase, PHASE_RUNNING);
}

struct text request_method(const struct request *request) {
    return text_of(request->method);
}

struct text request_path(const struct request *request) {
    return text_of(request->path);
}

struct text request_id(const struct request *request) {
    return request->id;
}

struct text request_body(const struct request *request) {
    return buffer_view(&request->body);
}

static struct text look_up(const struct request *request, enum MHD_ValueKind kind,
                           const char *name) {
    struct text value = {0};
    if (MHD_lookup_connection_value_n(request->connection, kind, name, strlen(name), &value.data,
                                      &value.len) == MHD_NO)
        return (struct text){0};
    return value.data != NULL ? value : TEXT_LITERAL("");
}

struct text request_header(const struct request *request, const char *name) {
    return look_up(request, MHD_HEADER_KIND, name);
}

struct text request_query(const struct request *request, const char *name) {
    return look_up(request, MHD_GET_ARGUMENT_KIND, name);
}

struct visit {
    void (*visit)(struct text name, struct text value, void *context);
    void *context;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    const struct visit *visit = context;
    (void)kind;
    visit->visit(text_of(name), text_of(value), visit->context);
    return MHD_YES;
}

void request_each_header(const struct request *request,
                         void (*visit)(struct text name, struct text value, void *context),
                         void *context) {
    struct visit each = {visit, context};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, on_header, &each);
}

struct arena *request_arena(struct request *request) {
    return &request->arena;
}

static int descriptor_of(const struct request *request) {
    return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

bool request_client_is_gone(const struct request *request) {
    struct pollfd descriptor = {.fd = descriptor_of(request), .events = POLLRDHUP};
    return poll(&descriptor, 1, 0) > 0;
}

void request_add_header(struct request *request, const char *name, const char *value) {
    check(name != NULL && value != NULL);
    struct added_header *added = arena_alloc(&request->arena, sizeof *added);
    struct text name_copy = arena_copy(&request->arena, text_of(name));
    struct text value_copy = arena_copy(&request->arena, text_of(value));
    if (added == NULL || name_copy.data == NULL || value_copy.data == NULL) {
        request->headers_lost = true;
        return;
    }
    *added = (struct added_header){name_copy.data, value_copy.data, NULL};
    *request->headers_end = added;
    request->headers_end = &added->next;
}

static void wake_loop(const struct loop *loop) {
    uint64_t one = 1;
    ssize_t written = write(loop->wake, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

/* From the moment the phase says so, the request may be gone: the connection's thread ends it. A
 * suspended one stays until it is resumed. */
static void finish(struct request *request) {
    struct MHD_Connection *connection = request->connection;
    const struct loop *loop = request->loop;
    enum phase before = atomic_exchange(&request->phase, PHASE_ANSWERED);
    check(before != PHASE_ANSWERED);
    if (before == PHASE_SUSPENDED) {
        MHD_resume_connection(connection);
        wake_loop(loop);
    }
}

static void set_header(struct request *request, const char *name, const char *value) {
    if (MHD_add_response_header(request->response, name, value) == MHD_YES)
        return;
    request->headers_lost = true;
    log_warn("header refused by libmicrohttpd", LOG_STRING("header", name));
}

static void set_answer(struct request *request, unsigned status, const char *content_type,
                       struct text body) {
    request->status = status;
    request->response = MHD_create_response_from_buffer(
        body.len, (void *)(body.data != NULL ? body.data : ""), MHD_RESPMEM_MUST_COPY);
    if (request->response == NULL)
        return;
    if (content_type != NULL)
        set_header(request, "Content-Type", content_type);
    if (request->id.len > 0)
        set_header(request, "X-Request-Id", request->id.data);
    const char *const *standard = request->server->options.headers;
    for (; standard != NULL && *standard != NULL; standard += 2)
        set_header(request, standard[0], standard[1]);
    for (struct added_header *added = request->headers; added != NULL; added = added->next)
        set_header(request, added->name, added->value);
    if (atomic_load_explicit(&request->server->stopping, memory_order_relaxed))
        set_header(request, "Connection", "close");
}

static void set_error_answer(struct request *request, unsigned status, const char *code,
                             const char *message) {
    char json[256];
    int length = snprintf(json, sizeof json, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                          code, message);
    check(length > 0 && (size_t)length < sizeof json);
    set_answer(request, status, "application/json", (struct text){json, (size_t)length});
}

void request_respond(struct request *request, unsigned status, const char *content_type,
                     struct text body) {
    check(status >= 200 && status <= 599 && request->response == NULL);
    if (!request->headers_lost)
        set_answer(request, status, content_type, body);
    if (request->headers_lost) {
        /* Half an answer could mislead; what was asked for cannot be sent. */
        if (request->response != NULL)
            MHD_destroy_response(request->response);
        request->headers = NULL;
        set_error_answer(request, 500, "internal", "the answer has a header that cannot be sent");
    }
    finish(request);
}

void request_defer(struct request *request) {
    check(!request->deferred);
    request->deferred = true;
}

void request_abort(struct request *request, bool reset) {
    check(request->response == NULL);
    request->reset = reset;
    finish(request);
}

/* libmicrohttpd would send an orderly FIN before it closes. To dissolve the association is what
 * makes the kernel send RST here and now; the linger is for what may still be unsent. */
static void reset_connection(const struct request *request) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int descriptor = descriptor_of(request);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connect(descriptor, &nobody, sizeof nobody);
}

static enum MHD_Result send_answer(struct request *request) {
    if (request->response == NULL) {
        if (request->reset)
            reset_connection(request);
        return MHD_NO;
    }
    return MHD_queue_response(request->connection, request->status, request->response);
}

/* Some other thread may answer before we come to suspend the connection: then it need not be
 * suspended, or it is on us to resume it. */
static enum MHD_Result hand_over(struct request *request) {
    struct server *server = request->server;
    struct MHD_Connection *connection = request->connection;
    request->handed_over = true;
    atomic_fetch_add(&server->under_way, 1);
    server->options.handle(request, server->options.context);
    if (atomic_load(&request->phase) == PHASE_ANSWERED)
        return send_answer(request);
    check(request->deferred);
    MHD_suspend_connection(connection);
    enum phase running = PHASE_RUNNING;
    if (!atomic_compare_exchange_strong(&request->phase, &running, PHASE_SUSPENDED)) {
        MHD_resume_connection(connection);
        wake_loop(request->loop);
    }
    return MHD_YES;
}

static enum MHD_Result refuse_body(struct request *request) {
    drop_body(request);
    if (request->body_fate == BODY_TOO_LARGE) {
        set_error_answer(request, 413, "payload_too_large", "the body is larger than is allowed");
    } else {
        request_add_header(request, "Retry-After", "1");
        set_error_answer(request, 503, "overloaded",
                         "too many large bodies are under way; try again");
    }
    return send_answer(request);
}

static bool bodies_are_full(struct server *server, size_t more) {
    size_t bytes = atomic_load_explicit(&server->bodies_bytes, memory_order_relaxed);
    return bytes > SERVER_BODIES_BYTES_MAX || more > SERVER_BODIES_BYTES_MAX - bytes;
}

/* Judges by the announced length; true when the body need not be sent at all. */
static bool refuses_unread(struct request *request) {
    int64_t announced = 0;
    struct text length = request_header(request, "Content-Length");
    if (length.data == NULL || !text_to_int64(length, &announced) || announced <= 0)
        return false;
    if ((uint64_t)announced > request->server->options.body_bytes_max)
        request->body_fate = BODY_TOO_LARGE;
    else if ((uint64_t)announced > BODY_KEPT_BYTES_MAX &&
             bodies_are_full(request->server, (size_t)announced))
        request->body_fate = BODY_WITHOUT_ROOM;
    bool asks_first = request_header(request, "Expect").data != NULL;
    return request->body_fate != BODY_WELCOME &&
           (asks_first || announced > SERVER_DISCARD_BYTES_MAX);
}

/* How much a full buffer takes at once: it doubles. */
static size_t growth(const struct buffer *buffer, size_t more) {
    size_t needed = buffer->len + more + 1;
    if (needed <= buffer->size)
        return 0;
    return (needed > buffer->size * 2 ? needed : buffer->size * 2) - buffer->size;
}

static void collect_body(struct request *request, struct text part) {
    struct server *server = request->server;
    if (request->body_fate != BODY_WELCOME)
        return;
    if (part.len > server->options.body_bytes_max - request->body.len)
        request->body_fate = BODY_TOO_LARGE;
    else if (bodies_are_full(server, growth(&request->body, part.len)) ||
             !buffer_append(&request->body, part))
        request->body_fate = BODY_WITHOUT_ROOM;
    if (request->body_fate != BODY_WELCOME) {
        drop_body(request);
    } else if (request->body.size > request->body_counted) {
        atomic_fetch_add(&server->bodies_bytes, request->body.size - request->body_counted);
        request->body_counted = request->body.size;
    }
}

static bool is_usable_id(struct text id) {
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~')
            return false;
    return id.len > 0 && id.len <= SERVER_REQUEST_ID_BYTES_MAX;
}

static void identify(struct request *request) {
    struct text given = request_header(request, "X-Request-Id");
    char made[UUID_TEXT_BYTES];
    if (!is_usable_id(given)) {
        random_uuid(&request->loop->random, made);
        given = text_of(made);
    }
    request->id = arena_copy(&request->arena, given);
}

static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection,
                             const char *method, const char *path, void **request_context) {
    struct request *request =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    check(request != NULL && request->server == server);
    *request_context = request;
    request->method = method;
    request->path = path;
    request->started_us = clock_monotonic_us(&clock_system);
    if (server->options.ended != NULL)
        identify(request);
    return refuses_unread(request) ? refuse_body(request) : MHD_YES;
}

/* Called once for the head, then for each part of the body, then once for its end, then again
 * after every resume. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **request_context) {
    (void)version;
    struct request *request = *request_context;
    if (request == NULL)
        return begin(context, connection, method, path, request_context);
    if (*data_len > 0) {
        collect_body(request, (struct text){data, *data_len});
        *data_len = 0;
        return MHD_YES;
    }
    if (request->handed_over)
        return send_answer(request);
    return request->body_fate == BODY_WELCOME ? hand_over(request) : refuse_body(request);
}

static void on_request_end(void *context, struct MHD_Connection *connection, void **request_context,
                           enum MHD_RequestTerminationCode code) {
    (void)connection, (void)code;
    struct server *server = context;
    struct request *request = *request_context;
    if (request == NULL)
        return;
    bool handed_over = request->handed_over;
    *request_context = NULL;
    if (server->options.ended != NULL)
        server->options.ended(request, request->status,
                              clock_monotonic_us(&clock_system) - request->started_us,
                              server->options.context);
    empty(request);
    if (handed_over && atomic_fetch_sub(&server->under_way, 1) == 1 &&
        atomic_load(&server->stopping)) {
        monitor_lock(&server->drained);
        monitor_signal(&server->drained);
        monitor_unlock(&server->drained);
    }
}

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **connection_context, enum MHD_ConnectionNotificationCode code) {
    struct loop *loop = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add(&loop->server->connections, 1);
        *connection_context = request_create(loop, connection);
    } else {
        request_destroy(*connection_context);
        atomic_fetch_sub(&loop->server->connections, 1);
    }
}

/* libmicrohttpd's own limit would leave a connection waiting, unanswered, in the backlog. */
static enum MHD_Result on_accept(void *context, const struct sockaddr *address,
                                 socklen_t address_len) {
    (void)address, (void)address_len;
    struct server *server = context;
    return atomic_load(&server->connections) < server->options.connections_max ? MHD_YES : MHD_NO;
}

__attribute__((format(printf, 2, 0))) static void on_library_line(void *context, const char *format,
                                                                  va_list arguments) {
    (void)context;
    if (!log_enabled(LOG_LEVEL_DEBUG))
        return;
    char line[LIBRARY_LINE_BYTES_MAX];
    vsnprintf(line, sizeof line, format, arguments);
    log_debug("libmicrohttpd", LOG_TEXT("line", text_trim(text_of(line))));
}

/* libmicrohttpd's own thread would stop serving when exactly as many connections become ready at
 * once as it asks epoll for (128 in 0.9.75): it asks again before it serves them, and waits. So the
 * waiting is ours, and it only ever looks. */
static void run_loop(void *argument) {
    struct loop *loop = argument;
    struct pollfd descriptors[] = {
        {.fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
         .events = POLLIN},
        {.fd = loop->wake, .events = POLLIN},
    };
    while (!atomic_load(&loop->server->ending)) {
        MHD_UNSIGNED_LONG_LONG timeout_ms = LOOP_WAIT_MS_MAX;
        if (MHD_get_timeout(loop->daemon, &timeout_ms) != MHD_YES || timeout_ms > LOOP_WAIT_MS_MAX)
            timeout_ms = LOOP_WAIT_MS_MAX;
        uint64_t wakes;
        if (poll(descriptors, 2, (int)timeout_ms) > 0 && descriptors[1].revents != 0 &&
            read(loop->wake, &wakes, sizeof wakes) < 0)
            log_debug("wake of the http loop not read", LOG_NONE);
        MHD_run(loop->daemon);
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
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, server->port, on_accept,
        server, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_line, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_NOTIFY_COMPLETED, on_request_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, loop, MHD_OPTION_CONNECTION_LIMIT, options->connections_max + 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
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

static void end_loops(struct server *server) {
    atomic_store(&server->ending, true);
    for (unsigned i = 0; i < server->loop_count; i++)
        wake_loop(&server->loops[i]);
    for (unsigned i = 0; i < server->loop_count; i++)
        thread_join(&server->loops[i].thread);
    for (unsigned i = 0; i < server->loop_count; i++) {
        MHD_stop_daemon(server->loops[i].daemon);
        close(server->loops[i].wake);
    }
}

enum status server_create(struct server **out, const struct server_options *options,
                          struct error *error) {
    check(out != NULL && options != NULL && options->bind != NULL && options->handle != NULL);
    check(options->threads > 0 && options->connections_max > 0 && options->body_bytes_max > 0);
    struct server *server = memory_zeroed(1, sizeof *server);
    server->options = *options;
    server->loops = memory_zeroed(options->threads, sizeof *server->loops);
    monitor_init(&server->drained);
    enum status status = listener_open(&server->listener, &server->port, options, error);
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
    monitor_deinit(&server->drained);
    free(server->loops);
    free(server);
    return status;
}

uint16_t server_port(const struct server *server) {
    return server->port;
}

/* The descriptor stays open until the threads are gone, lest one of them accepts on whatever came
 * to bear its number. */
void server_stop_listening(struct server *server) {
    if (!server->listening)
        return;
    server->listening = false;
    for (unsigned i = 0; i < server->loop_count; i++)
        MHD_quiesce_daemon(server->loops[i].daemon);
    shutdown(server->listener, SHUT_RDWR);
}

static void drain(struct server *server) {
    int64_t end_us = clock_monotonic_us(&clock_system) + SERVER_DRAIN_MS_MAX * 1000;
    atomic_store(&server->stopping, true);
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
    check(atomic_load(&server->connections) == 0 && atomic_load(&server->bodies_bytes) == 0);
    monitor_deinit(&server->drained);
    free(server->loops);
    free(server);
}
