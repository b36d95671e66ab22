#include "api/gate.h"

#include "api/cors.h"
#include "api/rate_limit.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_TEXT_BYTES_MAX ((size_t)1 << 20)
#define FORWARDED_BYTES_MAX 4096

struct gate {
    /* set once */
    struct key_ring *keys;
    struct trusted_proxies *proxies;
    struct rate_limit *limit; /* NULL: none */
    struct cors cors;
};

static enum status read_key_file(const char *path, struct buffer *text, struct error *error) {
    if (path == NULL || path[0] == '\0')
        return STATUS_OK;
    if (file_read(path, text, error) == STATUS_OK)
        return STATUS_OK;
    return error_wrap(error, "API_KEYS_FILE");
}

/* The list, and the one key with all rights. */
static void join_keys(const struct gate_options *options, struct buffer *list) {
    if (options->keys != NULL)
        buffer_append_string(list, options->keys);
    if (options->key == NULL || options->key[0] == '\0')
        return;
    buffer_printf(list, "%sdefault:admin:%s", list->len > 0 ? "," : "", options->key);
}

static void wipe(struct buffer *secret) {
    if (secret->data != NULL)
        explicit_bzero(secret->data, secret->size);
    buffer_deinit(secret);
}

static enum status read_keys(struct gate *gate, const struct gate_options *options,
                             struct error *error) {
    struct buffer list, file;
    buffer_init(&list, KEYS_TEXT_BYTES_MAX);
    buffer_init(&file, KEYS_TEXT_BYTES_MAX);
    join_keys(options, &list);
    enum status status = read_key_file(options->keys_file, &file, error);
    if (status == STATUS_OK)
        status = key_ring_create(&gate->keys, buffer_view(&list).data, buffer_view(&file), error);
    wipe(&list);
    wipe(&file);
    return status;
}

enum status gate_create(struct gate **gate, const struct gate_options *options,
                        struct error *error) {
    check(gate != NULL && options != NULL);
    struct gate *created = memory_zeroed(1, sizeof *created);
    enum status status = read_keys(created, options, error);
    if (status == STATUS_OK)
        status = trusted_proxies_create(&created->proxies, options->trusted_proxies, error);
    if (status == STATUS_OK)
        status = cors_init(&created->cors, options->cors_origins, error);
    if (status != STATUS_OK) {
        gate_destroy(created);
        return status;
    }
    if (options->rate_limit > 0)
        created->limit = rate_limit_create(&(struct rate_limit_options){
            options->rate_limit, options->rate_limit_burst, GATE_CALLERS_MAX});
    *gate = created;
    return STATUS_OK;
}

void gate_destroy(struct gate *gate) {
    if (gate == NULL)
        return;
    key_ring_destroy(gate->keys);
    trusted_proxies_destroy(gate->proxies);
    rate_limit_destroy(gate->limit);
    cors_deinit(&gate->cors);
    free(gate);
}

const char *caller_name(const struct caller *caller) {
    return caller->key != NULL ? caller->key->name : "anonymous";
}

/* A proxy adds to the header, or adds another one; all of them together are the way. */
static void join_forwarded(struct text name, struct text value, void *context) {
    struct buffer *joined = context;
    if (!text_equal_ignoring_case(name, TEXT_LITERAL("X-Forwarded-For")))
        return;
    if (joined->len > 0)
        buffer_append_byte(joined, ',');
    buffer_append(joined, value);
}

void gate_address(const struct gate *gate, const struct request *request,
                  char address[CLIENT_ADDRESS_BYTES]) {
    struct buffer forwarded;
    buffer_init(&forwarded, FORWARDED_BYTES_MAX);
    if (gate->proxies != NULL)
        request_each_header(request, join_forwarded, &forwarded);
    struct text way = forwarded.overflowed ? TEXT_LITERAL("") : buffer_view(&forwarded);
    client_address(gate->proxies, request_peer(request), way, address);
    buffer_deinit(&forwarded);
}

static void add_number(struct request *request, const char *name, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    request_add_header(request, name, text);
}

/* The header fields of the IETF's draft "RateLimit header fields for HTTP", section 5 of its
 * version 06, which clients know. */
static bool asks_too_often(const struct gate *gate, struct request *request,
                           const struct caller *caller) {
    char network[CLIENT_ADDRESS_BYTES], key[KEYS_NAME_BYTES_MAX + 8];
    client_address_network(caller->address, network);
    if (caller->key != NULL)
        snprintf(key, sizeof key, "key %s", caller->key->name);
    struct rate_verdict verdict =
        rate_limit_take(gate->limit, text_of(caller->key != NULL ? key : network),
                        clock_monotonic_us(&clock_system));
    add_number(request, "RateLimit-Limit", verdict.limit);
    add_number(request, "RateLimit-Remaining", verdict.remaining);
    add_number(request, "RateLimit-Reset", verdict.reset_s);
    if (!verdict.allowed)
        add_number(request, "Retry-After", verdict.retry_after_s);
    return !verdict.allowed;
}

/* What the client showed, whether it is good or not. */
struct shown {
    struct text secret; /* data is NULL where there is none */
    bool malformed;
};

static struct shown look_at_key(const struct gate *gate, const struct request *request,
                                struct caller *caller) {
    struct shown shown;
    shown.secret = key_presented(request_header(request, "Authorization"),
                                 request_header(request, "X-API-Key"), &shown.malformed);
    if (shown.secret.data != NULL)
        caller->key = key_ring_find(gate->keys, shown.secret);
    return shown;
}

/* Without any keys all may do everything; who they are is then a matter of the address bound to. */
static enum gate_verdict judge_key(const struct gate *gate, const struct route *route,
                                   const struct caller *caller, const struct shown *shown) {
    if (route == NULL || route->right == RIGHT_NONE || key_ring_is_empty(gate->keys))
        return GATE_ADMITTED;
    if (shown->secret.data == NULL)
        return GATE_NO_KEY;
    if (caller->key == NULL)
        return GATE_UNKNOWN_KEY;
    return key_has_right(caller->key, route->right) ? GATE_ADMITTED : GATE_NOT_ALLOWED;
}

enum gate_verdict gate_judge(struct gate *gate, struct request *request, const struct route *route,
                             struct caller *caller) {
    *caller = (struct caller){0};
    gate_address(gate, request, caller->address);
    if (cors_judge(&gate->cors, request))
        return GATE_PREFLIGHT;
    struct shown shown = {0};
    if (!key_ring_is_empty(gate->keys))
        shown = look_at_key(gate, request, caller);
    bool counts = gate->limit != NULL && (route == NULL || !route_is_routine(route));
    if (counts && asks_too_often(gate, request, caller))
        return GATE_TOO_OFTEN;
    return judge_key(gate, route, caller, &shown);
}
