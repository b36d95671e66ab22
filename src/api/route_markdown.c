#include "api/route.h"

#include "api/api_internal.h"

#include <string.h>

static void write_row(struct buffer *buffer, const struct route *route) {
    buffer_printf(buffer, "| `%s %s` | %s | %s |\n", route->method, route->pattern,
                  route->right == RIGHT_NONE ? "" : right_name(route->right), route->summary);
}

static bool is_first_of_its_tag(size_t at) {
    for (size_t i = 0; i < at; i++)
        if (strcmp(routes[i].tag, routes[at].tag) == 0)
            return false;
    return true;
}

static void write_section(struct buffer *buffer, size_t first) {
    buffer_printf(buffer, "\n## %s\n\n| path | right | |\n|---|---|---|\n", routes[first].tag);
    for (size_t i = first; i < routes_count; i++)
        if (strcmp(routes[i].tag, routes[first].tag) == 0)
            write_row(buffer, &routes[i]);
}

void routes_write_markdown(struct buffer *buffer) {
    buffer_append_string(
        buffer,
        "# The paths of the API\n\n"
        "Made from the table of routes (`posthaste openapi --markdown`). The whole of it, with\n"
        "what each takes and answers, is [openapi.json](openapi.json), which a running posthaste\n"
        "shows at `/swagger/index.html`. Where keys are configured, a request needs one with the\n"
        "right named here; the right `admin` includes the others.\n");
    for (size_t i = 0; i < routes_count; i++)
        if (is_first_of_its_tag(i))
            write_section(buffer, i);
}
