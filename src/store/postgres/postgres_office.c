#include "base/check.h"
#include "store/postgres/postgres_array.h"
#include "store/postgres/postgres_store.h"

#include <stdio.h>
#include <string.h>

#define CHANGE_BYTES_MAX ((size_t)1 << 20)
#define NUMBER_BYTES 24
#define AUDIT_TEXTS 6

struct number {
    char text[NUMBER_BYTES];
};

static struct number number_of(int64_t value) {
    struct number number;
    snprintf(number.text, sizeof number.text, "%lld", (long long)value);
    return number;
}

enum status postgres_change(struct store_session *session, struct store_change *change,
                            struct error *error) {
    struct buffer array;
    postgres_array_open(&array, CHANGE_BYTES_MAX);
    for (size_t i = 0; i < change->count; i++) {
        char id[MESSAGE_ID_BYTES_MAX + 1];
        if (postgres_id_parameter(text_of(change->ids[i].text), id))
            postgres_array_add_text(&array, text_of(id));
    }
    const char *const parameters[] = {postgres_array_close(&array)};
    check(parameters[0] != NULL);
    struct postgres_rows rows;
    enum status status = postgres_run(
        postgres_session_of(session)->connection,
        change->kind == STORE_CANCEL ? POSTGRES_CANCEL : POSTGRES_RETRY, parameters, &rows, error);
    buffer_deinit(&array);
    if (status != STATUS_OK)
        return status;
    change->changed = (size_t)postgres_number(&rows, 0, 0);
    postgres_rows_deinit(&rows);
    if (change->kind == STORE_RETRY)
        atomic_fetch_add(&postgres_store_of(session->store)->given_back, 1);
    return STATUS_OK;
}

/* Terminated, as parameters have to be; what PostgreSQL's texts cannot hold becomes '?'. */
static void copy_parameter(char target[STORE_AUDIT_TEXT_BYTES_MAX + 1], struct text source) {
    bool readable = text_utf8_count(source) >= 0;
    size_t length = 0;
    for (; length < source.len; length++) {
        char byte = source.data[length];
        target[length] = byte == '\0' || (!readable && (byte & 0x80) != 0) ? '?' : byte;
    }
    target[length] = '\0';
}

enum status postgres_audit_add(struct store_session *session, struct store_audit *entry,
                               struct error *error) {
    char texts[AUDIT_TEXTS][STORE_AUDIT_TEXT_BYTES_MAX + 1];
    const struct text sources[AUDIT_TEXTS] = {entry->action,     entry->actor,   entry->address,
                                              entry->request_id, entry->subject, entry->detail};
    const char *parameters[AUDIT_TEXTS + 1];
    for (size_t i = 0; i < AUDIT_TEXTS; i++) {
        copy_parameter(texts[i], sources[i]);
        parameters[i] = texts[i];
    }
    struct number start = number_of(entry->start_id);
    parameters[AUDIT_TEXTS] = start.text;
    struct postgres_rows rows;
    enum status status = postgres_run(postgres_session_of(session)->connection, POSTGRES_ADD_AUDIT,
                                      parameters, &rows, error);
    if (status != STATUS_OK)
        return status;
    entry->id = postgres_number(&rows, 0, 0);
    entry->at_ms = postgres_number(&rows, 0, 1);
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}

/* Other writers may have left more than we read. */
static bool copy_column(const struct postgres_rows *rows, size_t row, int column,
                        struct arena *arena, struct text *target) {
    struct text value = postgres_text(rows, row, column);
    *target = arena_copy(arena, text_utf8_prefix(value, STORE_JOB_FILTER_BYTES_MAX));
    return target->data != NULL;
}

static bool read_audit(const struct postgres_rows *rows, size_t row, struct arena *arena,
                       struct store_audit *entry) {
    entry->id = postgres_number(rows, row, 0);
    entry->at_ms = postgres_number(rows, row, 1);
    entry->start_id = postgres_number(rows, row, 8);
    struct text *const texts[AUDIT_TEXTS] = {&entry->action,     &entry->actor,   &entry->address,
                                             &entry->request_id, &entry->subject, &entry->detail};
    for (int i = 0; i < AUDIT_TEXTS; i++)
        if (!copy_column(rows, row, 2 + i, arena, texts[i]))
            return false;
    return true;
}

enum status postgres_audit_list(struct store_session *session,
                                const struct store_audit_query *query, struct arena *arena,
                                struct store_audit_page *page, struct error *error) {
    struct number below = number_of(query->before > 0 ? query->before : INT64_MAX);
    struct number most = number_of((int64_t)query->limit + 1);
    struct postgres_rows rows;
    enum status status = postgres_read_rows(
        session, POSTGRES_LIST_AUDIT, (const char *const[]){below.text, most.text}, &rows, error);
    if (status != STATUS_OK)
        return status;
    for (; status == STATUS_OK && page->count < rows.count; page->count++)
        if (!read_audit(&rows, page->count, arena, &page->entries[page->count]))
            status = error_set(error, STATUS_FULL, "the audit takes too much memory");
    postgres_rows_deinit(&rows);
    return status;
}

enum status postgres_job_create(struct store_session *session, struct store_job *job,
                                struct error *error) {
    char filter[STORE_JOB_FILTER_BYTES_MAX + 1], actor[STORE_AUDIT_TEXT_BYTES_MAX + 1];
    snprintf(filter, sizeof filter, "%.*s", TEXT_ARGUMENT(job->filter));
    copy_parameter(actor, job->actor);
    struct number rate = number_of(job->rate), matched = number_of(job->matched);
    struct postgres_rows rows;
    enum status status =
        postgres_run(postgres_session_of(session)->connection, POSTGRES_CREATE_JOB,
                     (const char *const[]){filter, actor, rate.text, matched.text}, &rows, error);
    if (status != STATUS_OK)
        return status;
    job->id = postgres_number(&rows, 0, 0);
    job->created_at_ms = job->updated_at_ms = postgres_number(&rows, 0, 1);
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}

static bool read_job(const struct postgres_rows *rows, size_t row, struct arena *arena,
                     struct store_job *job) {
    *job = (struct store_job){
        .id = postgres_number(rows, row, 0),
        .rate = postgres_number(rows, row, 4),
        .matched = postgres_number(rows, row, 5),
        .retried = postgres_number(rows, row, 6),
        .created_at_ms = postgres_number(rows, row, 7),
        .updated_at_ms = postgres_number(rows, row, 8),
        .next_step_in_ms = postgres_number(rows, row, 10),
    };
    store_job_state_from_name(postgres_text(rows, row, 1), &job->state);
    snprintf(job->cursor.text, sizeof job->cursor.text, "%s", postgres_text(rows, row, 9).data);
    return copy_column(rows, row, 2, arena, &job->filter) &&
           copy_column(rows, row, 3, arena, &job->actor);
}

enum status postgres_job_list(struct store_session *session, const struct store_job_query *query,
                              struct arena *arena, struct store_job_list *list,
                              struct error *error) {
    struct number wanted = number_of(query->id), most = number_of((int64_t)query->limit);
    struct postgres_rows rows;
    enum status status = postgres_read_rows(
        session, POSTGRES_LIST_JOBS,
        (const char *const[]){wanted.text, query->running ? "running" : "", most.text}, &rows,
        error);
    if (status != STATUS_OK)
        return status;
    for (; status == STATUS_OK && list->count < rows.count; list->count++)
        if (!read_job(&rows, list->count, arena, &list->jobs[list->count]))
            status = error_set(error, STATUS_FULL, "the jobs take too much memory");
    postgres_rows_deinit(&rows);
    return status;
}

enum status postgres_job_advance(struct store_session *session, const struct store_job *job,
                                 const struct store_job_step *step, struct error *error) {
    struct number id = number_of(job->id), retried = number_of(step->retried);
    struct number pause = number_of(step->pause_ms);
    struct postgres_rows rows;
    enum status status = postgres_run(
        postgres_session_of(session)->connection, POSTGRES_ADVANCE_JOB,
        (const char *const[]){id.text, job->cursor.text, store_job_state_name(step->state),
                              step->cursor.text, retried.text, pause.text},
        &rows, error);
    if (status != STATUS_OK)
        return status;
    bool advanced = postgres_number(&rows, 0, 0) > 0;
    postgres_rows_deinit(&rows);
    return advanced
               ? STATUS_OK
               : error_set(error, STATUS_CONFLICT, "the job has gone on, or does not run any more");
}
