#include "store/sqlite/sqlite_connection.h"

#include "base/check.h"

#include <string.h>

static const char *const pragmas = "PRAGMA journal_mode = WAL;"
                                   "PRAGMA synchronous = FULL;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA cache_size = -16384;"
                                   "PRAGMA wal_autocheckpoint = 4000;"
                                   "PRAGMA journal_size_limit = 67108864;";

enum status sqlite_failure(const struct sqlite_connection *connection, int result,
                           struct error *error) {
    const char *text =
        connection->db != NULL ? sqlite3_errmsg(connection->db) : sqlite3_errstr(result);
    switch (result & 0xFF) {
    case SQLITE_FULL: return error_set(error, STATUS_FULL, "sqlite: %s; make space", text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, STATUS_UNAVAILABLE, "sqlite: %s by another process", text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(error, STATUS_BROKEN, "sqlite: %s; check the file that STORE_URL names",
                         text);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return error_set(error, STATUS_UNAVAILABLE,
                         "sqlite: %s; check the path and the rights of the file and its folder",
                         text);
    case SQLITE_IOERR:
    case SQLITE_NOMEM: return error_set(error, STATUS_UNAVAILABLE, "sqlite: %s", text);
    default: return error_set(error, STATUS_BROKEN, "sqlite: %s", text);
    }
}

enum status sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                   struct error *error) {
    check(connection != NULL && path != NULL);
    *connection = (struct sqlite_connection){0};
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(path, &connection->db, flags, NULL);
    enum status status = STATUS_OK;
    if (result != SQLITE_OK)
        status = sqlite_failure(connection, result, error);
    if (status == STATUS_OK) {
        sqlite3_extended_result_codes(connection->db, 1);
        sqlite3_busy_timeout(connection->db, SQLITE_BUSY_TIMEOUT_MS);
        status = sqlite_execute(connection, pragmas, error);
    }
    if (status != STATUS_OK) {
        sqlite_connection_close(connection);
        return error_wrap(error, "%s", path);
    }
    return STATUS_OK;
}

void sqlite_connection_close(struct sqlite_connection *connection) {
    for (size_t i = 0; i < SQLITE_STATEMENTS; i++)
        sqlite3_finalize(connection->statements[i]);
    int result = sqlite3_close(connection->db);
    check(result == SQLITE_OK);
    *connection = (struct sqlite_connection){0};
}

sqlite3_stmt *sqlite_statement(struct sqlite_connection *connection, enum sqlite_statement which,
                               struct error *error) {
    static const char *const texts[] = {
#define STATEMENT(symbol, sql) [SQLITE_##symbol] = (sql),
#include "store/sqlite/statements.def"
#undef STATEMENT
    };
    sqlite3_stmt **statement = &connection->statements[which];
    if (*statement == NULL) {
        int result = sqlite3_prepare_v3(connection->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                        statement, NULL);
        if (result != SQLITE_OK) {
            sqlite_failure(connection, result, error);
            return NULL;
        }
    }
    return *statement;
}

enum status sqlite_next(struct sqlite_connection *connection, sqlite3_stmt *statement, bool *row,
                        struct error *error) {
    int result = sqlite3_step(statement);
    *row = result == SQLITE_ROW;
    if (*row)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (result != SQLITE_DONE)
        status = sqlite_failure(connection, result, error);
    sqlite3_reset(statement);
    return status;
}

enum status sqlite_run(struct sqlite_connection *connection, sqlite3_stmt *statement,
                       struct error *error) {
    bool row = false;
    enum status status = sqlite_next(connection, statement, &row, error);
    if (row)
        sqlite3_reset(statement);
    return status;
}

enum status sqlite_read_number(struct sqlite_connection *connection, sqlite3_stmt *statement,
                               int64_t *value, struct error *error) {
    bool row = false;
    enum status status = sqlite_next(connection, statement, &row, error);
    if (row && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return status;
}

enum status sqlite_execute(struct sqlite_connection *connection, const char *sql,
                           struct error *error) {
    int result = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : sqlite_failure(connection, result, error);
}

enum status sqlite_begin(struct sqlite_connection *connection, struct error *error) {
    sqlite3_stmt *begin = sqlite_statement(connection, SQLITE_BEGIN, error);
    return begin != NULL ? sqlite_run(connection, begin, error) : error->status;
}

enum status sqlite_commit(struct sqlite_connection *connection, struct error *error) {
    sqlite3_stmt *commit = sqlite_statement(connection, SQLITE_COMMIT, error);
    enum status status = commit != NULL ? sqlite_run(connection, commit, error) : error->status;
    if (status != STATUS_OK)
        sqlite_rollback(connection);
    return status;
}

void sqlite_rollback(struct sqlite_connection *connection) {
    /* SQLite has rolled back by itself after some errors. */
    if (sqlite3_get_autocommit(connection->db))
        return;
    struct error ignored;
    sqlite_execute(connection, "ROLLBACK", &ignored);
}

void sqlite_bind_view(sqlite3_stmt *statement, int parameter, struct text view) {
    const char *data = view.data != NULL ? view.data : "";
    int result =
        sqlite3_bind_text64(statement, parameter, data, view.len, SQLITE_STATIC, SQLITE_UTF8);
    check(result == SQLITE_OK);
}

struct text sqlite_column_view(sqlite3_stmt *statement, int column) {
    const char *data = (const char *)sqlite3_column_text(statement, column);
    if (data == NULL)
        return (struct text){"", 0};
    return (struct text){data, (size_t)sqlite3_column_bytes(statement, column)};
}
