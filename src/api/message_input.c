#include "api/message_input.h"

#include "api/json_input.h"
#include "base/check.h"
#include "base/timestamp.h"
#include "message/phone.h"

#include <stdarg.h>
#include <stdio.h>

#define KNOWN_FIELDS                                                                               \
    "to, content, priority, send_at, expires_at, idempotency_key, metadata, max_attempts, provider"

_Static_assert(JSON_INPUT_FAULT_BYTES == MESSAGE_INPUT_TEXT_BYTES_MAX + 1, "one fault, two names");

static const char *const recipient_names[] = {"to", "recipient", "phone", "phone_number",
                                              "phoneNumber"};

/* One message of the input. */
struct reading {
    struct message_input_fault *fault;
    const struct message_rules *rules;
    struct arena *arena;
    int64_t index;              /* in the list; negative: it stands alone */
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

struct bounds {
    int64_t minimum, maximum;
};

static bool read_number(const struct reading *reading, const char *key, const json_t *value,
                        struct bounds bounds, int64_t *target) {
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < bounds.minimum || number > bounds.maximum)
        return refuse(reading, key, "must be a whole number from %lld to %lld",
                      (long long)bounds.minimum, (long long)bounds.maximum);
    *target = number;
    return true;
}

static bool read_time(const struct reading *reading, const char *key, const json_t *value,
                      int64_t *target) {
    struct text text = {json_string_value(value), json_string_length(value)};
    if (!json_is_string(value) || !timestamp_parse(text, target))
        return refuse(reading, key, "must be a time like 2026-01-31T09:30:00Z (RFC 3339)");
    return true;
}

static bool read_metadata(const struct reading *reading, const json_t *value, struct text *target) {
    if (!json_is_object(value))
        return refuse(reading, "metadata", "must be an object");
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT);
    if (len > MESSAGE_METADATA_BYTES_MAX)
        return refuse(reading, "metadata", "is longer than %d bytes", MESSAGE_METADATA_BYTES_MAX);
    char *text = arena_alloc(reading->arena, len + 1);
    if (text == NULL)
        return refuse(reading, "metadata", "takes too much memory");
    json_dumpb(value, text, len, JSON_COMPACT);
    *target = (struct text){text, len};
    return true;
}

static bool read_provider(const struct reading *reading, const json_t *value, struct text *target) {
    if (!read_text(reading, "provider", value, target))
        return false;
    const char *there = reading->rules->provider;
    if (text_equal_string(*target, "default"))
        target->len = 0;
    else if (there == NULL || !text_equal_string(*target, there))
        return refuse(reading, "provider", "is not one of those that are configured");
    return true;
}

bool message_input_is_key(struct text key) {
    for (size_t i = 0; i < key.len; i++)
        if (key.data[i] <= ' ' || key.data[i] > '~')
            return false;
    return key.len > 0 && key.len <= MESSAGE_INPUT_KEY_BYTES_MAX;
}

static bool read_key(const struct reading *reading, const json_t *value, struct text *target) {
    if (!read_text(reading, "idempotency_key", value, target))
        return false;
    return message_input_is_key(*target) ||
           refuse(reading, "idempotency_key", "must be 1 to %d visible ASCII characters",
                  MESSAGE_INPUT_KEY_BYTES_MAX);
}

/* What cannot be normalised stays as it is, for the rules to refuse. */
static bool normalise(const struct reading *reading, const char *key, struct text *recipient) {
    char number[PHONE_NORMAL_BYTES];
    if (!phone_normalise(*recipient, number) || text_equal_string(*recipient, number))
        return true;
    *recipient = arena_copy(reading->arena, text_of(number));
    return recipient->data != NULL || refuse(reading, key, "takes too much memory");
}

static bool read_recipient(struct reading *reading, const char *key, const json_t *value,
                           struct text *target) {
    if (reading->recipient_name != NULL)
        return refuse(reading, key, "names the recipient a second time, beside %s",
                      reading->recipient_name);
    reading->recipient_name = key;
    return read_text(reading, key, value, target) && normalise(reading, key, target);
}

static bool read_member(struct reading *reading, const char *key, const json_t *value,
                        struct message_draft *draft) {
    static const struct bounds priorities = {-MESSAGE_INPUT_PRIORITY_MAX,
                                             MESSAGE_INPUT_PRIORITY_MAX};
    static const struct bounds attempts = {1, MESSAGE_INPUT_ATTEMPTS_MAX};
    struct text name = text_of(key);
    if (text_equal_string(name, "content"))
        return read_text(reading, key, value, &draft->content);
    if (is_recipient_name(key))
        return read_recipient(reading, key, value, &draft->recipient);
    if (text_equal_string(name, "priority"))
        return read_number(reading, key, value, priorities, &draft->priority);
    if (text_equal_string(name, "max_attempts"))
        return read_number(reading, key, value, attempts, &draft->max_attempts);
    if (text_equal_string(name, "send_at"))
        return read_time(reading, key, value, &draft->due_at_ms);
    if (text_equal_string(name, "expires_at"))
        return read_time(reading, key, value, &draft->expires_at_ms);
    if (text_equal_string(name, "idempotency_key"))
        return read_key(reading, value, &draft->key);
    if (text_equal_string(name, "metadata"))
        return read_metadata(reading, value, &draft->metadata);
    if (text_equal_string(name, "provider"))
        return read_provider(reading, value, &draft->provider);
    return refuse(reading, key, "is not a known field; known are " KNOWN_FIELDS);
}

/* What can only be judged when all members are there. */
static bool check_draft(const struct reading *reading, const struct message_draft *draft) {
    struct message_fault fault;
    if (reading->recipient_name == NULL)
        return refuse(reading, "to", "is missing; give a number like +15551234567");
    if (draft->content.data == NULL)
        return refuse(reading, "content", "is missing");
    if (draft->expires_at_ms > 0 && draft->expires_at_ms <= reading->rules->now_ms)
        return refuse(reading, "expires_at", "is over already");
    if (draft->expires_at_ms > 0 && draft->expires_at_ms <= draft->due_at_ms)
        return refuse(reading, "expires_at", "must be later than send_at");
    if (message_is_valid(draft->recipient, draft->content, reading->rules->content_max, &fault))
        return true;
    bool of_recipient = text_equal_string(text_of(fault.field), "recipient");
    return refuse(reading, of_recipient ? reading->recipient_name : fault.field, "%s", fault.text);
}

static bool read_message(struct reading *reading, const json_t *object,
                         struct message_draft *draft) {
    if (!json_is_object(object))
        return refuse(reading, "",
                      "must be an object like {\"to\":\"+15551234567\","
                      "\"content\":\"Hello\"}");
    const char *key;
    json_t *value;
    *draft = (struct message_draft){0};
    json_object_foreach((json_t *)object, key, value) {
        if (!read_member(reading, key, value, draft))
            return false;
    }
    return check_draft(reading, draft);
}

bool message_input_read(const json_t *value, const struct message_rules *rules, struct arena *arena,
                        struct message_draft *draft, struct message_input_fault *fault) {
    struct reading reading = {.fault = fault, .rules = rules, .arena = arena, .index = -1};
    *fault = (struct message_input_fault){0};
    return read_message(&reading, value, draft);
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

static bool read_all(struct message_input *input, const struct message_rules *rules,
                     struct arena *arena, struct message_input_fault *fault) {
    struct reading whole = {.fault = fault, .rules = rules, .arena = arena, .index = -1};
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

bool message_input_parse(struct message_input *input, struct text body,
                         const struct message_rules *rules, struct arena *arena,
                         struct message_input_fault *fault) {
    check(input != NULL && rules != NULL && arena != NULL && fault != NULL);
    *input = (struct message_input){0};
    *fault = (struct message_input_fault){0};
    input->root = json_input_parse(body, fault->text);
    fault->syntax = input->root == NULL;
    if (fault->syntax)
        return false;
    if (read_all(input, rules, arena, fault))
        return true;
    message_input_deinit(input);
    return false;
}

void message_input_deinit(struct message_input *input) {
    json_decref(input->root);
    *input = (struct message_input){0};
}
