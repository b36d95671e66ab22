#include "support/test.h"

#include "base/thread.h"
#include "dispatcher/events.h"
#include "support/fake_clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PUBLISHERS 4
#define EACH 20000

struct fixture {
    struct fake_clock clock;
    struct random random;
    struct events *events;
    struct event_cursor cursor;
};

static int set_up(void **state) {
    static struct fixture fixture;
    fake_clock_init(&fixture.clock);
    fixture.random = random_from_seed(7);
    fixture.events = events_create(&fixture.clock.clock, &fixture.random);
    events_cursor_now(fixture.events, &fixture.cursor);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    events_destroy(((struct fixture *)*state)->events);
    return 0;
}

static void publish(struct fixture *fixture, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_SENT};
        events_publish(fixture->events, &event, 1);
    }
}

static void what_is_published_is_read_in_order(void **state) {
    struct fixture *fixture = *state;
    struct event batch[2] = {{.kind = EVENT_ACCEPTED, .message = {"1"}}, {.kind = EVENT_FAILED}};
    struct event out[4];
    bool lost = true;
    event_set_detail(&batch[1], TEXT_LITERAL("because"));
    events_publish(fixture->events, batch, 2);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 4, &lost), 2);
    assert_false(lost);
    assert_int_equal(out[0].kind, EVENT_ACCEPTED);
    assert_string_equal(out[0].message.text, "1");
    assert_int_equal(out[1].number, out[0].number + 1);
    assert_int_equal(out[1].at_ms, clock_wall_ms(&fixture->clock.clock));
    assert_string_equal(out[1].detail, "because");
    assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 4, &lost), 0);
}

static void a_detail_is_cut_at_a_code_point(void **state) {
    struct event event;
    char detail[200] = "";
    (void)state;
    for (size_t i = 0; i < 60; i++)
        memcpy(detail + 2 * i, "\xC3\xA9", 2);
    event_set_detail(&event, text_of(detail));
    assert_int_equal(strlen(event.detail), 94);
    assert_int_equal(text_utf8_count(text_of(event.detail)), 47);
}

static void one_goes_on_after_an_id(void **state) {
    struct fixture *fixture = *state;
    struct event out[3];
    char id[EVENT_ID_BYTES];
    bool lost;
    publish(fixture, 3);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 3, &lost), 3);
    event_id_write(fixture->events, out[1].number, id);
    assert_int_equal(events_cursor_after(fixture->events, text_of(id), &fixture->cursor),
                     CURSOR_FOUND);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 3, &lost), 1);
    event_id_write(fixture->events, out[0].number, id);
    assert_int_equal(events_cursor_after(fixture->events, text_of(id), &fixture->cursor),
                     CURSOR_FOUND);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 3, &lost), 0);
}

static void an_unknown_id_begins_at_the_oldest(void **state) {
    struct fixture *fixture = *state;
    struct events *other = events_create(&fixture->clock.clock, &fixture->random);
    char of_other[EVENT_ID_BYTES], future[EVENT_ID_BYTES];
    event_id_write(other, 1, of_other);
    event_id_write(fixture->events, 99, future);
    const char *const ids[] = {"", "x", of_other, future, "0-1", "ffffffffffffffff-1-2"};
    publish(fixture, 3);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct event out[4];
        bool lost;
        assert_int_equal(events_cursor_after(fixture->events, text_of(ids[i]), &fixture->cursor),
                         CURSOR_LOST);
        assert_int_equal(events_read(fixture->events, &fixture->cursor, out, 4, &lost), 3);
    }
    events_destroy(other);
}

static void who_is_too_slow_loses_the_oldest(void **state) {
    struct fixture *fixture = *state;
    struct event out;
    char id[EVENT_ID_BYTES];
    bool lost;
    publish(fixture, EVENTS_KEPT + 5);
    event_id_write(fixture->events, 1, id);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, &out, 1, &lost), 1);
    assert_true(lost);
    assert_int_equal(out.number, 6);
    assert_int_equal(events_read(fixture->events, &fixture->cursor, &out, 1, &lost), 1);
    assert_false(lost);
    assert_int_equal(events_cursor_after(fixture->events, text_of(id), &fixture->cursor),
                     CURSOR_LOST);
}

static void names_lead_back(void **state) {
    (void)state;
    for (size_t i = 0; i < EVENT_KINDS; i++) {
        enum event_kind kind;
        assert_true(event_kind_from_name(text_of(event_kind_name((enum event_kind)i)), &kind));
        assert_int_equal(kind, i);
    }
    enum event_kind kind;
    assert_false(event_kind_from_name(TEXT_LITERAL("nothing"), &kind));
}

static void count_wake(void *context) {
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void publish_many(void *argument) {
    publish(argument, EACH);
}

/* Readers and publishers at the same time: numbers rise without a gap, unless some were lost. */
static void threads_share_it(void **state) {
    struct fixture *fixture = *state;
    struct thread threads[PUBLISHERS] = {0};
    _Atomic int wakes = 0;
    struct event_listener listener = {.wake = count_wake, .context = (void *)&wakes};
    struct error error;
    uint64_t last = 0;
    events_listen(fixture->events, &listener);
    for (size_t i = 0; i < PUBLISHERS; i++)
        assert_int_equal(thread_start(&threads[i], "publisher", publish_many, fixture, &error),
                         STATUS_OK);
    while (last < PUBLISHERS * EACH) {
        struct event out[64];
        bool lost;
        size_t count = events_read(fixture->events, &fixture->cursor, out, 64, &lost);
        if (count > 0 && !lost)
            assert_int_equal(out[0].number, last + 1);
        if (count > 0)
            last = out[count - 1].number;
    }
    for (size_t i = 0; i < PUBLISHERS; i++)
        thread_join(&threads[i]);
    events_unlisten(fixture->events, &listener);
    assert_int_equal(atomic_load(&wakes), PUBLISHERS * EACH);
    publish(fixture, 1);
    assert_int_equal(atomic_load(&wakes), PUBLISHERS * EACH);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_published_is_read_in_order),
        TEST(a_detail_is_cut_at_a_code_point),
        TEST(one_goes_on_after_an_id),
        TEST(an_unknown_id_begins_at_the_oldest),
        TEST(who_is_too_slow_loses_the_oldest),
        TEST(names_lead_back),
        TEST(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
