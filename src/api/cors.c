#include "api/cors.h"

#include "base/memory.h"

#include <stdlib.h>

#define PREFLIGHT_AGE_S "600"

static bool is_origin(struct text origin) {
    return (text_starts_with(origin, "http://") || text_starts_with(origin, "https://")) &&
           origin.data[origin.len - 1] != '/';
}

enum status cors_init(struct cors *cors, const char *origins, struct error *error) {
    *cors = (struct cors){.list = memory_copy_string(origins != NULL ? origins : "")};
    for (struct text rest = text_of(cors->list); rest.data != NULL && rest.len > 0;) {
        struct text origin = text_trim(text_cut(&rest, ','));
        if (text_equal_string(origin, "*"))
            cors->any = true;
        else if (!is_origin(origin))
            return error_set(error, STATUS_INVALID,
                             "CORS_ORIGINS: \"%.*s\" is not an origin like"
                             " https://shop.example.com, nor *",
                             TEXT_ARGUMENT(text_utf8_prefix(origin, 100)));
        else if (cors->count == CORS_ORIGINS_MAX)
            return error_set(error, STATUS_INVALID, "CORS_ORIGINS: has more than %d origins",
                             CORS_ORIGINS_MAX);
        else
            cors->origins[cors->count++] = origin;
    }
    return STATUS_OK;
}

void cors_deinit(struct cors *cors) {
    free(cors->list);
    *cors = (struct cors){0};
}

static bool allows(const struct cors *cors, struct text origin) {
    for (size_t i = 0; i < cors->count; i++)
        if (text_equal(cors->origins[i], origin))
            return true;
    return cors->any;
}

bool cors_judge(const struct cors *cors, struct request *request) {
    struct text origin = request_header(request, "Origin");
    if (!cors->any && cors->count == 0)
        return false;
    request_add_header(request, "Vary", "Origin");
    if (origin.len == 0 || !allows(cors, origin))
        return false;
    request_add_header(request, "Access-Control-Allow-Origin", cors->any ? "*" : origin.data);
    request_add_header(request, "Access-Control-Expose-Headers",
                       "X-Request-Id, X-Total-Count, RateLimit-Limit, RateLimit-Remaining,"
                       " RateLimit-Reset, Retry-After");
    if (!text_equal_string(request_method(request), "OPTIONS") ||
        request_header(request, "Access-Control-Request-Method").data == NULL)
        return false;
    request_add_header(request, "Access-Control-Allow-Methods", "GET, POST, HEAD");
    request_add_header(request, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key,"
                       " X-Request-Id");
    request_add_header(request, "Access-Control-Max-Age", PREFLIGHT_AGE_S);
    return true;
}
