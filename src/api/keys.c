#include "api/keys.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* In the order of `enum right`. */
static const char *const right_names[] = {"none", "read", "send", "control", "admin"};
#define RIGHTS (sizeof right_names / sizeof right_names[0])

struct key_ring {
    struct key *keys;
    size_t count, size;
};

/* Where keys are read from. */
struct source {
    struct text rest;
    char separator;
    bool has_comments;
    const char *place; /* of one of its keys, followed by a number */
};

const char *right_name(enum right right) {
    check((size_t)right < RIGHTS);
    return right_names[right];
}

static bool is_name(struct text text) {
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (size_t i = 0; i < text.len; i++)
        if (memchr(allowed, text.data[i], sizeof allowed - 1) == NULL)
            return false;
    return text.len > 0 && text.len <= KEYS_NAME_BYTES_MAX;
}

static bool read_right(struct text word, unsigned *rights) {
    for (size_t right = RIGHT_READ; right < RIGHTS; right++)
        if (text_equal_string(word, right_names[right])) {
            *rights |= 1u << right;
            return true;
        }
    return false;
}

static bool read_rights(struct text words, unsigned *rights) {
    while (words.data != NULL)
        if (!read_right(text_cut(&words, '+'), rights))
            return false;
    return true;
}

static bool is_secret(struct text text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == ',')
            return false;
    return text.len >= KEYS_SECRET_BYTES_MIN && text.len <= KEYS_SECRET_BYTES_MAX;
}

static bool read_secret(struct text text, unsigned char digest[SHA256_BYTES]) {
    static const char prefix[] = "sha256:";
    if (text_starts_with(text, prefix)) {
        size_t length = sizeof prefix - 1;
        return sha256_from_hex((struct text){text.data + length, text.len - length}, digest);
    }
    if (!is_secret(text))
        return false;
    sha256(text, digest);
    return true;
}

static enum status read_key(struct key *key, struct text item, struct error *error) {
    struct text rest = item, name = text_cut(&rest, ':');
    struct text rights = rest.data != NULL ? text_cut(&rest, ':') : rest;
    if (rest.data == NULL)
        return error_set(error, STATUS_INVALID, "write it as name:rights:secret");
    if (!is_name(name))
        return error_set(error, STATUS_INVALID,
                         "its name must be 1 to %d of the characters A-Z a-z 0-9 _ . -",
                         KEYS_NAME_BYTES_MAX);
    memcpy(key->name, name.data, name.len);
    if (!read_rights(rights, &key->rights))
        return error_set(error, STATUS_INVALID,
                         "its rights must be read, send, control or admin; join several by '+'");
    if (!read_secret(rest, key->digest))
        return error_set(error, STATUS_INVALID,
                         "its secret must be %d to %d visible ASCII characters without a comma,"
                         " or sha256: and the 64 hexadecimal digits of its SHA-256",
                         KEYS_SECRET_BYTES_MIN, KEYS_SECRET_BYTES_MAX);
    return STATUS_OK;
}

static enum status add_key(struct key_ring *ring, const struct key *key, struct error *error) {
    for (size_t i = 0; i < ring->count; i++) {
        if (strcmp(ring->keys[i].name, key->name) == 0)
            return error_set(error, STATUS_INVALID, "another key has this name; rename one");
        if (memcmp(ring->keys[i].digest, key->digest, SHA256_BYTES) == 0)
            return error_set(error, STATUS_INVALID,
                             "another key has the same secret; give each its own");
    }
    if (ring->count == KEYS_MAX)
        return error_set(error, STATUS_INVALID, "there are more than %d keys; remove some",
                         KEYS_MAX);
    if (ring->count == ring->size) {
        ring->size = ring->size == 0 ? 8 : 2 * ring->size;
        ring->keys = memory_resize(ring->keys, ring->size, sizeof *ring->keys);
    }
    ring->keys[ring->count++] = *key;
    return STATUS_OK;
}

static enum status add_item(struct key_ring *ring, struct text item, struct error *error) {
    struct key key = {0};
    enum status status = read_key(&key, item, error);
    if (status == STATUS_OK)
        status = add_key(ring, &key, error);
    /* What is as long as a secret may be one that stands in the wrong place. */
    bool may_be_shown = key.name[0] != '\0' && strlen(key.name) < KEYS_SECRET_BYTES_MIN;
    if (status != STATUS_OK && may_be_shown)
        error_wrap(error, "key %s", key.name);
    return status;
}

static enum status add_source(struct key_ring *ring, struct source source, struct error *error) {
    for (size_t number = 1; source.rest.data != NULL; number++) {
        struct text item = text_trim(text_cut(&source.rest, source.separator));
        if (source.has_comments && (item.len == 0 || item.data[0] == '#'))
            continue;
        if (add_item(ring, item, error) != STATUS_OK)
            return error_wrap(error, "%s %zu", source.place, number);
    }
    return STATUS_OK;
}

enum status key_ring_create(struct key_ring **ring, const char *list, struct text file,
                            struct error *error) {
    check(ring != NULL && error != NULL);
    struct source in_list = {text_of(list), ',', false, "key"};
    struct source in_file = {file, '\n', true, "key file line"};
    if (text_trim(in_list.rest).len == 0)
        in_list.rest.data = NULL;
    struct key_ring *made = memory_zeroed(1, sizeof *made);
    enum status status = add_source(made, in_list, error);
    if (status == STATUS_OK)
        status = add_source(made, in_file, error);
    if (status != STATUS_OK) {
        key_ring_destroy(made);
        return status;
    }
    *ring = made;
    return STATUS_OK;
}

void key_ring_destroy(struct key_ring *ring) {
    if (ring == NULL)
        return;
    free(ring->keys);
    free(ring);
}

bool key_ring_is_empty(const struct key_ring *ring) {
    return ring->count == 0;
}

const struct key *key_ring_find(const struct key_ring *ring, struct text presented) {
    unsigned char digest[SHA256_BYTES];
    sha256(presented, digest);
    const struct key *found = NULL;
    for (size_t i = 0; i < ring->count; i++)
        if (bytes_equal_constant_time(ring->keys[i].digest, digest, SHA256_BYTES))
            found = &ring->keys[i];
    /* A key file may hold the hash of nothing, by mistake. */
    return presented.len > 0 ? found : NULL;
}

bool key_has_right(const struct key *key, enum right right) {
    check((size_t)right < RIGHTS);
    if (right == RIGHT_NONE)
        return true;
    return key != NULL && (key->rights & (1u << right | 1u << RIGHT_ADMIN)) != 0;
}

struct text key_presented(struct text authorization, struct text x_api_key, bool *malformed) {
    check(malformed != NULL);
    *malformed = false;
    if (authorization.data != NULL) {
        struct text rest = text_trim(authorization), scheme = text_cut(&rest, ' ');
        struct text secret = text_trim(rest);
        if (text_equal_ignoring_case(scheme, TEXT_LITERAL("Bearer")) && secret.len > 0)
            return secret;
    }
    struct text secret = text_trim(x_api_key);
    if (secret.len > 0)
        return secret;
    *malformed = authorization.data != NULL;
    return (struct text){0};
}
