#include "api/access.h"

#include "api/api_internal.h"
#include "log/log.h"

static bool is_routine(struct text path) {
    static const char *const paths[] = {"/health", "/livez", "/readyz", "/metrics"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (text_equal_string(path, paths[i]))
            return true;
    return false;
}

void access_log(const struct request *request, unsigned status, int64_t took_us, void *context) {
    const struct api *api = context;
    char address[CLIENT_ADDRESS_BYTES];
    gate_address(api->gate, request, address);
    struct text path = request_path(request);
    struct log_field fields[] = {
        LOG_TEXT("method", request_method(request)),
        LOG_TEXT("path", path),
        LOG_INT("status", status),
        LOG_INT("us", took_us),
        LOG_STRING("address", address),
        LOG_TEXT("request_id", request_id(request)),
        LOG_NONE,
    };
    enum log_level level = is_routine(path) && status < 400 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    if (log_enabled(level))
        log_write(level, status != 0 ? "request" : "request without an answer", fields);
}

void access_forget(const struct request *request, unsigned status, int64_t took_us, void *context) {
    (void)request;
    (void)status;
    (void)took_us;
    (void)context;
}
