#include "api/json_input.h"

#include <stdio.h>

/* Whether brackets open deeper than is allowed. What is no JSON may be misjudged here; it is found
 * afterwards. */
static bool is_too_deep(struct text body) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.len; i++) {
        char byte = body.data[i];
        if (in_string && byte == '\\')
            i++;
        else if (byte == '"')
            in_string = !in_string;
        else if (!in_string && (byte == '{' || byte == '['))
            depth++;
        else if (!in_string && (byte == '}' || byte == ']') && depth > 0)
            depth--;
        if (depth > JSON_INPUT_DEPTH_MAX)
            return true;
    }
    return false;
}

json_t *json_input_parse(struct text body, char fault[JSON_INPUT_FAULT_BYTES]) {
    json_error_t error;
    if (is_too_deep(body)) {
        snprintf(fault, JSON_INPUT_FAULT_BYTES, "it is nested deeper than %d levels",
                 JSON_INPUT_DEPTH_MAX);
        return NULL;
    }
    json_t *root = json_loadb(body.data != NULL ? body.data : "", body.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (root == NULL)
        snprintf(fault, JSON_INPUT_FAULT_BYTES, "line %d, column %d: %s", error.line, error.column,
                 error.text);
    return root;
}
