/* Which table holds the messages, and what its columns are called: posthaste's own, or one that was
 * there before and is adopted as it is. */
#ifndef STORE_POSTGRES_LAYOUT_H
#define STORE_POSTGRES_LAYOUT_H

#include "base/buffer.h"
#include "store/postgres/postgres_connection.h"
#include "store/store.h"

#define POSTGRES_FACT_BYTES 320 /* a qualified name in quotes, each byte of it a quote */

/* What the user asked for; an empty column is to be found. */
struct postgres_wishes {
    char *table;
    char *column_id, *column_recipient, *column_content, *column_sent, *column_created_at;
    bool listen;
};

/* Copies what `options` says. */
void postgres_wishes_init(struct postgres_wishes *wishes, const struct store_options *options);
void postgres_wishes_deinit(struct postgres_wishes *wishes);

/* What is known of a table, kept in posthaste_layout. Names are ready to stand in SQL; those of
 * columns are empty where the table has none. */
enum postgres_fact {
    FACT_KIND,   /* "own" or "adopted" */
    FACT_TABLE,  /* as regclass prints it */
    FACT_PREFIX, /* of the names of our indexes */
    FACT_SCHEMA, /* of our tables and functions */
    FACT_ID,
    FACT_ID_TYPE,    /* bigint, integer, smallint, uuid or text */
    FACT_ID_DEFAULT, /* "yes" when the table makes ids itself */
    FACT_ID_LONG,    /* "yes" when an id may be longer than ours */
    FACT_RECIPIENT,
    FACT_CONTENT,
    FACT_SENT,
    FACT_WORD_PENDING, /* where the flag is a word, in quotes; empty: it is a boolean */
    FACT_WORD_SENT,
    FACT_WORD_FAILED, /* empty: the table does not allow it */
    FACT_CREATED_AT,
    FACT_CREATED_AT_TYPE,
    FACT_CREATED_AT_NULL, /* "yes" when it may be missing */
    FACT_UPDATED_AT,
    FACT_DELETED_AT, /* rows where it is set are not there */
    FACT_SENT_AT,
    FACT_EXTERNAL_ID,
    FACT_RETRY_COUNT,
};
#define POSTGRES_FACTS (FACT_RETRY_COUNT + 1)

struct postgres_layout {
    char facts[POSTGRES_FACTS][POSTGRES_FACT_BYTES];
};

/* "kind", "table", …: as in posthaste_layout. */
const char *postgres_fact_name(enum postgres_fact fact);
bool postgres_layout_is_adopted(const struct postgres_layout *layout);

/* Looks at the database: a layout that was kept, else the table that the wishes name, else our own.
 * STATUS_BROKEN, with the reason, for a table that cannot be adopted. */
enum status postgres_layout_find(struct postgres_layout *layout,
                                 const struct postgres_wishes *wishes,
                                 struct postgres_connection *connection, struct error *error);
/* For people: what was found, and what is added to it. */
void postgres_layout_describe(const struct postgres_layout *layout, struct buffer *report);

/* Appends `sql` with every {name} that is known replaced. */
void postgres_layout_render(const struct postgres_layout *layout, struct text sql,
                            struct buffer *target);

#endif
