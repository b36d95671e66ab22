/* What happens in this process, for those who watch it. The last of it is kept in memory, so that
 * who lost the connection can go on where it was. Any thread may publish, read and listen. */
#ifndef DISPATCHER_EVENTS_H
#define DISPATCHER_EVENTS_H

#include "base/clock.h"
#include "base/random.h"
#include "message/message.h"

#define EVENTS_KEPT 16384
#define EVENT_DETAIL_BYTES 96
#define EVENT_ID_BYTES 40

enum event_kind {
    EVENT_ACCEPTED, /* came through the API, and is committed */
    EVENT_SENT,
    EVENT_RETRIED,
    EVENT_FAILED,
    EVENT_EXPIRED,
    EVENT_CANCELLED,
    EVENT_STARTED,
    EVENT_STOPPED,
    EVENT_PAUSED,
    EVENT_BREAKER,
};
#define EVENT_KINDS (EVENT_BREAKER + 1)

struct event {
    uint64_t number; /* rising, given by events_publish */
    int64_t at_ms;   /* the same; Unix time */
    enum event_kind kind;
    struct message_id message;       /* "": it is about none */
    char detail[EVENT_DETAIL_BYTES]; /* UTF-8: the provider's id, why it failed, who started … */
};

struct events;

/* The caller's to destroy. */
struct events *events_create(const struct clock *clock, struct random *random);
/* Nobody listens any more. NULL is passed over. */
void events_destroy(struct events *events);

/* "accepted", "sent", … */
const char *event_kind_name(enum event_kind kind);
bool event_kind_from_name(struct text name, enum event_kind *kind);
/* Cut at a code point; what is no UTF-8 becomes '?'. */
void event_set_detail(struct event *event, struct text detail);

/* Gives the events their numbers and time, keeps them, and wakes those who listen. */
void events_publish(struct events *events, struct event *batch, size_t count);

/* Where a reader is. */
struct event_cursor {
    uint64_t next;
};

enum cursor_start { CURSOR_FOUND, CURSOR_LOST };

/* From now on. */
void events_cursor_now(struct events *events, struct event_cursor *cursor);
/* After the event with this id. CURSOR_LOST: it is of another process or start, or not kept any
 * more; the cursor is then at the oldest that is kept. */
enum cursor_start events_cursor_after(struct events *events, struct text id,
                                      struct event_cursor *cursor);
/* Copies up to `max` of those that come next, and says how many. `*lost`: some that the cursor had
 * not seen are no more kept; it has gone on to the oldest that is. */
size_t events_read(struct events *events, struct event_cursor *cursor, struct event *out,
                   size_t max, bool *lost);
/* What a client may come back with. */
void event_id_write(const struct events *events, uint64_t number, char id[EVENT_ID_BYTES]);

/* Embedded in what listens. */
struct event_listener {
    struct event_listener *next; /* the events' */
    /* Called by the publisher's thread for each batch; must not block, nor call the events. */
    void (*wake)(void *context);
    void *context;
};

/* The listener stays the caller's, who has to unlisten before it ends. */
void events_listen(struct events *events, struct event_listener *listener);
/* When it returns, `wake` is not called any more. */
void events_unlisten(struct events *events, struct event_listener *listener);

#endif
