#include "config/config_compose.h"

#include "config/option.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define URL_BYTES_MAX 16384

static bool is_set(const bool *set, const char *name) {
    const struct option_spec *spec = option_find_variable(text_of(name)).spec;
    return set[spec - option_specs];
}

/* Percent-encoded, as a part of a URL (RFC 3986, unreserved characters stay). */
static void append_encoded(struct buffer *url, const char *part) {
    for (; *part != '\0'; part++) {
        if (isascii(*part) && (isalnum(*part) || strchr("-._~", *part) != NULL))
            buffer_append_byte(url, *part);
        else
            buffer_printf(url, "%%%02X", (unsigned char)*part);
    }
}

/* An address of IPv6 has colons and stands in brackets. */
static void append_host(struct buffer *url, const char *host, int64_t port) {
    bool brackets = strchr(host, ':') != NULL && host[0] != '[';
    buffer_printf(url, brackets ? "[%s]:%lld" : "%s:%lld", host, (long long)port);
}

static void replace(char **field, struct buffer *url) {
    free(*field);
    *field = buffer_take(url);
}

static void compose_store(struct config *config) {
    const char *host = config->db_host[0] != '\0' ? config->db_host : "localhost";
    struct buffer url;
    buffer_init(&url, URL_BYTES_MAX);
    buffer_append_string(&url, "postgres://");
    if (config->db_user[0] != '\0') {
        append_encoded(&url, config->db_user);
        if (config->db_password[0] != '\0') {
            buffer_append_byte(&url, ':');
            append_encoded(&url, config->db_password);
        }
        buffer_append_byte(&url, '@');
    }
    bool is_socket = host[0] == '/';
    if (!is_socket)
        append_host(&url, host, config->db_port);
    buffer_append_byte(&url, '/');
    append_encoded(&url, config->db_name);
    buffer_printf(&url, "?sslmode=%s", config->db_sslmode);
    if (is_socket) {
        buffer_append_string(&url, "&host=");
        append_encoded(&url, host);
        buffer_printf(&url, "&port=%lld", (long long)config->db_port);
    }
    replace(&config->store_url, &url);
}

static void compose_cache(struct config *config) {
    struct buffer url;
    buffer_init(&url, URL_BYTES_MAX);
    buffer_append_string(&url, "redis://");
    if (config->redis_password[0] != '\0') {
        buffer_append_byte(&url, ':');
        append_encoded(&url, config->redis_password);
        buffer_append_byte(&url, '@');
    }
    append_host(&url, config->redis_host, config->redis_port);
    buffer_printf(&url, "/%lld", (long long)config->redis_db);
    replace(&config->cache_url, &url);
}

void config_compose(struct config *config, const bool *set, struct buffer *faults) {
    bool database = is_set(set, "DB_HOST") || is_set(set, "DB_NAME") || is_set(set, "DB_USER");
    if (is_set(set, "STORE_URL") && is_set(set, "DB_HOST"))
        buffer_append_string(faults, "STORE_URL and DB_HOST both name the database; keep one\n");
    else if (!is_set(set, "STORE_URL") && database)
        compose_store(config);
    if (is_set(set, "CACHE_URL") && is_set(set, "REDIS_HOST"))
        buffer_append_string(faults, "CACHE_URL and REDIS_HOST both name the cache; keep one\n");
    else if (!is_set(set, "CACHE_URL") && is_set(set, "REDIS_HOST"))
        compose_cache(config);
}
