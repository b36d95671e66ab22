#include "base/crypto.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void sha256(struct text data, unsigned char digest[SHA256_BYTES]) {
    unsigned int len = 0;
    int done =
        EVP_Digest(data.len > 0 ? data.data : "", data.len, digest, &len, EVP_sha256(), NULL);
    check(done == 1 && len == SHA256_BYTES);
}

void sha256_hex(struct text data, char hex[SHA256_HEX_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_BYTES];
    sha256(data, digest);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[SHA256_HEX_BYTES - 1] = '\0';
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool sha256_from_hex(struct text hex, unsigned char digest[SHA256_BYTES]) {
    if (hex.len != SHA256_HEX_BYTES - 1)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = digit_of(hex.data[2 * i]), low = digit_of(hex.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static void hmac(const EVP_MD *digest, struct text key, struct text data, unsigned char *code) {
    unsigned int len = 0;
    const void *key_bytes = key.len > 0 ? key.data : "";
    const void *bytes = data.len > 0 ? data.data : "";
    check(HMAC(digest, key_bytes, (int)key.len, bytes, data.len, code, &len) != NULL);
}

void hmac_sha256(struct text key, struct text data, unsigned char code[SHA256_BYTES]) {
    hmac(EVP_sha256(), key, data, code);
}

void hmac_sha1(struct text key, struct text data, unsigned char code[HMAC_SHA1_BYTES]) {
    hmac(EVP_sha1(), key, data, code);
}

static EVP_PKEY *private_key(const unsigned char seed[ED25519_SEED_BYTES]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES);
    check(key != NULL);
    return key;
}

void ed25519_sign(const unsigned char seed[ED25519_SEED_BYTES], struct text data,
                  unsigned char signature[ED25519_SIGNATURE_BYTES]) {
    EVP_PKEY *key = private_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = ED25519_SIGNATURE_BYTES;
    const void *bytes = data.len > 0 ? data.data : "";
    check(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
          EVP_DigestSign(context, signature, &len, bytes, data.len) == 1 &&
          len == ED25519_SIGNATURE_BYTES);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

void ed25519_public_key(const unsigned char seed[ED25519_SEED_BYTES],
                        unsigned char public_key[ED25519_PUBLIC_BYTES]) {
    EVP_PKEY *key = private_key(seed);
    size_t len = ED25519_PUBLIC_BYTES;
    check(EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1 && len == ED25519_PUBLIC_BYTES);
    EVP_PKEY_free(key);
}

bool bytes_equal_constant_time(const void *a, const void *b, size_t len) {
    check(len == 0 || (a != NULL && b != NULL));
    return CRYPTO_memcmp(a, b, len) == 0;
}
