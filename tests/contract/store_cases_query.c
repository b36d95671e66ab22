#include "base/memory.h"
#include "contract/store_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_MAX 64

/* What a list should be: the test's own idea of it, in the order of the ids. */
struct expected {
    struct message_id ids[ALL_MAX];
    size_t count;
};

static void expect(struct expected *expected, struct message_id id) {
    assert_true(expected->count < ALL_MAX);
    expected->ids[expected->count++] = id;
}

/* Goes through the whole list, page by page, and through its count. */
static void assert_list(struct store_fixture *fixture, struct store_query query,
                        const struct expected *expected) {
    struct message_id seen[ALL_MAX], after = {""};
    size_t count = 0;
    for (bool more = true; more;) {
        query.after = text_of(after.text);
        struct store_page page = read_page(fixture, &query);
        assert_true(count + page.count <= ALL_MAX);
        for (size_t i = 0; i < page.count; i++)
            seen[count++] = page.messages[i].id;
        more = page.more;
        after = page.next;
    }
    assert_int_equal(count, expected->count);
    for (size_t i = 0; i < count; i++) {
        bool oldest_first = query.order == STORE_OLDEST_FIRST;
        size_t place = oldest_first ? i : expected->count - 1 - i;
        assert_string_equal(seen[i].text, expected->ids[place].text);
    }
    struct store_total total = read_total(fixture, &query);
    assert_int_equal(total.count, expected->count);
    assert_true(total.exact);
}

static void assert_both_orders(struct store_fixture *fixture, struct store_query query,
                               const struct expected *expected) {
    query.order = STORE_NEWEST_FIRST;
    assert_list(fixture, query, expected);
    query.order = STORE_OLDEST_FIRST;
    assert_list(fixture, query, expected);
}

static void a_list_can_begin_with_the_oldest(struct store_fixture *fixture) {
    struct message_id ids[5];
    insert_messages(fixture, 5, ids);
    struct store_query query = {.order = STORE_OLDEST_FIRST, .limit = 3};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, ids, 3);
    assert_true(page.more);
    assert_string_equal(page.next.text, ids[2].text);
    query.after = text_of(page.next.text);
    page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &ids[3], 2);
    assert_false(page.more);
    query.after = text_of(ids[4].text);
    assert_int_equal(read_page(fixture, &query).count, 0);
}

static void both_orders_have_pages(struct store_fixture *fixture) {
    struct expected all = {.count = 25};
    insert_messages(fixture, 25, all.ids);
    for (size_t limit = 1; limit <= 26; limit += 5)
        assert_both_orders(fixture, (struct store_query){.limit = limit}, &all);
}

/* The oldest first, so that what comes meanwhile is seen as well. */
static void a_list_goes_on_while_others_insert(struct store_fixture *fixture) {
    struct message_id ids[20], after = {""};
    size_t inserted = 10, seen = 0;
    insert_messages(fixture, 10, ids);
    for (bool more = true; more;) {
        struct store_query query = {.order = STORE_OLDEST_FIRST,
                                    .after = text_of(after.text),
                                    .recipient = TEXT_LITERAL(RECIPIENT),
                                    .limit = 4};
        struct store_page page = read_page(fixture, &query);
        assert_true(seen + page.count <= inserted);
        assert_messages(page.messages, page.count, &ids[seen], page.count);
        seen += page.count;
        more = page.more;
        after = page.next;
        if (inserted < 20)
            ids[inserted++] = insert_message(fixture, TEXT_LITERAL("hello"), 0);
    }
    assert_in_range(seen, 12, inserted);
}

static void an_offset_passes_messages_over(struct store_fixture *fixture) {
    struct message_id ids[8];
    insert_messages(fixture, 8, ids);
    struct store_query query = {.order = STORE_OLDEST_FIRST, .offset = 3, .limit = 2};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &ids[3], 2);
    assert_true(page.more);
    query.after = text_of(ids[1].text);
    page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &ids[5], 2);
    query.recipient = TEXT_LITERAL(RECIPIENT);
    query.offset = 4;
    page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &ids[6], 2);
    assert_false(page.more);
    query = (struct store_query){.offset = STORE_OFFSET_MAX, .limit = 2};
    page = read_page(fixture, &query);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
}

/* Four sent at three moments, in another order than that of their ids, the last two at once. */
static void insert_sent(struct store_fixture *fixture, struct message_id ids[5]) {
    insert_messages(fixture, 5, ids);
    struct claim *claim = claim_all(fixture, 5);
    assert_true(settle(fixture, claim, 2, 1, sent("")));
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_true(settle(fixture, claim, 3, 2, sent("")));
    assert_true(settle(fixture, claim, 1, 1, failed(1, ATTEMPT_DNS)));
}

static void what_was_sent_last_can_come_first(struct store_fixture *fixture) {
    struct message_id ids[5];
    insert_sent(fixture, ids);
    const struct message_id order[4] = {ids[4], ids[3], ids[0], ids[2]};
    struct store_query query = {
        .states = MESSAGE_STATES_SENT, .order = STORE_LAST_SENT_FIRST, .limit = 4};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, order, 4);
    assert_false(page.more);
    query.limit = 1;
    for (query.offset = 0; query.offset < 4; query.offset++) {
        page = read_page(fixture, &query);
        assert_messages(page.messages, page.count, &order[query.offset], 1);
        assert_int_equal(page.more, query.offset < 3);
    }
    assert_int_equal(read_page(fixture, &query).count, 0);
    assert_int_equal(read_total(fixture, &query).count, 4);
}

static void what_was_sent_last_can_be_filtered(struct store_fixture *fixture) {
    struct message_id ids[5];
    insert_sent(fixture, ids);
    const struct message_id order[2] = {ids[0], ids[2]};
    struct store_query query = {.states = MESSAGE_STATE_BIT(MESSAGE_SENT),
                                .order = STORE_LAST_SENT_FIRST,
                                .sent = {.to_ms = FAKE_CLOCK_START_MS + 2000},
                                .recipient = TEXT_LITERAL(RECIPIENT),
                                .limit = 2};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, order, 2);
    assert_false(page.more);
    assert_int_equal(read_total(fixture, &query).count, 2);
    query.states = MESSAGE_STATE_BIT(MESSAGE_DELIVERED);
    assert_int_equal(read_page(fixture, &query).count, 0);
    assert_int_equal(read_total(fixture, &query).count, 0);
}

/* Fourteen messages, two in each state that there is a way to, interleaved. */
struct sample {
    struct message_id ids[14];
    enum message_state states[14];
};

static const enum message_state sampled[7] = {MESSAGE_PENDING, MESSAGE_SENDING, MESSAGE_SENT,
                                              MESSAGE_FAILED,  MESSAGE_EXPIRED, MESSAGE_CANCELLED,
                                              MESSAGE_PENDING /* delayed */};

static struct sample insert_sample(struct store_fixture *fixture) {
    struct sample sample;
    insert_messages(fixture, 14, sample.ids);
    struct claim *claim = claim_all(fixture, 14);
    for (size_t i = 0; i < 14; i++) {
        sample.states[i] = sampled[i % 7];
        if (i % 7 == 2)
            assert_true(settle(fixture, claim, i, 1, sent("")));
        else if (i % 7 == 3)
            assert_true(settle(fixture, claim, i, 1, failed(1, ATTEMPT_DNS)));
        else if (i % 7 == 4)
            assert_true(settle(fixture, claim, i, 1, expired(1, ATTEMPT_EXPIRED)));
        else if (i % 7 == 6)
            assert_true(settle(fixture, claim, i, 1, retry(1, 60000)));
        else if (i % 7 != 1)
            assert_true(settle(fixture, claim, i, 1, released()));
        if (i % 7 == 5)
            assert_int_equal(change_messages(fixture, STORE_CANCEL, &sample.ids[i], 1), 1);
    }
    return sample;
}

static struct expected of_states(const struct sample *sample, unsigned states) {
    struct expected expected = {0};
    for (size_t i = 0; i < 14; i++)
        if (states == 0 || (states & MESSAGE_STATE_BIT(sample->states[i])) != 0)
            expect(&expected, sample->ids[i]);
    return expected;
}

static void a_list_is_of_any_set_of_states(struct store_fixture *fixture) {
    struct sample sample = insert_sample(fixture);
    for (unsigned states = 0; states < MESSAGE_STATE_BIT(MESSAGE_DELIVERED); states++) {
        struct expected expected = of_states(&sample, states);
        assert_both_orders(fixture, (struct store_query){.states = states, .limit = 3}, &expected);
    }
}

static void sets_of_states_go_with_filters(struct store_fixture *fixture) {
    struct sample sample = insert_sample(fixture);
    for (unsigned states = 0; states < MESSAGE_STATE_BIT(MESSAGE_DELIVERED); states += 3) {
        struct expected expected = of_states(&sample, states), nothing = {0};
        struct store_query query = {.states = states, .content = TEXT_LITERAL("ell"), .limit = 3};
        assert_both_orders(fixture, query, &expected);
        query.provider = TEXT_LITERAL("nobody");
        assert_both_orders(fixture, query, &nothing);
    }
}

static void states_that_nothing_is_in_make_an_empty_list(struct store_fixture *fixture) {
    insert_sample(fixture);
    struct expected nothing = {0};
    struct store_query query = {.limit = 3,
                                .states = MESSAGE_STATE_BIT(MESSAGE_DELIVERED) |
                                          MESSAGE_STATE_BIT(MESSAGE_UNDELIVERED)};
    assert_both_orders(fixture, query, &nothing);
    query.states = MESSAGE_STATE_BIT(MESSAGE_UNKNOWN);
    assert_both_orders(fixture, query, &nothing);
}

/* Messages that differ in everything a filter can ask for; every second one was sent. */
#define VARIED 24
#define OTHER "+15557654321"
#define GREETING                                                                                   \
    "sch\xC3\xB6ne Gr\xC3\xBC\xC3\x9F"                                                             \
    "e, \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80"

static bool has_other(size_t i) {
    return i % 3 == 0;
}

static bool has_provider(size_t i) {
    return i % 4 == 1;
}

static bool has_greeting(size_t i) {
    return i % 5 < 2;
}

static void insert_varied(struct store_fixture *fixture, struct message_id ids[VARIED]) {
    for (size_t i = 0; i < VARIED; i++) {
        struct message_draft draft = {.recipient = text_of(has_other(i) ? OTHER : RECIPIENT),
                                      .content = has_greeting(i) ? TEXT_LITERAL("say: " GREETING)
                                                                 : TEXT_LITERAL("hello"),
                                      .provider = text_of(has_provider(i) ? "backup"
                                                          : i % 4 == 2    ? "Backup"
                                                                          : NULL)};
        ids[i] = insert_draft(fixture, &draft);
    }
    struct claim *claim = claim_all(fixture, VARIED);
    for (size_t i = 0; i < VARIED; i++)
        assert_true(settle(fixture, claim, i, 1, i % 2 == 0 ? sent("") : released()));
}

static void filters_go_together(struct store_fixture *fixture) {
    struct message_id ids[VARIED];
    insert_varied(fixture, ids);
    for (unsigned mask = 0; mask < 16; mask++) {
        bool recipient = (mask & 1) != 0, provider = (mask & 2) != 0, content = (mask & 4) != 0,
             state = (mask & 8) != 0;
        struct expected expected = {0};
        for (size_t i = 0; i < VARIED; i++)
            if ((!recipient || has_other(i)) && (!provider || has_provider(i)) &&
                (!content || has_greeting(i)) && (!state || i % 2 == 0))
                expect(&expected, ids[i]);
        struct store_query query = {.recipient = text_of(recipient ? OTHER : NULL),
                                    .provider = text_of(provider ? "backup" : NULL),
                                    .content = text_of(content ? "\xC3\xBC\xC3\x9F"
                                                                 "e, \xE4\xBD\xA0"
                                                               : NULL),
                                    .states = state ? MESSAGE_STATE_BIT(MESSAGE_SENT) : 0,
                                    .limit = 4};
        assert_both_orders(fixture, query, &expected);
    }
}

static void a_content_is_searched_byte_by_byte(struct store_fixture *fixture) {
    static const struct {
        const char *part;
        size_t count;
    } parts[] = {
        {"a 100% 'quoted' \\ \"text\" with $3 and _", 1},
        {"%", 1},
        {"_", 1},
        {"\\", 1},
        {"'", 1},
        {"\"", 1},
        {"$3", 1},
        {"a 1", 1},
        {"_ ", 0},
        {"A 1", 0},
        {"\xF0\x9F\x98\x80", 1},
        {"\xC3\xBC", 1},
        {"\xC3\xBC\xC3\xBC", 0},
        {"u", 1},
        {"\n", 1},
        {" ", 2},
        {"a 100% 'quoted' \\ \"text\" with $3 and _.", 0},
    };
    insert_message(fixture, TEXT_LITERAL("a 100% 'quoted' \\ \"text\" with $3 and _"), 0);
    insert_message(fixture, TEXT_LITERAL(GREETING "\n"), 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct store_query query = {.content = text_of(parts[i].part), .limit = 10};
        if (read_page(fixture, &query).count != parts[i].count)
            print_error("content with %s\n", parts[i].part);
        assert_int_equal(read_page(fixture, &query).count, parts[i].count);
        assert_int_equal(read_total(fixture, &query).count, parts[i].count);
    }
}

/* No message has them, and no store stumbles over them. */
static void odd_bytes_are_found_nowhere(struct store_fixture *fixture) {
    static const struct text odd[] = {{"\xFF", 1}, {"\xC3", 1}, {"\xED\xA0\x80", 3}, {"\0", 1}};
    insert_messages(fixture, 2, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        const struct store_query queries[3] = {{.content = odd[i], .limit = 5},
                                               {.recipient = odd[i], .limit = 5},
                                               {.provider = odd[i], .limit = 5}};
        for (size_t q = 0; q < 3; q++) {
            assert_int_equal(read_page(fixture, &queries[q]).count, 0);
            assert_int_equal(read_total(fixture, &queries[q]).count, 0);
        }
    }
    struct message message = read_state(fixture, MESSAGE_PENDING).messages[0];
    assert_int_equal(message.state, MESSAGE_PENDING);
}

/* Ten messages, created a second apart, and sent a second apart, an hour later; and one more. */
static void insert_in_time(struct store_fixture *fixture, struct expected *all) {
    for (size_t i = 0; i < 10; i++) {
        expect(all, insert_message(fixture, TEXT_LITERAL("hello"), 0));
        fake_clock_advance_ms(&fixture->clock, 1000);
    }
    struct claim *claim = claim_all(fixture, 10);
    fake_clock_jump_wall_ms(&fixture->clock, 3600 * 1000 - 10 * 1000);
    for (size_t i = 0; i < 10; i++) {
        assert_true(settle(fixture, claim, i, 1, sent("")));
        fake_clock_advance_ms(&fixture->clock, 1000);
    }
    insert_messages(fixture, 1, NULL);
}

static void assert_range(struct store_fixture *fixture, const struct expected *all,
                         struct store_range range) {
    struct expected part = {0};
    for (size_t i = 0; i < all->count; i++) {
        int64_t at_ms = FAKE_CLOCK_START_MS + (int64_t)i * 1000;
        if (at_ms >= range.from_ms && (range.to_ms == 0 || at_ms < range.to_ms))
            expect(&part, all->ids[i]);
    }
    assert_both_orders(fixture, (struct store_query){.created = range, .limit = 4}, &part);
    range.from_ms += range.from_ms > 0 ? 3600 * 1000 : 0;
    range.to_ms += range.to_ms > 0 ? 3600 * 1000 : 0;
    assert_both_orders(fixture, (struct store_query){.sent = range, .limit = 4}, &part);
    struct store_query query = {
        .sent = range, .states = MESSAGE_STATE_BIT(MESSAGE_SENT), .limit = 4};
    assert_both_orders(fixture, query, &part);
}

static void a_range_holds_its_beginning_and_not_its_end(struct store_fixture *fixture) {
    static const int64_t borders[] = {0, -1, 0, 1, 2999, 3000, 3001, 9000, 9001, 20000};
    struct expected all = {0};
    insert_in_time(fixture, &all);
    for (size_t from = 0; from < 10; from++)
        for (size_t to = from == 0 ? 1 : from; to < 10; to += 2)
            assert_range(fixture, &all,
                         (struct store_range){
                             from == 0 ? 0 : FAKE_CLOCK_START_MS + borders[from],
                             FAKE_CLOCK_START_MS + borders[to],
                         });
}

static void a_range_may_be_open_at_its_end(struct store_fixture *fixture) {
    struct message_id ids[5];
    insert_sent(fixture, ids);
    insert_messages(fixture, 1, NULL);
    struct expected late = {0};
    expect(&late, ids[3]);
    expect(&late, ids[4]);
    struct store_query query = {.sent = {.from_ms = FAKE_CLOCK_START_MS + 2000}, .limit = 4};
    assert_both_orders(fixture, query, &late);
    query.created.from_ms = FAKE_CLOCK_START_MS;
    assert_both_orders(fixture, query, &late);
    query.created.from_ms = FAKE_CLOCK_START_MS + 1;
    assert_both_orders(fixture, query, &(struct expected){0});
}

static void nothing_is_counted_as_nothing(struct store_fixture *fixture) {
    const struct store_query queries[] = {
        {0},
        {.states = MESSAGE_STATE_BIT(MESSAGE_PENDING) | MESSAGE_STATE_BIT(MESSAGE_SENT)},
        {.states = MESSAGE_STATES_SENT, .order = STORE_LAST_SENT_FIRST},
        {.states = MESSAGE_STATE_BIT(MESSAGE_SENDING), .content = TEXT_LITERAL("x")},
        {.recipient = TEXT_LITERAL(RECIPIENT)},
        {.created = {.from_ms = 1}},
        {.sent = {.to_ms = INT64_MAX / 1000000}},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct store_total total = read_total(fixture, &queries[i]);
        assert_int_equal(total.count, 0);
        assert_true(total.exact);
    }
}

static void a_count_knows_no_place_and_no_limit(struct store_fixture *fixture) {
    struct message_id ids[6];
    insert_messages(fixture, 6, ids);
    struct store_query query = {.after = text_of(ids[3].text), .offset = 2, .limit = 1};
    assert_int_equal(read_total(fixture, &query).count, 6);
    query.recipient = TEXT_LITERAL(RECIPIENT);
    assert_int_equal(read_total(fixture, &query).count, 6);
}

static void what_is_counted_one_by_one_is_counted_up_to_a_limit(struct store_fixture *fixture) {
    insert_messages(fixture, STORE_COUNT_MAX - 1, NULL);
    struct store_query query = {.recipient = TEXT_LITERAL(RECIPIENT)};
    struct store_total total = read_total(fixture, &query);
    assert_int_equal(total.count, STORE_COUNT_MAX - 1);
    assert_true(total.exact);
    insert_messages(fixture, 2, NULL);
    total = read_total(fixture, &query);
    assert_int_equal(total.count, STORE_COUNT_MAX);
    assert_false(total.exact);
    query.recipient = (struct text){0};
    total = read_total(fixture, &query);
    assert_int_equal(total.count, STORE_COUNT_MAX + 1);
    assert_true(total.exact);
}

/* The one that is asked for stands last, and a call does not look so far. */
static void assert_found_on_the_second_page(struct store_fixture *fixture, struct store_query query,
                                            struct message_id wanted) {
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, 0);
    assert_true(page.more);
    assert_true(page.next.text[0] != '\0');
    assert_string_not_equal(page.next.text, wanted.text);
    struct message_id next = page.next;
    query.after = text_of(next.text);
    page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &wanted, 1);
    assert_false(page.more);
    assert_false(read_total(fixture, &query).exact);
}

static void a_search_goes_on_where_it_ended(struct store_fixture *fixture) {
    struct message_id first = insert_message(fixture, TEXT_LITERAL("a needle"), 0);
    insert_messages(fixture, STORE_SCAN_MAX - 1, NULL);
    struct message_id last = insert_message(fixture, TEXT_LITERAL("a pin"), 0);
    struct store_query query = {.content = TEXT_LITERAL("needle"), .limit = 10};
    assert_found_on_the_second_page(fixture, query, first);
    query.states = MESSAGE_STATE_BIT(MESSAGE_PENDING) | MESSAGE_STATE_BIT(MESSAGE_FAILED);
    assert_found_on_the_second_page(fixture, query, first);
    query.content = TEXT_LITERAL("pin");
    query.order = STORE_OLDEST_FIRST;
    assert_found_on_the_second_page(fixture, query, last);
    query.states = MESSAGE_STATE_BIT(MESSAGE_FAILED);
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
    assert_true(read_total(fixture, &query).exact);
}

static const struct store_case cases[] = {
    STORE_CASE(a_list_can_begin_with_the_oldest),
    STORE_CASE(both_orders_have_pages),
    STORE_CASE(a_list_goes_on_while_others_insert),
    STORE_CASE(an_offset_passes_messages_over),
    STORE_CASE(what_was_sent_last_can_come_first),
    STORE_CASE(what_was_sent_last_can_be_filtered),
    STORE_CASE(a_list_is_of_any_set_of_states),
    STORE_CASE(sets_of_states_go_with_filters),
    STORE_CASE(states_that_nothing_is_in_make_an_empty_list),
    STORE_CASE(filters_go_together),
    STORE_CASE(a_content_is_searched_byte_by_byte),
    STORE_CASE(odd_bytes_are_found_nowhere),
    STORE_CASE(a_range_holds_its_beginning_and_not_its_end),
    STORE_CASE(a_range_may_be_open_at_its_end),
    STORE_CASE(nothing_is_counted_as_nothing),
    STORE_CASE(a_count_knows_no_place_and_no_limit),
    STORE_CASE(what_is_counted_one_by_one_is_counted_up_to_a_limit),
    STORE_CASE(a_search_goes_on_where_it_ended),
};

const struct store_cases store_cases_query = STORE_CASES(cases);
