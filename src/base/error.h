/* What went wrong in the environment: a status to decide by, and words for a person.
 *
 * A function that can fail returns `enum status` and takes a `struct error *` last. On failure it
 * has filled the error; callers add context on the way up, so that the text reads from the outside
 * in: "claim batch: sqlite: disk I/O error". */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define ERROR_TEXT_BYTES_MAX 512

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* the input breaks a rule; trying again is of no use */
    STATUS_NOT_FOUND,   /* there is no such thing */
    STATUS_CONFLICT,    /* the state of the thing does not allow it (lost lease, wrong state) */
    STATUS_FULL,        /* a named maximum or the disk is reached; later it may work */
    STATUS_UNAVAILABLE, /* the other side is away or busy; later it may work */
    STATUS_TIMEOUT,     /* nothing came within the time allowed */
    STATUS_CLOSED,      /* it was closed or is being stopped */
    STATUS_BROKEN,      /* data or the other side is not what it must be; a person has to look */
};

struct error {
    enum status status;
    char text[ERROR_TEXT_BYTES_MAX];
};

/* Sets status and text (cut at the maximum) and returns `status`, so that a failing function can
 * end with `return error_set(error, …)`. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text that is there and returns the error's status. */
enum status error_wrap(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "unavailable", "invalid", …: for logs and metrics. */
const char *status_name(enum status status);

#endif
