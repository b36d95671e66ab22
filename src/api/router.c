#include "api/router.h"

#include "api/audit.h"
#include "api/bulk.h"
#include "metrics/metrics.h"

const struct route routes[] = {
#define ROUTE(method, pattern, handler, right, tag, parameters, body, answers, summary)            \
    {(method), (pattern),    #handler, (handler), RIGHT_##right,                                   \
     (tag),    (parameters), (body),   (answers), (summary)},
#include "api/routes.def"
#undef ROUTE
};
const size_t routes_count = sizeof routes / sizeof routes[0];

#define ALLOW_BYTES_MAX 64

bool route_is_routine(const struct route *route) {
    static const char *const patterns[] = {"/health", "/livez", "/readyz", "/metrics"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (text_equal_string(text_of(route->pattern), patterns[i]))
            return true;
    return false;
}

/* Segment by segment; `{…}` matches any one that is not empty. */
static bool matches(const char *pattern, struct text path, struct text *id) {
    struct text rest = text_of(pattern);
    while (rest.data != NULL && path.data != NULL) {
        struct text expected = text_cut(&rest, '/');
        struct text segment = text_cut(&path, '/');
        if (text_starts_with(expected, "{") && segment.len > 0)
            *id = segment;
        else if (!text_equal(expected, segment))
            return false;
    }
    return rest.data == NULL && path.data == NULL;
}

static bool serves(const struct route *route, struct text method) {
    return text_equal_string(method, route->method) ||
           (text_equal_string(method, "HEAD") && text_equal_string(text_of(route->method), "GET"));
}

/* The route of this path and method; `*known` tells whether the path has any. */
static const struct route *find_route(const struct request *request, struct text *id, bool *known) {
    *known = false;
    for (size_t i = 0; i < routes_count; i++) {
        struct text found = {0};
        if (!matches(routes[i].pattern, request_path(request), &found))
            continue;
        *known = true;
        *id = found;
        if (serves(&routes[i], request_method(request)))
            return &routes[i];
    }
    return NULL;
}

static void refuse_method(struct request *request) {
    struct buffer allow;
    struct text id;
    buffer_init(&allow, ALLOW_BYTES_MAX);
    for (size_t i = 0; i < routes_count; i++) {
        if (!matches(routes[i].pattern, request_path(request), &id))
            continue;
        buffer_printf(&allow, "%s%s", allow.len > 0 ? ", " : "", routes[i].method);
        if (serves(&routes[i], TEXT_LITERAL("HEAD")))
            buffer_append_string(&allow, ", HEAD");
    }
    request_add_header(request, "Allow", allow.data);
    answer_error(request, 405, "method_not_allowed",
                 "this path does not serve this method; see the Allow header", NULL);
    buffer_deinit(&allow);
}

/* Seed 004 has words of its own for this. */
static void refuse_rate(const struct call *call) {
    static const char seed_004[] = "{\"error\":\"Rate limit exceeded\","
                                   "\"message\":\"Too many requests, please try again later\"}";
    metrics_add(METRIC_RATE_LIMITED, 1);
    if (call->route != NULL && text_equal_string(text_of(call->route->tag), "Seed 004")) {
        metrics_add(METRIC_HTTP_4XX, 1);
        request_respond(call->request, 429, "application/json", text_of(seed_004));
    } else {
        answer_error(call->request, 429, "rate_limited",
                     "too many requests; the Retry-After header says when to come again", NULL);
    }
}

static void refuse_key(const struct call *call, enum gate_verdict verdict) {
    if (verdict == GATE_NOT_ALLOWED) {
        char text[128];
        snprintf(text, sizeof text, "this key has not the right to %s",
                 right_name(call->route->right));
        audit_refusal(call, text);
        answer_error(call->request, 403, "forbidden", text, NULL);
        return;
    }
    const char *text = verdict == GATE_UNKNOWN_KEY
                           ? "this key is not known"
                           : "give a key: Authorization: Bearer KEY, or X-API-Key: KEY";
    if (verdict == GATE_UNKNOWN_KEY)
        audit_refusal(call, text);
    request_add_header(call->request, "WWW-Authenticate", "Bearer");
    answer_error(call->request, 401, "unauthorized", text, NULL);
}

static void dispatch(struct call *call, bool known) {
    if (call->route != NULL)
        call->route->handle(call);
    else if (known)
        refuse_method(call->request);
    else
        answer_error(call->request, 404, "not_found", "there is nothing at this path", NULL);
}

void router_dispatch(struct api *api, struct request *request) {
    struct call call = {.api = api, .request = request};
    bool known = false;
    call.route = find_route(request, &call.id, &known);
    enum gate_verdict verdict = gate_judge(api->gate, request, call.route, &call.caller);
    switch (verdict) {
    case GATE_ADMITTED: dispatch(&call, known); return;
    case GATE_PREFLIGHT: request_respond(request, 204, NULL, TEXT_LITERAL("")); return;
    case GATE_TOO_OFTEN: refuse_rate(&call); return;
    default: refuse_key(&call, verdict); return;
    }
}

bool router_streams(const struct request *request) {
    struct text id = {0};
    bool known = false;
    const struct route *route = find_route(request, &id, &known);
    return route != NULL && route->handle == messages_create && bulk_is_wanted(request);
}
