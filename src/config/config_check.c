#include "config/config.h"

#include "base/check.h"
#include "config/option_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define LEASE_MARGIN_MS 1000

static void fault_given(struct buffer *faults, const char *name, const char *value,
                        const char *wrong) {
    struct option_match option = option_find_variable(text_of(name));
    buffer_printf(faults, "%s: ", name);
    option_write_given(faults, option.spec, text_of(value));
    buffer_printf(faults, " %s\n", wrong);
}

static bool has_control(const char *text) {
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

/* "8080" after a host, or nothing. */
static bool is_port(struct text port) {
    int64_t number = 0;
    if (port.data == NULL)
        return true;
    return text_to_int64(port, &number) && port.data[0] != '-' && number > 0 && number <= 65535;
}

/* "user:password@host:port", of which only the host is needed. */
static bool names_a_host(struct text authority) {
    const char *at = authority.len > 0 ? memrchr(authority.data, '@', authority.len) : NULL;
    struct text rest = authority;
    if (at != NULL)
        rest = (struct text){at + 1, authority.len - (size_t)(at + 1 - authority.data)};
    if (!text_starts_with(rest, "[")) {
        struct text host = text_cut(&rest, ':');
        return host.len > 0 && is_port(rest);
    }
    struct text address = text_cut(&rest, ']');
    if (rest.data == NULL || address.len < 3 || (rest.len > 0 && rest.data[0] != ':'))
        return false;
    return rest.len == 0 || is_port((struct text){rest.data + 1, rest.len - 1});
}

static void check_webhook_url(const struct config *config, struct buffer *faults) {
    const char *url = config->webhook_url;
    const char *host = NULL;
    if (url[0] == '\0') {
        buffer_append_string(faults, "WEBHOOK_URL: is not set; give the address messages are "
                                     "posted to, like https://provider.example.com/send (for a "
                                     "try: http://127.0.0.1:3001/send with posthaste "
                                     "mock-provider)\n");
        return;
    }
    if (strncasecmp(url, "http://", 7) == 0)
        host = url + 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        host = url + 8;
    if (host == NULL)
        fault_given(faults, "WEBHOOK_URL", url, "does not begin with http:// or https://");
    else if (has_control(url) || strchr(url, ' ') != NULL)
        fault_given(faults, "WEBHOOK_URL", url, "has a space or a control character in it");
    else if (!names_a_host((struct text){host, strcspn(host, "/?#")}))
        fault_given(faults, "WEBHOOK_URL", url,
                    "names no host, like https://provider.example.com/send");
}

static void check_webhook_authentication(const struct config *config, struct buffer *faults) {
    bool is_token = config->webhook_auth_header[0] != '\0';
    for (const char *c = config->webhook_auth_header; *c != '\0'; c++)
        if (strchr("!#$%&'*+-.^_`|~", *c) == NULL && !(isascii(*c) && isalnum(*c)))
            is_token = false;
    if (!is_token)
        fault_given(faults, "WEBHOOK_AUTH_HEADER", config->webhook_auth_header,
                    "is not the name of a header (letters, digits and !#$%&'*+-.^_`|~)");
    if (has_control(config->webhook_auth_key))
        fault_given(faults, "WEBHOOK_AUTH_KEY", config->webhook_auth_key,
                    "has a control character in it (a line end, perhaps)");
}

static void check_lease(const struct config *config, struct buffer *faults) {
    int64_t least_ms = config->webhook_timeout_ms + LEASE_MARGIN_MS;
    if (config->lease_ms == 0 || config->lease_ms > least_ms)
        return;
    buffer_append_string(faults, "LEASE: ");
    option_write_duration(faults, config->lease_ms);
    buffer_append_string(faults, " does not outlast an attempt; give more than ");
    option_write_duration(faults, least_ms);
    buffer_append_string(faults, " (WEBHOOK_TIMEOUT and ");
    option_write_duration(faults, LEASE_MARGIN_MS);
    buffer_append_string(faults, "), or 0 to derive it\n");
}

static void check_retry(const struct config *config, struct buffer *faults) {
    if (config->retry_base_ms <= config->retry_cap_ms)
        return;
    buffer_append_string(faults, "RETRY_BASE: ");
    option_write_duration(faults, config->retry_base_ms);
    buffer_append_string(faults, " is longer than RETRY_CAP, ");
    option_write_duration(faults, config->retry_cap_ms);
    buffer_append_byte(faults, '\n');
}

static bool begins_with_any(const char *url, const char *const *beginnings) {
    for (; *beginnings != NULL; beginnings++)
        if (text_starts_with(text_of(url), *beginnings) && strlen(url) > strlen(*beginnings))
            return true;
    return false;
}

static void check_store_url(const struct config *config, struct buffer *faults) {
    static const char *const kinds[] = {"sqlite:", "postgres://", "postgresql://", NULL};
    const char *url = config->store_url;
    if (!begins_with_any(url, kinds) && strcmp(url, "memory:") != 0)
        fault_given(faults, "STORE_URL", url,
                    "is not a known kind of store; give sqlite:FILE, postgres://… or memory:");
}

static void check_cache_url(const struct config *config, struct buffer *faults) {
    static const char *const kinds[] = {"redis://", "redis+unix://", NULL};
    const char *url = config->cache_url;
    if (!begins_with_any(url, kinds) && strcmp(url, "memory:") != 0 && strcmp(url, "none") != 0)
        fault_given(faults, "CACHE_URL", url,
                    "is not a known kind of cache; give redis://…, memory: or none");
}

static bool is_address(const char *bind) {
    unsigned char address[sizeof(struct in6_addr)];
    return strcmp(bind, "localhost") == 0 || inet_pton(AF_INET, bind, address) == 1 ||
           inet_pton(AF_INET6, bind, address) == 1;
}

static void check_bind(const struct config *config, struct buffer *faults) {
    if (!is_address(config->bind))
        fault_given(faults, "BIND", config->bind,
                    "is not an address like 127.0.0.1, 0.0.0.0 or ::1, nor localhost");
}

/* Whom the API would let in. */
static void check_access(const struct config *config, struct buffer *faults) {
    bool keys = config->api_keys[0] != '\0' || config->api_keys_file[0] != '\0' ||
                config->api_key[0] != '\0';
    bool loopback = strcmp(config->bind, "localhost") == 0 || strcmp(config->bind, "::1") == 0 ||
                    strncmp(config->bind, "127.", 4) == 0;
    if (is_address(config->bind) && !loopback && !keys && !config->allow_anonymous)
        fault_given(faults, "BIND", config->bind,
                    "lets others in, and there are no keys; set API_KEYS (or ALLOW_ANONYMOUS=true"
                    " where something else asks for keys)");
    if (keys && config->allow_anonymous)
        buffer_append_string(faults, "ALLOW_ANONYMOUS: true, while there are keys; set one of the"
                                     " two\n");
    if ((config->tls_cert[0] == '\0') != (config->tls_key[0] == '\0'))
        buffer_append_string(faults, "TLS_CERT: needs TLS_KEY, and TLS_KEY needs TLS_CERT; one is"
                                     " not set\n");
}

bool config_check_serve(const struct config *config, struct buffer *faults) {
    check(config != NULL && faults != NULL);
    size_t faults_before = faults->len;
    check_store_url(config, faults);
    check_cache_url(config, faults);
    check_bind(config, faults);
    check_access(config, faults);
    check_retry(config, faults);
    check_webhook_url(config, faults);
    check_webhook_authentication(config, faults);
    check_lease(config, faults);
    return faults->len == faults_before && !faults->overflowed;
}
