#include "api/bulk_line.h"

#include "api/json_input.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bulk_fault bulk_fault_named(const char *code, const char *text) {
    struct bulk_fault fault = {.code = code};
    snprintf(fault.text, sizeof fault.text, "%s", text);
    return fault;
}

struct bulk_fault bulk_fault_of(const struct error *error) {
    if (error == NULL)
        return bulk_fault_named("idempotency_mismatch", "this key was used for something else");
    if (error->status == STATUS_INVALID)
        return bulk_fault_named("invalid", "the table of messages does not take this");
    return bulk_fault_named("unavailable", "the store does not answer; send this line again");
}

void bulk_fault_write(struct json_writer *json, const struct bulk_fault *fault) {
    json_object_open(json);
    json_member_string(json, "code", fault->code);
    json_member_string(json, "message", fault->text);
    if (fault->field[0] != '\0')
        json_member_string(json, "field", fault->field);
    json_object_close(json);
}

json_t *bulk_line_parse(struct text line, struct bulk_fault *fault) {
    *fault = (struct bulk_fault){.code = "invalid_json"};
    return json_input_parse(line, fault->text);
}

bool bulk_line_read(const json_t *root, const struct message_rules *rules, struct arena *arena,
                    struct message_draft *draft, struct bulk_fault *fault) {
    struct message_input_fault wrong;
    if (message_input_read(root, rules, arena, draft, &wrong))
        return true;
    *fault = bulk_fault_named("invalid_field", wrong.text);
    memcpy(fault->field, wrong.field, sizeof fault->field);
    return false;
}

static char *copy_name(struct text name) {
    char *copy = memory_zeroed(name.len + 1, 1);
    memcpy(copy, name.data, name.len);
    return copy;
}

void bulk_columns_read(struct bulk_columns *columns, const struct csv_record *record) {
    for (size_t i = 0; i < record->count && i < CSV_FIELDS_MAX; i++)
        columns->names[columns->count++] = copy_name(text_trim(record->fields[i]));
}

void bulk_columns_deinit(struct bulk_columns *columns) {
    for (size_t i = 0; i < columns->count; i++)
        free(columns->names[i]);
    *columns = (struct bulk_columns){0};
}

/* Numbers and metadata as they are meant; what is none is judged as the string it is. */
static json_t *value_of(const char *name, struct text field) {
    int64_t number = 0;
    bool numeric = strcmp(name, "priority") == 0 || strcmp(name, "max_attempts") == 0;
    if (numeric && text_to_int64(field, &number))
        return json_integer(number);
    char ignored[JSON_INPUT_FAULT_BYTES];
    json_t *value = strcmp(name, "metadata") == 0 ? json_input_parse(field, ignored) : NULL;
    return value != NULL ? value : json_stringn(field.data, field.len);
}

static bool set_member(json_t *root, const char *name, struct text field,
                       struct bulk_fault *fault) {
    if (json_object_get(root, name) != NULL) {
        *fault = bulk_fault_named("invalid_csv", "a column stands twice in the first line");
        return false;
    }
    if (json_object_set_new(root, name, value_of(name, field)) == 0)
        return true;
    *fault = bulk_fault_named("invalid_csv", "it is no UTF-8");
    return false;
}

json_t *bulk_columns_apply(const struct bulk_columns *columns, const struct csv_record *record,
                           struct bulk_fault *fault) {
    json_t *root = json_object();
    bool good = record->count <= columns->count;
    if (!good)
        *fault = bulk_fault_named("invalid_csv", "has more fields than the first line has names");
    for (size_t i = 0; i < record->count && good; i++)
        if (record->fields[i].len > 0)
            good = set_member(root, columns->names[i], record->fields[i], fault);
    if (good)
        return root;
    json_decref(root);
    return NULL;
}
