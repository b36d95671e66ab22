/* An HTTP/1.1 server, with TLS where it is given a certificate. Only server*.c and
 * server_internal.h know libmicrohttpd, only server_tls.c knows GnuTLS.
 *
 * A handler is called once per request, by one of the server's threads, when the whole body is
 * there, or for a streamed body (server_body.h) when the head is. It answers before it returns, or
 * calls request_defer and lets some other thread answer later. Every request is answered exactly
 * once: request_respond, request_respond_stream (server_stream.h) or request_abort. Handlers must
 * not block for long: one thread serves many connections.
 *
 * Limits: a body above `body_bytes_max` is answered 413. It is read to its end first and dropped,
 * so that clients which only listen after having sent it hear the answer; only one that is
 * announced with Expect: 100-continue, or above SERVER_DISCARD_BYTES_MAX, is refused unread. A path
 * with query above SERVER_URL_BYTES_MAX is answered 414 in the same way. A head above
 * SERVER_HEAD_BYTES_MAX, to which each header, cookie and query argument adds SERVER_FIELD_BYTES,
 * is answered 431 and its connection closed; an answer's own headers have 3 KiB. Connections beyond
 * the maxima are answered 503 and closed. A request that is not whole `request_timeout_s` after its
 * first byte is answered 408 and its connection closed; that is looked at once per second. A
 * connection on which nothing moves for `idle_timeout_s` is closed without a word. With TLS such
 * 503 and 408 are not sent, only the connection closed, and a handshake counts as a first byte.
 *
 * Errors made here have the shape of the API: {"error":{"code","message"}}; only what is no HTTP at
 * all, or has too large a head, gets libmicrohttpd's own 4xx. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/server_body.h"
#include "api/server_stream.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVER_DISCARD_BYTES_MAX (64 * 1024 * 1024)
#define SERVER_REQUEST_ARENA_BYTES_MAX (64 * 1024 * 1024)
/* Of all requests of a server together; beyond it they are answered 503. */
#define SERVER_BODIES_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define SERVER_REQUEST_ID_BYTES_MAX 128
#define SERVER_URL_BYTES_MAX 8192
#define SERVER_HEAD_BYTES_MAX (12 * 1024)
#define SERVER_FIELD_BYTES 64
/* How long server_destroy lets a client take to read its answer. */
#define SERVER_DRAIN_MS_MAX 5000

struct server;
struct request;
struct sockaddr;

struct server_options {
    const char *bind; /* a numeric IPv4 or IPv6 address */
    uint16_t port;    /* 0: chosen by the kernel, see server_port */
    unsigned threads;
    unsigned connections_max;
    /* Per IPv4 address or IPv6 network of 64 bits; 0: no such limit. */
    unsigned connections_per_address_max;
    unsigned idle_timeout_s;    /* does not run while a request is deferred or a stream waits */
    unsigned request_timeout_s; /* for head and body together; 0: none. Not for streamed bodies */
    size_t body_bytes_max;      /* not for streamed bodies */
    void (*handle)(struct request *request, void *context);
    /* Asked when the head is there: is the body to be streamed? May be NULL: never. */
    bool (*streams)(const struct request *request, void *context);
    /* Called by the server's threads when a request has ended, `took_us` after its head was there;
     * status 0: without an answer. May be NULL; requests then have no id. */
    void (*ended)(const struct request *request, unsigned status, int64_t took_us, void *context);
    void *context;
    /* Of every answer: name, value, …, NULL; may be NULL. One that the handler has added by the
     * same name takes its place. */
    const char *const *headers;
    /* Paths of PEM files, which have to outlive the server; both NULL: no TLS. The certificate may
     * be followed by the ones that lead to its root. TLS 1.2 and 1.3 are spoken. */
    const char *tls_certificate;
    const char *tls_key;
};

/* Listening when it returns STATUS_OK; `*server` is then the caller's to destroy. */
enum status server_create(struct server **server, const struct server_options *options,
                          struct error *error);
uint16_t server_port(const struct server *server);
/* Reads the files again, from any thread; new connections get what is in them. On failure, which
 * the error tells by the name of the option (TLS_CERT, TLS_KEY), the old ones stay in use.
 * Connections that are open live on. Without TLS it does nothing. */
enum status server_reload_certificate(struct server *server, struct error *error);
/* Stops listening at once, so that new connections are refused; those that are open live on. */
void server_stop_listening(struct server *server);
/* Lets requests under way end, then closes all and joins the threads. Every deferred request must
 * have been answered or aborted before, and no body be paused. Streams that wait are broken off;
 * for bodies that are not whole when the time is over, `end` is called by the caller's thread, and
 * their answers are waited for. */
void server_destroy(struct server *server);

/* All views live as long as the request, which ends with its answer; for streamed bodies see there.
 * Path and query arguments are percent-decoded, except that %00 stays as it is. */
struct text request_method(const struct request *request);
struct text request_path(const struct request *request); /* without the query */
struct text request_body(const struct request *request); /* empty when it is streamed */
/* What the client calls it in X-Request-Id, if that is 1 to SERVER_REQUEST_ID_BYTES_MAX visible
 * characters, else a name of ours; the answer bears it. */
struct text request_id(const struct request *request);
/* An absent header or query argument has data == NULL. Header names ignore case. */
struct text request_header(const struct request *request, const char *name);
struct text request_query(const struct request *request, const char *name);
/* Calls `visit` for each header, in the order in which they came. */
void request_each_header(const struct request *request,
                         void (*visit)(struct text name, struct text value, void *context),
                         void *context);
/* The address of the other end of the connection: AF_INET or AF_INET6. */
const struct sockaddr *request_peer(const struct request *request);
/* True when the client of a deferred request has hung up; nobody else looks before the answer. */
bool request_client_is_gone(const struct request *request);
/* Ends with the request; bounded by SERVER_REQUEST_ARENA_BYTES_MAX. */
struct arena *request_arena(struct request *request);

/* Called before request_respond, by the same thread; name and value are copied. A header that
 * HTTP does not allow (a line break in it) makes the answer a 500. */
void request_add_header(struct request *request, const char *name, const char *value);
/* Ends the handler's part: `content_type` may be NULL where there is no body; `body` is copied. */
void request_respond(struct request *request, unsigned status, const char *content_type,
                     struct text body);
/* Within the handler: the answer will come from another thread. */
void request_defer(struct request *request);
/* Ends the connection without an answer; `reset` sends a TCP reset instead of an orderly end. */
void request_abort(struct request *request, bool reset);

#endif
