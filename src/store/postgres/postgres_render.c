/* From the facts about a table to the SQL that works on it: every {name} in a migration stands for
 * one of the values below. In functions the table is called m. */
#include "base/check.h"
#include "message/attempt.h"
#include "store/postgres/postgres_layout.h"

#include <string.h>

#define VALUE_BYTES_MAX 4096
#define VALUES_MAX 60

struct value {
    const char *name;
    struct buffer text;
};

struct values {
    const struct postgres_layout *layout;
    struct value items[VALUES_MAX];
    size_t count;
};

static const char *fact(const struct values *values, enum postgres_fact which) {
    return values->layout->facts[which];
}

static bool has(const struct values *values, enum postgres_fact which) {
    return fact(values, which)[0] != '\0';
}

static struct buffer *value(struct values *values, const char *name) {
    check(values->count < VALUES_MAX);
    struct value *item = &values->items[values->count++];
    item->name = name;
    buffer_init(&item->text, VALUE_BYTES_MAX);
    return &item->text;
}

static void set(struct values *values, const char *name, const char *text) {
    buffer_append_string(value(values, name), text);
}

/* Columns that posthaste has in any table, under its own names or prefixed. */
static void set_columns(struct values *values, bool adopted) {
    static const struct {
        const char *name, *own, *adopted;
        enum postgres_fact instead; /* FACT_KIND: there is none */
    } columns[] = {
        {"priority", "priority", "posthaste_priority", FACT_KIND},
        {"attempts", "attempts", "posthaste_attempts", FACT_KIND},
        {"due_at", "due_at", "posthaste_due_at", FACT_KIND},
        {"error", "error", "posthaste_error", FACT_KIND},
        {"expires_at", "expires_at", "posthaste_expires_at", FACT_KIND},
        {"max_attempts", "max_attempts", "posthaste_max_attempts", FACT_KIND},
        {"metadata", "metadata", "posthaste_metadata", FACT_KIND},
        {"provider", "provider", "posthaste_provider", FACT_KIND},
        {"sent_at", "sent_at", "posthaste_sent_at", FACT_SENT_AT},
        {"provider_id", "provider_id", "posthaste_provider_id", FACT_EXTERNAL_ID},
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        bool instead = columns[i].instead != FACT_KIND && has(values, columns[i].instead);
        set(values, columns[i].name,
            instead   ? fact(values, columns[i].instead)
            : adopted ? columns[i].adopted
                      : columns[i].own);
    }
}

/* Which rows are there at all. */
static void set_exists(struct values *values) {
    struct buffer *exists = value(values, "exists");
    buffer_append_string(exists, "true");
    if (has(values, FACT_DELETED_AT))
        buffer_printf(exists, " AND %s IS NULL", fact(values, FACT_DELETED_AT));
    if (has(values, FACT_ID_LONG))
        buffer_printf(exists, " AND octet_length(%s) <= %d", fact(values, FACT_ID),
                      MESSAGE_ID_BYTES_MAX);
}

static struct text view_of(const struct values *values, const char *name) {
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i].name, name) == 0)
            return buffer_view(&values->items[i].text);
    return (struct text){0};
}

/* As part of a string in quotes. */
static void set_quoted(struct values *values, const char *name, struct text plain) {
    struct buffer quoted;
    buffer_init(&quoted, VALUE_BYTES_MAX);
    postgres_quote_string(&quoted, plain);
    struct text view = buffer_view(&quoted);
    buffer_append(value(values, name), (struct text){view.data + 1, view.len - 2});
    buffer_deinit(&quoted);
}

static void set_own_states(struct values *values) {
    set(values, "live", "status = 'pending'");
    set(values, "state", "status");
    set(values, "parked", "status NOT IN ('pending', 'sent', 'delivered')");
    set(values, "set_sent", "status = 'sent'");
    set(values, "set_failed", "status = 'failed'");
    set(values, "set_expired", "status = 'expired'");
    set(values, "set_cancelled", "status = 'cancelled'");
    set(values, "set_pending", "status = 'pending'");
}

/* What posthaste_status says is over; the table's own flag says so too where it can. */
static void set_over(struct values *values, const char *name, const char *status) {
    struct buffer *text = value(values, name);
    buffer_printf(text, "posthaste_status = '%s'", status);
    if (has(values, FACT_WORD_SENT) && has(values, FACT_WORD_FAILED))
        buffer_printf(text, ", %s = %s", fact(values, FACT_SENT), fact(values, FACT_WORD_FAILED));
}

/* posthaste_status says what the table's own flag cannot. */
static void set_adopted_states(struct values *values) {
    const char *flag = fact(values, FACT_SENT), *sent = fact(values, FACT_WORD_SENT);
    const char *pending = fact(values, FACT_WORD_PENDING);
    struct text exists = view_of(values, "exists");
    bool words = sent[0] != '\0';
    struct buffer *live = value(values, "live"), *state = value(values, "state");
    struct buffer *parked = value(values, "parked");
    buffer_printf(live, "posthaste_status IS NULL AND %s %s%s AND %.*s", flag,
                  words ? "= " : "IS NOT TRUE", pending, TEXT_ARGUMENT(exists));
    if (words)
        buffer_printf(state,
                      "coalesce(posthaste_status, CASE WHEN %s = %s THEN 'sent'"
                      " WHEN %s = %s THEN 'pending' ELSE 'failed' END)",
                      flag, sent, flag, pending);
    else
        buffer_printf(
            state, "coalesce(posthaste_status, CASE WHEN %s THEN 'sent' ELSE 'pending' END)", flag);
    buffer_append_string(parked, "(posthaste_status IS NOT NULL");
    if (words)
        buffer_printf(parked, " OR %s NOT IN (%s, %s)", flag, pending, sent);
    buffer_printf(parked, ") AND %.*s", TEXT_ARGUMENT(exists));
    buffer_printf(value(values, "set_sent"), "%s = %s", flag, words ? sent : "true");
    buffer_printf(value(values, "set_pending"), "posthaste_status = NULL, %s = %s", flag,
                  words ? pending : "false");
    set_over(values, "set_failed", "failed");
    set_over(values, "set_expired", "expired");
    set_over(values, "set_cancelled", "cancelled");
}

/* What else is written with every change. The tries before this one are the retries so far. */
static void set_touch(struct values *values) {
    struct buffer *touch = value(values, "touch");
    if (has(values, FACT_UPDATED_AT))
        buffer_printf(touch, ", %s = clock_timestamp()", fact(values, FACT_UPDATED_AT));
    if (has(values, FACT_RETRY_COUNT))
        buffer_printf(touch, ", %s = least(3, m.posthaste_attempts)",
                      fact(values, FACT_RETRY_COUNT));
    struct buffer *retouch = value(values, "retouch"); /* by who has it sent again from the start */
    if (has(values, FACT_UPDATED_AT))
        buffer_printf(retouch, ", %s = clock_timestamp()", fact(values, FACT_UPDATED_AT));
    if (has(values, FACT_RETRY_COUNT))
        buffer_printf(retouch, ", %s = 0", fact(values, FACT_RETRY_COUNT));
}

/* Numbers rise as messages come; other ids need the time before them, where there is one. */
static void set_order(struct values *values) {
    const char *id = fact(values, FACT_ID), *type = fact(values, FACT_ID_TYPE);
    const char *at = fact(values, FACT_CREATED_AT);
    bool by_time = at[0] != '\0' && (strcmp(type, "uuid") == 0 || strcmp(type, "text") == 0);
    struct buffer *order_at = value(values, "order_at"), *order = value(values, "order");
    struct buffer *order_m = value(values, "order_m"), *index = value(values, "order_index");
    if (!by_time) {
        buffer_append_string(order_at, "NULL::timestamptz");
        buffer_append_string(order, id);
        buffer_printf(order_m, "m.%s", id);
        set(values, "newest_first", "c.id DESC");
        set(values, "oldest_first", "c.id");
        set(values, "older", "c.id < $4");
        set(values, "younger", "c.id > $4");
        buffer_printf(value(values, "from_mark"), "m.%s >= $4", id);
        return;
    }
    bool missing = has(values, FACT_CREATED_AT_NULL);
    const char *open = missing ? "coalesce(" : "", *close = missing ? ", '-infinity')" : "";
    buffer_printf(order_at, "%sm.%s%s::timestamptz", open, at, close);
    buffer_printf(order, "(%s%s%s), %s", open, at, close, id);
    buffer_printf(order_m, "%sm.%s%s, m.%s", open, at, close, id);
    buffer_printf(index, "CREATE INDEX CONCURRENTLY IF NOT EXISTS %s_order ON %s ((%s%s%s), %s);",
                  fact(values, FACT_PREFIX), fact(values, FACT_TABLE), open, at, close, id);
    set(values, "newest_first", "c.order_at DESC, c.id DESC");
    set(values, "oldest_first", "c.order_at, c.id");
    set(values, "older", "(c.order_at, c.id) < ($5, $4)");
    set(values, "younger", "(c.order_at, c.id) > ($5, $4)");
    buffer_printf(value(values, "from_mark"), "(%.*s, m.%s) >= ($5, $4)",
                  TEXT_ARGUMENT(buffer_view(order_at)), id);
}

static void add_optional(const struct values *values, struct buffer *columns, struct buffer *made) {
    static const struct {
        const char *name, *made;
    } optional[] = {
        {"priority", "new_priority"},
        {"due_at",
         "CASE WHEN posthaste_time(due_at_ms) > v_now THEN posthaste_time(due_at_ms) END"},
        {"expires_at", "posthaste_time(expires_at_ms)"},
        {"max_attempts", "coalesce(more.max_attempts, 0)"},
        {"metadata", "more.metadata::json"},
        {"provider", "more.provider"},
    };
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        buffer_printf(columns, ", %.*s", TEXT_ARGUMENT(view_of(values, optional[i].name)));
        buffer_printf(made, ", %s", optional[i].made);
    }
}

/* The row that an insert through posthaste makes. n is its place among the rows. */
static void set_insert(struct values *values, bool adopted) {
    struct buffer *columns = value(values, "insert_columns");
    struct buffer *made = value(values, "insert_values");
    const char *type = fact(values, FACT_ID_TYPE);
    buffer_printf(columns, "%s, %s", fact(values, FACT_RECIPIENT), fact(values, FACT_CONTENT));
    buffer_append_string(made, "new_recipient, new_content");
    add_optional(values, columns, made);
    if (!adopted) {
        buffer_append_string(columns, ", created_at");
        buffer_append_string(made, ", v_now");
        return;
    }
    buffer_printf(columns, ", %s", fact(values, FACT_SENT));
    buffer_printf(made, ", %s",
                  has(values, FACT_WORD_SENT) ? fact(values, FACT_WORD_PENDING) : "false");
    static const enum postgres_fact times[] = {FACT_CREATED_AT, FACT_UPDATED_AT};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (has(values, times[i])) {
            buffer_printf(columns, ", %s", fact(values, times[i]));
            buffer_append_string(made, ", v_now");
        }
    bool named = strcmp(type, "uuid") == 0 || strcmp(type, "text") == 0;
    if (!named || has(values, FACT_ID_DEFAULT))
        return;
    /* A UUID of version 7: it begins with the time. */
    buffer_printf(columns, ", %s", fact(values, FACT_ID));
    buffer_printf(made,
                  ", (lpad(to_hex(posthaste_ms(v_now) + (n >> 12)), 12, '0') || '7' ||"
                  " lpad(to_hex(n & 4095), 3, '0') || '8' ||"
                  " substr(replace(gen_random_uuid()::text, '-', ''), 1, 15))::uuid%s",
                  strcmp(type, "text") == 0 ? "::text" : "");
}

struct added_column {
    const char *name, *type;
    enum postgres_fact instead; /* FACT_KIND: always added */
};

static const struct added_column added_columns[] = {
    {"posthaste_status", "text", FACT_KIND},
    {"posthaste_priority", "bigint NOT NULL DEFAULT 0", FACT_KIND},
    {"posthaste_due_at", "timestamptz", FACT_KIND},
    {"posthaste_attempts", "integer NOT NULL DEFAULT 0", FACT_KIND},
    {"posthaste_error", "text", FACT_KIND},
    {"posthaste_expires_at", "timestamptz", FACT_KIND},
    {"posthaste_max_attempts", "integer NOT NULL DEFAULT 0", FACT_KIND},
    {"posthaste_metadata", "json", FACT_KIND},
    {"posthaste_provider", "text", FACT_KIND},
    {"posthaste_sent_at", "timestamptz", FACT_SENT_AT},
    {"posthaste_provider_id", "text", FACT_EXTERNAL_ID},
    {"posthaste_created_at", "timestamptz NOT NULL DEFAULT now()", FACT_CREATED_AT},
};

static void set_added(struct values *values) {
    struct buffer *added = value(values, "added_columns");
    struct buffer *dropped = value(values, "dropped_columns");
    for (size_t i = 0; i < sizeof added_columns / sizeof added_columns[0]; i++) {
        const struct added_column *column = &added_columns[i];
        if (column->instead != FACT_KIND && has(values, column->instead))
            continue;
        const char *separator = added->len > 0 ? ",\n" : "";
        buffer_printf(added, "%s    ADD COLUMN IF NOT EXISTS %s %s", separator, column->name,
                      column->type);
        buffer_printf(dropped, "%s    DROP COLUMN IF EXISTS %s", separator, column->name);
    }
}

static void values_init(struct values *values, const struct postgres_layout *layout) {
    bool adopted = postgres_layout_is_adopted(layout);
    static const enum postgres_fact plain[] = {FACT_TABLE,   FACT_PREFIX,    FACT_SCHEMA, FACT_ID,
                                               FACT_ID_TYPE, FACT_RECIPIENT, FACT_CONTENT};
    *values = (struct values){.layout = layout};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        set(values, postgres_fact_name(plain[i]), fact(values, plain[i]));
    set(values, "concurrently", adopted ? "CONCURRENTLY IF NOT EXISTS" : "");
    set(values, "lease_expired", ATTEMPT_LEASE_EXPIRED_TEXT);
    buffer_printf(value(values, "created_at"), "m.%s",
                  has(values, FACT_CREATED_AT) ? fact(values, FACT_CREATED_AT)
                  : adopted                    ? "posthaste_created_at"
                                               : "created_at");
    set_columns(values, adopted);
    set_exists(values);
    if (adopted)
        set_adopted_states(values);
    else
        set_own_states(values);
    buffer_printf(
        value(values, "was_sent"), "(%.*s) IN ('sent', 'delivered', 'undelivered') AND %.*s",
        TEXT_ARGUMENT(view_of(values, "state")), TEXT_ARGUMENT(view_of(values, "exists")));
    set_quoted(values, "live_quoted", view_of(values, "live"));
    set_touch(values);
    set_order(values);
    set_insert(values, adopted);
    set_added(values);
}

static void values_deinit(struct values *values) {
    for (size_t i = 0; i < values->count; i++) {
        check(!values->items[i].text.overflowed);
        buffer_deinit(&values->items[i].text);
    }
}

/* The value for what stands between the braces; data is NULL when it is no name of ours. */
static struct text replacement(const struct values *values, struct text name) {
    for (size_t i = 0; i < values->count; i++)
        if (text_equal_string(name, values->items[i].name))
            return buffer_view(&values->items[i].text);
    return (struct text){0};
}

void postgres_layout_render(const struct postgres_layout *layout, struct text sql,
                            struct buffer *target) {
    struct values values;
    values_init(&values, layout);
    const char *end = sql.data + sql.len;
    for (const char *at = sql.data; at < end;) {
        const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
        struct text known = {0};
        if (close != NULL)
            known = replacement(&values, (struct text){at + 1, (size_t)(close - at - 1)});
        if (known.data != NULL) {
            buffer_append(target, known);
            at = close + 1;
        } else {
            buffer_append_byte(target, *at++);
        }
    }
    values_deinit(&values);
}
