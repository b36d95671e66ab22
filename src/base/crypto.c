#include "base/sha256.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

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

bool bytes_equal_constant_time(const void *a, const void *b, size_t len) {
    check(len == 0 || (a != NULL && b != NULL));
    return CRYPTO_memcmp(a, b, len) == 0;
}
