#include "contract/store_sql.h"

#include <sqlite3.h>
#include <stdlib.h>

#define BUSY_TIMEOUT_MS 10000

static int keep_number(void *number, int columns, char **values, char **names) {
    (void)names;
    *(int64_t *)number = columns == 1 && values[0] != NULL ? strtoll(values[0], NULL, 10) : 0;
    return 0;
}

static int64_t run(const struct store_fixture *fixture, const char *statements) {
    sqlite3 *db = NULL;
    char *error = NULL;
    int64_t number = 0;
    int result = sqlite3_open(fixture->file, &db);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
        result = sqlite3_exec(db, statements, keep_number, &number, &error);
    }
    if (result != SQLITE_OK)
        print_error("%s: %s\n", statements, error != NULL ? error : sqlite3_errstr(result));
    sqlite3_free(error);
    sqlite3_close(db);
    assert_int_equal(result, SQLITE_OK);
    return number;
}

void sql(const struct store_fixture *fixture, const char *statements) {
    run(fixture, statements);
}

int64_t sql_number(const struct store_fixture *fixture, const char *query) {
    return run(fixture, query);
}
