/* The tables of the SQLite store seen from outside, as an operator's sqlite3 sees them. */
#ifndef CONTRACT_STORE_SQL_H
#define CONTRACT_STORE_SQL_H

#include "contract/store_fixture.h"

/* Runs statements of plain SQL on the fixture's file, which need not be open as a store. A failure
 * fails the running case. */
void sql(const struct store_fixture *fixture, const char *statements);
/* The one number that a query gives. */
int64_t sql_number(const struct store_fixture *fixture, const char *query);

#endif
