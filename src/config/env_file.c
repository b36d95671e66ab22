#include "config/env_file.h"

#include "base/check.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The functions that parse a part of a line return NULL, or what is wrong in words. */

static const char *end_of_quoted(struct text after) {
    after = text_trim(after);
    bool comment = after.len > 0 && after.data[0] == '#';
    return after.len == 0 || comment ? NULL : "has text after the closing quote";
}

static const char *single_quoted(struct text raw, struct text *value) {
    struct text rest = {raw.data + 1, raw.len - 1};
    *value = text_cut(&rest, '\'');
    return rest.data != NULL ? end_of_quoted(rest) : "has no closing quote";
}

static char unescaped(char c) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case '"':
    case '\\': return c;
    default: return '\0';
    }
}

/* Unescapes in place: the value never gets longer, and the bytes are the file's own. */
static const char *double_quoted(struct text raw, struct text *value) {
    char *to = (char *)raw.data;
    size_t i = 1;
    for (; i < raw.len && raw.data[i] != '"'; i++) {
        char c = raw.data[i];
        char escape = c == '\\' && i + 1 < raw.len ? unescaped(raw.data[i + 1]) : '\0';
        i += escape != '\0';
        *to++ = escape != '\0' ? escape : c;
    }
    if (i == raw.len)
        return "has no closing quote";
    *value = (struct text){raw.data, (size_t)(to - raw.data)};
    return end_of_quoted((struct text){raw.data + i + 1, raw.len - i - 1});
}

static const char *parse_value(struct text raw, struct text *value) {
    struct text trimmed = text_trim(raw);
    if (trimmed.len > 0 && trimmed.data[0] == '\'')
        return single_quoted(trimmed, value);
    if (trimmed.len > 0 && trimmed.data[0] == '"')
        return double_quoted(trimmed, value);
    for (size_t i = 1; i < raw.len; i++)
        if (raw.data[i] == '#' && is_blank(raw.data[i - 1]))
            raw.len = i;
    *value = text_trim(raw);
    return NULL;
}

static bool is_name(struct text key) {
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.data[i];
        if (!(c < 0x80 && isalnum(c)) && strchr("_.-", c) == NULL)
            return false;
    }
    return key.len > 0 && memchr(key.data, '\0', key.len) == NULL;
}

/* A line without an entry leaves the key without data. */
static const char *parse_line(struct text line, struct env_entry *entry) {
    struct text rest = text_trim(line);
    if (rest.len == 0 || rest.data[0] == '#')
        return NULL;
    if (text_starts_with(rest, "export") && rest.len > 6 && is_blank(rest.data[6]))
        rest = (struct text){rest.data + 7, rest.len - 7};
    struct text key = text_trim(text_cut(&rest, '='));
    if (rest.data == NULL)
        return "has no \"=\"; expected NAME=value";
    if (!is_name(key))
        return "has no name before the \"=\" (letters, digits and _); expected NAME=value";
    entry->key = key;
    return parse_value(rest, &entry->value);
}

static void add_entry(struct env_file *file, struct env_entry entry) {
    if ((file->count & (file->count - 1)) == 0) /* full: none yet, or a power of two */
        file->entries = memory_resize(file->entries, file->count > 0 ? file->count * 2 : 1,
                                      sizeof *file->entries);
    file->entries[file->count++] = entry;
}

enum status env_file_parse(struct env_file *file, const char *path, char *bytes, size_t len,
                           struct buffer *faults) {
    check(file != NULL && path != NULL && bytes != NULL && faults != NULL);
    *file = (struct env_file){.bytes = bytes};
    struct text rest = {bytes, len};
    if (text_starts_with(rest, "\xEF\xBB\xBF"))
        rest = (struct text){bytes + 3, len - 3};
    size_t fault_count = 0;
    for (size_t number = 1; rest.data != NULL; number++) {
        struct env_entry entry = {0};
        const char *wrong = parse_line(text_cut(&rest, '\n'), &entry);
        if (wrong != NULL && ++fault_count <= ENV_FILE_FAULTS_MAX)
            buffer_printf(faults, "%s, line %zu: %s\n", path, number, wrong);
        if (wrong == NULL && entry.key.data != NULL)
            add_entry(file, entry);
    }
    if (fault_count > ENV_FILE_FAULTS_MAX)
        buffer_printf(faults, "%s: has %zu more lines with faults\n", path,
                      fault_count - ENV_FILE_FAULTS_MAX);
    return fault_count == 0 ? STATUS_OK : STATUS_INVALID;
}

/* 0 or an errno; EFBIG when the file passes the maximum. */
static int read_whole(FILE *stream, struct buffer *content) {
    char piece[4096];
    size_t got;
    errno = 0;
    while ((got = fread(piece, 1, sizeof piece, stream)) > 0)
        if (!buffer_append(content, (struct text){piece, got}))
            return EFBIG;
    return ferror(stream) ? errno : 0;
}

enum status env_file_read(struct env_file *file, const char *path, struct buffer *faults) {
    check(file != NULL && path != NULL && faults != NULL);
    *file = (struct env_file){0};
    FILE *stream = fopen(path, "re");
    if (stream == NULL && errno == ENOENT)
        return STATUS_NOT_FOUND;
    struct buffer content;
    buffer_init(&content, ENV_FILE_BYTES_MAX);
    int failure = stream != NULL ? read_whole(stream, &content) : errno;
    if (stream != NULL)
        fclose(stream);
    if (failure == 0) {
        size_t len = content.len;
        return env_file_parse(file, path, buffer_take(&content), len, faults);
    }
    if (failure == EFBIG)
        buffer_printf(faults, "%s: is larger than %d bytes\n", path, ENV_FILE_BYTES_MAX);
    else
        buffer_printf(faults, "%s: cannot be read: %s\n", path, strerror(failure));
    buffer_deinit(&content);
    return STATUS_INVALID;
}

void env_file_deinit(struct env_file *file) {
    free(file->entries);
    free(file->bytes);
    *file = (struct env_file){0};
}
