/* HTTP requests, many at a time; http_client.c is the only file that knows libcurl.
 *
 * A client belongs to one thread, except for http_client_wake. Requests travel in exchanges: take
 * one, fill its request, submit it, and get it back from http_client_poll with its response filled;
 * then give it back. Connections are kept alive and reused, HTTP/2 is used where a server offers
 * it over TLS, redirects are never followed, and one deadline covers the whole of a request: name
 * resolution, connection, TLS, headers and body. */
#ifndef SENDER_HTTP_CLIENT_H
#define SENDER_HTTP_CLIENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "message/attempt.h"

#define HTTP_HEADERS_MAX 32
#define HTTP_HEADERS_BYTES_MAX 16384
#define HTTP_REQUEST_BODY_BYTES_MAX (1024 * 1024)
/* Of a response's body this much is kept; the rest is read and dropped, up to the second maximum,
 * beyond which the transfer is broken off (ATTEMPT_BODY_LIMIT). */
#define HTTP_BODY_KEPT_BYTES_MAX 16384
#define HTTP_BODY_READ_BYTES_MAX (1024 * 1024)
#define HTTP_ERROR_BYTES_MAX 255

struct http_client;

struct http_request {
    const char *method;    /* a constant */
    const char *url;       /* borrowed until the exchange is given back */
    int64_t timeout_ms;    /* of the whole request */
    struct buffer body;    /* owned by the exchange */
    struct buffer headers; /* owned by the exchange; filled by http_request_add_header */
    size_t header_count;
};

struct http_response {
    /* How it ended: ATTEMPT_ACCEPTED, ATTEMPT_HTTP_* by the status, or why there is no whole
     * response. A 2xx whose body then broke off keeps its status and says so in `class`. */
    enum attempt_class class;
    int64_t status;          /* 0: no status line came */
    struct text body;        /* at most HTTP_BODY_KEPT_BYTES_MAX */
    bool body_cut;           /* there was more */
    struct text retry_after; /* the header as it came; empty: none */
    int64_t duration_us;
    char error[HTTP_ERROR_BYTES_MAX + 1]; /* in words, where there is no whole response */
};

struct http_exchange {
    struct http_request request;
    struct http_response response; /* filled when it comes back; views live until given back */
    void *context;                 /* the caller's */
};

struct http_client_options {
    size_t exchanges_max; /* taken at the same time */
    /* Open or kept, in all; not below exchanges_max, so that no request waits for a connection:
     * libcurl would not look at its deadline meanwhile. */
    size_t connections_max;
};

/* `*client` is the caller's to destroy. */
enum status http_client_create(struct http_client **client,
                               const struct http_client_options *options, struct error *error);
/* Exchanges still out are broken off and gone. */
void http_client_destroy(struct http_client *client);

/* An exchange with an empty request; NULL when `exchanges_max` are out. */
struct http_exchange *http_client_take(struct http_client *client);
void http_client_give_back(struct http_client *client, struct http_exchange *exchange);

/* False when a maximum is passed, or name or value hold what may not be in a header. */
bool http_request_add_header(struct http_request *request, struct text name, struct text value);

/* Starts the request. It comes back through http_client_poll in every case. */
void http_client_submit(struct http_client *client, struct http_exchange *exchange);
/* Moves transfers on, and fills `finished` with up to `finished_max` exchanges that are done.
 * Waits for the first at most `wait_ms`, or until http_client_wake is called. */
size_t http_client_poll(struct http_client *client, struct http_exchange **finished,
                        size_t finished_max, int64_t wait_ms);
/* Ends the wait of http_client_poll, now or at its next call. From any thread. */
void http_client_wake(struct http_client *client);
/* Breaks off all requests under way; they come back from the next polls as ATTEMPT_ABORTED. */
void http_client_abort_all(struct http_client *client);

#endif
