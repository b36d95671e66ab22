#include "store/memory/memory_store.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text keep(struct text text) {
    char *bytes = memory_zeroed(text.len + 1, 1);
    if (text.len > 0)
        memcpy(bytes, text.data, text.len);
    return (struct text){bytes, text.len};
}

static void drop(struct text text) {
    free((void *)text.data);
}

enum status memory_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                             struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    for (size_t i = 0; i < count; i++) {
        const struct key_entry *entry = memory_keys_find(&memory->keys, keys[i].key);
        keys[i].found = entry != NULL;
        if (entry == NULL)
            continue;
        snprintf(keys[i].fingerprint, sizeof keys[i].fingerprint, "%s", entry->fingerprint);
        snprintf(keys[i].id.text, sizeof keys[i].id.text, "%lld", (long long)entry->message_id);
        keys[i].created_at_ms = entry->created_at_ms;
    }
    memory_unlock(memory);
    return STATUS_OK;
}

static bool cancel(struct memory_store *memory, struct record *record) {
    if (record->state != MESSAGE_PENDING)
        return false;
    if (!heap_remove(&memory->ready, record))
        heap_remove(&memory->delayed, record);
    message_state_move(&record->state, MESSAGE_CANCELLED);
    record->due_at_ms = 0;
    memory_count_move(memory, MESSAGE_PENDING, MESSAGE_CANCELLED);
    return true;
}

static bool retry(struct memory_store *memory, struct record *record) {
    enum message_state before = record->state;
    if ((MESSAGE_STATE_BIT(before) & MESSAGE_STATES_RETRYABLE) == 0)
        return false;
    record_retry(record);
    memory_count_move(memory, before, MESSAGE_PENDING);
    memory_enqueue(memory, record);
    return true;
}

enum status memory_change(struct store_session *session, struct store_change *change,
                          struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    for (size_t i = 0; i < change->count; i++) {
        struct record *record = memory_find(memory, text_of(change->ids[i].text));
        if (record != NULL)
            change->changed +=
                change->kind == STORE_CANCEL ? cancel(memory, record) : retry(memory, record);
    }
    memory_unlock(memory);
    return STATUS_OK;
}

enum status memory_audit_add(struct store_session *session, struct store_audit *entry,
                             struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    struct memory_office *office = &memory->office;
    office->audit = memory_resize(office->audit, office->audit_count + 1, sizeof *office->audit);
    entry->id = (int64_t)office->audit_count + 1;
    entry->at_ms = clock_wall_ms(memory->clock);
    struct store_audit *kept = &office->audit[office->audit_count++];
    *kept = *entry;
    kept->action = keep(entry->action);
    kept->actor = keep(entry->actor);
    kept->address = keep(entry->address);
    kept->request_id = keep(entry->request_id);
    kept->subject = keep(entry->subject);
    kept->detail = keep(entry->detail);
    memory_unlock(memory);
    return STATUS_OK;
}

static bool copy_to(struct arena *arena, struct text source, struct text *target) {
    *target = arena_copy(arena, source);
    return target->data != NULL;
}

static bool read_audit(const struct store_audit *kept, struct arena *arena,
                       struct store_audit *entry) {
    *entry = *kept;
    return copy_to(arena, kept->action, &entry->action) &&
           copy_to(arena, kept->actor, &entry->actor) &&
           copy_to(arena, kept->address, &entry->address) &&
           copy_to(arena, kept->request_id, &entry->request_id) &&
           copy_to(arena, kept->subject, &entry->subject) &&
           copy_to(arena, kept->detail, &entry->detail);
}

enum status memory_audit_list(struct store_session *session, const struct store_audit_query *query,
                              struct arena *arena, struct store_audit_page *page,
                              struct error *error) {
    struct memory_store *memory = memory_lock(session);
    const struct memory_office *office = &memory->office;
    enum status status = STATUS_OK;
    bool within = query->before > 0 && (size_t)query->before <= office->audit_count;
    size_t at = within ? (size_t)query->before - 1 : office->audit_count;
    while (at > 0 && page->count <= query->limit && status == STATUS_OK)
        if (!read_audit(&office->audit[--at], arena, &page->entries[page->count++]))
            status = error_set(error, STATUS_FULL, "the audit takes too much memory");
    memory_unlock(memory);
    return status;
}

enum status memory_job_create(struct store_session *session, struct store_job *job,
                              struct error *error) {
    (void)error;
    struct memory_store *memory = memory_lock(session);
    struct memory_office *office = &memory->office;
    office->jobs = memory_resize(office->jobs, office->jobs_count + 1, sizeof *office->jobs);
    job->id = (int64_t)office->jobs_count + 1;
    job->created_at_ms = job->updated_at_ms = clock_wall_ms(memory->clock);
    office->jobs[office->jobs_count++] = (struct store_job){
        .id = job->id,
        .filter = keep(job->filter),
        .actor = keep(job->actor),
        .rate = job->rate,
        .matched = job->matched,
        .created_at_ms = job->created_at_ms,
        .updated_at_ms = job->updated_at_ms,
    };
    memory_unlock(memory);
    return STATUS_OK;
}

static bool read_job(const struct store_job *kept, int64_t now_ms, struct arena *arena,
                     struct store_job *job) {
    *job = *kept;
    job->next_step_in_ms = kept->next_step_in_ms > now_ms ? kept->next_step_in_ms - now_ms : 0;
    return copy_to(arena, kept->filter, &job->filter) && copy_to(arena, kept->actor, &job->actor);
}

enum status memory_job_list(struct store_session *session, const struct store_job_query *query,
                            struct arena *arena, struct store_job_list *list, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    int64_t now_ms = clock_wall_ms(memory->clock);
    enum status status = STATUS_OK;
    for (size_t at = memory->office.jobs_count;
         at > 0 && list->count < query->limit && status == STATUS_OK; at--) {
        const struct store_job *kept = &memory->office.jobs[at - 1];
        if ((query->id > 0 && kept->id != query->id) ||
            (query->running && kept->state != STORE_JOB_RUNNING))
            continue;
        if (!read_job(kept, now_ms, arena, &list->jobs[list->count++]))
            status = error_set(error, STATUS_FULL, "the jobs take too much memory");
    }
    memory_unlock(memory);
    return status;
}

enum status memory_job_advance(struct store_session *session, const struct store_job *job,
                               const struct store_job_step *step, struct error *error) {
    struct memory_store *memory = memory_lock(session);
    bool known = job->id > 0 && (size_t)job->id <= memory->office.jobs_count;
    struct store_job *kept = known ? &memory->office.jobs[job->id - 1] : NULL;
    bool same = known && kept->state == STORE_JOB_RUNNING &&
                strcmp(kept->cursor.text, job->cursor.text) == 0;
    if (same) {
        int64_t now_ms = clock_wall_ms(memory->clock);
        kept->state = step->state;
        kept->cursor = step->cursor;
        kept->retried += step->retried;
        kept->updated_at_ms = now_ms;
        kept->next_step_in_ms = now_ms + step->pause_ms;
    }
    memory_unlock(memory);
    return same
               ? STATUS_OK
               : error_set(error, STATUS_CONFLICT, "the job has gone on, or does not run any more");
}

void memory_office_deinit(struct memory_office *office) {
    for (size_t i = 0; i < office->audit_count; i++) {
        const struct store_audit *kept = &office->audit[i];
        drop(kept->action);
        drop(kept->actor);
        drop(kept->address);
        drop(kept->request_id);
        drop(kept->subject);
        drop(kept->detail);
    }
    for (size_t i = 0; i < office->jobs_count; i++) {
        drop(office->jobs[i].filter);
        drop(office->jobs[i].actor);
    }
    free(office->audit);
    free(office->jobs);
}
