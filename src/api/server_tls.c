#include "api/server_tls.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 16
#define FILE_BYTES_MAX ((size_t)1024 * 1024)

struct credentials {
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned chain_len;
    gnutls_x509_privkey_t key;
};

struct server_tls {
    /* set once */
    const char *certificate_path;
    const char *key_path;
    /* guarded by the mutex */
    pthread_mutex_t mutex;
    struct credentials credentials;
};

static _Thread_local struct server_tls *tls_of_thread;

static void credentials_deinit(struct credentials *credentials) {
    for (unsigned i = 0; i < credentials->chain_len; i++)
        gnutls_x509_crt_deinit(credentials->chain[i]);
    if (credentials->key != NULL)
        gnutls_x509_privkey_deinit(credentials->key);
    *credentials = (struct credentials){0};
}

static enum status read_file(const char *option, const char *path, struct buffer *out,
                             struct error *error) {
    char piece[4096], words[128];
    size_t got = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, STATUS_INVALID, "read %s \"%s\": %s", option, path,
                         strerror_r(errno, words, sizeof words));
    while ((got = fread(piece, 1, sizeof piece, file)) > 0 &&
           buffer_append(out, (struct text){piece, got}))
        continue;
    bool failed = ferror(file) != 0 || out->overflowed;
    explicit_bzero(piece, sizeof piece);
    fclose(file);
    return failed ? error_set(error, STATUS_INVALID,
                              "read %s \"%s\": it cannot be read, or has more than %zu bytes",
                              option, path, FILE_BYTES_MAX)
                  : STATUS_OK;
}

static gnutls_datum_t datum_of(const struct buffer *buffer) {
    struct text view = buffer_view(buffer);
    return (gnutls_datum_t){(unsigned char *)view.data, (unsigned)view.len};
}

static enum status read_chain(const char *path, struct credentials *credentials,
                              struct error *error) {
    struct buffer pem;
    unsigned len = CHAIN_MAX;
    buffer_init(&pem, FILE_BYTES_MAX);
    enum status status = read_file("TLS_CERT", path, &pem, error);
    if (status == STATUS_OK) {
        gnutls_datum_t datum = datum_of(&pem);
        int result =
            gnutls_x509_crt_list_import(credentials->chain, &len, &datum, GNUTLS_X509_FMT_PEM,
                                        GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
        if (result > 0)
            credentials->chain_len = (unsigned)result;
        else
            status = error_set(error, STATUS_INVALID,
                               "read TLS_CERT \"%s\": it must be a PEM file of 1 to %d "
                               "certificates, the server's first (%s)",
                               path, CHAIN_MAX, gnutls_strerror(result));
    }
    buffer_deinit(&pem);
    return status;
}

static enum status read_key(const char *path, struct credentials *credentials,
                            struct error *error) {
    struct buffer pem;
    buffer_init(&pem, FILE_BYTES_MAX);
    enum status status = read_file("TLS_KEY", path, &pem, error);
    int failed = gnutls_x509_privkey_init(&credentials->key);
    check(!failed);
    if (status == STATUS_OK) {
        gnutls_datum_t datum = datum_of(&pem);
        int result =
            gnutls_x509_privkey_import2(credentials->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (result < 0)
            status = error_set(error, STATUS_INVALID,
                               "read TLS_KEY \"%s\": it must be a PEM file of a private key "
                               "without a password (%s)",
                               path, gnutls_strerror(result));
    }
    if (pem.data != NULL)
        explicit_bzero(pem.data, pem.size);
    buffer_deinit(&pem);
    return status;
}

/* GnuTLS compares the two when they are put together. */
static enum status compare(struct credentials *credentials, struct error *error) {
    gnutls_certificate_credentials_t pair;
    int result = gnutls_certificate_allocate_credentials(&pair);
    check(result == 0);
    result = gnutls_certificate_set_x509_key(pair, credentials->chain, (int)credentials->chain_len,
                                             credentials->key);
    gnutls_certificate_free_credentials(pair);
    return result >= 0 ? STATUS_OK
                       : error_set(error, STATUS_INVALID,
                                   "TLS_KEY is not the key of the certificate in TLS_CERT (%s)",
                                   gnutls_strerror(result));
}

enum status server_tls_reload(struct server_tls *tls, struct error *error) {
    struct credentials read = {0}, old;
    enum status status = read_chain(tls->certificate_path, &read, error);
    if (status == STATUS_OK)
        status = read_key(tls->key_path, &read, error);
    if (status == STATUS_OK)
        status = compare(&read, error);
    if (status == STATUS_OK) {
        pthread_mutex_lock(&tls->mutex);
        old = tls->credentials;
        tls->credentials = read;
        pthread_mutex_unlock(&tls->mutex);
        read = old;
    }
    credentials_deinit(&read);
    return status;
}

enum status server_tls_create(struct server_tls **out, const struct server_options *options,
                              struct error *error) {
    if (options->tls_certificate == NULL && options->tls_key == NULL)
        return STATUS_OK;
    if (options->tls_certificate == NULL || options->tls_key == NULL)
        return error_set(error, STATUS_INVALID,
                         "TLS_CERT and TLS_KEY belong together: give both, or none");
    struct server_tls *tls = memory_zeroed(1, sizeof *tls);
    tls->certificate_path = options->tls_certificate;
    tls->key_path = options->tls_key;
    int failed = pthread_mutex_init(&tls->mutex, NULL);
    check(!failed);
    enum status status = server_tls_reload(tls, error);
    if (status == STATUS_OK)
        *out = tls;
    else
        server_tls_destroy(tls);
    return status;
}

void server_tls_destroy(struct server_tls *tls) {
    if (tls == NULL)
        return;
    credentials_deinit(&tls->credentials);
    pthread_mutex_destroy(&tls->mutex);
    free(tls);
}

/* GnuTLS takes what is given to it here, so that a handshake outlives a reload. */
static int copy_credentials(const struct credentials *credentials, gnutls_pcert_st **pcerts,
                            gnutls_privkey_t *key) {
    unsigned done = 0;
    gnutls_pcert_st *copies = gnutls_calloc(credentials->chain_len, sizeof *copies);
    if (copies == NULL || gnutls_privkey_init(key) != 0) {
        gnutls_free(copies);
        return -1;
    }
    while (done < credentials->chain_len &&
           gnutls_pcert_import_x509(&copies[done], credentials->chain[done], 0) == 0)
        done++;
    if (done == credentials->chain_len &&
        gnutls_privkey_import_x509(*key, credentials->key, GNUTLS_PRIVKEY_IMPORT_COPY) == 0) {
        *pcerts = copies;
        return 0;
    }
    while (done > 0)
        gnutls_pcert_deinit(&copies[--done]);
    gnutls_free(copies);
    gnutls_privkey_deinit(*key);
    return -1;
}

static int give_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                            gnutls_pcert_st **pcerts, unsigned *pcerts_len,
                            gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key,
                            unsigned *flags) {
    (void)session, (void)info;
    struct server_tls *tls = tls_of_thread;
    check(tls != NULL);
    pthread_mutex_lock(&tls->mutex);
    int result = copy_credentials(&tls->credentials, pcerts, key);
    *pcerts_len = tls->credentials.chain_len;
    pthread_mutex_unlock(&tls->mutex);
    *ocsp = NULL;
    *ocsp_len = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return result;
}

void server_tls_options(const struct server_tls *tls,
                        struct MHD_OptionItem items[SERVER_TLS_OPTIONS_MAX]) {
    size_t len = 0;
    if (tls != NULL) {
        items[len++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
                                               (void *)(intptr_t)give_certificate};
        items[len++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(intptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
    }
    items[len++] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    check(len <= SERVER_TLS_OPTIONS_MAX);
}

void server_tls_use(struct server_tls *tls) {
    tls_of_thread = tls;
}
