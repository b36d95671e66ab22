/* JSON written as YAML 1.2 in blocks, for people to read. */
#ifndef BASE_JSON_YAML_H
#define BASE_JSON_YAML_H

#include "base/buffer.h"

#include <jansson.h>

#define JSON_YAML_DEPTH_MAX 64

/* Appends the whole document; what is nested deeper is our bug. */
void json_yaml_write(struct buffer *buffer, const json_t *root);

#endif
