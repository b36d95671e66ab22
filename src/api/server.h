/* An HTTP/1.1 server; server.c is the only file that knows libmicrohttpd.
 *
 * A handler is called once per request, by one of the server's threads, when the whole body is
 * there. It answers with request_respond before it returns, or calls request_defer and lets some
 * other thread call request_respond later, exactly once. Handlers must not block for long: one
 * thread serves many connections.
 *
 * Limits: a body above `body_bytes_max` is answered 413. It is read to its end first and dropped,
 * so that clients which only listen after having sent it hear the answer; only one that is
 * announced with Expect: 100-continue, or above SERVER_DISCARD_BYTES_MAX, is refused unread. More
 * connections than `connections_max` are refused by closing, idle ones end after `idle_timeout_s`.
 * Errors made here have the shape of the API: {"error":{"code","message"}}; only what is no HTTP at
 * all, or has too large a head, gets libmicrohttpd's own 4xx. */
#ifndef API_SERVER_H
#define API_SERVER_H

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
/* How long server_destroy lets a client take to read its answer. */
#define SERVER_DRAIN_MS_MAX 5000

struct server;
struct request;

struct server_options {
    const char *bind; /* a numeric IPv4 or IPv6 address */
    uint16_t port;    /* 0: chosen by the kernel, see server_port */
    unsigned threads;
    unsigned connections_max;
    unsigned idle_timeout_s;
    size_t body_bytes_max;
    void (*handle)(struct request *request, void *context);
    /* Called by the server's threads when a request has ended, `took_us` after its head was there;
     * status 0: without an answer. May be NULL; requests then have no id. */
    void (*ended)(const struct request *request, unsigned status, int64_t took_us, void *context);
    void *context;
    const char *const *headers; /* of every answer: name, value, …, NULL; may be NULL */
};

/* Listening when it returns STATUS_OK; `*server` is then the caller's to destroy. */
enum status server_create(struct server **server, const struct server_options *options,
                          struct error *error);
uint16_t server_port(const struct server *server);
/* Stops listening at once, so that new connections are refused; those that are open live on. */
void server_stop_listening(struct server *server);
/* Lets requests under way end, then closes all and joins the threads. Every deferred request must
 * have been answered or aborted before. */
void server_destroy(struct server *server);

/* All views live as long as the request, which ends with its answer. Path and query arguments are
 * percent-decoded, except that %00 stays as it is. */
struct text request_method(const struct request *request);
struct text request_path(const struct request *request); /* without the query */
struct text request_body(const struct request *request);
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
