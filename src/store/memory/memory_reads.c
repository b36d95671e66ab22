#include "store/memory/memory_store.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status memory_get(struct store_session *session, struct text id, struct arena *arena,
                       struct message *message, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    const struct record *record = memory_find(memory, id);
    enum status status = STATUS_OK;
    if (record == NULL)
        status = error_set(error, STATUS_NOT_FOUND, "there is no message with this id");
    else if (!record_read(record, arena, message))
        status = error_set(error, STATUS_FULL, "the message takes too much memory");
    memory_unlock(memory);
    return status;
}

enum status memory_attempts(struct store_session *session, struct text id, struct arena *arena,
                            struct attempt_list *list, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    const struct record *record = memory_find(memory, id);
    enum status status = STATUS_OK;
    if (record != NULL && record->failures_count > 0) {
        size_t bytes = record->failures_count * sizeof *list->items;
        list->items = arena_alloc(arena, bytes);
        if (list->items == NULL) {
            status = error_set(error, STATUS_FULL, "the attempts take too much memory");
        } else {
            memcpy(list->items, record->failures, bytes);
            list->count = record->failures_count;
        }
    }
    memory_unlock(memory);
    return status;
}

/* A view of a record, without copies. */
static struct message view_of(const struct record *record) {
    return (struct message){
        .recipient = text_of(record->recipient),
        .provider = text_of(record->provider),
        .content = {record->content, record->content_bytes},
        .created_at_ms = record->created_at_ms,
        .sent_at_ms = record->sent_at_ms,
        .state = record->state,
    };
}

static int last_sent_first(const void *a, const void *b) {
    const struct record *left = *(struct record *const *)a, *right = *(struct record *const *)b;
    if (left->sent_at_ms != right->sent_at_ms)
        return left->sent_at_ms > right->sent_at_ms ? -1 : 1;
    return left->id > right->id ? -1 : 1;
}

/* The records in the order of the list; the caller's to free. */
static struct record **in_order(const struct memory_store *memory, enum store_order order) {
    struct record **records = memory_zeroed(memory->count + 1, sizeof(struct record *));
    for (size_t i = 0; i < memory->count; i++)
        records[i] = memory->records[order == STORE_OLDEST_FIRST ? i : memory->count - 1 - i];
    if (order == STORE_LAST_SENT_FIRST)
        qsort(records, memory->count, sizeof(struct record *), last_sent_first);
    return records;
}

static size_t first_place(const struct memory_store *memory, enum store_order order,
                          int64_t after) {
    if (after == 0)
        return 0;
    if (order == STORE_OLDEST_FIRST)
        return (size_t)after < memory->count ? (size_t)after : memory->count;
    return (size_t)after <= memory->count ? memory->count - (size_t)after + 1 : 0;
}

/* Counts what a selective query looks at, and says when that is more than one call may. */
static bool scan_is_over(const struct store_query *query, const struct message *view,
                         size_t *looked) {
    const struct store_query candidates = {.states = query->states};
    return store_query_is_selective(query) && store_query_matches(&candidates, view) &&
           ++*looked > STORE_SCAN_MAX;
}

/* The scan ended with this one. */
static void end_page(struct store_page *page, const struct record *last) {
    page->more = true;
    snprintf(page->next.text, sizeof page->next.text, "%lld", (long long)last->id);
}

enum status memory_list(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error) {
    int64_t after = 0;
    if (query->after.len > 0 && !message_id_to_number(query->after, &after))
        return error_set(error, STATUS_INVALID, "the cursor is no id of a message");
    struct memory_store *memory = memory_lock(session);
    struct record **records = in_order(memory, query->order);
    enum status status = STATUS_OK;
    size_t passed = 0, looked = 0;
    for (size_t at = first_place(memory, query->order, after);
         at < memory->count && page->count <= query->limit && status == STATUS_OK; at++) {
        struct message view = view_of(records[at]);
        if (scan_is_over(query, &view, &looked)) {
            if (query->order != STORE_LAST_SENT_FIRST)
                end_page(page, records[at - 1]);
            break;
        }
        if (!store_query_matches(query, &view) || passed++ < query->offset)
            continue;
        if (!record_read(records[at], arena, &page->messages[page->count++]))
            status = error_set(error, STATUS_FULL, "the list takes too much memory");
    }
    memory_unlock(memory);
    free(records);
    return status;
}

enum status memory_count(struct store_session *session, const struct store_query *query,
                         struct store_total *total, struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    size_t looked = 0;
    for (size_t i = 0; i < memory->count && total->exact; i++) {
        struct message view = view_of(memory->records[i]);
        bool over = scan_is_over(query, &view, &looked);
        total->count += !over && store_query_matches(query, &view);
        total->exact = !over && total->count < STORE_COUNT_MAX;
    }
    memory_unlock(memory);
    return STATUS_OK;
}

enum status memory_depth(struct store_session *session, struct store_depth *depth,
                         struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    memcpy(depth->messages, memory->depth, sizeof depth->messages);
    int64_t now_ms = clock_wall_ms(memory->clock);
    memory_promote_due(memory, now_ms);
    for (size_t i = 0; i < memory->ready.count; i++) {
        const struct record *record = memory->ready.items[i];
        if (now_ms - record->created_at_ms > depth->oldest_due_age_ms)
            depth->oldest_due_age_ms = now_ms - record->created_at_ms;
    }
    memory_unlock(memory);
    return STATUS_OK;
}
