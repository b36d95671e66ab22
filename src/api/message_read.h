/* Reading messages for those who ask, with a borrowed session. */
#ifndef API_MESSAGE_READ_H
#define API_MESSAGE_READ_H

#include "api/api_internal.h"
#include "store/store_query.h"

/* A request that wants a list looks on for this long when filters leave the first pages empty. */
#define MESSAGE_READ_PATIENCE_US 1000000

/* Fills `query` with the filters and the order that the request names; false when it has answered
 * 422. */
bool message_read_query(struct call *call, struct store_query *query);
/* store_list; `arena` holds what it fills. */
enum status message_read_once(struct api *api, const struct store_query *query, struct arena *arena,
                              struct store_page *page, struct error *error);
/* The same, but looks on when there is more and nothing was found yet. */
enum status message_read_page(struct api *api, const struct store_query *query, struct arena *arena,
                              struct store_page *page, struct error *error);
enum status message_read_total(struct api *api, const struct store_query *query,
                               struct store_total *total, struct error *error);

#endif
