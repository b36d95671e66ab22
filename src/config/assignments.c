#include "config/assignments.h"

#include "base/check.h"
#include "base/memory.h"
#include "config/option_value.h"

#include <stdlib.h>

void assignments_deinit(struct assignments *assignments) {
    free(assignments->items);
    *assignments = (struct assignments){0};
}

static void add(struct assignments *assignments, struct option_match option, struct text value) {
    check(option.spec != NULL);
    if (value.len == 0)
        return;
    assignments->items =
        memory_resize(assignments->items, assignments->count + 1, sizeof *assignments->items);
    assignments->items[assignments->count++] = (struct assignment){option, value};
}

void assignments_add_environment(struct assignments *assignments, const char *const *strings) {
    for (; strings != NULL && *strings != NULL; strings++) {
        struct text value = text_of(*strings);
        struct option_match option = option_find_variable(text_cut(&value, '='));
        if (option.spec != NULL && value.data != NULL)
            add(assignments, option, value);
    }
}

static void warn_of_unknown_key(struct text key, const char *path, struct buffer *warnings) {
    struct option_match near = option_nearest_variable(key);
    option_write_escaped(warnings, key);
    buffer_printf(warnings, " in %s is not known", path);
    if (near.spec != NULL)
        buffer_printf(warnings, "; did you mean %.*s?", TEXT_ARGUMENT(near.name));
    buffer_append_byte(warnings, '\n');
}

void assignments_add_env_file(struct assignments *assignments, const struct env_file *file,
                              const char *path, struct buffer *warnings) {
    for (size_t i = 0; i < file->count; i++) {
        struct option_match option = option_find_variable(file->entries[i].key);
        if (option.spec != NULL)
            add(assignments, option, file->entries[i].value);
        else
            warn_of_unknown_key(file->entries[i].key, path, warnings);
    }
}

struct arguments {
    int count;
    char *const *items;
    int next;
};

/* What follows a flag, unless that begins with `stop` and so is a flag itself. */
static struct text next_value(struct arguments *arguments, const char *stop) {
    if (arguments->next == arguments->count)
        return (struct text){0};
    struct text value = text_of(arguments->items[arguments->next]);
    if (text_starts_with(value, stop))
        return (struct text){0};
    arguments->next++;
    return value;
}

static void fault_unknown_flag(struct text flag, struct text name, struct buffer *faults) {
    struct option_match near = option_nearest_flag(name);
    option_write_escaped(faults, flag);
    buffer_append_string(faults, " is not known");
    if (near.spec != NULL) {
        buffer_append_string(faults, "; did you mean ");
        option_write_flag(faults, near.name);
        buffer_append_byte(faults, '?');
    }
    buffer_append_byte(faults, '\n');
}

static void fault_missing_value(struct option_match option, struct buffer *faults) {
    bool textual = option.spec->type == OPTION_TYPE_TEXT || option.spec->type == OPTION_TYPE_SECRET;
    option_write_flag(faults, option.name);
    buffer_append_string(faults, " needs a value: ");
    option_write_allowed(faults, option.spec);
    if (textual) {
        buffer_append_string(faults, "; one that begins with -- is given as ");
        option_write_flag(faults, option.name);
        buffer_append_string(faults, "=--VALUE");
    }
    buffer_append_byte(faults, '\n');
}

static void add_flag(struct assignments *assignments, struct arguments *arguments,
                     struct buffer *faults) {
    struct text value = text_of(arguments->items[arguments->next++]);
    if (value.len < 2 || value.data[0] != '-') {
        /* Not shown: it may be the rest of a secret that lacks quotes. */
        buffer_printf(faults, "argument %d is not an option; options begin with --\n",
                      arguments->next);
        return;
    }
    bool dashes = text_starts_with(value, "--");
    struct text flag = text_cut(&value, '=');
    struct text name = {flag.data + (dashes ? 2 : 1), flag.len - (dashes ? 2 : 1)};
    struct option_match option = dashes ? option_find_flag(name) : (struct option_match){0};
    bool needs_value = option.spec != NULL && option.spec->type != OPTION_TYPE_BOOLEAN;
    if (value.data == NULL)
        value = next_value(arguments, needs_value ? "--" : "-");
    if (option.spec == NULL)
        fault_unknown_flag(flag, name, faults);
    else if (value.data != NULL)
        add(assignments, option, value);
    else if (option.spec->type == OPTION_TYPE_BOOLEAN)
        add(assignments, option, TEXT_LITERAL("true"));
    else
        fault_missing_value(option, faults);
}

void assignments_add_flags(struct assignments *assignments, int count, char *const *flags,
                           struct buffer *faults) {
    struct arguments arguments = {.count = count, .items = flags};
    while (arguments.next < count)
        add_flag(assignments, &arguments, faults);
}
