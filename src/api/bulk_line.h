/* One line of a stream of messages: from NDJSON or CSV to a draft, or what is wrong with it. */
#ifndef API_BULK_LINE_H
#define API_BULK_LINE_H

#include "api/csv_reader.h"
#include "api/message_input.h"
#include "base/error.h"
#include "base/json_writer.h"

/* As in the errors of the API. */
struct bulk_fault {
    const char *code;
    char field[MESSAGE_INPUT_FIELD_BYTES_MAX + 1]; /* "": none */
    char text[MESSAGE_INPUT_TEXT_BYTES_MAX + 1];
};

/* `text` is copied, `code` has to outlive the fault. */
struct bulk_fault bulk_fault_named(const char *code, const char *text);
/* Of a store that did not take a group; NULL: a key that was used for something else. */
struct bulk_fault bulk_fault_of(const struct error *error);
/* One value: {"code","message","field"?}. */
void bulk_fault_write(struct json_writer *json, const struct bulk_fault *fault);

/* The caller's to json_decref; NULL with a fault. */
json_t *bulk_line_parse(struct text line, struct bulk_fault *fault);
/* As message_input_read. */
bool bulk_line_read(const json_t *root, const struct message_rules *rules, struct arena *arena,
                    struct message_draft *draft, struct bulk_fault *fault);

/* The names in the first line of a CSV. */
struct bulk_columns {
    char *names[CSV_FIELDS_MAX];
    size_t count; /* 0: not read yet */
};

/* Copies the names of the first record. */
void bulk_columns_read(struct bulk_columns *columns, const struct csv_record *record);
/* It is then as before the first record. */
void bulk_columns_deinit(struct bulk_columns *columns);
/* A record as the object that it would be in NDJSON; an empty field is no member. The caller's to
 * json_decref; NULL with a fault. */
json_t *bulk_columns_apply(const struct bulk_columns *columns, const struct csv_record *record,
                           struct bulk_fault *fault);

#endif
