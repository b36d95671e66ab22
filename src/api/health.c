/* /health, /livez, /readyz, /metrics, /version. */
#include "api/api_internal.h"
#include "base/check.h"
#include "base/duration.h"
#include "base/version.h"
#include "metrics/metrics.h"

#include <string.h>

#define METRICS_BYTES_MAX (1024 * 1024)
#define UPTIME_BYTES 48

static void write_version(struct json_writer *json) {
    json_member_string(json, "version", POSTHASTE_VERSION);
    json_member_string(json, "build_time", POSTHASTE_BUILD_TIME);
    json_member_string(json, "git_commit", POSTHASTE_GIT_COMMIT);
}

/* "redis" is what a cache of another process is called by those who read this; NULL: there is none
 * that could be away. */
static const char *cache_health(const struct api *api) {
    struct cache *cache = api->options.cache;
    struct error ignored;
    if (cache == NULL || strcmp(cache_kind(cache), "redis") != 0)
        return NULL;
    return cache_is_healthy(cache, &ignored) ? "healthy" : "unhealthy";
}

static const char *overall(bool store_works, const char *cache) {
    if (!store_works)
        return "unhealthy";
    return cache == NULL || strcmp(cache, "healthy") == 0 ? "healthy" : "degraded";
}

static void write_health(struct json_writer *json, const struct api *api, bool store_works) {
    const char *cache = cache_health(api);
    struct dispatcher_status status;
    dispatcher_get_status(api->options.dispatcher, &status);
    struct buffer uptime;
    buffer_init(&uptime, UPTIME_BYTES);
    int64_t lived_s = (clock_monotonic_us(&clock_system) - api->started_us) / 1000000;
    duration_write_go(&uptime, lived_s * 1000);
    json_member_string(json, "status", overall(store_works, cache));
    json_member_string(json, "processing_status", dispatcher_state_name(status.state));
    json_key(json, "version");
    json_object_open(json);
    write_version(json);
    json_object_close(json);
    json_key(json, "dependencies");
    json_object_open(json);
    json_member_string(json, "database", store_works ? "healthy" : "unhealthy");
    if (cache != NULL)
        json_member_string(json, "redis", cache);
    json_object_close(json);
    json_member_text(json, "uptime", buffer_view(&uptime));
    json_member_string(json, "message", store_works ? "Healthy!" : "The store does not answer.");
    buffer_deinit(&uptime);
}

void health_get(struct call *call) {
    struct store_depth depth;
    struct error error;
    bool works = api_read_depth(call->api, &depth, &error) == STATUS_OK;
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_health(&answer.json, call->api, works);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, works ? 200 : 503);
}

static void answer_status(struct call *call, const char *word) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_member_string(&answer.json, "status", word);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void livez_get(struct call *call) {
    answer_status(call, "alive");
}

void readyz_get(struct call *call) {
    struct store_depth depth;
    struct error error;
    bool ready = api_read_depth(call->api, &depth, &error) == STATUS_OK &&
                 dispatcher_is_healthy(call->api->options.dispatcher, &depth, &error);
    if (ready)
        answer_status(call, "ready");
    else
        answer_error(call->request, 503, "not_ready",
                     error.status == STATUS_TIMEOUT ? error.text /* of the dispatcher's threads */
                                                    : answer_words(call->request, &error),
                     NULL);
}

void version_get(struct call *call) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    write_version(&answer.json);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

static void set_depth_gauges(const struct store_depth *depth) {
    static const enum metric_gauge gauges[MESSAGE_STATES] = {
        [MESSAGE_PENDING] = METRIC_DEPTH_PENDING,
        [MESSAGE_SENDING] = METRIC_DEPTH_SENDING,
        [MESSAGE_SENT] = METRIC_DEPTH_SENT,
        [MESSAGE_FAILED] = METRIC_DEPTH_FAILED,
        [MESSAGE_CANCELLED] = METRIC_DEPTH_CANCELLED,
        [MESSAGE_EXPIRED] = METRIC_DEPTH_EXPIRED,
        [MESSAGE_DELIVERED] = METRIC_DEPTH_DELIVERED,
        [MESSAGE_UNDELIVERED] = METRIC_DEPTH_UNDELIVERED,
        [MESSAGE_UNKNOWN] = METRIC_DEPTH_UNKNOWN,
    };
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        metrics_set(gauges[i], depth->messages[i]);
}

/* A store that is away does not take the metrics with it: the last depths stay. */
void metrics_get(struct call *call) {
    struct store_depth depth;
    struct error error;
    if (api_read_depth(call->api, &depth, &error) == STATUS_OK)
        set_depth_gauges(&depth);
    metrics_add(METRIC_HTTP_2XX, 1);
    struct buffer text;
    buffer_init(&text, METRICS_BYTES_MAX);
    metrics_write_prometheus(&text);
    check(!text.overflowed);
    request_respond(call->request, 200, "text/plain; version=0.0.4; charset=utf-8",
                    buffer_view(&text));
    buffer_deinit(&text);
}
