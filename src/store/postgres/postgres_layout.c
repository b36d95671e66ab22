#include "store/postgres/postgres_layout.h"

#include "base/check.h"
#include "base/memory.h"
#include "message/attempt.h"
#include "store/postgres/postgres_adopt.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX_BYTES_MAX 48

void postgres_wishes_init(struct postgres_wishes *wishes, const struct store_options *options) {
    const char *table = options->table != NULL ? options->table : STORE_TABLE;
    *wishes = (struct postgres_wishes){
        .table = memory_copy_string(table),
        .column_id = memory_copy_string(options->column_id != NULL ? options->column_id : ""),
        .column_recipient =
            memory_copy_string(options->column_recipient != NULL ? options->column_recipient : ""),
        .column_content =
            memory_copy_string(options->column_content != NULL ? options->column_content : ""),
        .column_sent = memory_copy_string(options->column_sent != NULL ? options->column_sent : ""),
        .column_created_at = memory_copy_string(
            options->column_created_at != NULL ? options->column_created_at : ""),
        .listen = options->listen,
    };
}

void postgres_wishes_deinit(struct postgres_wishes *wishes) {
    free(wishes->table);
    free(wishes->column_id);
    free(wishes->column_recipient);
    free(wishes->column_content);
    free(wishes->column_sent);
    free(wishes->column_created_at);
}

static const char *const fact_names[POSTGRES_FACTS] = {
    [FACT_KIND] = "kind",
    [FACT_TABLE] = "table",
    [FACT_PREFIX] = "prefix",
    [FACT_SCHEMA] = "schema",
    [FACT_ID] = "id",
    [FACT_ID_TYPE] = "id_type",
    [FACT_ID_DEFAULT] = "id_default",
    [FACT_ID_LONG] = "id_long",
    [FACT_RECIPIENT] = "recipient",
    [FACT_CONTENT] = "content",
    [FACT_SENT] = "sent",
    [FACT_WORD_PENDING] = "word_pending",
    [FACT_WORD_SENT] = "word_sent",
    [FACT_WORD_FAILED] = "word_failed",
    [FACT_CREATED_AT] = "created_at",
    [FACT_CREATED_AT_TYPE] = "created_at_type",
    [FACT_CREATED_AT_NULL] = "created_at_null",
    [FACT_UPDATED_AT] = "updated_at",
    [FACT_DELETED_AT] = "deleted_at",
    [FACT_SENT_AT] = "sent_at",
    [FACT_EXTERNAL_ID] = "external_id",
    [FACT_RETRY_COUNT] = "retry_count",
};

const char *postgres_fact_name(enum postgres_fact fact) {
    return fact_names[fact];
}

bool postgres_layout_is_adopted(const struct postgres_layout *layout) {
    return strcmp(layout->facts[FACT_KIND], "adopted") == 0;
}

static void set_fact(struct postgres_layout *layout, enum postgres_fact fact, struct text value) {
    check(value.len < POSTGRES_FACT_BYTES);
    memcpy(layout->facts[fact], value.data, value.len);
    layout->facts[fact][value.len] = '\0';
}

static enum status load(struct postgres_layout *layout, struct postgres_connection *connection,
                        struct error *error) {
    struct postgres_rows rows;
    enum status status =
        postgres_query(connection, "SELECT name, value FROM posthaste_layout", NULL, &rows, error);
    if (status != STATUS_OK)
        return status;
    for (size_t row = 0; row < rows.count; row++)
        for (size_t fact = 0; fact < POSTGRES_FACTS; fact++)
            if (text_equal_string(postgres_text(&rows, row, 0), fact_names[fact]))
                set_fact(layout, (enum postgres_fact)fact, postgres_text(&rows, row, 1));
    postgres_rows_deinit(&rows);
    return STATUS_OK;
}

/* Indexes of ours are called after our table, unless its name is long or needs quotes. */
static struct text prefix_of(struct text name) {
    for (size_t i = 0; i < name.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.data[i]) == NULL)
            return TEXT_LITERAL("posthaste");
    return name.len <= PREFIX_BYTES_MAX ? name : TEXT_LITERAL("posthaste");
}

static void make_own(struct postgres_layout *layout, struct text table, struct text name) {
    set_fact(layout, FACT_KIND, TEXT_LITERAL("own"));
    set_fact(layout, FACT_TABLE, table);
    set_fact(layout, FACT_PREFIX, prefix_of(name));
    set_fact(layout, FACT_ID, TEXT_LITERAL("id"));
    set_fact(layout, FACT_ID_TYPE, TEXT_LITERAL("bigint"));
    set_fact(layout, FACT_RECIPIENT, TEXT_LITERAL("recipient"));
    set_fact(layout, FACT_CONTENT, TEXT_LITERAL("content"));
}

/* The table's name may come with a schema, and in quotes: PostgreSQL takes it apart. */
static const char *const look_query =
    "SELECT to_regclass('posthaste_layout') IS NOT NULL, to_regclass($1)::text,"
    " quote_ident(current_schema()),"
    " (SELECT string_agg(quote_ident(part), '.') FROM unnest(parse_ident($1)) AS part),"
    " (parse_ident($1))[cardinality(parse_ident($1))]";

static enum status look(struct postgres_layout *layout, const struct postgres_wishes *wishes,
                        struct postgres_connection *connection, const struct postgres_rows *rows,
                        struct error *error) {
    if (postgres_is_null(rows, 0, 2))
        return error_set(error, STATUS_BROKEN,
                         "there is no schema to work in; see search_path of the database's user");
    if (text_equal_string(postgres_text(rows, 0, 0), "t"))
        return load(layout, connection, error);
    set_fact(layout, FACT_SCHEMA, postgres_text(rows, 0, 2));
    if (postgres_is_null(rows, 0, 1)) {
        make_own(layout, postgres_text(rows, 0, 3), postgres_text(rows, 0, 4));
        return STATUS_OK;
    }
    set_fact(layout, FACT_KIND, TEXT_LITERAL("adopted"));
    set_fact(layout, FACT_TABLE, postgres_text(rows, 0, 1));
    set_fact(layout, FACT_PREFIX, TEXT_LITERAL("posthaste"));
    return postgres_adopt(layout, wishes, connection, error);
}

enum status postgres_layout_find(struct postgres_layout *layout,
                                 const struct postgres_wishes *wishes,
                                 struct postgres_connection *connection, struct error *error) {
    *layout = (struct postgres_layout){0};
    struct postgres_rows rows;
    const char *table = wishes->table;
    enum status status = postgres_query(connection, look_query, table, &rows, error);
    if (status != STATUS_OK)
        return error_wrap(error, "TABLE=%s", wishes->table);
    status = look(layout, wishes, connection, &rows, error);
    postgres_rows_deinit(&rows);
    return status;
}

void postgres_layout_describe(const struct postgres_layout *layout, struct buffer *report) {
    const char(*facts)[POSTGRES_FACT_BYTES] = layout->facts;
    if (!postgres_layout_is_adopted(layout)) {
        buffer_printf(report, "table %s is made\n", facts[FACT_TABLE]);
        return;
    }
    buffer_printf(report,
                  "table %s is adopted:\n  id          %s (%s)\n  recipient   %s\n"
                  "  content     %s\n  sent        %s (%s%s%s)\n  created at  %s\n",
                  facts[FACT_TABLE], facts[FACT_ID], facts[FACT_ID_TYPE], facts[FACT_RECIPIENT],
                  facts[FACT_CONTENT], facts[FACT_SENT],
                  facts[FACT_WORD_SENT][0] != '\0' ? facts[FACT_WORD_PENDING] : "boolean",
                  facts[FACT_WORD_SENT][0] != '\0' ? " to " : "", facts[FACT_WORD_SENT],
                  facts[FACT_CREATED_AT][0] != '\0' ? facts[FACT_CREATED_AT]
                                                    : "none; since it is adopted");
    static const enum postgres_fact kept[] = {FACT_SENT_AT, FACT_EXTERNAL_ID, FACT_RETRY_COUNT,
                                              FACT_UPDATED_AT};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (facts[kept[i]][0] != '\0')
            buffer_printf(report, "  kept true   %s\n", facts[kept[i]]);
    if (facts[FACT_DELETED_AT][0] != '\0')
        buffer_printf(report, "  rows where  %s is set are not there\n", facts[FACT_DELETED_AT]);
    if (facts[FACT_ID_LONG][0] != '\0')
        buffer_printf(report, "  rows whose  %s is longer than %d bytes are not seen\n",
                      facts[FACT_ID], MESSAGE_ID_BYTES_MAX);
    postgres_layout_render(layout,
                           TEXT_LITERAL("to it is added:\n{added_columns}\n"
                                        "    indexes {prefix}_ready, _delayed, _parked, _sent\n"
                                        "    triggers posthaste_count_…, posthaste_wake\n"
                                        "beside it: tables posthaste_claims, _attempts, _counts,"
                                        " _idempotency_keys, _audit,\n    _jobs, _layout,"
                                        " _schema_migrations, the view posthaste_messages,"
                                        " functions\n    posthaste_…\n"),
                           report);
}
