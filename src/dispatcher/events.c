#include "dispatcher/events.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/thread.h"
#include "message/attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct events {
    /* set once */
    const struct clock *clock;
    uint64_t boot; /* tells this start of the program from others */
    /* guarded */
    struct monitor monitor;
    uint64_t next; /* the number of the next one; the first is 1 */
    struct event_listener *listeners;
    struct event ring[EVENTS_KEPT]; /* by number */
};

static const char *const names[EVENT_KINDS] = {
    [EVENT_ACCEPTED] = "accepted", [EVENT_SENT] = "sent",       [EVENT_RETRIED] = "retried",
    [EVENT_FAILED] = "failed",     [EVENT_EXPIRED] = "expired", [EVENT_CANCELLED] = "cancelled",
    [EVENT_STARTED] = "started",   [EVENT_STOPPED] = "stopped", [EVENT_PAUSED] = "paused",
    [EVENT_BREAKER] = "breaker",
};

const char *event_kind_name(enum event_kind kind) {
    check((size_t)kind < EVENT_KINDS);
    return names[kind];
}

bool event_kind_from_name(struct text name, enum event_kind *kind) {
    for (size_t i = 0; i < EVENT_KINDS; i++)
        if (text_equal_string(name, names[i])) {
            *kind = (enum event_kind)i;
            return true;
        }
    return false;
}

void event_set_detail(struct event *event, struct text detail) {
    struct attempt clean;
    attempt_set_excerpt(&clean, detail);
    struct text kept = text_utf8_prefix(text_of(clean.excerpt), EVENT_DETAIL_BYTES - 1);
    memcpy(event->detail, kept.data, kept.len);
    event->detail[kept.len] = '\0';
}

struct events *events_create(const struct clock *clock, struct random *random) {
    check(clock != NULL && random != NULL);
    struct events *events = memory_zeroed(1, sizeof *events);
    events->clock = clock;
    events->boot = random_next(random);
    events->next = 1;
    monitor_init(&events->monitor);
    return events;
}

void events_destroy(struct events *events) {
    if (events == NULL)
        return;
    check(events->listeners == NULL);
    monitor_deinit(&events->monitor);
    free(events);
}

void events_publish(struct events *events, struct event *batch, size_t count) {
    int64_t now_ms = clock_wall_ms(events->clock);
    monitor_lock(&events->monitor);
    for (size_t i = 0; i < count; i++) {
        batch[i].number = events->next++;
        batch[i].at_ms = now_ms;
        events->ring[batch[i].number % EVENTS_KEPT] = batch[i];
    }
    for (const struct event_listener *each = events->listeners; each != NULL; each = each->next)
        each->wake(each->context);
    monitor_unlock(&events->monitor);
}

/* Called locked. The number of the oldest that is kept. */
static uint64_t oldest(const struct events *events) {
    return events->next > EVENTS_KEPT ? events->next - EVENTS_KEPT : 1;
}

void events_cursor_now(struct events *events, struct event_cursor *cursor) {
    monitor_lock(&events->monitor);
    cursor->next = events->next;
    monitor_unlock(&events->monitor);
}

/* An id as event_id_write writes it, of this start of the program. */
static bool read_id(const struct events *events, struct text id, uint64_t *number) {
    char text[EVENT_ID_BYTES], same[EVENT_ID_BYTES];
    uint64_t boot = 0;
    if (id.len == 0 || id.len >= sizeof text)
        return false;
    memcpy(text, id.data, id.len);
    text[id.len] = '\0';
    if (sscanf(text, "%16" SCNx64 "-%20" SCNu64, &boot, number) != 2 || boot != events->boot)
        return false;
    event_id_write(events, *number, same);
    return strcmp(text, same) == 0;
}

enum cursor_start events_cursor_after(struct events *events, struct text id,
                                      struct event_cursor *cursor) {
    uint64_t number = 0;
    bool ours = read_id(events, id, &number);
    monitor_lock(&events->monitor);
    bool found = ours && number < events->next && number + 1 >= oldest(events);
    cursor->next = found ? number + 1 : oldest(events);
    monitor_unlock(&events->monitor);
    return found ? CURSOR_FOUND : CURSOR_LOST;
}

size_t events_read(struct events *events, struct event_cursor *cursor, struct event *out,
                   size_t max, bool *lost) {
    size_t count = 0;
    monitor_lock(&events->monitor);
    *lost = cursor->next < oldest(events);
    if (*lost)
        cursor->next = oldest(events);
    for (; count < max && cursor->next < events->next; cursor->next++)
        out[count++] = events->ring[cursor->next % EVENTS_KEPT];
    monitor_unlock(&events->monitor);
    return count;
}

void event_id_write(const struct events *events, uint64_t number, char id[EVENT_ID_BYTES]) {
    snprintf(id, EVENT_ID_BYTES, "%016" PRIx64 "-%" PRIu64, events->boot, number);
}

void events_listen(struct events *events, struct event_listener *listener) {
    monitor_lock(&events->monitor);
    listener->next = events->listeners;
    events->listeners = listener;
    monitor_unlock(&events->monitor);
}

void events_unlisten(struct events *events, struct event_listener *listener) {
    monitor_lock(&events->monitor);
    struct event_listener **link = &events->listeners;
    while (*link != NULL && *link != listener)
        link = &(*link)->next;
    if (*link != NULL)
        *link = listener->next;
    monitor_unlock(&events->monitor);
}
