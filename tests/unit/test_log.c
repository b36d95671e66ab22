#include "support/test.h"

#include "log/escape.h"
#include "log/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOON_MS INT64_C(1769851800250) /* 2026-01-31T09:30:00.250Z */
#define THREADS 4
#define LINES_PER_THREAD 300

static int64_t now_us;

static int64_t fake_wall_ms(const struct clock *clock) {
    (void)clock;
    return NOON_MS;
}

static int64_t fake_monotonic_us(const struct clock *clock) {
    (void)clock;
    return now_us;
}

static const struct clock fake = {fake_wall_ms, fake_monotonic_us};

static int file; /* an empty one for each test, which log_init is given */
static char content[1 << 20];

static void start(enum log_format format, bool unlimited) {
    log_init(&(struct log_options){.level = LOG_LEVEL_DEBUG,
                                   .format = format,
                                   .app_name = "posthaste",
                                   .descriptor = file,
                                   .unlimited = unlimited,
                                   .clock = &fake});
}

static int open_file(void **state) {
    (void)state;
    now_us = 0;
    file = memfd_create("log", 0);
    return file >= 0 ? 0 : -1;
}

static int close_file(void **state) {
    (void)state;
    return close(file);
}

/* What was written since the last call. */
static struct text taken(void) {
    ssize_t length = pread(file, content, sizeof content - 1, 0);
    assert_true(length >= 0);
    assert_int_equal(ftruncate(file, 0), 0);
    lseek(file, 0, SEEK_SET);
    content[length] = '\0';
    return (struct text){content, (size_t)length};
}

static size_t count_of(struct text text, const char *wanted) {
    size_t count = 0;
    struct text piece = text_of(wanted);
    for (size_t i = 0; i + piece.len <= text.len; i++)
        count += memcmp(text.data + i, piece.data, piece.len) == 0;
    return count;
}

/* A strict reader of a flat JSON object whose values are strings and integers. */
static bool skip_json_string(const char **at) {
    if (*(*at)++ != '"')
        return false;
    while (**at != '"') {
        if ((unsigned char)**at < 0x20)
            return false;
        if (*(*at)++ != '\\')
            continue;
        char escape = *(*at)++;
        if (escape == 'u' && strspn(*at, "0123456789abcdef") >= 4)
            *at += 4;
        else if (escape == '\0' || strchr("\"\\bfnrt", escape) == NULL)
            return false;
    }
    (*at)++;
    return true;
}

static bool skip_json_value(const char **at) {
    if (**at == '"')
        return skip_json_string(at);
    *at += **at == '-';
    size_t digits = strspn(*at, "0123456789");
    *at += digits;
    return digits > 0;
}

static bool is_json_object(const char *at) {
    do {
        at++;
        if (!skip_json_string(&at) || *at++ != ':' || !skip_json_value(&at))
            return false;
    } while (*at == ',');
    return strcmp(at, "}\n") == 0;
}

/* One line, bounded, that is UTF-8 and holds nothing that a terminal obeys. */
static void assert_sound(struct text line) {
    assert_true(line.len > 0 && line.len <= LOG_LINE_BYTES_MAX);
    assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
    assert_true(text_utf8_count(line) >= 0);
    for (size_t i = 0; i + 1 < line.len; i++) {
        unsigned char byte = (unsigned char)line.data[i];
        assert_true(byte >= 0x20 && byte != 0x7F);
        assert_false(byte == 0xC2 && (unsigned char)line.data[i + 1] < 0xA0);
    }
}

static void json_line_holds_all_in_order(void **state) {
    (void)state;
    start(LOG_FORMAT_JSON, false);
    log_warn("claim taken over", LOG_STRING("claim", "c \"1\""), LOG_INT("messages", -12));
    assert_text(taken(), "{\"time\":\"2026-01-31T09:30:00.250Z\",\"level\":\"warn\","
                         "\"msg\":\"claim taken over\",\"app\":\"posthaste\","
                         "\"claim\":\"c \\\"1\\\"\",\"messages\":-12}\n");
    log_error("nothing with it", LOG_NONE);
    assert_true(is_json_object(taken().data));
}

static void console_line_is_for_people(void **state) {
    (void)state;
    start(LOG_FORMAT_CONSOLE, false);
    log_info("message sent", LOG_INT("message", 12), LOG_STRING("provider", "webhook"));
    assert_text(taken(), "09:30:00.250 INFO  message sent  message=12 provider=webhook\n");
    log_error("quotes", LOG_STRING("a", "two words"), LOG_STRING("b", ""), LOG_STRING("c", "x=\"y"),
              LOG_STRING("d", "M\xC3\xBCller"), LOG_STRING("e", NULL), LOG_STRING("f", "a\\b"));
    assert_text(taken(), "09:30:00.250 ERROR quotes  a=\"two words\" b=\"\" c=\"x=\\\"y\" "
                         "d=M\xC3\xBCller e=\"\" f=\"a\\\\b\"\n");
    log_debug("nothing with it", LOG_NONE);
    assert_text(taken(), "09:30:00.250 DEBUG nothing with it\n");
}

static void lines_below_the_level_are_not_written(void **state) {
    (void)state;
    log_init(&(struct log_options){.level = LOG_LEVEL_WARN, .descriptor = file, .clock = &fake});
    assert_false(log_enabled(LOG_LEVEL_INFO));
    assert_true(log_enabled(LOG_LEVEL_WARN));
    log_info("not this", LOG_NONE);
    log_warn("but this", LOG_NONE);
    assert_text(taken(), "{\"time\":\"2026-01-31T09:30:00.250Z\",\"level\":\"warn\","
                         "\"msg\":\"but this\"}\n");
}

static void recipients_are_masked(void **state) {
    static const char *const cases[][2] = {
        {"+15551234567", "+155******67"},
        {"1234567890", "1234****90"},
        {"123456789", "*********"},
        {"", ""},
        {"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F@example.c\xC3\xB6",
         "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F*********c\xC3\xB6"},
        {"\xFF\xFE 1234567", "**********"},
        {"\033[2J1234567890", "\\u001b[2J********90"},
    };
    (void)state;
    start(LOG_FORMAT_JSON, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[128];
        log_info("sent", LOG_RECIPIENT(text_of(cases[i][0])));
        snprintf(expected, sizeof expected, "\"recipient\":\"%s\"}\n", cases[i][1]);
        assert_int_equal(count_of(taken(), expected), 1);
    }
    char endless[5000];
    memset(endless, '7', sizeof endless);
    log_info("sent", LOG_RECIPIENT(((struct text){endless, sizeof endless})));
    assert_int_equal(count_of(taken(), "\"7777********************************77\""), 1);
}

static void hostile_values_forge_nothing(void **state) {
    static const char *const cases[][2] = {
        {"a\nb", "\"a\\nb\""},
        {"\033[2J\r", "\"\\u001b[2J\\r\""},
        {"\xC2\x9B"
         "2J\x7F",
         "\"\\u009b2J\\u007f\""},
        {"\xE2\x80\xAE\xE2\x80\xA8\xE2\x81\xA6", "\"\\u202e\\u2028\\u2066\""},
        {"\",\"level\":\"error", "\"\\\",\\\"level\\\":\\\"error\""},
        {"x\x80", "\"x\xEF\xBF\xBD\""},
    };
    (void)state;
    for (int format = LOG_FORMAT_JSON; format <= LOG_FORMAT_CONSOLE; format++) {
        start((enum log_format)format, true);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            log_info("received", LOG_STRING("body", cases[i][0]));
            struct text line = taken();
            assert_sound(line);
            assert_int_equal(count_of(line, cases[i][1]), 1);
        }
    }
}

static void a_cut_keeps_to_its_maximum(void **state) {
    static const char *const expected[] = {"\xE2\x80\xA6",
                                           "\xE2\x80\xA6",
                                           "\\n\xE2\x80\xA6",
                                           "\\n\xE2\x80\xA6",
                                           "\\n\xC3\xA4\xE2\x80\xA6",
                                           "\\n\xC3\xA4\\u0001\\t"};
    static const size_t bytes_max[] = {3, 4, 5, 6, 11, 12};
    (void)state;
    for (size_t i = 0; i < sizeof bytes_max / sizeof bytes_max[0]; i++) {
        struct buffer buffer;
        buffer_init(&buffer, 100);
        escape_append(&buffer, text_of("\n\xC3\xA4\001\t"), bytes_max[i]);
        assert_text(buffer_view(&buffer), expected[i]);
        buffer_deinit(&buffer);
    }
}

static void long_texts_are_cut_and_leave_room(void **state) {
    static char words[10000];
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        for (size_t i = 0; i < sizeof words; i++)
            words[i] = "\xF0\x9F\x93\xAE"[(i + 4 - shift) % 4];
        memset(words, 'x', shift);
        struct text value = {words, sizeof words - (4 - shift) % 4};
        start(LOG_FORMAT_JSON, false);
        log_error("long", LOG_TEXT("body", value), LOG_INT("attempt", 3), LOG_TEXT("body", value),
                  LOG_INT("last", 4));
        struct text line = taken();
        assert_sound(line);
        assert_true(is_json_object(line.data));
        assert_true(line.len > LOG_LINE_BYTES_MAX / 2);
        assert_int_equal(count_of(line, "\xF0\x9F\x93\xAE\xE2\x80\xA6\""), 2);
        assert_int_equal(count_of(line, "\"attempt\":3,"), 1);
        assert_int_equal(count_of(line, "\"last\":4}\n"), 1);
    }
}

static void too_many_fields_leave_the_line_whole(void **state) {
    static char text[LOG_LINE_BYTES_MAX];
    static struct log_field fields[501];
    (void)state;
    memset(text, '\n', sizeof text);
    for (size_t i = 0; i < 500; i++)
        fields[i] = i % 2 == 0 ? LOG_TEXT("text", ((struct text){text, i * 8}))
                               : LOG_INT("number", INT64_MIN);
    fields[500] = LOG_NONE;
    for (int format = LOG_FORMAT_JSON; format <= LOG_FORMAT_CONSOLE; format++) {
        start((enum log_format)format, false);
        for (int i = 0; i < LOG_REPEATS_PER_SECOND_MAX + 1; i++)
            log_write(LOG_LEVEL_INFO, "many", fields);
        taken();
        now_us += 1000000;
        log_write(LOG_LEVEL_INFO, "many", fields);
        struct text line = taken();
        assert_int_equal(count_of(line, "suppressed"), 1);
        assert_sound(line);
        assert_true(line.len > LOG_LINE_BYTES_MAX * 9 / 10);
        assert_true(format == LOG_FORMAT_CONSOLE || is_json_object(line.data));
    }
}

static void any_bytes_make_a_sound_line(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 4000; round++) {
        char bytes[3000];
        size_t length = (size_t)rand() % (round % 8 == 0 ? sizeof bytes : 40);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(rand() % 3 == 0 ? 0xC2 : rand());
        struct text value = {bytes, length};
        start(round % 2 == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_CONSOLE, false);
        log_info("random", LOG_TEXT("a", value), LOG_RECIPIENT(value), LOG_TEXT("b", value));
        struct text line = taken();
        assert_sound(line);
        assert_true(round % 2 == 1 || is_json_object(line.data));
    }
}

static void repeated_lines_are_held_back_and_told(void **state) {
    static const char sentence[] = "the store is away";
    (void)state;
    start(LOG_FORMAT_JSON, false);
    for (int i = 0; i < LOG_REPEATS_PER_SECOND_MAX + 5; i++)
        log_error(sentence, LOG_INT("i", i));
    log_error("another sentence", LOG_NONE);
    struct text lines = taken();
    assert_int_equal(count_of(lines, sentence), LOG_REPEATS_PER_SECOND_MAX);
    assert_int_equal(count_of(lines, "another"), 1);
    now_us += 1000000;
    log_error(sentence, LOG_INT("i", 99));
    assert_int_equal(count_of(taken(), "\"i\":99,\"suppressed\":5}\n"), 1);
    log_error(sentence, LOG_NONE);
    assert_int_equal(count_of(taken(), "suppressed"), 0);
}

static void what_is_held_back_comes_out_at_the_end(void **state) {
    (void)state;
    start(LOG_FORMAT_CONSOLE, false);
    for (int i = 0; i < LOG_REPEATS_PER_SECOND_MAX + 2; i++)
        log_warn("slow answer", LOG_INT("i", i));
    taken();
    log_flush_suppressed();
    assert_text(taken(), "09:30:00.250 WARN  slow answer  suppressed=2\n");
    log_flush_suppressed();
    assert_text(taken(), "");
}

static void nothing_is_held_back_when_unlimited(void **state) {
    (void)state;
    start(LOG_FORMAT_JSON, true);
    for (int i = 0; i < 100; i++)
        log_info("delivered", LOG_INT("i", i));
    assert_int_equal(count_of(taken(), "delivered"), 100);
}

/* All that `lines` tell of: themselves, and the numbers after `"suppressed":`. */
static size_t told(struct text lines) {
    size_t count = count_of(lines, "\n");
    for (const char *at = lines.data; (at = strstr(at, "\"suppressed\":")) != NULL; at++)
        count += strtoul(at + strlen("\"suppressed\":"), NULL, 10);
    return count;
}

static void a_full_table_loses_no_count(void **state) {
    static char sentences[500][8];
    (void)state;
    start(LOG_FORMAT_JSON, false);
    for (size_t i = 0; i < 500; i++) {
        snprintf(sentences[i], sizeof sentences[i], "s%zu", i);
        for (int line = 0; line < LOG_REPEATS_PER_SECOND_MAX + 3; line++)
            log_write(LOG_LEVEL_INFO, sentences[i], &LOG_NONE);
        now_us += 10;
    }
    log_flush_suppressed();
    struct text lines = taken();
    size_t written = 500 * (LOG_REPEATS_PER_SECOND_MAX + 3);
    /* Each sentence has told of its 3 lines in one line of its own. */
    assert_int_equal(count_of(lines, "\"suppressed\":3}"), 500);
    assert_int_equal(told(lines), written + 500);
}

static void *log_much(void *argument) {
    const char *sentence = argument;
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_info(sentence, LOG_INT("i", i), LOG_STRING("text", "some words"));
    return NULL;
}

static void log_from_threads(void) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, "from a thread"), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void threads_do_not_mix_their_lines(void **state) {
    (void)state;
    start(LOG_FORMAT_JSON, true);
    log_from_threads();
    struct text rest = taken();
    size_t lines = 0;
    while (rest.len > 0) {
        char line[LOG_LINE_BYTES_MAX + 1];
        size_t length = (size_t)((char *)memchr(rest.data, '\n', rest.len) - rest.data) + 1;
        snprintf(line, sizeof line, "%.*s", (int)length, rest.data);
        assert_true(is_json_object(line));
        rest = (struct text){rest.data + length, rest.len - length};
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES_PER_THREAD);
}

static void threads_lose_no_count(void **state) {
    (void)state;
    start(LOG_FORMAT_JSON, false);
    log_from_threads();
    assert_int_equal(count_of(taken(), "\n"), LOG_REPEATS_PER_SECOND_MAX);
    log_flush_suppressed();
    size_t held_back = THREADS * LINES_PER_THREAD - LOG_REPEATS_PER_SECOND_MAX;
    assert_int_equal(told(taken()), held_back + 1);
}

static void a_stuck_reader_stops_nobody(void **state) {
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    log_init(&(struct log_options){.descriptor = ends[1], .unlimited = true, .clock = &fake});
    int sent = fcntl(ends[1], F_GETPIPE_SZ) / 10;
    for (int i = 0; i < sent; i++)
        log_info("into the pipe", LOG_NONE);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    size_t held = 0;
    for (ssize_t got; (got = read(ends[0], content + held, sizeof content - 1 - held)) > 0;)
        held += (size_t)got;
    size_t received = count_of((struct text){content, held}, "\n");
    assert_true(received > 0 && received < (size_t)sent);
    assert_int_equal(content[held - 1], '\n');

    char expected[64];
    log_info("room again", LOG_NONE);
    ssize_t got = read(ends[0], content, sizeof content - 1);
    assert_true(got > 0);
    snprintf(expected, sizeof expected, "\"dropped\":%zu}\n", (size_t)sent - received);
    assert_int_equal(count_of((struct text){content, (size_t)got}, expected), 1);
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_is_gone_stops_nobody(void **state) {
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    log_init(&(struct log_options){.descriptor = ends[1], .clock = &fake});
    log_info("to nobody", LOG_NONE);
    close(ends[1]);
    log_info("to no descriptor", LOG_NONE);
    log_flush_suppressed();
}

/* A limit on the file cuts a line in the middle, as a full disk does. */
static void after_a_torn_line_comes_a_new_one(void **state) {
    struct rlimit before;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    start(LOG_FORMAT_CONSOLE, false);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){20, before.rlim_max});
    log_info("the first", LOG_NONE);
    log_info("the second", LOG_NONE);
    setrlimit(RLIMIT_FSIZE, &before);
    log_info("the third", LOG_NONE);
    assert_text(taken(), "09:30:00.250 INFO  t\n09:30:00.250 INFO  the third  dropped=2\n");
}

/* What a terminal is sent for one line. */
static size_t read_terminal(char *bytes, size_t size) {
    int reader = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(reader >= 0 && grantpt(reader) == 0 && unlockpt(reader) == 0);
    int terminal = open(ptsname(reader), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    log_init(&(struct log_options){
        .format = LOG_FORMAT_CONSOLE, .descriptor = terminal, .clock = &fake});
    log_warn("look", LOG_STRING("value", "\033[0m"));
    ssize_t length = read(reader, bytes, size - 1);
    close(terminal);
    close(reader);
    assert_true(length > 0);
    bytes[length] = '\0';
    return (size_t)length;
}

static void only_a_terminal_sees_colours(void **state) {
    char bytes[256];
    (void)state;
    unsetenv("NO_COLOR");
    read_terminal(bytes, sizeof bytes);
    assert_string_equal(bytes, "09:30:00.250 \033[33mWARN \033[0m look  value=\"\\u001b[0m\"\r\n");
    setenv("NO_COLOR", "1", 1);
    read_terminal(bytes, sizeof bytes);
    assert_string_equal(bytes, "09:30:00.250 WARN  look  value=\"\\u001b[0m\"\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_file, close_file)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(json_line_holds_all_in_order),
        TEST(console_line_is_for_people),
        TEST(lines_below_the_level_are_not_written),
        TEST(recipients_are_masked),
        TEST(hostile_values_forge_nothing),
        TEST(a_cut_keeps_to_its_maximum),
        TEST(long_texts_are_cut_and_leave_room),
        TEST(too_many_fields_leave_the_line_whole),
        TEST(any_bytes_make_a_sound_line),
        TEST(repeated_lines_are_held_back_and_told),
        TEST(what_is_held_back_comes_out_at_the_end),
        TEST(nothing_is_held_back_when_unlimited),
        TEST(a_full_table_loses_no_count),
        TEST(threads_do_not_mix_their_lines),
        TEST(threads_lose_no_count),
        TEST(a_stuck_reader_stops_nobody),
        TEST(a_reader_that_is_gone_stops_nobody),
        TEST(after_a_torn_line_comes_a_new_one),
        TEST(only_a_terminal_sees_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
