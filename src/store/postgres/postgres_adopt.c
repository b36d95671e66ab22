#include "store/postgres/postgres_adopt.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* $1: the table. Its columns, in order; whether each is the whole primary key, or has a unique
 * index of its own. */
static const char *const columns_query =
    "SELECT a.attname, quote_ident(a.attname), format_type(a.atttypid, NULL), a.attnotnull::int,"
    " (a.atthasdef OR a.attidentity <> '')::int, coalesce(pg_get_expr(d.adbin, d.adrelid), ''),"
    " EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary"
    "         AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)::int,"
    " EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisunique"
    "         AND NOT i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)::int,"
    " CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 0"
    "      THEN a.atttypmod - 4 ELSE 0 END"
    " FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d"
    "   ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    " WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped"
    " AND left(a.attname, 10) <> 'posthaste_' ORDER BY a.attnum";

enum property { NAME, QUOTED, TYPE, NOT_NULL, HAS_DEFAULT, DEFAULT, PRIMARY, UNIQUE, LENGTH };

/* The names by which others call things, the likeliest first. */
static const char *const recipient_names[] = {"recipient", "phone_number", "phonenumber",
                                              "phone",     "to",           "to_number",
                                              "msisdn",    "mobile",       NULL};
static const char *const content_names[] = {"content", "message", "body", "text", NULL};
static const char *const sent_names[] = {"is_sent", "issent", "sent", "status", NULL};
static const char *const created_names[] = {"created_at", "createdat",   "created_date",
                                            "created",    "inserted_at", NULL};

struct table {
    struct postgres_rows columns;
    const char *name;
};

#define NO_COLUMN ((size_t)-1)

static struct text property(const struct table *table, size_t column, enum property which) {
    return postgres_text(&table->columns, column, (int)which);
}

static bool is(const struct table *table, size_t column, enum property which) {
    return postgres_number(&table->columns, column, (int)which) != 0;
}

static bool has_type(const struct table *table, size_t column, const char *const *types) {
    for (; *types != NULL; types++)
        if (text_equal_string(property(table, column, TYPE), *types))
            return true;
    return false;
}

static const char *const text_types[] = {"text", "character varying", "character", NULL};
static const char *const time_types[] = {"timestamp with time zone", "timestamp without time zone",
                                         "date", NULL};

static size_t find(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->columns.count; i++)
        if (text_equal_ignoring_case(property(table, i, NAME), text_of(name)))
            return i;
    return NO_COLUMN;
}

static size_t find_any(const struct table *table, const char *const *names) {
    size_t column = NO_COLUMN;
    for (; *names != NULL && column == NO_COLUMN; names++)
        column = find(table, *names);
    return column;
}

static void set_fact(struct postgres_layout *layout, enum postgres_fact fact, struct text value) {
    check(value.len < POSTGRES_FACT_BYTES);
    memcpy(layout->facts[fact], value.data, value.len);
    layout->facts[fact][value.len] = '\0';
}

static void set_column(struct postgres_layout *layout, enum postgres_fact fact,
                       const struct table *table, size_t column) {
    set_fact(layout, fact, property(table, column, QUOTED));
}

/* What the user may name, in which option, and what it is usually called. */
struct wanted {
    const char *wish, *option;
    const char *const *names;
};

static enum status choose(const struct table *table, const struct wanted *wanted, size_t *column,
                          struct error *error) {
    bool named = wanted->wish[0] != '\0';
    *column = named ? find(table, wanted->wish) : find_any(table, wanted->names);
    if (*column != NO_COLUMN)
        return STATUS_OK;
    if (named)
        return error_set(error, STATUS_BROKEN, "table %s has no column %s, which %s names",
                         table->name, wanted->wish, wanted->option);
    return error_set(error, STATUS_BROKEN,
                     "table %s cannot be adopted: it has no column like %s;"
                     " name it in %s",
                     table->name, wanted->names[0], wanted->option);
}

static enum status refuse_unique(const struct table *table, size_t column, struct error *error) {
    if (!is(table, column, UNIQUE) && !is(table, column, PRIMARY))
        return STATUS_OK;
    return error_set(error, STATUS_BROKEN,
                     "table %s cannot be adopted: column %s is unique, so that nobody could be"
                     " written to twice, or told the same twice",
                     table->name, property(table, column, NAME).data);
}

static size_t find_primary_key(const struct table *table) {
    for (size_t i = 0; i < table->columns.count; i++)
        if (is(table, i, PRIMARY))
            return i;
    return NO_COLUMN;
}

static enum status take_id(struct postgres_layout *layout, const struct table *table,
                           const char *wish, struct error *error) {
    static const char *const as_they_are[] = {"bigint", "integer", "smallint", "uuid", NULL};
    size_t column = wish[0] != '\0' ? find(table, wish) : find_primary_key(table);
    if (column == NO_COLUMN)
        return error_set(error, STATUS_BROKEN,
                         "table %s cannot be adopted: it has no primary key of one column%s",
                         table->name, wish[0] != '\0' ? " that COLUMN_ID names" : "");
    if (!is(table, column, PRIMARY) && !is(table, column, UNIQUE))
        return error_set(error, STATUS_BROKEN,
                         "table %s cannot be adopted: column %s is not unique", table->name,
                         property(table, column, NAME).data);
    bool is_text = has_type(table, column, text_types);
    if (!is_text && !has_type(table, column, as_they_are))
        return error_set(error, STATUS_BROKEN,
                         "table %s cannot be adopted: ids of type %s are none of integer, uuid or"
                         " text",
                         table->name, property(table, column, TYPE).data);
    int64_t length = postgres_number(&table->columns, column, LENGTH);
    set_column(layout, FACT_ID, table, column);
    set_fact(layout, FACT_ID_TYPE, is_text ? TEXT_LITERAL("text") : property(table, column, TYPE));
    if (is(table, column, HAS_DEFAULT))
        set_fact(layout, FACT_ID_DEFAULT, TEXT_LITERAL("yes"));
    if (is_text && (length == 0 || length > MESSAGE_ID_BYTES_MAX))
        set_fact(layout, FACT_ID_LONG, TEXT_LITERAL("yes"));
    return STATUS_OK;
}

static enum status take_text(struct postgres_layout *layout, const struct table *table,
                             enum postgres_fact fact, const char *wish, struct error *error) {
    bool recipient = fact == FACT_RECIPIENT;
    size_t column = NO_COLUMN;
    const struct wanted wanted = {wish, recipient ? "COLUMN_RECIPIENT" : "COLUMN_CONTENT",
                                  recipient ? recipient_names : content_names};
    enum status status = choose(table, &wanted, &column, error);
    if (status == STATUS_OK && !has_type(table, column, text_types))
        status = error_set(error, STATUS_BROKEN,
                           "table %s cannot be adopted: column %s is of type %s and not a text",
                           table->name, property(table, column, NAME).data,
                           property(table, column, TYPE).data);
    if (status == STATUS_OK)
        status = refuse_unique(table, column, error);
    if (status == STATUS_OK)
        set_column(layout, fact, table, column);
    return status;
}

/* The words of a status are of the case of its default: 'PENDING'::character varying. */
static void take_words(struct postgres_layout *layout, const struct table *table, size_t column,
                       struct text checks) {
    bool upper = property(table, column, DEFAULT).len > 1 &&
                 property(table, column, DEFAULT).data[1] >= 'A' &&
                 property(table, column, DEFAULT).data[1] <= 'Z';
    struct text failed = upper ? TEXT_LITERAL("'FAILED'") : TEXT_LITERAL("'failed'");
    struct text sent = upper ? TEXT_LITERAL("'SENT'") : TEXT_LITERAL("'sent'");
    set_fact(layout, FACT_WORD_PENDING,
             upper ? TEXT_LITERAL("'PENDING'") : TEXT_LITERAL("'pending'"));
    set_fact(layout, FACT_WORD_SENT, sent);
    bool checked = memmem(checks.data, checks.len, sent.data, sent.len) != NULL;
    if (!checked || memmem(checks.data, checks.len, failed.data, failed.len) != NULL)
        set_fact(layout, FACT_WORD_FAILED, failed);
}

static enum status take_sent(struct postgres_layout *layout, const struct table *table,
                             const char *wish, struct text checks, struct error *error) {
    size_t column = NO_COLUMN;
    const struct wanted wanted = {wish, "COLUMN_SENT", sent_names};
    enum status status = choose(table, &wanted, &column, error);
    if (status != STATUS_OK)
        return status;
    set_column(layout, FACT_SENT, table, column);
    if (text_equal_string(property(table, column, TYPE), "boolean"))
        return STATUS_OK;
    if (!has_type(table, column, text_types))
        return error_set(error, STATUS_BROKEN,
                         "table %s cannot be adopted: column %s is of type %s; the flag must be a"
                         " boolean or one of the words pending, sent, failed",
                         table->name, property(table, column, NAME).data,
                         property(table, column, TYPE).data);
    take_words(layout, table, column, checks);
    return STATUS_OK;
}

static enum status take_created_at(struct postgres_layout *layout, const struct table *table,
                                   const char *wish, struct error *error) {
    size_t column = wish[0] != '\0' ? find(table, wish) : find_any(table, created_names);
    bool is_time = column != NO_COLUMN && has_type(table, column, time_types);
    if (!is_time && wish[0] != '\0')
        return error_set(error, STATUS_BROKEN,
                         "table %s has no column %s of a time, which COLUMN_CREATED_AT names",
                         table->name, wish);
    if (!is_time)
        return STATUS_OK;
    set_column(layout, FACT_CREATED_AT, table, column);
    set_fact(layout, FACT_CREATED_AT_TYPE, property(table, column, TYPE));
    if (!is(table, column, NOT_NULL))
        set_fact(layout, FACT_CREATED_AT_NULL, TEXT_LITERAL("yes"));
    return STATUS_OK;
}

/* What a provider calls a message may be long, and need not be its own: a column that does not take
 * that would keep every outcome of a batch from being written. */
static bool takes_any_provider_id(const struct table *table, size_t column) {
    int64_t length = postgres_number(&table->columns, column, LENGTH);
    return !is(table, column, UNIQUE) && (length == 0 || length >= OUTCOME_PROVIDER_ID_BYTES_MAX);
}

/* Columns that are kept true where they are there and of the right type. */
static void take_optional(struct postgres_layout *layout, const struct table *table) {
    static const char *const number_types[] = {"smallint", "integer", "bigint", NULL};
    static const struct {
        enum postgres_fact fact;
        const char *name;
        const char *const *types;
    } columns[] = {
        {FACT_UPDATED_AT, "updated_at", time_types},
        {FACT_DELETED_AT, "deleted_at", time_types},
        {FACT_SENT_AT, "sent_at", time_types},
        {FACT_EXTERNAL_ID, "external_id", text_types},
        {FACT_RETRY_COUNT, "retry_count", number_types},
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        size_t column = find(table, columns[i].name);
        bool fits = column != NO_COLUMN && has_type(table, column, columns[i].types);
        if (fits && columns[i].fact == FACT_EXTERNAL_ID)
            fits = takes_any_provider_id(table, column);
        if (fits)
            set_column(layout, columns[i].fact, table, column);
    }
}

/* Whether it is a plain table, and the text of its checks. */
static enum status look_at_table(struct postgres_connection *connection, const char *name,
                                 struct postgres_rows *rows, struct error *error) {
    enum status status = postgres_query(
        connection,
        "SELECT c.relkind = 'r', coalesce((SELECT string_agg(pg_get_constraintdef(k.oid), ' ')"
        " FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c'), '')"
        " FROM pg_class AS c WHERE c.oid = $1::regclass",
        name, rows, error);
    if (status != STATUS_OK)
        return status;
    if (rows->count > 0 && text_equal_string(postgres_text(rows, 0, 0), "t"))
        return STATUS_OK;
    postgres_rows_deinit(rows);
    return error_set(error, STATUS_BROKEN,
                     "%s cannot be adopted: it is no ordinary table (a view, or partitioned)",
                     name);
}

static enum status take_all(struct postgres_layout *layout, const struct postgres_wishes *wishes,
                            const struct table *table, struct text checks, struct error *error) {
    enum status status = take_id(layout, table, wishes->column_id, error);
    if (status == STATUS_OK)
        status = take_text(layout, table, FACT_RECIPIENT, wishes->column_recipient, error);
    if (status == STATUS_OK)
        status = take_text(layout, table, FACT_CONTENT, wishes->column_content, error);
    if (status == STATUS_OK)
        status = take_sent(layout, table, wishes->column_sent, checks, error);
    if (status == STATUS_OK)
        status = take_created_at(layout, table, wishes->column_created_at, error);
    if (status == STATUS_OK)
        take_optional(layout, table);
    return status;
}

enum status postgres_adopt(struct postgres_layout *layout, const struct postgres_wishes *wishes,
                           struct postgres_connection *connection, struct error *error) {
    struct table table = {.name = layout->facts[FACT_TABLE]};
    struct postgres_rows about;
    enum status status = look_at_table(connection, table.name, &about, error);
    if (status != STATUS_OK)
        return status;
    status = postgres_query(connection, columns_query, table.name, &table.columns, error);
    if (status == STATUS_OK) {
        status = take_all(layout, wishes, &table, postgres_text(&about, 0, 1), error);
        postgres_rows_deinit(&table.columns);
    }
    postgres_rows_deinit(&about);
    return status;
}
