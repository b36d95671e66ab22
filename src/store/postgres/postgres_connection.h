/* One connection to PostgreSQL: made again by itself when it is lost, with a deadline on every
 * statement, and libpq's results turned into ours. Belongs to one thread at a time; only
 * postgres_connection_interrupt may be called by others.
 *
 * Every call is one statement and one transaction, aside from postgres_execute. When the
 * connection is lost, the call under way fails with STATUS_UNAVAILABLE, and it is not known whether
 * it was carried out; later calls try to connect again, at times that move apart, and between them
 * fail at once. */
#ifndef STORE_POSTGRES_CONNECTION_H
#define STORE_POSTGRES_CONNECTION_H

#include "base/error.h"
#include "base/text.h"

#define POSTGRES_CONNECT_SECONDS "5"
#define POSTGRES_BACKOFF_US_MIN 100000
#define POSTGRES_BACKOFF_US_MAX 2000000
/* What is waited beyond the statement's own time, before the server is given up. */
#define POSTGRES_PATIENCE_MS 2000
#define POSTGRES_PARAMETERS_MAX 10

/* The statements, by name; statements.def holds their SQL. */
enum postgres_statement {
#define STATEMENT(symbol, parameters, sql) POSTGRES_##symbol,
#include "store/postgres/statements.def"
#undef STATEMENT
    POSTGRES_STATEMENTS
};

struct postgres_options {
    const char *url;      /* a connection URI of libpq; borrowed */
    int64_t timeout_ms;   /* for one statement */
    bool pooled;          /* by transactions: nothing may be kept in the server's session */
    const char *greeting; /* run after every connect, may be NULL; borrowed */
};

struct postgres_connection;

/* Connects. On failure nothing is left. */
enum status postgres_connection_open(struct postgres_connection **connection,
                                     const struct postgres_options *options, struct error *error);
/* NULL is passed over. */
void postgres_connection_close(struct postgres_connection *connection);

/* What a statement gave; zeroed it is empty. */
struct postgres_rows {
    void *result;
    size_t count;
};

/* What was read from it is then gone. */
void postgres_rows_deinit(struct postgres_rows *rows);
/* Valid until deinit, terminated; empty for NULL. */
struct text postgres_text(const struct postgres_rows *rows, size_t row, int column);
/* 0 for NULL. */
int64_t postgres_number(const struct postgres_rows *rows, size_t row, int column);
bool postgres_is_null(const struct postgres_rows *rows, size_t row, int column);

/* Runs one of our statements with its parameters in text form. `rows` is the caller's to deinit
 * when it was filled, which it is on STATUS_OK only. */
enum status postgres_run(struct postgres_connection *connection, enum postgres_statement which,
                         const char *const *parameters, struct postgres_rows *rows,
                         struct error *error);
/* Plain SQL that is not known before, without a deadline; $1 in it stands for `parameter`, which
 * may be NULL where there is none. */
enum status postgres_query(struct postgres_connection *connection, const char *sql,
                           const char *parameter, struct postgres_rows *rows, struct error *error);
/* One or several statements of plain SQL without a deadline, each batch a transaction unless it
 * begins one. */
enum status postgres_execute(struct postgres_connection *connection, const char *sql,
                             struct error *error);

/* Waits for a notification on a channel the greeting listens to, for at most `wait_ms`. `*told`
 * says whether one came, or might have while the connection was lost. */
enum status postgres_watch(struct postgres_connection *connection, int64_t wait_ms, bool *told,
                           struct error *error);
/* Ends a postgres_watch that is under way, or else the next one. From any thread. */
void postgres_connection_interrupt(struct postgres_connection *connection);

/* An SQL identifier or string in quotes, appended. */
struct buffer;
void postgres_quote_name(struct buffer *sql, struct text name);
void postgres_quote_string(struct buffer *sql, struct text value);

#endif
