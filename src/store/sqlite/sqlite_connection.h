/* One connection to a SQLite file: opened with the pragmas we rely on, with prepared statements
 * kept, and SQLite's results turned into ours. Belongs to one thread at a time. */
#ifndef STORE_SQLITE_CONNECTION_H
#define STORE_SQLITE_CONNECTION_H

#include "base/error.h"
#include "base/text.h"

#include <sqlite3.h>

#define SQLITE_BUSY_TIMEOUT_MS 5000

/* The statements, by name; statements.def holds their SQL. */
enum sqlite_statement {
#define STATEMENT(symbol, sql) SQLITE_##symbol,
#include "store/sqlite/statements.def"
#undef STATEMENT
    SQLITE_STATEMENTS
};

struct sqlite_connection {
    sqlite3 *db;
    sqlite3_stmt *statements[SQLITE_STATEMENTS]; /* prepared at first use */
};

/* WAL, synchronous=FULL, busy timeout. The file is created where it is missing. On failure nothing
 * is left open. */
enum status sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                   struct error *error);
void sqlite_connection_close(struct sqlite_connection *connection);

/* A result of SQLite as a status: a full disk is STATUS_FULL, a lock or an I/O error
 * STATUS_UNAVAILABLE, a damaged or foreign file STATUS_BROKEN. The text is SQLite's. */
enum status sqlite_failure(const struct sqlite_connection *connection, int result,
                           struct error *error);

/* The prepared statement, reset and ready to bind; NULL on failure. */
sqlite3_stmt *sqlite_statement(struct sqlite_connection *connection, enum sqlite_statement which,
                               struct error *error);
/* Runs a statement to its end, and resets it. For those that return no rows we look at. */
enum status sqlite_run(struct sqlite_connection *connection, sqlite3_stmt *statement,
                       struct error *error);
/* One step of a query: STATUS_OK with `*row` telling whether there is one; reset at the end. */
enum status sqlite_next(struct sqlite_connection *connection, sqlite3_stmt *statement, bool *row,
                        struct error *error);
/* The one number that a statement returns; `*value` stays where it returns none, or NULL. */
enum status sqlite_read_number(struct sqlite_connection *connection, sqlite3_stmt *statement,
                               int64_t *value, struct error *error);
/* Several statements of plain SQL. */
enum status sqlite_execute(struct sqlite_connection *connection, const char *sql,
                           struct error *error);

/* A writing transaction, taken at once. sqlite_commit rolls back when it fails. */
enum status sqlite_begin(struct sqlite_connection *connection, struct error *error);
enum status sqlite_commit(struct sqlite_connection *connection, struct error *error);
void sqlite_rollback(struct sqlite_connection *connection);

/* The bytes must stay until the statement has run. */
void sqlite_bind_view(sqlite3_stmt *statement, int parameter, struct text view);
/* Valid until the statement's next step; empty for NULL. */
struct text sqlite_column_view(sqlite3_stmt *statement, int column);

#endif
