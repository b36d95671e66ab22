/* Lists and counts by a query. The SQL is put together for each: every set of states has the
 * indexes that serve it, and what no index serves is looked for in a part of the list only. */
#include "base/check.h"
#include "store/sqlite/sqlite_columns.h"
#include "store/sqlite/sqlite_store.h"

#include <stdio.h>

#define LIST_SQL_BYTES_MAX 8192
/* The numbers of the parameters, wherever they stand. */
enum parameter {
    PARAMETER_AFTER = 1,
    PARAMETER_LIMIT,
    PARAMETER_OFFSET,
    PARAMETER_RECIPIENT,
    PARAMETER_PROVIDER,
    PARAMETER_CONTENT,
    PARAMETER_CREATED_FROM,
    PARAMETER_CREATED_TO,
    PARAMETER_SENT_FROM,
    PARAMETER_SENT_TO,
};

/* Selects the ids and times of one set of states, after the cursor. */
static void add_source(struct buffer *sql, const struct store_query *query, const char *index,
                       const char *condition) {
    static const char *const places[] = {
        [STORE_NEWEST_FIRST] = " AND m.id < ?1",
        [STORE_OLDEST_FIRST] = " AND m.id > ?1",
        [STORE_LAST_SENT_FIRST] = "",
    };
    if (sql->len > 0)
        buffer_append_string(sql, " UNION ALL ");
    buffer_printf(sql, "SELECT m.id AS id, m.sent_at AS sent_at FROM messages AS m%s WHERE %s%s",
                  index, condition, query->after.len > 0 ? places[query->order] : "");
}

static bool wants(const struct store_query *query, enum message_state state) {
    return query->states == 0 || (query->states & MESSAGE_STATE_BIT(state)) != 0;
}

/* All states at once, by reading the table (or what was sent, in its own index). */
static void add_whole_table(struct buffer *sql, const struct store_query *query) {
    struct buffer condition;
    buffer_init(&condition, LIST_SQL_BYTES_MAX);
    buffer_append_string(&condition, query->states == 0 ? "true" : "(+m.status IN (''");
    for (size_t i = 0; i < MESSAGE_STATES && query->states != 0; i++)
        if (wants(query, (enum message_state)i) && i != MESSAGE_PENDING && i != MESSAGE_SENDING)
            buffer_printf(&condition, ", '%s'", message_state_name((enum message_state)i));
    if (query->states != 0) {
        bool pending = wants(query, MESSAGE_PENDING), sending = wants(query, MESSAGE_SENDING);
        buffer_append_string(&condition, ")");
        if (pending || sending)
            buffer_printf(&condition, " OR (+m.status = 'pending'%s)",
                          pending && sending ? ""
                          : pending          ? " AND m.id NOT IN " SQLITE_CLAIMED_IDS
                                             : " AND m.id IN " SQLITE_CLAIMED_IDS);
        buffer_append_string(&condition, ")");
    }
    bool by_time = query->order == STORE_LAST_SENT_FIRST;
    if (by_time)
        buffer_append_string(&condition, " AND m.status IN ('sent', 'delivered', 'undelivered')");
    add_source(sql, query, by_time ? " INDEXED BY messages_sent" : "",
               buffer_view(&condition).data);
    buffer_deinit(&condition);
}

/* Each state in the index that holds few others. */
static void add_partial_sources(struct buffer *sql, const struct store_query *query) {
    if (wants(query, MESSAGE_PENDING)) {
        add_source(sql, query, " INDEXED BY messages_ready",
                   "m.status = 'pending' AND m.due_at IS NULL AND m.id NOT IN " SQLITE_CLAIMED_IDS);
        add_source(
            sql, query, " INDEXED BY messages_delayed",
            "m.status = 'pending' AND m.due_at IS NOT NULL AND m.id NOT IN " SQLITE_CLAIMED_IDS);
    }
    if (wants(query, MESSAGE_SENDING))
        add_source(sql, query, "", "m.id IN " SQLITE_CLAIMED_IDS " AND m.status = 'pending'");
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        char condition[128];
        if (i == MESSAGE_PENDING || i == MESSAGE_SENDING || !wants(query, (enum message_state)i))
            continue;
        snprintf(condition, sizeof condition,
                 "m.status = '%s' AND m.status NOT IN ('pending', 'sent', 'delivered')",
                 message_state_name((enum message_state)i));
        add_source(sql, query, " INDEXED BY messages_parked", condition);
    }
}

static const char *order_of(const struct store_query *query) {
    static const char *const orders[] = {
        [STORE_NEWEST_FIRST] = " ORDER BY c.id DESC",
        [STORE_OLDEST_FIRST] = " ORDER BY c.id",
        [STORE_LAST_SENT_FIRST] = " ORDER BY c.sent_at DESC, c.id DESC",
    };
    return orders[query->order];
}

/* The candidates: ids and times in order; no more of them than one call looks at. */
static void add_candidates(struct buffer *sql, const struct store_query *query) {
    struct buffer sources;
    buffer_init(&sources, LIST_SQL_BYTES_MAX);
    bool bulk = query->states == 0 || (query->states & MESSAGE_STATES_SENT) != 0;
    if (bulk)
        add_whole_table(&sources, query);
    else
        add_partial_sources(&sources, query);
    buffer_printf(sql, "SELECT c.id AS id, c.sent_at AS sent_at FROM (%s) AS c%s",
                  buffer_view(&sources).data, order_of(query));
    if (store_query_is_selective(query))
        buffer_printf(sql, " LIMIT %d", STORE_SCAN_MAX);
    buffer_deinit(&sources);
}

static void add_filters(struct buffer *sql, const struct store_query *query) {
    buffer_append_string(sql, " WHERE true");
    if (query->recipient.len > 0)
        buffer_append_string(sql, " AND m.recipient = ?4");
    if (query->provider.len > 0)
        buffer_append_string(sql, " AND m.provider = ?5");
    if (query->content.len > 0)
        buffer_append_string(sql, " AND instr(m.content, ?6) > 0");
    if (query->created.from_ms > 0)
        buffer_append_string(sql, " AND m.created_at >= ?7");
    if (query->created.to_ms > 0)
        buffer_append_string(sql, " AND m.created_at < ?8");
    if (query->sent.from_ms > 0)
        buffer_append_string(sql, " AND m.sent_at >= ?9");
    if (query->sent.to_ms > 0)
        buffer_append_string(sql, " AND m.sent_at < ?10");
}

/* Only what the statement has. */
static void bind_number(sqlite3_stmt *statement, enum parameter parameter, int64_t value) {
    if ((int)parameter <= sqlite3_bind_parameter_count(statement))
        sqlite3_bind_int64(statement, (int)parameter, value);
}

static void bind_text(sqlite3_stmt *statement, enum parameter parameter, struct text value) {
    if ((int)parameter <= sqlite3_bind_parameter_count(statement))
        sqlite_bind_view(statement, (int)parameter, value);
}

static enum status prepare(struct sqlite_connection *connection, const struct buffer *sql,
                           const struct store_query *query, sqlite3_stmt **statement,
                           struct error *error) {
    check(!sql->overflowed);
    int result = sqlite3_prepare_v2(connection->db, sql->data, (int)sql->len, statement, NULL);
    if (result != SQLITE_OK)
        return sqlite_failure(connection, result, error);
    int64_t after = 0;
    if (query->after.len > 0 && !message_id_to_number(query->after, &after)) {
        sqlite3_finalize(*statement);
        return error_set(error, STATUS_INVALID, "the cursor is no id of a message");
    }
    bind_number(*statement, PARAMETER_AFTER, after);
    bind_number(*statement, PARAMETER_LIMIT, (int64_t)query->limit + 1);
    bind_number(*statement, PARAMETER_OFFSET, (int64_t)query->offset);
    bind_text(*statement, PARAMETER_RECIPIENT, query->recipient);
    bind_text(*statement, PARAMETER_PROVIDER, query->provider);
    bind_text(*statement, PARAMETER_CONTENT, query->content);
    bind_number(*statement, PARAMETER_CREATED_FROM, query->created.from_ms);
    bind_number(*statement, PARAMETER_CREATED_TO, query->created.to_ms);
    bind_number(*statement, PARAMETER_SENT_FROM, query->sent.from_ms);
    bind_number(*statement, PARAMETER_SENT_TO, query->sent.to_ms);
    return STATUS_OK;
}

/* Where the scan of a selective query ended, when it found less than a page. */
static enum status find_end(struct sqlite_connection *connection, const struct store_query *query,
                            struct store_page *page, struct error *error) {
    struct buffer sql;
    sqlite3_stmt *row = NULL;
    buffer_init(&sql, LIST_SQL_BYTES_MAX);
    buffer_append_string(&sql, "SELECT c.id FROM (");
    add_candidates(&sql, query);
    buffer_printf(&sql, ") AS c LIMIT 1 OFFSET %d", STORE_SCAN_MAX - 1);
    enum status status = prepare(connection, &sql, query, &row, error);
    buffer_deinit(&sql);
    if (status != STATUS_OK)
        return status;
    bool found = false;
    status = sqlite_next(connection, row, &found, error);
    page->more = status == STATUS_OK && found;
    if (page->more)
        snprintf(page->next.text, sizeof page->next.text, "%lld",
                 (long long)sqlite3_column_int64(row, 0));
    sqlite3_finalize(row);
    return status;
}

static enum status read_rows(struct sqlite_connection *connection, sqlite3_stmt *row,
                             struct arena *arena, struct store_page *page, struct error *error) {
    bool found = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        status = sqlite_next(connection, row, &found, error);
        if (status != STATUS_OK || !found)
            break;
        status = sqlite_read_message(row, arena, &page->messages[page->count++], error);
    }
    return status;
}

enum status sqlite_list(struct store_session *session, const struct store_query *query,
                        struct arena *arena, struct store_page *page, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    struct buffer sql;
    sqlite3_stmt *row = NULL;
    buffer_init(&sql, LIST_SQL_BYTES_MAX);
    buffer_append_string(&sql, "SELECT " SQLITE_MESSAGE_COLUMNS ", m.id IN " SQLITE_CLAIMED_IDS
                               " FROM (");
    add_candidates(&sql, query);
    buffer_append_string(&sql, ") AS c CROSS JOIN messages AS m ON m.id = c.id");
    add_filters(&sql, query);
    buffer_printf(&sql, "%s LIMIT ?2 OFFSET ?3", order_of(query));
    enum status status = prepare(connection, &sql, query, &row, error);
    buffer_deinit(&sql);
    if (status != STATUS_OK)
        return status;
    status = read_rows(connection, row, arena, page, error);
    sqlite3_finalize(row);
    bool may_go_on = store_query_is_selective(query) && query->order != STORE_LAST_SENT_FIRST;
    if (status == STATUS_OK && may_go_on && page->count <= query->limit)
        status = find_end(connection, query, page, error);
    return status;
}

enum status sqlite_count(struct store_session *session, const struct store_query *query,
                         struct store_total *total, struct error *error) {
    struct sqlite_connection *connection = sqlite_connection_of(session);
    struct buffer sql;
    sqlite3_stmt *row = NULL;
    struct store_query whole = *query;
    whole.after = (struct text){0};
    buffer_init(&sql, LIST_SQL_BYTES_MAX);
    buffer_append_string(&sql, "SELECT count(*) FROM (SELECT 1 FROM (");
    add_candidates(&sql, &whole);
    buffer_append_string(&sql, ") AS c CROSS JOIN messages AS m ON m.id = c.id");
    add_filters(&sql, &whole);
    buffer_printf(&sql, " LIMIT %d)", STORE_COUNT_MAX);
    enum status status = prepare(connection, &sql, &whole, &row, error);
    buffer_deinit(&sql);
    if (status != STATUS_OK)
        return status;
    status = sqlite_read_number(connection, row, &total->count, error);
    sqlite3_finalize(row);
    struct store_page end = {0};
    if (status == STATUS_OK && total->count < STORE_COUNT_MAX)
        status = find_end(connection, &whole, &end, error);
    total->exact = total->count < STORE_COUNT_MAX && !end.more;
    return status;
}
