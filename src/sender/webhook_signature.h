/* Signatures of what is posted, by Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * what is signed is "<id>.<timestamp>.<body>". */
#ifndef SENDER_WEBHOOK_SIGNATURE_H
#define SENDER_WEBHOOK_SIGNATURE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

#define WEBHOOK_SECRETS_MAX 8
#define WEBHOOK_SECRET_BYTES_MIN 24
#define WEBHOOK_SECRET_BYTES_MAX 64

struct webhook_signer;

/* `secrets`, separated by commas: whsec_ and the Base64 of WEBHOOK_SECRET_BYTES_MIN to _MAX bytes
 * signs with HMAC-SHA256 (v1), whsk_ and that of an Ed25519 private key (32 bytes, or 64 with the
 * public key after it) with Ed25519 (v1a). All of them sign, so that secrets can be replaced while
 * both sides work. STATUS_INVALID in words that do not show a secret. The caller's to destroy. */
enum status webhook_signer_create(struct webhook_signer **signer, const char *secrets,
                                  struct error *error);
/* Leaves nothing of the secrets in memory. NULL is passed over. */
void webhook_signer_destroy(struct webhook_signer *signer);

/* What is signed. */
struct webhook_content {
    struct text id;
    int64_t timestamp_s; /* Unix time */
    struct text body;
};

/* Appends the value of webhook-signature: "v1,<Base64> v1a,<Base64> …". False: it does not fit. Any
 * thread. */
bool webhook_sign(const struct webhook_signer *signer, const struct webhook_content *content,
                  struct buffer *header);

#endif
