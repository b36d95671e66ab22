#include "cli/service.h"

#include "base/version.h"
#include "cli/cli.h"
#include "log/log.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* For the store's files, the log, and connections of the API. */
#define DESCRIPTORS_RESERVED 128
/* What the cache has not taken by then is forgotten. */
#define CACHE_FLUSH_MS 1000

static sigset_t ending_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void service_prepare_signals(void) {
    sigset_t signals = ending_signals();
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static void reload(struct service *service) {
    struct error error;
    if (api_reload(service->api, &error) == STATUS_OK)
        log_info("read again on SIGHUP", LOG_STRING("certificate", "as it is now"));
    else
        log_error("not read again on SIGHUP; the old one stays", LOG_STRING("reason", error.text));
}

void service_wait(struct service *service) {
    sigset_t signals = ending_signals();
    int received = 0;
    sigaddset(&signals, SIGHUP);
    while (sigwait(&signals, &received) != 0 || received == SIGHUP)
        if (received == SIGHUP)
            reload(service);
    log_info("stopping", LOG_STRING("signal", received == SIGINT ? "SIGINT" : "SIGTERM"));
    /* Whoever asks twice does not want to wait. Nothing is lost: what is claimed goes back when
     * the process is gone. */
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

static enum log_level level_of(const char *name) {
    static const char *const names[] = {
        [LOG_LEVEL_DEBUG] = "debug",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_WARN] = "warn",
        [LOG_LEVEL_ERROR] = "error",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum log_level)i;
    return LOG_LEVEL_INFO;
}

static void init_log(const struct config *config) {
    bool console = strcmp(config->log_format, "console") == 0;
    const struct log_options options = {
        .level = level_of(config->log_level),
        .format = console ? LOG_FORMAT_CONSOLE : LOG_FORMAT_JSON,
        .app_name = config->app_name,
        .descriptor = STDERR_FILENO,
        .unlimited = false,
    };
    log_init(&options);
}

/* Requests in the air must not take the descriptors that the API and the store need. */
static enum status reserve_descriptors(const struct config *config, struct error *error) {
    struct rlimit limit;
    rlim_t needed = (rlim_t)config->max_in_flight + DESCRIPTORS_RESERVED;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return STATUS_OK;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= needed)
        return STATUS_OK;
    return error_set(error, STATUS_FULL,
                     "MAX_IN_FLIGHT %lld needs %llu file descriptors and the process may open %llu;"
                     " raise the limit (ulimit -n) or lower MAX_IN_FLIGHT",
                     (long long)config->max_in_flight, (unsigned long long)needed,
                     (unsigned long long)limit.rlim_max);
}

static enum status start_sender(struct service *service, const struct config *config,
                                struct error *error) {
    const struct sender_options options = {
        .provider = config->provider,
        .webhook_url = config->webhook_url,
        .webhook_auth_header = config->webhook_auth_header,
        .webhook_auth_key = config->webhook_auth_key,
        .webhook_secret = config->webhook_secret,
        .webhook_timeout_ms = config->webhook_timeout_ms,
    };
    return sender_create(&service->sender, &options, error);
}

static enum status start_cache(struct service *service, const struct config *config,
                               struct error *error) {
    const struct cache_options options = {
        .url = config->cache_url,
        .ttl_ms = config->redis_ttl_ms,
        .timeout_ms = config->cache_timeout_ms,
        .key_style = config->redis_key_style,
        .clock = &clock_system,
    };
    return cache_create(&service->cache, &options, error);
}

static enum status start_dispatcher(struct service *service, const struct config *config,
                                    struct error *error) {
    struct retry_policy retry = {.retries_max = config->max_retries,
                                 .base_ms = config->retry_base_ms,
                                 .cap_ms = config->retry_cap_ms};
    enum status status = retry_schedule_parse(&retry, config->retry_schedule, error);
    if (status != STATUS_OK)
        return status;
    struct random random = random_from_system();
    service->events = events_create(&clock_system, &random);
    const struct dispatcher_options options = {
        .events = service->events,
        .store = service->store,
        .sender = service->sender,
        .cache = service->cache,
        .clock = &clock_system,
        .batch_size = (size_t)config->batch_size,
        .interval_ms = config->processing_interval_ms,
        .poll_interval_ms = config->poll_interval_ms,
        .max_in_flight = (size_t)config->max_in_flight,
        .retry = retry,
        .lease_ms = config_lease_ms(config),
        .content_max = config->content_max,
        .generate_interval_ms = config->generate_interval_ms,
    };
    return dispatcher_create(&service->dispatcher, &options, error);
}

/* As many connections as there are descriptors for. */
static unsigned connections_max(const struct config *config) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return (unsigned)config->connections_max;
    rlim_t left = limit.rlim_cur - (rlim_t)config->max_in_flight - DESCRIPTORS_RESERVED + 1;
    if ((rlim_t)config->connections_max <= left)
        return (unsigned)config->connections_max;
    log_warn("fewer connections than CONNECTIONS_MAX; raise the limit of open files (ulimit -n)",
             LOG_INT("connections", left));
    return (unsigned)left;
}

static enum status start_api(struct service *service, const struct config *config,
                             struct error *error) {
    const struct api_options options = {
        .bind = config->bind,
        .port = (uint16_t)config->port,
        .store = service->store,
        .dispatcher = service->dispatcher,
        .cache = service->cache,
        .clock = &clock_system,
        .events = service->events,
        .provider = config->provider,
        .content_max = config->content_max,
        .access_log = config->access_log,
        .gate = {.keys = config->api_keys,
                 .keys_file = config->api_keys_file,
                 .key = config->api_key,
                 .trusted_proxies = config->trusted_proxies,
                 .rate_limit = config->rate_limit,
                 .rate_limit_burst = config->rate_limit_burst,
                 .cors_origins = config->cors_origins},
        .body_bytes_max = (size_t)config->body_max,
        .connections_max = connections_max(config),
        .connections_per_address_max = (unsigned)config->connections_per_address,
        .idle_timeout_s = (unsigned)(config->idle_timeout_ms / 1000),
        .request_timeout_s = (unsigned)(config->request_timeout_ms / 1000),
        .tls_certificate = config->tls_cert[0] != '\0' ? config->tls_cert : NULL,
        .tls_key = config->tls_key[0] != '\0' ? config->tls_key : NULL,
    };
    return api_create(&service->api, &options, error);
}

enum status service_start(struct service *service, const struct config *config,
                          struct error *error) {
    *service = (struct service){0};
    init_log(config);
    const struct store_options store_options = cli_store_options(config);
    enum status status = reserve_descriptors(config, error);
    if (status == STATUS_OK)
        status = store_open(&service->store, &store_options, error);
    if (status == STATUS_OK)
        status = start_sender(service, config, error);
    if (status == STATUS_OK)
        status = start_cache(service, config, error);
    if (status == STATUS_OK)
        status = start_dispatcher(service, config, error);
    if (status == STATUS_OK)
        status = start_api(service, config, error);
    if (status == STATUS_OK && config->auto_start)
        status = api_start_dispatching(service->api, error);
    if (status != STATUS_OK) {
        service_stop(service, 0);
        return status;
    }
    log_info("listening", LOG_STRING("bind", config->bind), LOG_INT("port", api_port(service->api)),
             LOG_STRING("version", POSTHASTE_VERSION),
             LOG_STRING("store", store_kind(service->store)),
             LOG_STRING("cache", cache_kind(service->cache)));
    return STATUS_OK;
}

void service_stop(struct service *service, int64_t grace_ms) {
    if (service->api != NULL)
        api_stop_listening(service->api);
    if (service->dispatcher != NULL) {
        size_t left = dispatcher_drain(service->dispatcher, grace_ms);
        if (left > 0)
            log_error("messages are left to their lease", LOG_INT("messages", left));
    }
    if (service->api != NULL)
        api_note_end(service->api);
    api_destroy(service->api);
    dispatcher_destroy(service->dispatcher);
    events_destroy(service->events);
    if (service->cache != NULL)
        cache_flush(service->cache, CACHE_FLUSH_MS);
    cache_destroy(service->cache);
    sender_destroy(service->sender);
    store_close(service->store);
    log_info("stopped", LOG_NONE);
    log_flush_suppressed();
}
