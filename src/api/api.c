#include "api/api.h"

#include "api/access.h"
#include "api/audit.h"
#include "api/control.h"
#include "api/openapi.h"
#include "api/retrier.h"
#include "api/router.h"
#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum status api_borrow_session(struct api *api, struct store_session **session,
                               struct error *error) {
    int64_t now_us = clock_monotonic_us(&clock_system);
    struct api_reader *free_one = NULL;
    enum status status = STATUS_OK;
    monitor_lock(&api->monitor);
    for (size_t i = 0; i < API_THREADS; i++) {
        struct api_reader *reader = &api->readers[i];
        if (reader->since_us == 0)
            free_one = reader;
        else if (now_us - reader->since_us > API_STORE_PATIENCE_US)
            status = error_set(error, STATUS_UNAVAILABLE, "the store has not answered for %lld s",
                               (long long)(now_us - reader->since_us) / 1000000);
    }
    if (status == STATUS_OK) {
        check(free_one != NULL); /* there are as many as threads that handle requests */
        free_one->since_us = now_us;
        *session = free_one->session;
    }
    monitor_unlock(&api->monitor);
    return status;
}

void api_return_session(struct api *api, const struct store_session *session) {
    monitor_lock(&api->monitor);
    for (size_t i = 0; i < API_THREADS; i++)
        if (api->readers[i].session == session)
            api->readers[i].since_us = 0;
    monitor_unlock(&api->monitor);
}

enum status api_read_depth(struct api *api, struct store_depth *depth, struct error *error) {
    struct store_session *session = NULL;
    enum status status = api_borrow_session(api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_depth(session, depth, error);
    api_return_session(api, session);
    return status;
}

/* Nothing here is a page, and nobody is to keep it. */
static const char *const headers[] = {
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "X-Frame-Options",
    "DENY",
    "Cache-Control",
    "no-store",
    NULL,
};

static void handle(struct request *request, void *context) {
    router_dispatch(context, request);
}

static void wake_dispatcher(void *context) {
    dispatcher_wake(context);
}

static bool streams(const struct request *request, void *context) {
    (void)context;
    return router_streams(request);
}

struct message_rules api_message_rules(const struct api *api) {
    return (struct message_rules){
        .content_max = api->options.content_max,
        .now_ms = clock_wall_ms(api->options.clock),
        .provider = api->options.provider,
    };
}

static enum status open_sessions(struct api *api, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < API_THREADS && status == STATUS_OK; i++)
        status = store_session_open(&api->readers[i].session, api->options.store, error);
    return status;
}

static enum status start_server(struct api *api, struct error *error) {
    const struct api_options *options = &api->options;
    const struct server_options server_options = {
        .bind = strcmp(options->bind, "localhost") == 0 ? "127.0.0.1" : options->bind,
        .port = options->port,
        .threads = API_THREADS,
        .connections_max = options->connections_max,
        .connections_per_address_max = options->connections_per_address_max,
        .idle_timeout_s = options->idle_timeout_s,
        .request_timeout_s = options->request_timeout_s,
        .body_bytes_max = options->body_bytes_max,
        .handle = handle,
        .streams = streams,
        .ended = options->access_log ? access_log : access_forget,
        .headers = headers,
        .tls_certificate = options->tls_certificate,
        .tls_key = options->tls_key,
        .context = api,
    };
    return server_create(&api->server, &server_options, error);
}

static enum status start_threads(struct api *api, struct error *error) {
    const struct api_options *options = &api->options;
    enum status status =
        acceptor_create(&api->acceptor,
                        &(struct acceptor_options){options->store, options->events, wake_dispatcher,
                                                   options->dispatcher},
                        error);
    if (status == STATUS_OK)
        status = retrier_create(&api->retrier, options->store, wake_dispatcher, options->dispatcher,
                                error);
    return status;
}

enum status api_create(struct api **api, const struct api_options *options, struct error *error) {
    check(api != NULL && options != NULL && options->store != NULL && options->dispatcher != NULL);
    check(options->events != NULL);
    struct api *created = memory_zeroed(1, sizeof *created);
    created->options = *options;
    created->started_us = clock_monotonic_us(&clock_system);
    created->refusals = rate_limit_create(
        &(struct rate_limit_options){.per_minute = AUDIT_REFUSALS_PER_MINUTE, .callers_max = 1});
    monitor_init(&created->monitor);
    openapi_init(created);
    enum status status = gate_create(&created->gate, &options->gate, error);
    created->options.gate = (struct gate_options){0};
    if (status == STATUS_OK)
        status = open_sessions(created, error);
    if (status == STATUS_OK)
        status = start_threads(created, error);
    if (status == STATUS_OK)
        status = start_server(created, error);
    if (status != STATUS_OK)
        api_destroy(created);
    else
        *api = created;
    return status;
}

enum status api_start_dispatching(struct api *api, struct error *error) {
    const struct audit_note by = {.actor = "posthaste", .address = "", .detail = "AUTO_START"};
    return control_start(api, &by, error);
}

void api_note_end(struct api *api) {
    const struct audit_note by = {
        .actor = "posthaste", .address = "", .detail = "the program ends"};
    control_note_end(api, &by);
}

enum status api_reload(struct api *api, struct error *error) {
    return server_reload_certificate(api->server, error);
}

uint16_t api_port(const struct api *api) {
    check(api != NULL);
    return server_port(api->server);
}

void api_stop_listening(struct api *api) {
    check(api != NULL);
    server_stop_listening(api->server);
}

void api_destroy(struct api *api) {
    if (api == NULL)
        return;
    if (api->server != NULL)
        server_stop_listening(api->server);
    /* Requests that wait for their commit are answered before the server ends. */
    if (api->acceptor != NULL)
        acceptor_close(api->acceptor);
    if (api->server != NULL)
        server_destroy(api->server);
    acceptor_destroy(api->acceptor);
    retrier_destroy(api->retrier);
    for (size_t i = 0; i < API_THREADS; i++)
        store_session_close(api->readers[i].session);
    gate_destroy(api->gate);
    rate_limit_destroy(api->refusals);
    openapi_deinit(api);
    monitor_deinit(&api->monitor);
    free(api);
}
