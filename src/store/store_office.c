#include "store/store_office.h"

#include "base/check.h"
#include "store/store_ops.h"

static const char *const job_state_names[STORE_JOB_STATES] = {
    [STORE_JOB_RUNNING] = "running",
    [STORE_JOB_DONE] = "done",
    [STORE_JOB_STOPPED] = "stopped",
};

const char *store_job_state_name(enum store_job_state state) {
    check((size_t)state < STORE_JOB_STATES);
    return job_state_names[state];
}

bool store_job_state_from_name(struct text name, enum store_job_state *state) {
    for (size_t i = 0; i < STORE_JOB_STATES; i++)
        if (text_equal_string(name, job_state_names[i])) {
            *state = (enum store_job_state)i;
            return true;
        }
    return false;
}

enum status store_change(struct store_session *session, struct store_change *change,
                         struct error *error) {
    check(session != NULL && change != NULL && change->ids != NULL);
    check(change->count > 0 && change->count <= STORE_CHANGE_MESSAGES_MAX);
    change->changed = 0;
    return store_finish(session->store->ops->change(session, change, error),
                        change->kind == STORE_CANCEL ? "cancel messages" : "retry messages", error);
}

static void cut(struct text *text) {
    *text = text_utf8_prefix(*text, STORE_AUDIT_TEXT_BYTES_MAX);
}

enum status store_audit_add(struct store_session *session, struct store_audit *entry,
                            struct error *error) {
    check(session != NULL && entry != NULL && entry->action.len > 0);
    struct text *const texts[] = {&entry->action,     &entry->actor,   &entry->address,
                                  &entry->request_id, &entry->subject, &entry->detail};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cut(texts[i]);
    return store_finish(session->store->ops->audit_add(session, entry, error), "add to the audit",
                        error);
}

enum status store_audit_list(struct store_session *session, const struct store_audit_query *query,
                             struct arena *arena, struct store_audit_page *page,
                             struct error *error) {
    check(session != NULL && query != NULL && arena != NULL && page != NULL);
    check(query->limit > 0 && query->limit <= STORE_LIST_LIMIT_MAX);
    *page = (struct store_audit_page){0};
    page->entries = arena_alloc(arena, (query->limit + 1) * sizeof *page->entries);
    if (page->entries == NULL)
        return error_set(error, STATUS_FULL, "list the audit: it takes too much memory");
    enum status status = session->store->ops->audit_list(session, query, arena, page, error);
    page->more = page->count > query->limit;
    if (page->more)
        page->count = query->limit;
    return store_finish(status, "list the audit", error);
}

enum status store_job_create(struct store_session *session, struct store_job *job,
                             struct error *error) {
    check(session != NULL && job != NULL && job->filter.len <= STORE_JOB_FILTER_BYTES_MAX);
    cut(&job->actor);
    return store_finish(session->store->ops->job_create(session, job, error), "create a job",
                        error);
}

enum status store_job_list(struct store_session *session, const struct store_job_query *query,
                           struct arena *arena, struct store_job_list *list, struct error *error) {
    check(session != NULL && query != NULL && arena != NULL && list != NULL);
    check(query->limit > 0 && query->limit <= STORE_LIST_LIMIT_MAX);
    *list = (struct store_job_list){0};
    list->jobs = arena_alloc(arena, query->limit * sizeof *list->jobs);
    if (list->jobs == NULL)
        return error_set(error, STATUS_FULL, "list jobs: the list takes too much memory");
    return store_finish(session->store->ops->job_list(session, query, arena, list, error),
                        "list jobs", error);
}

enum status store_job_get(struct store_session *session, int64_t id, struct arena *arena,
                          struct store_job *job, struct error *error) {
    check(session != NULL && arena != NULL && job != NULL);
    const struct store_job_query query = {.id = id, .limit = 1};
    struct store_job_list list = {0};
    enum status status = id > 0 ? store_job_list(session, &query, arena, &list, error) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (list.count == 0)
        return error_set(error, STATUS_NOT_FOUND, "there is no job with this id");
    *job = list.jobs[0];
    return STATUS_OK;
}

enum status store_job_advance(struct store_session *session, const struct store_job *job,
                              const struct store_job_step *step, struct error *error) {
    check(session != NULL && job != NULL && step != NULL);
    return store_finish(session->store->ops->job_advance(session, job, step, error),
                        "go on with a job", error);
}
