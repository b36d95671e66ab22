/* A place of its own on the PostgreSQL server that POSTHASTE_TEST_POSTGRES_URL names: a schema,
 * made for one case and dropped after it. What goes wrong here fails the running case. */
#ifndef CONTRACT_STORE_POSTGRES_H
#define CONTRACT_STORE_POSTGRES_H

#include "contract/store_fixture.h"

struct postgres_place;

/* Writes the STORE_URL of the new schema to `url`. */
struct postgres_place *postgres_place_create(char *url, size_t bytes);
/* NULL is passed over. */
void postgres_place_destroy(struct postgres_place *place);
/* From now on the database's clock is the fake one. To be called when the schema is migrated. */
void postgres_place_set_clock(struct postgres_place *place, struct fake_clock *clock);

/* Runs plain SQL in the schema, and gives the one number of the last statement, if it gives any. */
int64_t postgres_place_sql(struct postgres_place *place, const char *statements);

#endif
