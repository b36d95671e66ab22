#include "cli/mock_behaviour.h"

#include "base/check.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000
#define TIMES_MAX 1000000000

enum kind { KIND_WHOLE, KIND_RATE, KIND_DURATION, KIND_SWITCH };

static const struct setting {
    const char *flag;
    const char *member;
    enum kind kind;
    int64_t min;
    int64_t max;
    int64_t normal;
    size_t offset;
    const char *allowed;
    const char *help;
} settings[] = {
    {"--latency", "latency_ms", KIND_DURATION, 0, 3600000, 0,
     offsetof(struct mock_behaviour, latency_ms), "a time up to 1h, as 50ms or 2s",
     "answer this much later"},
    {"--fail-rate", "fail_rate", KIND_RATE, 0, MILLION, -1,
     offsetof(struct mock_behaviour, fail_per_million), "a number from 0 to 1",
     "the share of requests that is treated badly"},
    {"--status", "status", KIND_WHOLE, 200, 599, 0, offsetof(struct mock_behaviour, status),
     "a whole number from 200 to 599", "the status of that share (500), or of all"},
    {"--retry-after", "retry_after", KIND_WHOLE, 0, 86400, -1,
     offsetof(struct mock_behaviour, retry_after_s), "whole seconds from 0 to 86400",
     "a Retry-After header, in seconds, on failures"},
    {"--hang", "hang", KIND_SWITCH, 0, 1, 0, offsetof(struct mock_behaviour, hang), "true or false",
     "never answer that share, or any"},
    {"--reset", "reset", KIND_SWITCH, 0, 1, 0, offsetof(struct mock_behaviour, reset),
     "true or false", "reset the connection instead of answering that share, or any"},
    {"--body-bytes", "body_bytes", KIND_WHOLE, 0, MOCK_BODY_BYTES_MAX, 0,
     offsetof(struct mock_behaviour, body_bytes), "a whole number from 0 to 16777216",
     "pad the answer's body to this size"},
};
#define SETTINGS_COUNT (sizeof settings / sizeof *settings)

static int64_t *place(struct mock_behaviour *behaviour, const struct setting *setting) {
    return (int64_t *)(void *)((char *)behaviour + setting->offset);
}

static int64_t value_of(const struct mock_behaviour *behaviour, const struct setting *setting) {
    return *(const int64_t *)(const void *)((const char *)behaviour + setting->offset);
}

struct mock_behaviour mock_behaviour_normal(void) {
    struct mock_behaviour behaviour = {0};
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        *place(&behaviour, &settings[i]) = settings[i].normal;
    return behaviour;
}

static const struct setting *setting_of_flag(struct text flag) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (text_equal_string(flag, settings[i].flag))
            return &settings[i];
    return NULL;
}

bool mock_behaviour_flag_has_value(struct text flag, bool *known) {
    const struct setting *setting = setting_of_flag(flag);
    *known = setting != NULL;
    return *known && setting->kind != KIND_SWITCH;
}

static bool rate_from(double share, int64_t *per_million) {
    if (!(share >= 0 && share <= 1))
        return false;
    *per_million = (int64_t)(share * MILLION + 0.5);
    return true;
}

static bool read_word(const struct setting *setting, const char *word, int64_t *value) {
    char *end = NULL;
    switch (setting->kind) {
    case KIND_SWITCH: *value = 1; return true;
    case KIND_WHOLE: return text_to_int64(text_of(word), value);
    case KIND_DURATION: return text_to_duration_ms(text_of(word), value);
    case KIND_RATE: break;
    }
    double share = strtod(word, &end);
    return end != word && *end == '\0' && rate_from(share, value);
}

enum status mock_behaviour_set_flag(struct mock_behaviour *behaviour, struct text flag,
                                    const char *value, struct error *error) {
    const struct setting *setting = setting_of_flag(flag);
    check(setting != NULL && (value != NULL || setting->kind == KIND_SWITCH));
    int64_t number = 0;
    if (!read_word(setting, value, &number) || number < setting->min || number > setting->max)
        return error_set(error, STATUS_INVALID, "%s must be %s, not \"%s\"", setting->flag,
                         setting->allowed, value);
    *place(behaviour, setting) = number;
    return STATUS_OK;
}

static bool read_member(const struct setting *setting, const json_t *json, int64_t *value) {
    if (setting->kind == KIND_RATE)
        return json_is_number(json) && rate_from(json_number_value(json), value);
    *value = setting->kind == KIND_SWITCH ? json_is_true(json) : json_integer_value(json);
    return setting->kind == KIND_SWITCH ? json_is_boolean(json) : json_is_integer(json);
}

static enum status set_member(struct mock_behaviour *behaviour, const char *name,
                              const json_t *json, struct error *error) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *setting = &settings[i];
        int64_t value = 0;
        if (strcmp(setting->member, name) != 0)
            continue;
        if (!read_member(setting, json, &value) || value < setting->min || value > setting->max)
            return error_set(error, STATUS_INVALID, "%s must be %s", name,
                             setting->kind == KIND_DURATION ? "milliseconds from 0 to 3600000"
                                                            : setting->allowed);
        *place(behaviour, setting) = value;
        return STATUS_OK;
    }
    return error_set(error, STATUS_INVALID, "there is no setting \"%.64s\"", name);
}

static enum status set_times(int64_t *times, const json_t *json, struct error *error) {
    *times = json_integer_value(json);
    if (!json_is_integer(json) || *times < 1 || *times > TIMES_MAX)
        return error_set(error, STATUS_INVALID, "times must be a whole number from 1 to %d",
                         TIMES_MAX);
    return STATUS_OK;
}

enum status mock_behaviour_from_json(struct mock_behaviour *behaviour, int64_t *times,
                                     struct text json, struct error *error) {
    struct mock_behaviour read = mock_behaviour_normal();
    int64_t read_times = 0;
    enum status status = STATUS_OK;
    const char *name = NULL;
    json_t *value = NULL;
    json_t *root = json_loadb(json.data, json.len, 0, NULL);
    if (!json_is_object(root))
        status = error_set(error, STATUS_INVALID, "the body must be a JSON object");
    json_object_foreach(root, name, value) {
        if (status == STATUS_OK && strcmp(name, "times") == 0)
            status = set_times(&read_times, value, error);
        else if (status == STATUS_OK)
            status = set_member(&read, name, value, error);
    }
    json_decref(root);
    if (status == STATUS_OK)
        status = mock_behaviour_check(&read, error);
    if (status != STATUS_OK)
        return status;
    *behaviour = read;
    *times = read_times;
    return STATUS_OK;
}

enum status mock_behaviour_check(const struct mock_behaviour *behaviour, struct error *error) {
    if (behaviour->hang && behaviour->reset)
        return error_set(error, STATUS_INVALID, "hang and reset exclude each other; give one");
    if ((behaviour->hang || behaviour->reset) && behaviour->status != 0)
        return error_set(error, STATUS_INVALID, "%s excludes status, as nothing is answered",
                         behaviour->hang ? "hang" : "reset");
    return STATUS_OK;
}

void mock_behaviour_write(const struct mock_behaviour *behaviour, int64_t times,
                          struct json_writer *json) {
    json_object_open(json);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        int64_t value = value_of(behaviour, &settings[i]);
        if (value == settings[i].normal && value < settings[i].min)
            continue;
        json_key(json, settings[i].member);
        if (settings[i].kind == KIND_SWITCH)
            json_value_bool(json, value != 0);
        else if (settings[i].kind == KIND_RATE)
            json_value_double(json, (double)value / MILLION);
        else
            json_value_int64(json, value);
    }
    if (times > 0) {
        json_member_int64(json, "times", times);
    }
    json_object_close(json);
}

void mock_behaviour_write_help(struct buffer *help) {
    static const char *const operands[] = {
        [KIND_WHOLE] = " N", [KIND_RATE] = " N", [KIND_DURATION] = " TIME", [KIND_SWITCH] = ""};
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *setting = &settings[i];
        bool operand = setting->kind != KIND_SWITCH;
        buffer_printf(help, "  %s%-*s  %s%s%s%s\n", setting->flag,
                      (int)(17 - strlen(setting->flag)), operands[setting->kind], setting->help,
                      operand ? " (" : "", operand ? setting->allowed : "", operand ? ")" : "");
    }
}

struct mock_plan mock_behaviour_plan(const struct mock_behaviour *behaviour,
                                     struct random *random) {
    struct mock_plan plan = {.fate = MOCK_ACCEPT,
                             .status = 202,
                             .latency_ms = behaviour->latency_ms,
                             .retry_after_s = -1,
                             .body_bytes = (size_t)behaviour->body_bytes};
    int64_t share = behaviour->fail_per_million;
    if (share < 0)
        share = behaviour->hang || behaviour->reset || behaviour->status != 0 ? MILLION : 0;
    if (share == 0 || (int64_t)random_below(random, MILLION) >= share)
        return plan;
    plan.status = 0;
    plan.fate = behaviour->hang ? MOCK_HANG : MOCK_RESET;
    if (behaviour->hang || behaviour->reset)
        return plan;
    plan.status = behaviour->status != 0 ? (unsigned)behaviour->status : 500;
    plan.fate = plan.status < 300 ? MOCK_ACCEPT : MOCK_FAIL;
    if (plan.fate == MOCK_FAIL)
        plan.retry_after_s = behaviour->retry_after_s;
    return plan;
}

const char *mock_fate_name(enum mock_fate fate) {
    static const char *const names[] = {[MOCK_ACCEPT] = "accepted",
                                        [MOCK_FAIL] = "failed",
                                        [MOCK_HANG] = "hung",
                                        [MOCK_RESET] = "reset"};
    return names[fate];
}
