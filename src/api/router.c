#include "api/router.h"

static const struct route {
    const char *method;
    const char *pattern;
    void (*handle)(struct call *call);
} routes[] = {
#define ROUTE(method, pattern, handler, summary) {(method), (pattern), (handler)},
#include "api/routes.def"
#undef ROUTE
};

#define ROUTES (sizeof routes / sizeof routes[0])
#define ALLOW_BYTES_MAX 64

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

static void refuse_method(struct request *request, struct text path) {
    struct buffer allow;
    struct text id;
    buffer_init(&allow, ALLOW_BYTES_MAX);
    for (size_t i = 0; i < ROUTES; i++) {
        if (!matches(routes[i].pattern, path, &id))
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

void router_dispatch(struct api *api, struct request *request) {
    struct text path = request_path(request), method = request_method(request);
    struct call call = {.api = api, .request = request};
    bool known = false;
    for (size_t i = 0; i < ROUTES; i++) {
        if (!matches(routes[i].pattern, path, &call.id))
            continue;
        known = true;
        if (serves(&routes[i], method)) {
            routes[i].handle(&call);
            return;
        }
    }
    if (known)
        refuse_method(request, path);
    else
        answer_error(request, 404, "not_found", "there is nothing at this path", NULL);
}
