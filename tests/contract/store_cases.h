/* The cases of the store contract, by thought. A case is a function of a fixture; its name, with
 * the underscores taken for spaces, is the sentence it proves. */
#ifndef CONTRACT_STORE_CASES_H
#define CONTRACT_STORE_CASES_H

#include "contract/store_fixture.h"

struct store_case {
    const char *name;
    void (*run)(struct store_fixture *fixture);
};

struct store_cases {
    const struct store_case *items;
    size_t count;
};

#define STORE_CASE(function)                                                                       \
    { #function, function }
#define STORE_CASES(array)                                                                         \
    { (array), sizeof(array) / sizeof((array)[0]) }

/* For all back ends. */
extern const struct store_cases store_cases_insert;
extern const struct store_cases store_cases_claim;
extern const struct store_cases store_cases_settle;
extern const struct store_cases store_cases_lease;
extern const struct store_cases store_cases_read;
extern const struct store_cases store_cases_query;
extern const struct store_cases store_cases_drafts;
extern const struct store_cases store_cases_keys;
extern const struct store_cases store_cases_change;
extern const struct store_cases store_cases_office;
extern const struct store_cases store_cases_threads;
/* For stores that outlive the program. */
extern const struct store_cases store_cases_kept;
/* For stores that several programs can open at once. */
extern const struct store_cases store_cases_programs;
/* What only a file that others can write to promises. */
extern const struct store_cases store_cases_sqlite;
extern const struct store_cases store_cases_sqlite_file;

#endif
