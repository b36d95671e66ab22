/* Which messages a client asks for: the same filters in the query of a list, of an export, and in
 * the JSON of a job. */
#ifndef API_FILTER_INPUT_H
#define API_FILTER_INPUT_H

#include "store/store_query.h"

#include <jansson.h>

#define FILTER_TEXT_BYTES_MAX 1000

struct filter_fault {
    const char *field;
    const char *text;
};

/* One filter by its name: status (names separated by commas), recipient, provider, q,
 * created_from, created_to, sent_from, sent_to. `value` must outlive the query. False: `fault`
 * says why, or its field is NULL: there is no filter of this name. */
bool filter_input_set(struct store_query *query, const char *name, struct text value,
                      struct filter_fault *fault);
/* All filters that `look_up` knows a value for (data NULL: none). */
bool filter_input_read(struct store_query *query,
                       struct text (*look_up)(const void *context, const char *name),
                       const void *context, struct filter_fault *fault);
/* From an object of strings; an unknown name is a fault. */
bool filter_input_from_json(struct store_query *query, const json_t *object,
                            struct filter_fault *fault);

#endif
