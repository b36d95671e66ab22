/* What the files of the server share; nobody else includes it. */
#ifndef API_SERVER_INTERNAL_H
#define API_SERVER_INTERNAL_H

#include "api/peers.h"
#include "api/server.h"
#include "base/buffer.h"
#include "base/random.h"
#include "base/thread.h"

#include <microhttpd.h>
#include <stdatomic.h>

#define SERVER_BODY_KEPT_BYTES_MAX 4096
/* The heads of request and answer; libmicrohttpd clears all of it for each request. */
#define SERVER_CONNECTION_BYTES ((size_t)SERVER_HEAD_BYTES_MAX + 4096)

struct connection;
struct server_tls;
struct added_header;

/* A thread and what it serves. All loops share the listening socket. */
struct loop {
    struct server *server;
    struct MHD_Daemon *daemon;
    struct thread thread;
    int wake; /* an eventfd: something was resumed, or the loop is to look around */
    /* the thread's */
    struct random random;
    struct connection *connections;
    bool admitting;
    int64_t accept_at_us; /* not before */
    int64_t sweep_at_us;
};

struct server {
    /* set once */
    struct server_options options;
    struct loop *loops;
    unsigned loop_count;
    int listener;
    uint16_t port;
    struct peers *peers;
    struct server_tls *tls; /* NULL: plain */
    /* any thread */
    atomic_size_t bodies_bytes;
    atomic_size_t under_way; /* given to the handler and not yet ended */
    atomic_uint signals;     /* threads that are in request_signal */
    atomic_bool stopping;    /* answers end their connections */
    atomic_bool ending;      /* the loops are to end */
    atomic_bool has_orphans;
    struct monitor drained;
    struct request *orphans; /* guarded by `drained`: answered, to be ended */
    /* the owner's thread */
    bool listening;
};

/* What the server itself refuses a request with. */
struct refusal {
    unsigned status;
    const char *reason; /* the words of the status line */
    const char *code;
    const char *message;
    bool again; /* Retry-After: 1 */
};

extern const struct refusal refusal_body_too_large, refusal_without_room, refusal_url_too_long;
extern const struct refusal refusal_head_too_large, refusal_too_slow, refusal_too_many;

/* The thread of its loop only. */
struct connection {
    struct loop *loop;
    struct MHD_Connection *handle;
    struct connection *next;
    struct connection **link;
    union peer_address peer;
    struct request *request; /* NULL once it is an orphan: then the connection ends */
    bool active;             /* the request has begun and not ended */
    bool url_too_long;       /* of the request that is about to begin */
    bool cut_off;
    int64_t reading_since_us; /* 0: nothing of a request is there, or all of it */
    uint64_t bytes_before;    /* received when the last request ended */
};

enum request_flag {
    REQUEST_PARKED = 1 << 0,   /* suspended; who takes the flag off has to resume it */
    REQUEST_ANSWERED = 1 << 1, /* from then on it is the loop's */
    REQUEST_READ_ON = 1 << 2,
    REQUEST_WOKEN = 1 << 3,
    REQUEST_ORPHANED = 1 << 4, /* its connection is gone, its answer is still to come */
};

/* One for each connection, which has one request at a time; it is emptied between them. */
struct request {
    /* set once */
    struct server *server;
    struct loop *loop;
    struct connection *connection;
    struct MHD_Connection *handle;
    union peer_address peer;
    /* the thread of the connection until request_defer, then whoever is to answer */
    const char *method;
    const char *path;
    struct text id; /* terminated; empty: none */
    int64_t started_us;
    struct arena arena;
    struct buffer body;
    size_t body_counted; /* the part of server->bodies_bytes that is ours */
    const struct refusal *refusal;
    bool handed_over;
    bool deferred;
    struct added_header *headers;
    struct added_header **headers_end;
    bool headers_lost;
    struct MHD_Response *response; /* NULL in an answered one: end the connection */
    unsigned status;
    bool reset;
    struct body_sink sink;
    struct answer_stream stream;
    /* the thread of the connection */
    bool is_old, is_head; /* HTTP/1.0; HEAD */
    bool received;        /* no more of it is to come, or wanted */
    bool streamed;        /* the body is */
    bool head_parked;
    bool paused;
    bool sink_ended;
    size_t dropped;
    struct buffer chunk;
    size_t chunk_sent;
    bool stream_ended;
    bool hung_up;
    /* all, see server_request.c */
    atomic_uint flags;
    struct request *next_orphan;
};

/* server_request.c: a request's life, and how threads hand it to each other. */
struct request *request_create(struct connection *connection);
void request_destroy(struct request *request);
void request_begin(struct request *request, const char *method, const char *path,
                   const char *version);
/* For MHD_OPTION_NOTIFY_COMPLETED. */
void server_on_request_end(void *context, struct MHD_Connection *handle, void **request_context,
                           enum MHD_RequestTerminationCode code);
void request_drop_body(struct request *request);
int request_descriptor(const struct request *request);
bool request_has(const struct request *request, unsigned flags);
/* Any thread. Sets the flag and resumes the request if it is parked. From the moment it is set the
 * request may be gone. */
void request_signal(struct request *request, enum request_flag flag);
/* The connection's thread: suspends it until a signal; false, and nothing is done, when one of the
 * flags `until` is there. It may come back without one. */
bool request_park(struct request *request, unsigned until);
/* Ends the orphans that have been answered. */
void server_end_orphans(struct server *server);
void loop_wake(const struct loop *loop);

/* server_answer.c */
void request_refuse(struct request *request);
/* Sends what request_respond has set. */
enum MHD_Result request_send(struct request *request);
void request_reset_connection(const struct request *request);
/* Writes a refusal to a socket on which nothing else was answered, as far as it takes it now. */
void server_send_refusal(const struct server *server, int descriptor,
                         const struct refusal *refusal);

/* server_body.c */
/* For MHD_start_daemon. */
enum MHD_Result server_on_request(void *context, struct MHD_Connection *handle, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **request_context);
void request_end_sink(struct request *request, bool whole);
bool connection_is_suspended(const struct connection *connection);

/* server_stream.c */
struct MHD_Response *request_make_stream(struct request *request);
void request_end_stream(struct request *request);

/* server_connection.c */
void server_on_connection(void *context, struct MHD_Connection *handle, void **connection_context,
                          enum MHD_ConnectionNotificationCode code);
/* For MHD_OPTION_URI_LOG_CALLBACK. */
void *server_on_url(void *context, const char *url, struct MHD_Connection *handle);
struct connection *connection_of(struct MHD_Connection *handle);
void connection_rest(struct connection *connection); /* a request has ended */
/* Sends the refusal, if there may still be an answer, and ends the connection, which libmicrohttpd
 * then finds ended. */
void connection_cut_off(struct connection *connection, const struct refusal *refusal);
void loop_accept(struct loop *loop);
/* Once per second: cuts off what is too slow, and asks streams that wait. */
void loop_sweep(struct loop *loop, int64_t now_us);

#endif
