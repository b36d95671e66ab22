#include "base/buffer.h"
#include "base/memory.h"
#include "cache/redis_client.h"

#include <stdlib.h>
#include <string.h>

#define PART_BYTES_MAX 4096
#define PORT_STANDARD 6379
#define DATABASE_MAX 65535

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The caller's to free; NULL for what is not encoded rightly, or holds a NUL. */
static char *decode(struct text part) {
    struct buffer plain;
    buffer_init(&plain, PART_BYTES_MAX);
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        if (c == '%') {
            int high = i + 2 < part.len ? hex(part.data[i + 1]) : -1;
            int low = i + 2 < part.len ? hex(part.data[i + 2]) : -1;
            c = high >= 0 && low >= 0 ? (char)(high * 16 + low) : '\0';
            i += 2;
        }
        if (c == '\0') {
            buffer_deinit(&plain);
            return NULL;
        }
        buffer_append_byte(&plain, c);
    }
    return buffer_take(&plain);
}

static bool to_number(struct text text, int64_t maximum, int *number) {
    int64_t value = 0;
    if (!text_to_int64(text, &value) || value < 0 || value > maximum)
        return false;
    *number = (int)value;
    return true;
}

/* "user:password", "user" or ":password" */
static bool take_login(struct redis_address *address, struct text login) {
    struct text rest = login, user = text_cut(&rest, ':');
    if (user.len > 0 && (address->user = decode(user)) == NULL)
        return false;
    if (rest.data != NULL && rest.len > 0 && (address->password = decode(rest)) == NULL)
        return false;
    return true;
}

/* "host", "host:port", "[::1]:port" */
static bool take_host(struct redis_address *address, struct text place) {
    bool brackets = place.len > 0 && place.data[0] == '[';
    struct text rest = brackets ? (struct text){place.data + 1, place.len - 1} : place;
    struct text host = text_cut(&rest, brackets ? ']' : ':');
    if (brackets && rest.data == NULL)
        return false;
    if (brackets && rest.len > 0) {
        if (rest.data[0] != ':')
            return false;
        rest = (struct text){rest.data + 1, rest.len - 1};
    } else if (brackets) {
        rest = (struct text){0};
    }
    address->host = decode(host);
    if (address->host == NULL || host.len == 0)
        return false;
    return rest.data == NULL || (to_number(rest, 65535, &address->port) && address->port > 0);
}

static bool parse_tcp(struct redis_address *address, struct text rest) {
    struct text authority = rest, path = {0};
    const char *slash = rest.len > 0 ? memchr(rest.data, '/', rest.len) : NULL;
    if (slash != NULL) {
        authority.len = (size_t)(slash - rest.data);
        path = (struct text){slash + 1, rest.len - authority.len - 1};
    }
    const char *at = authority.len > 0 ? memrchr(authority.data, '@', authority.len) : NULL;
    struct text host = authority;
    if (at != NULL) {
        size_t login = (size_t)(at - authority.data);
        host = (struct text){at + 1, authority.len - login - 1};
        if (!take_login(address, (struct text){authority.data, login}))
            return false;
    }
    if (!take_host(address, host))
        return false;
    return path.len == 0 || to_number(path, DATABASE_MAX, &address->database);
}

static bool parse_socket(struct redis_address *address, struct text rest) {
    struct text path = text_cut(&rest, '?');
    address->socket = decode(path);
    if (address->socket == NULL || path.len == 0 || path.data[0] != '/')
        return false;
    if (rest.data == NULL)
        return true;
    struct text key = text_cut(&rest, '=');
    return text_equal_string(key, "db") && rest.data != NULL &&
           to_number(rest, DATABASE_MAX, &address->database);
}

enum status redis_address_init(struct redis_address *address, const char *url,
                               struct error *error) {
    static const char tcp[] = "redis://", unix_socket[] = "redis+unix://";
    *address = (struct redis_address){.port = PORT_STANDARD};
    struct text text = text_of(url);
    bool good = false;
    if (text_starts_with(text, tcp))
        good = parse_tcp(address, (struct text){url + sizeof tcp - 1, text.len - sizeof tcp + 1});
    else if (text_starts_with(text, unix_socket))
        good = parse_socket(address, (struct text){url + sizeof unix_socket - 1,
                                                   text.len - sizeof unix_socket + 1});
    if (good)
        return STATUS_OK;
    redis_address_deinit(address);
    return error_set(error, STATUS_INVALID,
                     "CACHE_URL is not like redis://user:password@host:6379/0 (with %%XX for"
                     " special characters in the password)");
}

void redis_address_deinit(struct redis_address *address) {
    free(address->host);
    free(address->socket);
    free(address->user);
    free(address->password);
    *address = (struct redis_address){0};
}
