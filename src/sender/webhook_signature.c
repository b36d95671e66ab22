#include "sender/webhook_signature.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/crypto.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define SIGNED_BYTES_MAX ((size_t)64 << 20)
#define SYMMETRIC "whsec_"
#define ASYMMETRIC "whsk_"
#define ED25519_PAIR_BYTES (ED25519_SEED_BYTES + ED25519_PUBLIC_BYTES)

struct secret {
    bool asymmetric;
    unsigned char bytes[WEBHOOK_SECRET_BYTES_MAX];
    size_t len;
};

struct webhook_signer {
    struct secret secrets[WEBHOOK_SECRETS_MAX];
    size_t count;
};

/* A pair has to be one: the public key is the seed's. */
static bool is_private_key(const struct secret *secret) {
    unsigned char public_key[ED25519_PUBLIC_BYTES];
    if (secret->len == ED25519_SEED_BYTES)
        return true;
    if (secret->len != ED25519_PAIR_BYTES)
        return false;
    ed25519_public_key(secret->bytes, public_key);
    return memcmp(public_key, secret->bytes + ED25519_SEED_BYTES, sizeof public_key) == 0;
}

static bool decode(struct secret *secret, struct text encoded) {
    struct buffer bytes;
    buffer_init(&bytes, WEBHOOK_SECRET_BYTES_MAX);
    bool good = base64_decode(&bytes, encoded) && bytes.len > 0;
    if (good)
        memcpy(secret->bytes, bytes.data, bytes.len);
    secret->len = good ? bytes.len : 0;
    if (bytes.data != NULL)
        explicit_bzero(bytes.data, bytes.size);
    buffer_deinit(&bytes);
    return good;
}

static enum status read_secret(struct secret *secret, struct text text, size_t number,
                               struct error *error) {
    secret->asymmetric = text_starts_with(text, ASYMMETRIC);
    size_t prefix = secret->asymmetric ? strlen(ASYMMETRIC) : strlen(SYMMETRIC);
    if (!secret->asymmetric && !text_starts_with(text, SYMMETRIC))
        return error_set(error, STATUS_INVALID,
                         "WEBHOOK_SECRET: secret %zu begins with neither whsec_ nor whsk_", number);
    if (!decode(secret, (struct text){text.data + prefix, text.len - prefix}))
        return error_set(error, STATUS_INVALID,
                         "WEBHOOK_SECRET: secret %zu is not Base64 of up to %d bytes", number,
                         WEBHOOK_SECRET_BYTES_MAX);
    if (secret->asymmetric && !is_private_key(secret))
        return error_set(error, STATUS_INVALID,
                         "WEBHOOK_SECRET: secret %zu is no Ed25519 private key of 32 or 64 bytes",
                         number);
    if (!secret->asymmetric && secret->len < WEBHOOK_SECRET_BYTES_MIN)
        return error_set(error, STATUS_INVALID,
                         "WEBHOOK_SECRET: secret %zu is shorter than %d bytes", number,
                         WEBHOOK_SECRET_BYTES_MIN);
    return STATUS_OK;
}

enum status webhook_signer_create(struct webhook_signer **signer, const char *secrets,
                                  struct error *error) {
    check(signer != NULL && secrets != NULL);
    struct webhook_signer *created = memory_zeroed(1, sizeof *created);
    enum status status = STATUS_OK;
    for (struct text rest = text_of(secrets); rest.data != NULL && status == STATUS_OK;) {
        struct text secret = text_trim(text_cut(&rest, ','));
        if (created->count == WEBHOOK_SECRETS_MAX)
            status = error_set(error, STATUS_INVALID, "WEBHOOK_SECRET: has more than %d secrets",
                               WEBHOOK_SECRETS_MAX);
        else
            status =
                read_secret(&created->secrets[created->count], secret, created->count + 1, error);
        created->count += status == STATUS_OK;
    }
    if (status == STATUS_OK)
        *signer = created;
    else
        webhook_signer_destroy(created);
    return status;
}

void webhook_signer_destroy(struct webhook_signer *signer) {
    if (signer == NULL)
        return;
    explicit_bzero(signer, sizeof *signer);
    free(signer);
}

static void sign_once(const struct secret *secret, struct text content, struct buffer *header) {
    unsigned char code[ED25519_SIGNATURE_BYTES];
    size_t len = secret->asymmetric ? ED25519_SIGNATURE_BYTES : SHA256_BYTES;
    if (secret->asymmetric)
        ed25519_sign(secret->bytes, content, code);
    else
        hmac_sha256((struct text){(const char *)secret->bytes, secret->len}, content, code);
    buffer_append_string(header, secret->asymmetric ? "v1a," : "v1,");
    base64_encode(header, (struct text){(const char *)code, len});
}

bool webhook_sign(const struct webhook_signer *signer, const struct webhook_content *content,
                  struct buffer *header) {
    struct buffer words;
    buffer_init(&words, SIGNED_BYTES_MAX);
    buffer_append(&words, content->id);
    buffer_printf(&words, ".%lld.", (long long)content->timestamp_s);
    buffer_append(&words, content->body);
    for (size_t i = 0; i < signer->count && !words.overflowed; i++) {
        if (i > 0)
            buffer_append_byte(header, ' ');
        sign_once(&signer->secrets[i], buffer_view(&words), header);
    }
    bool signed_all = !words.overflowed && !header->overflowed;
    buffer_deinit(&words);
    return signed_all;
}
