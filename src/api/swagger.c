#include "api/api_internal.h"
#include "base/embedded.h"
#include "metrics/metrics.h"

#include <string.h>

#define PAGE "/swagger/index.html"
/* Scripts and requests only to where the page came from. Swagger UI sets styles on its elements,
 * and its icons are data. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "                    \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'"

static const struct kind {
    const char *ending;
    const char *content_type;
} kinds[] = {
    {".html", "text/html; charset=utf-8"},     {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"}, {".png", "image/png"},
    {"", "text/plain; charset=utf-8"}, /* the licences */
};

static const char *content_type_of(struct text name) {
    const struct kind *kind = kinds;
    for (;; kind++) {
        size_t len = strlen(kind->ending);
        if (name.len >= len && memcmp(name.data + name.len - len, kind->ending, len) == 0)
            return kind->content_type;
    }
}

static const struct embedded_file *find(struct text name) {
    for (size_t i = 0; i < embedded_swagger_count; i++)
        if (text_equal_string(name, embedded_swagger[i].name))
            return &embedded_swagger[i];
    return NULL;
}

void swagger_redirect(struct call *call) {
    metrics_add(METRIC_HTTP_2XX, 1);
    request_add_header(call->request, "Location", PAGE);
    request_respond(call->request, 301, NULL, TEXT_LITERAL(""));
}

/* Apart from the other, because an operation of the API goes by the name of its handler. */
void swagger_redirect_slash(struct call *call) {
    swagger_redirect(call);
}

void swagger_document(struct call *call) {
    openapi_get(call);
}

void swagger_get(struct call *call) {
    const struct embedded_file *file = find(call->id);
    if (find(TEXT_LITERAL("swagger-ui-bundle.js")) == NULL) {
        answer_error(call->request, 404, "not_found",
                     "this program was built without the Swagger UI; to have it, build where npm "
                     "and network are: meson setup --reconfigure -Dswagger=enabled build, then "
                     "meson compile -C build",
                     NULL);
        return;
    }
    if (file == NULL) {
        answer_error(call->request, 404, "not_found", "there is nothing at this path", NULL);
        return;
    }
    metrics_add(METRIC_HTTP_2XX, 1);
    request_add_header(call->request, "Cache-Control", "no-cache");
    request_add_header(call->request, "Content-Security-Policy", POLICY);
    request_respond(call->request, 200, content_type_of(call->id),
                    (struct text){file->data, file->len});
}
