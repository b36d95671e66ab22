/* JSON from strangers: bounded in depth, no member twice, and words for what is wrong with it. */
#ifndef API_JSON_INPUT_H
#define API_JSON_INPUT_H

#include "base/text.h"

#include <jansson.h>

#define JSON_INPUT_DEPTH_MAX 32
#define JSON_INPUT_FAULT_BYTES 256

/* The caller's to json_decref; NULL with `fault` in words. Any value is welcome. */
json_t *json_input_parse(struct text body, char fault[JSON_INPUT_FAULT_BYTES]);

#endif
