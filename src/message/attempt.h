/* One try to hand a message over, and the closed set of ways in which a try can end. */
#ifndef MESSAGE_ATTEMPT_H
#define MESSAGE_ATTEMPT_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define ATTEMPT_EXCERPT_BYTES_MAX 255

enum attempt_class {
    ATTEMPT_ACCEPTED,        /* 2xx */
    ATTEMPT_DNS,             /* the host's name could not be resolved */
    ATTEMPT_REFUSED,         /* nothing listens there, or no way leads there */
    ATTEMPT_RESET,           /* the connection broke */
    ATTEMPT_CONNECT_TIMEOUT, /* no connection (TLS included) within the time */
    ATTEMPT_READ_TIMEOUT,    /* connected, but no whole answer within the time */
    ATTEMPT_TLS,             /* certificate or handshake */
    ATTEMPT_BODY_LIMIT,      /* an answer larger than we read */
    ATTEMPT_HTTP_3XX,        /* redirects are not followed */
    ATTEMPT_HTTP_4XX,
    ATTEMPT_HTTP_5XX,
    ATTEMPT_INVALID,       /* never tried: the message breaks a rule */
    ATTEMPT_EXPIRED,       /* never tried: its time was over */
    ATTEMPT_LEASE_EXPIRED, /* whoever held it was gone; the request may have been made */
    ATTEMPT_ABORTED,       /* cut off when the grace period of a stop was over */
};
#define ATTEMPT_CLASSES (ATTEMPT_ABORTED + 1)

/* What the stores write as excerpt of ATTEMPT_LEASE_EXPIRED. */
#define ATTEMPT_LEASE_EXPIRED_TEXT "the process that held it was gone; it may have been sent"

struct attempt {
    int64_t number; /* 1 for the first */
    int64_t at_ms;  /* when it began, Unix time */
    int64_t duration_ms;
    int64_t http_status; /* 0 where there was no answer */
    enum attempt_class class;
    char excerpt[ATTEMPT_EXCERPT_BYTES_MAX + 1]; /* of the answer, or why there is none; UTF-8 */
};

/* "dns", "http_5xx", …: as in the API, the database and the metrics. */
const char *attempt_class_name(enum attempt_class class);
bool attempt_class_from_name(struct text name, enum attempt_class *class);

/* Keeps the beginning of `source`, cut at a code point; what is not UTF-8 becomes '?'. */
void attempt_set_excerpt(struct attempt *attempt, struct text source);

#endif
