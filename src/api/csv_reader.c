#include "api/csv_reader.h"

#include "base/check.h"

#include <string.h>

static const char bom[] = "\xEF\xBB\xBF";
#define BOM_BYTES (sizeof bom - 1)

enum state {
    AT_START,  /* of a record */
    AT_FIELD,  /* after a comma */
    IN_PLAIN,  /* in a field without quotes */
    IN_QUOTES, /* between quotes */
    AT_QUOTE,  /* after a quote within quotes: the end of them, or the first of two */
    AT_CR,     /* after a CR, which an LF has to follow */
    IN_FAULT,  /* up to the end of the line */
};

void csv_reader_init(struct csv_reader *reader, size_t record_bytes_max,
                     bool (*record)(void *context, const struct csv_record *record),
                     void *context) {
    check(reader != NULL && record != NULL && record_bytes_max > 0);
    *reader = (struct csv_reader){
        .record = record, .context = context, .line = 1, .first_line = 1, .state = AT_START};
    /* Room for the NULs beside the bytes. */
    buffer_init(&reader->bytes, record_bytes_max + CSV_FIELDS_MAX + 1);
}

void csv_reader_deinit(struct csv_reader *reader) {
    buffer_deinit(&reader->bytes);
}

static void fail(struct csv_reader *reader, const char *fault) {
    if (reader->fault == NULL)
        reader->fault = fault;
    reader->state = IN_FAULT;
}

static void begin_field(struct csv_reader *reader) {
    if (reader->count == CSV_FIELDS_MAX)
        fail(reader, "has more than 32 fields");
    else
        reader->starts[reader->count++] = reader->bytes.len;
}

static void add_byte(struct csv_reader *reader, char byte) {
    if (!buffer_append_byte(&reader->bytes, byte))
        fail(reader, "is too long");
}

static void end_field(struct csv_reader *reader) {
    add_byte(reader, '\0');
}

/* Hands the record out and makes room for the next one. */
static bool end_record(struct csv_reader *reader) {
    struct text fields[CSV_FIELDS_MAX];
    bool empty = reader->count == 0 && reader->fault == NULL;
    struct csv_record record = {
        .line = reader->first_line, .fields = fields, .fault = reader->fault};
    for (size_t i = 0; i < reader->count && reader->fault == NULL; i++) {
        size_t end = i + 1 < reader->count ? reader->starts[i + 1] : reader->bytes.len;
        fields[i] =
            (struct text){reader->bytes.data + reader->starts[i], end - 1 - reader->starts[i]};
        record.count++;
    }
    bool wanted = empty || reader->record(reader->context, &record);
    size_t bytes_max = reader->bytes.bytes_max;
    if (reader->bytes.overflowed) {
        buffer_deinit(&reader->bytes);
        buffer_init(&reader->bytes, bytes_max);
    }
    buffer_clear(&reader->bytes);
    reader->count = 0;
    reader->fault = NULL;
    reader->state = AT_START;
    return wanted;
}

/* The byte that ends a field, or begins or goes on with one without quotes. */
static bool take_plain(struct csv_reader *reader, char byte) {
    if (byte == ',') {
        end_field(reader);
        if (reader->state != IN_FAULT)
            reader->state = AT_FIELD;
        return true;
    }
    if (byte == '\n' || byte == '\r') {
        end_field(reader);
        if (byte == '\n')
            return end_record(reader);
        if (reader->state != IN_FAULT)
            reader->state = AT_CR;
        return true;
    }
    if (byte == '"') {
        fail(reader, "has a quote within a field that does not begin with one");
        return true;
    }
    reader->state = IN_PLAIN;
    add_byte(reader, byte);
    return true;
}

static bool take_at_field(struct csv_reader *reader, char byte) {
    begin_field(reader);
    if (reader->state == IN_FAULT)
        return byte == '\n' ? end_record(reader) : true;
    if (byte != '"')
        return take_plain(reader, byte);
    reader->state = IN_QUOTES;
    return true;
}

static bool take_at_start(struct csv_reader *reader, char byte) {
    reader->first_line = reader->line;
    if (byte == '\n')
        return end_record(reader);
    if (byte == '\r') {
        reader->state = AT_CR;
        return true;
    }
    return take_at_field(reader, byte);
}

static bool take_at_quote(struct csv_reader *reader, char byte) {
    if (byte == '"') {
        reader->state = IN_QUOTES;
        add_byte(reader, byte);
    } else if (byte == ',' || byte == '\n' || byte == '\r') {
        return take_plain(reader, byte);
    } else {
        fail(reader, "has text after a closing quote");
    }
    return true;
}

static bool take(struct csv_reader *reader, char byte) {
    switch ((enum state)reader->state) {
    case AT_START: return take_at_start(reader, byte);
    case AT_FIELD: return take_at_field(reader, byte);
    case IN_PLAIN: return take_plain(reader, byte);
    case AT_QUOTE: return take_at_quote(reader, byte);
    case IN_QUOTES:
        if (byte == '"')
            reader->state = AT_QUOTE;
        else
            add_byte(reader, byte);
        return true;
    case AT_CR:
        if (byte == '\n')
            return end_record(reader);
        fail(reader, "has a CR that no LF follows");
        return true;
    default: return byte == '\n' ? end_record(reader) : true;
    }
}

/* True while the byte may belong to a BOM. Bytes that looked like one and are none are lost to a
 * fault: no name of a column begins with them. */
static bool is_bom(struct csv_reader *reader, char byte) {
    if (reader->bom >= BOM_BYTES)
        return false;
    if (byte == bom[reader->bom]) {
        reader->bom++;
        return true;
    }
    if (reader->bom > 0)
        fail(reader, "begins with half a byte order mark");
    reader->bom = BOM_BYTES;
    return false;
}

bool csv_reader_feed(struct csv_reader *reader, struct text part) {
    for (size_t i = 0; i < part.len; i++) {
        char byte = part.data[i];
        if (is_bom(reader, byte))
            continue;
        bool wanted = take(reader, byte);
        reader->line += byte == '\n';
        if (!wanted)
            return false;
    }
    return true;
}

bool csv_reader_end(struct csv_reader *reader) {
    switch ((enum state)reader->state) {
    case AT_START: return true;
    case IN_QUOTES: fail(reader, "has a quote that is not closed"); break;
    case AT_FIELD:
        begin_field(reader);
        end_field(reader);
        break;
    case IN_PLAIN:
    case AT_QUOTE: end_field(reader); break;
    default: break;
    }
    return end_record(reader);
}

static bool needs_quotes(struct text value) {
    for (size_t i = 0; i < value.len; i++)
        if (memchr(",\"\r\n", value.data[i], 4) != NULL)
            return true;
    return value.len > 0 && (value.data[0] == ' ' || value.data[value.len - 1] == ' ');
}

bool csv_append_field(struct buffer *buffer, struct text value) {
    if (!needs_quotes(value))
        return buffer_append(buffer, value);
    buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"')
            buffer_append_byte(buffer, '"');
        buffer_append_byte(buffer, value.data[i]);
    }
    return buffer_append_byte(buffer, '"');
}
