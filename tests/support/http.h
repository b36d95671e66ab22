/* A small blocking HTTP client: what a server on this machine answers, byte for byte. */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include "base/text.h"

#include <stdint.h>

struct http_answer {
    int64_t status;   /* 0: the connection ended without a status line */
    const char *head; /* status line and headers */
    const char *body; /* all that came after them */
    struct text bytes;
};

/* A connection to the port on the loopback address; a read from it fails after a while, so that a
 * failing test ends. The caller closes it. */
int http_dial(uint16_t port);

/* Sends a request and does not wait for the answer. `head` is method, path and perhaps further
 * header lines: "POST /send\nContent-Type: text/plain". */
int http_begin(uint16_t port, const char *head, struct text body);
/* Waits for the answer and closes; the answer is the caller's to deinit. */
struct http_answer http_end(int client);
/* Both. */
struct http_answer http_ask(uint16_t port, const char *head, const char *body);
void http_answer_deinit(struct http_answer *answer);

#endif
