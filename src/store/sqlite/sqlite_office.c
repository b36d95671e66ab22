#include "store/sqlite/sqlite_store.h"

#include <stdio.h>

static enum status change_all(struct sqlite_connection *connection, struct store_change *change,
                              struct error *error) {
    sqlite3_stmt *update = sqlite_statement(
        connection, change->kind == STORE_CANCEL ? SQLITE_CANCEL : SQLITE_RETRY, error);
    if (update == NULL)
        return error->status;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < change->count && status == STATUS_OK; i++) {
        int64_t id = 0;
        if (!message_id_to_number(text_of(change->ids[i].text), &id))
            continue;
        sqlite3_bind_int64(update, 1, id);
        status = sqlite_run(connection, update, error);
        change->changed += status == STATUS_OK && sqlite3_changes(connection->db) > 0;
    }
    return status;
}

enum status sqlite_change(struct store_session *session, struct store_change *change,
                          struct error *error) {
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    status = change_all(sqlite_connection_of(session), change, error);
    return sqlite_write_end(session, status, error);
}

static int64_t now_ms(struct store_session *session) {
    return clock_wall_ms(sqlite_store_of(session->store)->clock);
}

/* Runs an insert whose parameters are bound, in a transaction of its own. */
static enum status insert_row(struct store_session *session, sqlite3_stmt *insert, int64_t *id,
                              struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    status = sqlite_run(connection, insert, error);
    *id = sqlite3_last_insert_rowid(connection->db);
    return sqlite_write_end(session, status, error);
}

enum status sqlite_audit_add(struct store_session *session, struct store_audit *entry,
                             struct error *error) {
    sqlite3_stmt *insert =
        sqlite_statement(sqlite_connection_of(session), SQLITE_INSERT_AUDIT, error);
    if (insert == NULL)
        return error->status;
    entry->at_ms = now_ms(session);
    sqlite3_bind_int64(insert, 1, entry->at_ms);
    sqlite_bind_view(insert, 2, entry->action);
    sqlite_bind_view(insert, 3, entry->actor);
    sqlite_bind_view(insert, 4, entry->address);
    sqlite_bind_view(insert, 5, entry->request_id);
    sqlite_bind_view(insert, 6, entry->subject);
    sqlite_bind_view(insert, 7, entry->detail);
    sqlite3_bind_int64(insert, 8, entry->start_id);
    return insert_row(session, insert, &entry->id, error);
}

static bool copy_column(sqlite3_stmt *row, int column, size_t bytes_max, struct arena *arena,
                        struct text *target) {
    *target = arena_copy(arena, text_utf8_prefix(sqlite_column_view(row, column), bytes_max));
    return target->data != NULL;
}

static bool read_audit(sqlite3_stmt *row, struct arena *arena, struct store_audit *entry) {
    entry->id = sqlite3_column_int64(row, 0);
    entry->at_ms = sqlite3_column_int64(row, 1);
    entry->start_id = sqlite3_column_int64(row, 8);
    struct text *const texts[] = {&entry->action,     &entry->actor,   &entry->address,
                                  &entry->request_id, &entry->subject, &entry->detail};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!copy_column(row, 2 + (int)i, STORE_AUDIT_TEXT_BYTES_MAX, arena, texts[i]))
            return false;
    return true;
}

enum status sqlite_audit_list(struct store_session *session, const struct store_audit_query *query,
                              struct arena *arena, struct store_audit_page *page,
                              struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    sqlite3_stmt *row = sqlite_statement(connection, SQLITE_LIST_AUDIT, error);
    if (row == NULL)
        return error->status;
    sqlite3_bind_int64(row, 1, query->before > 0 ? query->before : INT64_MAX);
    sqlite3_bind_int64(row, 2, (int64_t)query->limit + 1);
    bool found = true;
    enum status status = STATUS_OK;
    while ((status = sqlite_next(connection, row, &found, error)) == STATUS_OK && found) {
        if (read_audit(row, arena, &page->entries[page->count++]))
            continue;
        status = error_set(error, STATUS_FULL, "the audit takes too much memory");
        break;
    }
    sqlite3_reset(row);
    return status;
}

enum status sqlite_job_create(struct store_session *session, struct store_job *job,
                              struct error *error) {
    sqlite3_stmt *insert =
        sqlite_statement(sqlite_connection_of(session), SQLITE_INSERT_JOB, error);
    if (insert == NULL)
        return error->status;
    job->created_at_ms = job->updated_at_ms = now_ms(session);
    sqlite_bind_view(insert, 1, job->filter);
    sqlite_bind_view(insert, 2, job->actor);
    sqlite3_bind_int64(insert, 3, job->rate);
    sqlite3_bind_int64(insert, 4, job->matched);
    sqlite3_bind_int64(insert, 5, job->created_at_ms);
    return insert_row(session, insert, &job->id, error);
}

static bool read_job(sqlite3_stmt *row, int64_t now, struct arena *arena, struct store_job *job) {
    *job = (struct store_job){
        .id = sqlite3_column_int64(row, 0),
        .rate = sqlite3_column_int64(row, 4),
        .matched = sqlite3_column_int64(row, 5),
        .retried = sqlite3_column_int64(row, 6),
        .created_at_ms = sqlite3_column_int64(row, 7),
        .updated_at_ms = sqlite3_column_int64(row, 8),
    };
    int64_t next_step_at = sqlite3_column_int64(row, 10);
    job->next_step_in_ms = next_step_at > now ? next_step_at - now : 0;
    store_job_state_from_name(sqlite_column_view(row, 1), &job->state);
    snprintf(job->cursor.text, sizeof job->cursor.text, "%s", sqlite_column_view(row, 9).data);
    return copy_column(row, 2, STORE_JOB_FILTER_BYTES_MAX, arena, &job->filter) &&
           copy_column(row, 3, STORE_AUDIT_TEXT_BYTES_MAX, arena, &job->actor);
}

enum status sqlite_job_list(struct store_session *session, const struct store_job_query *query,
                            struct arena *arena, struct store_job_list *list, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    enum sqlite_statement which = query->id > 0    ? SQLITE_GET_JOB
                                  : query->running ? SQLITE_LIST_RUNNING_JOBS
                                                   : SQLITE_LIST_JOBS;
    sqlite3_stmt *row = sqlite_statement(connection, which, error);
    if (row == NULL)
        return error->status;
    sqlite3_bind_int64(row, 1, (int64_t)query->limit);
    if (query->id > 0)
        sqlite3_bind_int64(row, 2, query->id);
    int64_t now = now_ms(session);
    bool found = true;
    enum status status = STATUS_OK;
    while ((status = sqlite_next(connection, row, &found, error)) == STATUS_OK && found) {
        if (read_job(row, now, arena, &list->jobs[list->count++]))
            continue;
        status = error_set(error, STATUS_FULL, "the jobs take too much memory");
        break;
    }
    sqlite3_reset(row);
    return status;
}

static enum status advance(struct store_session *session, const struct store_job *job,
                           const struct store_job_step *step, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    sqlite3_stmt *update = sqlite_statement(connection, SQLITE_ADVANCE_JOB, error);
    if (update == NULL)
        return error->status;
    int64_t now = now_ms(session);
    sqlite3_bind_int64(update, 1, job->id);
    sqlite_bind_view(update, 2, text_of(job->cursor.text));
    sqlite3_bind_int64(update, 3, now);
    sqlite_bind_view(update, 4, text_of(store_job_state_name(step->state)));
    sqlite_bind_view(update, 5, text_of(step->cursor.text));
    sqlite3_bind_int64(update, 6, step->retried);
    sqlite3_bind_int64(update, 7, now + step->pause_ms);
    enum status status = sqlite_run(connection, update, error);
    if (status == STATUS_OK && sqlite3_changes(connection->db) == 0)
        return error_set(error, STATUS_CONFLICT, "the job has gone on, or does not run any more");
    return status;
}

enum status sqlite_job_advance(struct store_session *session, const struct store_job *job,
                               const struct store_job_step *step, struct error *error) {
    enum status status = sqlite_write_begin(session, error);
    if (status != STATUS_OK)
        return status;
    status = advance(session, job, step, error);
    return sqlite_write_end(session, status, error);
}
