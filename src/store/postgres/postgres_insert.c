#include "store/postgres/postgres_array.h"
#include "store/postgres/postgres_store.h"

#include <stdio.h>
#include <string.h>

#define INSERT_BYTES_MAX ((size_t)900 << 20) /* PostgreSQL takes 1 GB in one parameter */

/* The parameters of posthaste_insert: three arrays, and JSON for what few messages have. */
struct inserts {
    struct buffer recipients, contents, priorities, more;
};

static void inserts_deinit(struct inserts *inserts) {
    buffer_deinit(&inserts->recipients);
    buffer_deinit(&inserts->contents);
    buffer_deinit(&inserts->priorities);
    buffer_deinit(&inserts->more);
}

static bool has_more(const struct message_draft *draft) {
    return draft->due_at_ms > 0 || draft->expires_at_ms > 0 || draft->max_attempts > 0 ||
           draft->metadata.len > 0 || draft->provider.len > 0 || draft->key.len > 0;
}

static void write_optional_text(struct json_writer *json, const char *key, struct text value) {
    if (value.len > 0)
        postgres_text_write(json, key, value);
}

static void write_optional_number(struct json_writer *json, const char *key, int64_t value) {
    if (value > 0)
        json_member_int64(json, key, value);
}

static void write_more(struct json_writer *json, const struct message_draft *draft, size_t n) {
    json_object_open(json);
    json_member_int64(json, "n", (int64_t)n);
    write_optional_number(json, "due_at_ms", draft->due_at_ms);
    write_optional_number(json, "expires_at_ms", draft->expires_at_ms);
    write_optional_number(json, "max_attempts", draft->max_attempts);
    /* JSON within JSON, as a text, so that it stays as it is. */
    if (draft->metadata.len > 0)
        json_member_text(json, "metadata", draft->metadata);
    write_optional_text(json, "provider", draft->provider);
    write_optional_text(json, "key", draft->key);
    write_optional_text(json, "fingerprint", draft->fingerprint);
    json_object_close(json);
}

static void inserts_init(struct inserts *inserts, const struct message_draft *drafts,
                         size_t count) {
    postgres_array_open(&inserts->recipients, INSERT_BYTES_MAX);
    postgres_array_open(&inserts->contents, INSERT_BYTES_MAX);
    postgres_array_open(&inserts->priorities, INSERT_BYTES_MAX);
    buffer_init(&inserts->more, INSERT_BYTES_MAX);
    struct json_writer json = json_writer_on(&inserts->more);
    json_array_open(&json);
    for (size_t i = 0; i < count; i++) {
        postgres_array_add_text(&inserts->recipients, drafts[i].recipient);
        postgres_array_add_text(&inserts->contents, drafts[i].content);
        postgres_array_add_number(&inserts->priorities, drafts[i].priority);
        if (has_more(&drafts[i]))
            write_more(&json, &drafts[i], i + 1);
    }
    json_array_close(&json);
}

static enum status keep_ids(const struct postgres_rows *rows, size_t count, struct message_id *ids,
                            struct error *error) {
    if (rows->count != count)
        return error_set(error, STATUS_BROKEN,
                         "postgres: %zu rows were inserted instead of %zu; a trigger or rule of"
                         " the table keeps rows back",
                         rows->count, count);
    for (size_t i = 0; i < count; i++)
        snprintf(ids[i].text, sizeof ids[i].text, "%s", postgres_text(rows, i, 0).data);
    return STATUS_OK;
}

enum status postgres_insert(struct store_session *session, const struct message_draft *drafts,
                            size_t count, struct message_id *ids, struct error *error) {
    struct inserts inserts;
    inserts_init(&inserts, drafts, count);
    const char *const parameters[] = {
        postgres_array_close(&inserts.recipients), postgres_array_close(&inserts.contents),
        postgres_array_close(&inserts.priorities), buffer_view(&inserts.more).data};
    bool fits = parameters[0] != NULL && parameters[1] != NULL && parameters[2] != NULL &&
                !inserts.more.overflowed;
    struct postgres_rows rows;
    enum status status =
        fits ? postgres_run(postgres_session_of(session)->connection, POSTGRES_INSERT, parameters,
                            &rows, error)
             : error_set(error, STATUS_FULL, "these messages are too large to insert at once");
    inserts_deinit(&inserts);
    if (status != STATUS_OK)
        return status;
    status = keep_ids(&rows, count, ids, error);
    postgres_rows_deinit(&rows);
    return status;
}

static void read_keys(const struct postgres_rows *rows, struct store_key *keys, size_t count) {
    for (size_t row = 0; row < rows->count; row++) {
        size_t place = (size_t)postgres_number(rows, row, 0);
        if (place >= count)
            continue;
        struct store_key *key = &keys[place];
        key->found = true;
        snprintf(key->fingerprint, sizeof key->fingerprint, "%s", postgres_text(rows, row, 1).data);
        snprintf(key->id.text, sizeof key->id.text, "%s", postgres_text(rows, row, 2).data);
        key->created_at_ms = postgres_number(rows, row, 3);
    }
}

enum status postgres_find_keys(struct store_session *session, struct store_key *keys, size_t count,
                               struct error *error) {
    struct buffer wanted;
    postgres_array_open(&wanted, INSERT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        postgres_array_add_text(&wanted, keys[i].key);
        keys[i].found = false;
    }
    const char *const parameters[] = {postgres_array_close(&wanted)};
    struct postgres_rows rows;
    enum status status =
        parameters[0] == NULL
            ? error_set(error, STATUS_FULL, "these are too many keys at once")
            : postgres_read_rows(session, POSTGRES_FIND_KEYS, parameters, &rows, error);
    buffer_deinit(&wanted);
    if (status != STATUS_OK)
        return status;
    read_keys(&rows, keys, count);
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}
