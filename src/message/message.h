/* A message as the rest of the program sees it, and the rules a message must keep. */
#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include "message/message_state.h"

#include <stdint.h>

#define MESSAGE_ID_BYTES_MAX 36 /* an integer, a UUID or a short string */
#define MESSAGE_FAULT_BYTES_MAX 160
#define MESSAGE_RECIPIENT_BYTES_MAX 64
#define MESSAGE_METADATA_BYTES_MAX 4096
#define MESSAGE_PROVIDER_BYTES_MAX 64
#define MESSAGE_KEY_BYTES_MAX 400
#define MESSAGE_FINGERPRINT_BYTES_MAX 64
#define MESSAGE_CONTENT_BYTES_MAX 65536 /* what is read of a row; beyond it the row is refused */

struct message_id {
    char text[MESSAGE_ID_BYTES_MAX + 1];
};

/* The number that an id of an integer key stands for, written as we write it ("7", not "07");
 * false for anything else. */
bool message_id_to_number(struct text id, int64_t *number);

/* What somebody wants to have sent; views are the caller's. */
struct message_draft {
    struct text recipient;
    struct text content;
    int64_t priority;      /* higher leaves first; 0 is ordinary */
    int64_t due_at_ms;     /* not before this time; 0: at once */
    int64_t expires_at_ms; /* not after this time; 0: at any time */
    int64_t max_attempts;  /* 0: as is configured */
    struct text metadata;  /* a JSON object that is handed back as it came; empty: none */
    struct text provider;  /* by which it is to be sent; empty: any */
    /* Who inserts twice under one key gets the first message again; empty: no key. */
    struct text key;         /* up to MESSAGE_KEY_BYTES_MAX, unique among all */
    struct text fingerprint; /* of what was asked for, up to MESSAGE_FINGERPRINT_BYTES_MAX */
};

/* Views belong to the arena of whoever read it: a claim, or a request. */
struct message {
    /* set at creation */
    struct message_id id;
    struct text recipient;
    struct text content; /* data is NULL when the row holds more than we read */
    int64_t priority;
    int64_t created_at_ms;
    int64_t max_attempts; /* 0: as is configured */
    struct text metadata; /* a JSON object; empty: none */
    struct text provider; /* empty: any */
    /* changes */
    int64_t expires_at_ms; /* 0: never */
    enum message_state state;
    int64_t attempts;        /* made so far */
    int64_t due_at_ms;       /* of a retry or a later time; 0: at once */
    int64_t sent_at_ms;      /* 0: not sent */
    struct text provider_id; /* empty: the provider gave none */
    struct text error;       /* why the last attempt failed, empty if it did not */
};

/* What breaks a rule, and how, in words for the one who wrote it. */
struct message_fault {
    const char *field; /* "recipient" or "content" */
    char text[MESSAGE_FAULT_BYTES_MAX];
};

/* True when `recipient` and `content` keep all rules; else `fault` names the first broken one.
 * `content_max` is in characters (code points). */
bool message_is_valid(struct text recipient, struct text content, int64_t content_max,
                      struct message_fault *fault);
/* The same for a row that is there already, by whomever it was written: its recipient may be
 * written in any usual way (phone.h). */
bool message_is_deliverable(struct text recipient, struct text content, int64_t content_max,
                            struct message_fault *fault);

#endif
