#include "store/memory/memory_store.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MESSAGES_MAX 10000000

struct memory_store *memory_lock(struct store_session *session) {
    struct memory_store *memory = memory_store_of(session->store);
    monitor_lock(&memory->monitor);
    return memory;
}

void memory_unlock(struct memory_store *memory) {
    monitor_unlock(&memory->monitor);
}

struct record *memory_find(const struct memory_store *memory, struct text id) {
    int64_t number = 0;
    bool known = message_id_to_number(id, &number) && (size_t)number <= memory->count;
    return known ? memory->records[number - 1] : NULL;
}

void memory_enqueue(struct memory_store *memory, struct record *record) {
    heap_push(record->due_at_ms == 0 ? &memory->ready : &memory->delayed, record);
}

static enum status insert(struct store_session *session, const struct message_draft *drafts,
                          size_t count, struct message_id *ids, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    if (memory->count + count > MEMORY_MESSAGES_MAX) {
        memory_unlock(memory);
        return error_set(error, STATUS_FULL, "the memory store holds at most %d messages",
                         MEMORY_MESSAGES_MAX);
    }
    int64_t now_ms = clock_wall_ms(memory->clock);
    memory_keys_forget(&memory->keys, now_ms);
    if (!memory_keys_add(&memory->keys, drafts, count, (int64_t)memory->count + 1, now_ms)) {
        memory_unlock(memory);
        return error_set(error, STATUS_CONFLICT, "the idempotency key is there already");
    }
    while (memory->count + count > memory->size) {
        memory->size = memory->size > 0 ? memory->size * 2 : 1024;
        memory->records = memory_resize(memory->records, memory->size, sizeof *memory->records);
    }
    for (size_t i = 0; i < count; i++) {
        struct record *record = record_create(&drafts[i], (int64_t)memory->count + 1, now_ms);
        memory->records[memory->count++] = record;
        memory->depth[MESSAGE_PENDING]++;
        memory_enqueue(memory, record);
        snprintf(ids[i].text, sizeof ids[i].text, "%lld", (long long)record->id);
    }
    memory_unlock(memory);
    return STATUS_OK;
}

void memory_count_move(struct memory_store *memory, enum message_state from,
                       enum message_state to) {
    memory->depth[from]--;
    memory->depth[to]++;
}

static size_t dissolve(struct memory_store *memory, struct lease *lease, int64_t now_ms) {
    size_t taken_over = 0;
    for (size_t i = 0; i < lease->count; i++) {
        struct record *record = lease->records[i];
        if (record == NULL)
            continue;
        record_take_back(record, now_ms);
        memory_count_move(memory, MESSAGE_SENDING, MESSAGE_PENDING);
        memory_enqueue(memory, record);
        taken_over++;
    }
    free(lease);
    return taken_over;
}

static size_t take_over_expired(struct memory_store *memory, int64_t now_ms) {
    size_t taken_over = 0;
    for (struct lease **link = &memory->leases; *link != NULL;) {
        struct lease *lease = *link;
        if (lease->until_ms > now_ms) {
            link = &lease->next;
            continue;
        }
        *link = lease->next;
        taken_over += dissolve(memory, lease, now_ms);
    }
    return taken_over;
}

void memory_promote_due(struct memory_store *memory, int64_t now_ms) {
    for (struct record *record; (record = heap_first(&memory->delayed)) != NULL;) {
        if (record->due_at_ms > now_ms)
            return;
        heap_pop(&memory->delayed);
        record->due_at_ms = 0;
        heap_push(&memory->ready, record);
    }
}

static int64_t next_due_in_ms(const struct memory_store *memory, int64_t now_ms) {
    const struct record *first = heap_first(&memory->delayed);
    int64_t next_ms = first != NULL ? first->due_at_ms : INT64_MAX;
    for (const struct lease *lease = memory->leases; lease != NULL; lease = lease->next)
        if (lease->until_ms < next_ms)
            next_ms = lease->until_ms;
    return next_ms == INT64_MAX ? -1 : next_ms - now_ms;
}

static struct claim *take_ready(struct memory_store *memory, size_t messages_max,
                                int64_t until_ms) {
    size_t count = memory->ready.count < messages_max ? memory->ready.count : messages_max;
    struct claim *claim = claim_create(count);
    struct lease *lease = memory_zeroed(1, sizeof *lease + count * sizeof lease->records[0]);
    claim->id = lease->id = ++memory->last_claim;
    random_uuid(&memory->random, claim->token);
    memcpy(lease->token, claim->token, sizeof lease->token);
    lease->until_ms = until_ms;
    for (size_t i = 0; i < count; i++) {
        struct record *record = heap_pop(&memory->ready);
        message_state_move(&record->state, MESSAGE_SENDING);
        memory_count_move(memory, MESSAGE_PENDING, MESSAGE_SENDING);
        lease->records[i] = record;
        bool fits = record_read(record, &claim->arena, &claim->messages[i]);
        check(fits);
    }
    claim->count = lease->count = count;
    lease->next = memory->leases;
    memory->leases = lease;
    return claim;
}

static enum status claim(struct store_session *session, const struct claim_request *request,
                         struct claim_result *result, struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    int64_t now_ms = clock_wall_ms(memory->clock);
    result->taken_over = take_over_expired(memory, now_ms);
    memory_promote_due(memory, now_ms);
    result->next_due_in_ms = next_due_in_ms(memory, now_ms);
    if (memory->ready.count > 0)
        result->claim = take_ready(memory, request->messages_max, now_ms + request->lease_ms);
    memory_unlock(memory);
    return STATUS_OK;
}

/* The link that points to the claim's lease, or NULL when the claim was lost. */
static struct lease **find_lease(struct memory_store *memory, const struct claim *claim) {
    for (struct lease **link = &memory->leases; *link != NULL; link = &(*link)->next)
        if ((*link)->id == claim->id && strcmp((*link)->token, claim->token) == 0)
            return link;
    return NULL;
}

static void settle_one(struct memory_store *memory, struct settlement *settlement) {
    struct lease **link = find_lease(memory, settlement->claim);
    settlement->conflict = link == NULL;
    if (link == NULL)
        return;
    struct lease *lease = *link;
    for (size_t i = 0; i < settlement->count; i++) {
        struct record *record = lease->records[settlement->indexes[i]];
        lease->records[settlement->indexes[i]] = NULL;
        record_settle(record, settlement->outcomes[i], clock_wall_ms(memory->clock));
        memory_count_move(memory, MESSAGE_SENDING, record->state);
        if (record->state == MESSAGE_PENDING)
            memory_enqueue(memory, record);
    }
    if (settlement->claim->unsettled > settlement->count)
        return;
    *link = lease->next;
    free(lease);
}

static enum status settle(struct store_session *session, struct settlement *settlements,
                          size_t count, struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    for (size_t i = 0; i < count; i++)
        settle_one(memory, &settlements[i]);
    memory_unlock(memory);
    return STATUS_OK;
}

static enum status extend(struct store_session *session, const struct claim *claim,
                          int64_t lease_ms, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    struct lease **link = find_lease(memory, claim);
    if (link != NULL)
        (*link)->until_ms = clock_wall_ms(memory->clock) + lease_ms;
    memory_unlock(memory);
    return link != NULL ? STATUS_OK : error_set(error, STATUS_CONFLICT, "the claim was lost");
}

static enum status version(struct store *store, struct store_version *version,
                           struct error *error) {
    (void)store;
    (void)error;
    *version = (struct store_version){0};
    return STATUS_OK;
}

static enum status migrate(struct store *store, struct buffer *report, struct error *error) {
    (void)store;
    (void)error;
    buffer_append_string(report, "the memory store has no schema\n");
    return STATUS_OK;
}

static enum status session_open(struct store_session **session, struct store *store,
                                struct error *error) {
    (void)error;
    *session = memory_zeroed(1, sizeof **session);
    (*session)->store = store;
    return STATUS_OK;
}

static void session_close(struct store_session *session) {
    free(session);
}

static void close(struct store *store) {
    struct memory_store *memory = memory_store_of(store);
    for (struct lease *lease = memory->leases; lease != NULL;) {
        struct lease *next = lease->next;
        free(lease);
        lease = next;
    }
    for (size_t i = 0; i < memory->count; i++)
        record_destroy(memory->records[i]);
    free(memory->records);
    memory_keys_deinit(&memory->keys);
    memory_office_deinit(&memory->office);
    heap_deinit(&memory->ready);
    heap_deinit(&memory->delayed);
    monitor_deinit(&memory->monitor);
    free(memory);
}

static const struct store_ops memory_ops = {
    .kind = "memory",
    .close = close,
    .session_open = session_open,
    .session_close = session_close,
    .insert = insert,
    .claim = claim,
    .settle = settle,
    .extend = extend,
    .find_keys = memory_find_keys,
    .get = memory_get,
    .attempts = memory_attempts,
    .list = memory_list,
    .count = memory_count,
    .change = memory_change,
    .audit_add = memory_audit_add,
    .audit_list = memory_audit_list,
    .job_create = memory_job_create,
    .job_list = memory_job_list,
    .job_advance = memory_job_advance,
    .depth = memory_depth,
    .version = version,
    .migrate_up = migrate,
    .migrate_down = migrate,
    .migrate_plan = migrate,
};

enum status store_memory_open(struct store **store, const char *location,
                              const struct store_options *options, struct error *error) {
    (void)location;
    (void)error;
    struct memory_store *memory = memory_zeroed(1, sizeof *memory);
    memory->store.ops = &memory_ops;
    memory->clock = options->clock;
    memory->random = random_from_system();
    monitor_init(&memory->monitor);
    heap_init(&memory->ready, record_leaves_before);
    heap_init(&memory->delayed, record_is_due_before);
    *store = &memory->store;
    return STATUS_OK;
}
