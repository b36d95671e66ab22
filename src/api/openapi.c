#include "api/openapi.h"

#include "base/check.h"
#include "base/embedded.h"
#include "base/json_yaml.h"
#include "base/version.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define DOCUMENT_BYTES_MAX ((size_t)4 << 20)
#define NAME_BYTES 128

struct described {
    const char *name, *text;
};

static const struct described tags[] = {
    {"Messages", "Put messages into the queue, and see what became of them."},
    {"Retries", "Send many messages again."},
    {"Dispatching", "Whether messages leave, and who said so."},
    {"Events", "What happens, while it happens."},
    {"Operation", "For those who keep the program running."},
    {"Documentation", "This."},
    {"Seed 000", "The paths of \"Go sender\", for its clients."},
    {"Seed 001", "The paths of \"Go Message Dispatcher\" that are not those above."},
    {"Seed 002", "The paths of \"Automated Message Sending System\", for its clients."},
    {"Seed 003", "The paths of \"Messaging Server\", for its clients."},
    {"Seed 004", "The paths of \"Auto Message Sender API\", for its clients."},
};

static const struct described statuses[] = {
    {"200", "It is so, or was done."},
    {"201", "Accepted, and committed."},
    {"202", "It will be done."},
    {"301", "It is elsewhere."},
    {"400", "This cannot be read, or the state does not allow it."},
    {"401", "There is no key, or it is not known."},
    {"403", "The key has not the right."},
    {"404", "There is no such thing."},
    {"408", "The request took too long to come."},
    {"409", "The state of the thing does not allow it."},
    {"413", "The body is larger than is allowed."},
    {"415", "This type of body is not read here."},
    {"422", "It can be read, but breaks a rule."},
    {"429", "Too many requests; see Retry-After."},
    {"500", "The store does not answer."},
    {"503", "The store does not answer, or too much is under way; try again."},
};

static const char *describe(const struct described *table, size_t count, struct text name) {
    for (size_t i = 0; i < count; i++)
        if (text_equal_string(name, table[i].name))
            return table[i].text;
    check(false); /* the tables of this file do not fit that of the routes */
    return NULL;
}

static json_t *reference(const char *kind, struct text name) {
    return json_pack("{s:o}", "$ref",
                     json_sprintf("#/components/%s/%.*s", kind, TEXT_ARGUMENT(name)));
}

/* {"application/json": {"schema": …}}, or a string for each type that is no JSON. */
static json_t *content_of(struct text types, struct text schema) {
    json_t *content = json_object();
    for (struct text rest = types; rest.data != NULL && rest.len > 0;) {
        char type[NAME_BYTES];
        struct text one = text_cut(&rest, ',');
        snprintf(type, sizeof type, "%.*s", TEXT_ARGUMENT(one));
        json_t *shape =
            schema.len > 0 ? reference("schemas", schema) : json_pack("{s:s}", "type", "string");
        json_object_set_new(content, type, json_pack("{s:o}", "schema", shape));
    }
    return content;
}

/* "200", "200:Message" or "200:text/csv,…". */
static void add_answer(json_t *answers, struct text item) {
    char status[NAME_BYTES];
    struct text code = text_cut(&item, ':');
    snprintf(status, sizeof status, "%.*s", TEXT_ARGUMENT(code));
    json_t *answer = json_pack("{s:s}", "description",
                               describe(statuses, sizeof statuses / sizeof statuses[0], code));
    bool is_type = item.data != NULL && memchr(item.data, '/', item.len) != NULL;
    if (item.data != NULL)
        json_object_set_new(answer, "content",
                            is_type ? content_of(item, (struct text){0})
                                    : content_of(TEXT_LITERAL("application/json"), item));
    json_object_set_new(answers, status, answer);
}

static void add_answers(json_t *answers, const char *list) {
    for (struct text rest = text_of(list); rest.data != NULL && rest.len > 0;)
        add_answer(answers, text_cut(&rest, ' '));
}

/* What stands between a request and its handler answers for every route alike. */
static json_t *answers_of(const struct route *route) {
    json_t *answers = json_object();
    add_answers(answers, route->answers);
    if (route->right != RIGHT_NONE)
        add_answers(answers, "401:Error 403:Error");
    if (route->body[0] != '\0')
        add_answers(answers, "408:Error 413:Error");
    if (!route_is_routine(route))
        add_answers(answers,
                    strcmp(route->tag, "Seed 004") == 0 ? "429:SeedRateLimited" : "429:Error");
    if (json_object_get(answers, "503") == NULL)
        add_answers(answers, "503:Error");
    return answers;
}

static json_t *parameters_of(const struct route *route) {
    json_t *parameters = json_array();
    struct text pattern = text_of(route->pattern);
    while (pattern.data != NULL) {
        struct text segment = text_cut(&pattern, '/');
        if (text_starts_with(segment, "{"))
            json_array_append_new(
                parameters,
                reference("parameters", (struct text){segment.data + 1, segment.len - 2}));
    }
    for (struct text rest = text_of(route->parameters); rest.data != NULL && rest.len > 0;)
        json_array_append_new(parameters, reference("parameters", text_cut(&rest, ' ')));
    return parameters;
}

static json_t *body_of(const struct route *route) {
    json_t *content = json_object();
    for (struct text rest = text_of(route->body); rest.data != NULL && rest.len > 0;) {
        struct text schema = text_cut(&rest, ' '), type = text_cut(&schema, ':');
        json_t *one = content_of(type, schema);
        json_object_update(content, one);
        json_decref(one);
    }
    return json_pack("{s:b, s:o}", "required", 1, "content", content);
}

/* Where no keys are configured none is needed: that is what the empty object says. */
static json_t *security_of(const struct route *route) {
    return route->right == RIGHT_NONE ? json_array()
                                      : json_pack("[{s:[]}, {s:[]}, {}]", "bearer", "apiKey");
}

static json_t *operation_of(const struct route *route) {
    json_t *operation = json_pack("{s:s, s:[s], s:s}", "operationId", route->name, "tags",
                                  route->tag, "summary", route->summary);
    if (route->right != RIGHT_NONE)
        json_object_set_new(
            operation, "description",
            json_sprintf("Where there are keys, one with the right to %s is needed.",
                         right_name(route->right)));
    json_t *parameters = parameters_of(route);
    if (json_array_size(parameters) > 0)
        json_object_set(operation, "parameters", parameters);
    json_decref(parameters);
    if (route->body[0] != '\0')
        json_object_set_new(operation, "requestBody", body_of(route));
    json_object_set_new(operation, "responses", answers_of(route));
    json_object_set_new(operation, "security", security_of(route));
    return operation;
}

/* "/swagger/" is "/swagger" by another name. */
static bool is_alias(const char *pattern) {
    size_t len = strlen(pattern);
    return len > 1 && pattern[len - 1] == '/';
}

static json_t *paths(void) {
    json_t *all = json_object();
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];
        if (is_alias(route->pattern))
            continue;
        json_t *path = json_object_get(all, route->pattern);
        if (path == NULL) {
            path = json_object();
            json_object_set_new(all, route->pattern, path);
        }
        bool post = strcmp(route->method, "POST") == 0;
        json_object_set_new(path, post ? "post" : "get", operation_of(route));
    }
    return all;
}

static json_t *tag_list(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", tags[i].name, "description", tags[i].text));
    return list;
}

static json_t *components(void) {
    check(embedded_openapi_count == 1);
    json_t *parsed = json_loads(embedded_openapi[0].data, 0, NULL);
    check(parsed != NULL);
    return parsed;
}

static json_t *document(void) {
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:o, s:o, s:o}", "openapi", "3.1.0",
                     "info", "title", "posthaste", "version", POSTHASTE_VERSION, "description",
                     "Messages put into a queue are delivered to a provider over HTTP.", "servers",
                     "url", "/", "tags", tag_list(), "paths", paths(), "components", components());
}

static void append(json_t *root, struct buffer *buffer) {
    char *text = json_dumps(root, JSON_INDENT(2));
    check(text != NULL);
    buffer_append_string(buffer, text);
    buffer_append_byte(buffer, '\n');
    free(text);
}

void openapi_write(struct buffer *buffer) {
    json_t *root = document();
    append(root, buffer);
    json_decref(root);
}

void openapi_init(struct api *api) {
    buffer_init(&api->openapi, DOCUMENT_BYTES_MAX);
    buffer_init(&api->openapi_yaml, DOCUMENT_BYTES_MAX);
    json_t *root = document();
    append(root, &api->openapi);
    json_yaml_write(&api->openapi_yaml, root);
    json_decref(root);
    check(!api->openapi.overflowed && !api->openapi_yaml.overflowed);
}

void openapi_deinit(struct api *api) {
    buffer_deinit(&api->openapi);
    buffer_deinit(&api->openapi_yaml);
}

void openapi_get(struct call *call) {
    metrics_add(METRIC_HTTP_2XX, 1);
    request_respond(call->request, 200, "application/json", buffer_view(&call->api->openapi));
}

void openapi_get_yaml(struct call *call) {
    metrics_add(METRIC_HTTP_2XX, 1);
    request_respond(call->request, 200, "application/yaml", buffer_view(&call->api->openapi_yaml));
}
