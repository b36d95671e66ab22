#include "config/option.h"

#include "base/check.h"
#include "config/config.h"

#include <ctype.h>
#include <string.h>

#define NAME_BYTES_MAX 64
#define NEAR_DISTANCE_MAX 3

const struct option_spec option_specs[OPTION_COUNT + 1] = {
#define OPTION(field, name, aliases, type, standard, minimum, maximum, allowed, help)              \
    {name,     aliases, OPTION_TYPE_##type,                                                        \
     standard, minimum, maximum,                                                                   \
     allowed,  help,    offsetof(struct config, field)},
#include "config/options.def"
#undef OPTION
    {"ENV_FILE", "", OPTION_TYPE_TEXT, ".env", 1, 4096, "",
     "A file of NAME=value lines. Only as a flag; the standard file may be missing.", SIZE_MAX},
};

struct text option_name_at(const struct option_spec *spec, size_t index) {
    check(spec != NULL);
    if (index == 0)
        return text_of(spec->name);
    struct text rest = text_of(spec->aliases);
    struct text alias = {0};
    for (size_t i = 0; i < index; i++) {
        if (rest.data == NULL || rest.len == 0)
            return (struct text){0};
        alias = text_cut(&rest, ' ');
    }
    return alias;
}

static char flag_character(char c) {
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static char variable_character(char c) {
    return c == '-' ? '_' : (char)toupper((unsigned char)c);
}

static bool is_flag_of(struct text flag, struct text name) {
    if (flag.len != name.len)
        return false;
    for (size_t i = 0; i < flag.len; i++)
        if (flag.data[i] != flag_character(name.data[i]))
            return false;
    return true;
}

static struct option_match find(struct text wanted, size_t spec_count,
                                bool (*matches)(struct text wanted, struct text name)) {
    for (size_t i = 0; i < spec_count; i++) {
        struct text name;
        for (size_t j = 0; (name = option_name_at(&option_specs[i], j)).data != NULL; j++)
            if (matches(wanted, name))
                return (struct option_match){&option_specs[i], name};
    }
    return (struct option_match){0};
}

struct option_match option_find_variable(struct text name) {
    return find(name, OPTION_COUNT, text_equal);
}

struct option_match option_find_flag(struct text flag) {
    return find(flag, OPTION_COUNT + 1, is_flag_of);
}

static struct option_match nearest(struct text unknown, size_t spec_count) {
    char folded[NAME_BYTES_MAX];
    struct option_match best = {0};
    if (unknown.len > sizeof folded)
        return best;
    for (size_t i = 0; i < unknown.len; i++)
        folded[i] = variable_character(unknown.data[i]);
    size_t best_distance = NEAR_DISTANCE_MAX + 1;
    for (size_t i = 0; i < spec_count; i++) {
        struct text name;
        for (size_t j = 0; (name = option_name_at(&option_specs[i], j)).data != NULL; j++) {
            size_t distance = text_edit_distance((struct text){folded, unknown.len}, name);
            if (distance >= best_distance || distance * 2 >= unknown.len)
                continue;
            best_distance = distance;
            best = (struct option_match){&option_specs[i], name};
        }
    }
    return best;
}

struct option_match option_nearest_variable(struct text unknown) {
    return nearest(unknown, OPTION_COUNT);
}

struct option_match option_nearest_flag(struct text unknown) {
    return nearest(unknown, OPTION_COUNT + 1);
}

void option_write_flag(struct buffer *buffer, struct text name) {
    buffer_append_string(buffer, "--");
    for (size_t i = 0; i < name.len; i++)
        buffer_append_byte(buffer, flag_character(name.data[i]));
}
