#include "config/option_value.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool parse_text(const struct option_spec *spec, struct text text,
                       struct option_value *value) {
    bool has_nul = text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
    if (has_nul || text.len > (size_t)spec->maximum || text_utf8_count(text) < 0)
        return false;
    value->text = text;
    return true;
}

static bool parse_choice(const struct option_spec *spec, struct text text,
                         struct option_value *value) {
    struct text rest = text_of(spec->allowed);
    while (rest.data != NULL) {
        struct text choice = text_cut(&rest, '|');
        if (text_equal_ignoring_case(choice, text)) {
            value->text = choice;
            return true;
        }
    }
    return false;
}

static bool parse_number(const struct option_spec *spec, struct text text,
                         struct option_value *value) {
    int64_t number = 0;
    bool parsed = spec->type == OPTION_TYPE_DURATION ? text_to_duration_ms(text, &number)
                                                     : text_to_int64(text, &number);
    if (!parsed || number < spec->minimum || number > spec->maximum)
        return false;
    value->number = number;
    return true;
}

bool option_parse(const struct option_spec *spec, struct text text, struct option_value *value) {
    check(spec != NULL && text.data != NULL && value != NULL);
    bool truth = false;
    switch (spec->type) {
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_SECRET: return parse_text(spec, text, value);
    case OPTION_TYPE_CHOICE: return parse_choice(spec, text, value);
    case OPTION_TYPE_INTEGER:
    case OPTION_TYPE_DURATION: return parse_number(spec, text, value);
    case OPTION_TYPE_BOOLEAN:
        if (!text_to_bool(text, &truth))
            return false;
        value->number = truth;
        return true;
    }
    check(!"an option type");
    return false;
}

static bool is_textual(const struct option_spec *spec) {
    return spec->type == OPTION_TYPE_TEXT || spec->type == OPTION_TYPE_SECRET ||
           spec->type == OPTION_TYPE_CHOICE;
}

bool option_value_equal(const struct option_spec *spec, struct option_value a,
                        struct option_value b) {
    return is_textual(spec) ? text_equal(a.text, b.text) : a.number == b.number;
}

void option_store(struct config *config, const struct option_spec *spec,
                  struct option_value value) {
    check(spec->offset < sizeof *config);
    void *field = (char *)config + spec->offset;
    if (spec->type == OPTION_TYPE_BOOLEAN) {
        *(bool *)field = value.number != 0;
    } else if (!is_textual(spec)) {
        *(int64_t *)field = value.number;
    } else {
        char *copy = memory_zeroed(value.text.len + 1, 1);
        memcpy(copy, value.text.data, value.text.len);
        check(*(char **)field == NULL);
        *(char **)field = copy;
    }
}

struct option_value option_fetch(const struct config *config, const struct option_spec *spec) {
    check(spec->offset < sizeof *config);
    const void *field = (const char *)config + spec->offset;
    if (spec->type == OPTION_TYPE_BOOLEAN)
        return (struct option_value){.number = *(const bool *)field};
    if (!is_textual(spec))
        return (struct option_value){.number = *(const int64_t *)field};
    return (struct option_value){.text = text_of(*(char *const *)field)};
}

void option_clear(struct config *config, const struct option_spec *spec) {
    if (is_textual(spec)) {
        char **field = (char **)(void *)((char *)config + spec->offset);
        free(*field);
        *field = NULL;
    } else {
        option_store(config, spec, (struct option_value){0});
    }
}
