#include "api/message_input.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const recipient_names[] = {"to", "recipient", "phone", "phone_number",
                                              "phoneNumber"};

/* One message of the input. */
struct reading {
    struct message_input_fault *fault;
    int64_t index; /* in the list; negative: it stands alone */
    int64_t content_max;
    const char *recipient_name; /* the one that the client used */
};

__attribute__((format(printf, 3, 4))) static bool
refuse(const struct reading *reading, const char *field, const char *format, ...) {
    struct message_input_fault *fault = reading->fault;
    if (reading->index < 0)
        snprintf(fault->field, sizeof fault->field, "%s", field);
    else
        snprintf(fault->field, sizeof fault->field, "messages[%lld]%s%s", (long long)reading->index,
                 field[0] != '\0' ? "." : "", field);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_recipient_name(const char *key) {
    for (size_t i = 0; i < sizeof recipient_names / sizeof recipient_names[0]; i++)
        if (text_equal_string(text_of(key), recipient_names[i]))
            return true;
    return false;
}

static bool read_text(const struct reading *reading, const char *key, const json_t *value,
                      struct text *target) {
    if (!json_is_string(value))
        return refuse(reading, key, "must be a string");
    *target = (struct text){json_string_value(value), json_string_length(value)};
    return true;
}

static bool read_priority(const struct reading *reading, const json_t *value, int64_t *priority) {
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number > MESSAGE_INPUT_PRIORITY_MAX ||
        number < -MESSAGE_INPUT_PRIORITY_MAX)
        return refuse(reading, "priority", "must be a whole number from -%d to %d",
                      MESSAGE_INPUT_PRIORITY_MAX, MESSAGE_INPUT_PRIORITY_MAX);
    *priority = number;
    return true;
}

static bool read_member(struct reading *reading, const char *key, const json_t *value,
                        struct message_draft *draft) {
    if (text_equal_string(text_of(key), "content"))
        return read_text(reading, key, value, &draft->content);
    if (text_equal_string(text_of(key), "priority"))
        return read_priority(reading, value, &draft->priority);
    if (!is_recipient_name(key))
        return refuse(reading, key, "is not a known field; known are to, content and priority");
    if (reading->recipient_name != NULL)
        return refuse(reading, key, "names the recipient a second time, beside %s",
                      reading->recipient_name);
    reading->recipient_name = key;
    return read_text(reading, key, value, &draft->recipient);
}

static bool read_message(struct reading *reading, json_t *object, struct message_draft *draft) {
    if (!json_is_object(object))
        return refuse(reading, "",
                      "must be an object like {\"to\":\"+15551234567\","
                      "\"content\":\"Hello\"}");
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (!read_member(reading, key, value, draft))
            return false;
    }
    if (reading->recipient_name == NULL)
        return refuse(reading, "to", "is missing; give a number like +15551234567");
    if (draft->content.data == NULL)
        return refuse(reading, "content", "is missing");
    struct message_fault fault;
    if (message_is_valid(draft->recipient, draft->content, reading->content_max, &fault))
        return true;
    bool of_recipient = text_equal_string(text_of(fault.field), "recipient");
    return refuse(reading, of_recipient ? reading->recipient_name : fault.field, "%s", fault.text);
}

/* The list of a {"messages":[…]}; NULL where the input is a single message. */
static json_t *find_list(const struct message_input *input) {
    return json_is_object(input->root) ? json_object_get(input->root, "messages") : NULL;
}

static bool check_list(const struct reading *reading, json_t *root, const json_t *list) {
    if (!json_is_array(list))
        return refuse(reading, "messages", "must be an array");
    if (json_object_size(root) > 1)
        return refuse(reading, "messages", "must stand alone");
    size_t count = json_array_size(list);
    if (count == 0 || count > MESSAGE_INPUT_MESSAGES_MAX)
        return refuse(reading, "messages", "must have from 1 to %d messages",
                      MESSAGE_INPUT_MESSAGES_MAX);
    return true;
}

static bool read_all(struct message_input *input, int64_t content_max, struct arena *arena,
                     struct message_input_fault *fault) {
    struct reading whole = {.fault = fault, .index = -1, .content_max = content_max};
    json_t *list = find_list(input);
    input->many = list != NULL;
    if (input->many && !check_list(&whole, input->root, list))
        return false;
    input->count = input->many ? json_array_size(list) : 1;
    input->drafts = arena_alloc(arena, input->count * sizeof *input->drafts);
    if (input->drafts == NULL)
        return refuse(&whole, "messages", "takes too much memory");
    for (size_t i = 0; i < input->count; i++) {
        struct reading one = whole;
        one.index = input->many ? (int64_t)i : -1;
        json_t *object = input->many ? json_array_get(list, i) : input->root;
        if (!read_message(&one, object, &input->drafts[i]))
            return false;
    }
    return true;
}

bool message_input_parse(struct message_input *input, struct text body, int64_t content_max,
                         struct arena *arena, struct message_input_fault *fault) {
    check(input != NULL && arena != NULL && fault != NULL);
    *input = (struct message_input){0};
    *fault = (struct message_input_fault){0};
    json_error_t error;
    const char *data = body.data != NULL ? body.data : "";
    input->root = json_loadb(data, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (input->root == NULL) {
        fault->syntax = true;
        snprintf(fault->text, sizeof fault->text, "line %d, column %d: %s", error.line,
                 error.column, error.text);
        return false;
    }
    if (read_all(input, content_max, arena, fault))
        return true;
    message_input_deinit(input);
    return false;
}

void message_input_deinit(struct message_input *input) {
    json_decref(input->root);
    *input = (struct message_input){0};
}
