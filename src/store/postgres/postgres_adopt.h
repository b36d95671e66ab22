/* Recognising a table that was there before posthaste. */
#ifndef STORE_POSTGRES_ADOPT_H
#define STORE_POSTGRES_ADOPT_H

#include "store/postgres/postgres_layout.h"

/* Fills the facts of the table that FACT_TABLE names. STATUS_BROKEN, with the reason, when it
 * cannot be adopted. */
enum status postgres_adopt(struct postgres_layout *layout, const struct postgres_wishes *wishes,
                           struct postgres_connection *connection, struct error *error);

#endif
