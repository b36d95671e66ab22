#include "support/certificate.h"

#include "base/check.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#define VALID_S 86400

static gnutls_x509_privkey_t make_key(void) {
    gnutls_x509_privkey_t key;
    int failed =
        gnutls_x509_privkey_init(&key) != 0 ||
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) != 0;
    check(!failed);
    return key;
}

static gnutls_x509_crt_t make_certificate(gnutls_x509_privkey_t key, const char *name) {
    gnutls_x509_crt_t certificate;
    const unsigned char serial = 1;
    const struct in_addr address = {htonl(INADDR_LOOPBACK)};
    time_t now = time(NULL);
    int failed = gnutls_x509_crt_init(&certificate) != 0 ||
                 gnutls_x509_crt_set_version(certificate, 3) != 0 ||
                 gnutls_x509_crt_set_serial(certificate, &serial, 1) != 0 ||
                 gnutls_x509_crt_set_activation_time(certificate, now - VALID_S) != 0 ||
                 gnutls_x509_crt_set_expiration_time(certificate, now + VALID_S) != 0 ||
                 gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                               (unsigned)strlen(name)) != 0 ||
                 gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, &address,
                                                      sizeof address, GNUTLS_FSAN_SET) != 0 ||
                 gnutls_x509_crt_set_basic_constraints(certificate, 1, -1) != 0 ||
                 gnutls_x509_crt_set_key(certificate, key) != 0 ||
                 gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) != 0;
    check(!failed);
    return certificate;
}

void certificate_write(const struct temporary *folder, const char *name,
                       const char *certificate_file, const char *key_file) {
    gnutls_x509_privkey_t key = make_key();
    gnutls_x509_crt_t certificate = make_certificate(key, name);
    gnutls_datum_t pem = {0};
    int failed = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);
    check(!failed);
    temporary_write(folder, certificate_file, (const char *)pem.data);
    gnutls_free(pem.data);
    failed = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
    check(!failed);
    temporary_write(folder, key_file, (const char *)pem.data);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}
