/* Filters, cursors and times of query strings: the bytes are split at line ends, and each part is
 * taken for each of them. Cursors go to a store, which must know what is an id and what is none. */
#include "api/filter_input.h"
#include "api/message_input.h"
#include "base/check.h"
#include "base/timestamp.h"
#include "fuzz/fuzz.h"
#include "store/store_query.h"

#define ARENA_BYTES_MAX (1024 * 1024)

static struct store_session *open_session(void) {
    static struct store_session *session;
    static struct store *store;
    struct error error;
    const struct store_options options = {.url = "memory:", .clock = &clock_system};
    if (session != NULL)
        return session;
    check(store_open(&store, &options, &error) == STATUS_OK);
    check(store_session_open(&session, store, &error) == STATUS_OK);
    return session;
}

static void list(struct store_query *query, struct text cursor) {
    struct store_page page;
    struct store_total total;
    struct arena arena;
    struct error error;
    arena_init(&arena, ARENA_BYTES_MAX);
    query->limit = 1;
    query->after = cursor;
    enum status status = store_list(open_session(), query, &arena, &page, &error);
    check(status == STATUS_OK || status == STATUS_INVALID);
    query->after = (struct text){0};
    check(store_count(open_session(), query, &total, &error) == STATUS_OK && total.count == 0);
    arena_deinit(&arena);
}

static void take(struct text part) {
    static const char *const names[] = {"status",       "recipient",  "provider",  "q",
                                        "created_from", "created_to", "sent_from", "sent_to"};
    struct store_query query = {0};
    struct filter_fault fault;
    int64_t number = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check(filter_input_set(&query, names[i], part, &fault) || fault.text != NULL);
    char written[TIMESTAMP_BYTES];
    int64_t again = -1;
    if (timestamp_parse(part, &number)) {
        timestamp_format(number, written);
        check(timestamp_parse(text_of(written), &again) && again == number);
    }
    text_to_duration_ms(part, &number);
    message_id_to_number(part, &number);
    message_input_is_key(part);
    list(&query, part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text rest = {(const char *)data, size};
    for (int parts = 0; rest.data != NULL && parts < 64; parts++)
        take(text_cut(&rest, '\n'));
    return 0;
}
