#include "api/server_internal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request *request_create(struct connection *connection) {
    struct loop *loop = connection->loop;
    struct request *request = memory_zeroed(1, sizeof *request);
    request->server = loop->server;
    request->loop = loop;
    request->connection = connection;
    request->handle = connection->handle;
    request->headers_end = &request->headers;
    arena_init(&request->arena, SERVER_REQUEST_ARENA_BYTES_MAX);
    buffer_init(&request->body, loop->server->options.body_bytes_max);
    buffer_init(&request->chunk, SERVER_CHUNK_BYTES_MAX);
    request->peer = connection->peer;
    return request;
}

void request_drop_body(struct request *request) {
    buffer_deinit(&request->body);
    atomic_fetch_sub(&request->server->bodies_bytes, request->body_counted);
    request->body_counted = 0;
}

void request_destroy(struct request *request) {
    request_drop_body(request);
    buffer_deinit(&request->chunk);
    arena_deinit(&request->arena);
    free(request);
}

static void empty(struct request *request) {
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    arena_deinit(&request->arena);
    if (request->body.size > SERVER_BODY_KEPT_BYTES_MAX)
        request_drop_body(request);
    else
        buffer_clear(&request->body);
    buffer_deinit(&request->chunk);
    request->refusal = NULL;
    request->handed_over = request->deferred = request->headers_lost = request->reset = false;
    request->headers = NULL;
    request->headers_end = &request->headers;
    request->response = NULL;
    request->status = 0;
    request->id = (struct text){0};
    request->sink = (struct body_sink){0};
    request->stream = (struct answer_stream){0};
    request->received = request->streamed = request->paused = request->sink_ended = false;
    request->stream_ended = request->hung_up = request->head_parked = false;
    request->dropped = request->chunk_sent = 0;
    atomic_store(&request->flags, 0);
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

void request_begin(struct request *request, const char *method, const char *path,
                   const char *version) {
    request->method = method;
    request->path = path;
    request->is_old = strcmp(version, MHD_HTTP_VERSION_1_1) != 0;
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    request->started_us = clock_monotonic_us(&clock_system);
    if (request->server->options.ended != NULL)
        identify(request);
}

static void end_one(struct server *server) {
    if (atomic_fetch_sub(&server->under_way, 1) == 1 && atomic_load(&server->stopping)) {
        monitor_lock(&server->drained);
        monitor_signal(&server->drained);
        monitor_unlock(&server->drained);
    }
}

/* True when the request lives on without its connection: somebody has it and will answer. */
static bool orphan(struct request *request) {
    unsigned before = atomic_fetch_or(&request->flags, REQUEST_ORPHANED);
    return (before & REQUEST_ANSWERED) == 0;
}

void server_on_request_end(void *context, struct MHD_Connection *handle, void **request_context,
                           enum MHD_RequestTerminationCode code) {
    (void)handle, (void)code;
    struct server *server = context;
    struct request *request = *request_context;
    if (request == NULL)
        return;
    *request_context = NULL;
    struct connection *connection = request->connection;
    bool handed_over = request->handed_over;
    bool answered = !handed_over || request_has(request, REQUEST_ANSWERED);
    if (server->options.ended != NULL)
        server->options.ended(request, answered ? request->status : 0,
                              clock_monotonic_us(&clock_system) - request->started_us,
                              server->options.context);
    request_end_sink(request, false);
    connection_rest(connection);
    if (handed_over && orphan(request)) {
        connection->request = NULL;
        return;
    }
    request_end_stream(request);
    empty(request);
    if (handed_over)
        end_one(server);
}

static void give_orphan(struct server *server, struct request *request) {
    monitor_lock(&server->drained);
    request->next_orphan = server->orphans;
    server->orphans = request;
    atomic_store(&server->has_orphans, true);
    loop_wake(request->loop);
    monitor_signal(&server->drained);
    monitor_unlock(&server->drained);
}

void server_end_orphans(struct server *server) {
    if (!atomic_load(&server->has_orphans))
        return;
    monitor_lock(&server->drained);
    struct request *next, *orphans = server->orphans;
    server->orphans = NULL;
    atomic_store(&server->has_orphans, false);
    monitor_unlock(&server->drained);
    for (struct request *request = orphans; request != NULL; request = next) {
        next = request->next_orphan;
        request_end_stream(request);
        empty(request);
        request_destroy(request);
        end_one(server);
    }
}

void loop_wake(const struct loop *loop) {
    uint64_t one = 1;
    ssize_t written = write(loop->wake, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

bool request_has(const struct request *request, unsigned flags) {
    return (atomic_load(&request->flags) & flags) != 0;
}

/* What is needed afterwards is read before: a parked request stays until it is resumed, any other
 * may go as soon as the flag is there. The server itself stays while `signals` counts us. */
void request_signal(struct request *request, enum request_flag flag) {
    struct server *server = request->server;
    struct MHD_Connection *handle = request->handle;
    const struct loop *loop = request->loop;
    atomic_fetch_add(&server->signals, 1);
    unsigned before = atomic_load(&request->flags);
    while (!atomic_compare_exchange_weak(&request->flags, &before,
                                         (before | flag) & ~(unsigned)REQUEST_PARKED))
        continue;
    if (flag == REQUEST_ANSWERED)
        check((before & REQUEST_ANSWERED) == 0);
    if (flag == REQUEST_ANSWERED && (before & REQUEST_ORPHANED) != 0) {
        give_orphan(server, request);
    } else if ((before & REQUEST_PARKED) != 0) {
        MHD_resume_connection(handle);
        loop_wake(loop);
    }
    atomic_fetch_sub(&server->signals, 1);
}

/* Some other thread may signal before we come to suspend the connection: then it need not be
 * suspended, or it is on us to resume it. */
bool request_park(struct request *request, unsigned until) {
    if (request_has(request, until))
        return false;
    MHD_suspend_connection(request->handle);
    unsigned before = atomic_load(&request->flags);
    while ((before & until) == 0 &&
           !atomic_compare_exchange_weak(&request->flags, &before, before | REQUEST_PARKED))
        continue;
    if ((before & until) != 0) {
        MHD_resume_connection(request->handle);
        loop_wake(request->loop);
    }
    return true;
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
    if (MHD_lookup_connection_value_n(request->handle, kind, name, strlen(name), &value.data,
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
    MHD_get_connection_values(request->handle, MHD_HEADER_KIND, on_header, &each);
}

const struct sockaddr *request_peer(const struct request *request) {
    return &request->peer.any;
}

struct arena *request_arena(struct request *request) {
    return &request->arena;
}

int request_descriptor(const struct request *request) {
    return MHD_get_connection_info(request->handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

bool request_client_is_gone(const struct request *request) {
    struct pollfd descriptor = {.fd = request_descriptor(request), .events = POLLRDHUP};
    return poll(&descriptor, 1, 0) > 0;
}
