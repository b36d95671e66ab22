/* Arguments of the query that many handlers read alike. */
#include "api/api_internal.h"

#include <stdio.h>

#define FAULT_BYTES 96

bool query_number(struct call *call, const char *name, int64_t minimum, int64_t maximum,
                  int64_t *value) {
    struct text given = request_query(call->request, name);
    int64_t number = 0;
    char fault[FAULT_BYTES];
    if (given.len == 0)
        return true;
    if (text_to_int64(given, &number) && number >= minimum && number <= maximum) {
        *value = number;
        return true;
    }
    snprintf(fault, sizeof fault, "must be a whole number from %lld to %lld", (long long)minimum,
             (long long)maximum);
    answer_error(call->request, 422, "invalid_field", fault, name);
    return false;
}

bool query_bool(struct call *call, const char *name, bool *value) {
    struct text given = request_query(call->request, name);
    if (given.len == 0 || text_to_bool(given, value))
        return true;
    answer_error(call->request, 422, "invalid_field", "must be true or false", name);
    return false;
}
