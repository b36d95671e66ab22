/* Part of server.h: answers whose length is not known when they begin: large exports, server-sent
 * events. They are chunked for HTTP/1.1 and end with their connection for HTTP/1.0. No more than
 * one chunk of them is ever held, however slowly the client reads. */
#ifndef API_SERVER_STREAM_H
#define API_SERVER_STREAM_H

#include "base/buffer.h"

#define SERVER_CHUNK_BYTES_MAX (1024 * 1024)

struct request;

enum stream_step {
    STREAM_MORE,  /* there are bytes in the chunk; ask again when they are sent */
    STREAM_WAIT,  /* there is nothing now; ask again after request_wake_stream */
    STREAM_END,   /* with what is in the chunk, if anything, it is whole */
    STREAM_ABORT, /* break the connection, so that the client sees that it is not whole */
};

struct answer_stream {
    /* Called by the server's thread with an empty buffer for up to SERVER_CHUNK_BYTES_MAX bytes; to
     * overflow it is as STREAM_ABORT. While it waits it is asked once per second all the same, so
     * that a heartbeat can be sent. Not called for a HEAD request, after
     * which the connection ends. */
    enum stream_step (*next)(void *context, struct buffer *chunk);
    /* Called exactly once, whatever happens, by the server's thread (by the one in server_destroy
     * when the client does not read); nothing uses the context, nor may the request, after it.
     * That a waiting stream's client has hung up is seen within about a second; one that reads
     * nothing for `idle_timeout_s` while there are bytes for it is cut off. */
    void (*done)(void *context);
    void *context;
};

/* As request_respond; headers are added before it. `stream` is copied. */
void request_respond_stream(struct request *request, unsigned status, const char *content_type,
                            const struct answer_stream *stream);
/* From any thread, after request_respond_stream was called and before `done` was: the caller sees
 * to that, as by a lock that its `done` takes too. A wake-up is never lost: `next` is asked, at
 * least once, after the last of them. */
void request_wake_stream(struct request *request);

#endif
