#include "support/test.h"

#include "base/text.h"
#include "metrics/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_BYTES_MAX 65536
#define THREADS 8
#define ADDS 20000
#define DESCRIPTORS_MAX 4096
#define FAMILIES_MAX 64
#define SERIES_MAX 1024

/* One sample of the exposition: everything before the value, its parts, the value. */
struct series {
    struct text identity; /* the name with all its labels */
    struct text name;
    struct text le;     /* of a bucket */
    struct text others; /* the labels without le */
    double value;
};

struct exposition {
    struct text families[FAMILIES_MAX];
    struct text types[FAMILIES_MAX];
    size_t family_count;
    struct series series[SERIES_MAX];
    size_t series_count;
};

static struct exposition parsed;
static struct buffer written;

static bool is_name(struct text name, bool is_metric) {
    if (name.len == 0)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (is_metric && c == ':');
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return true;
}

static bool ends_with(struct text view, const char *suffix) {
    size_t length = strlen(suffix);
    return view.len >= length && memcmp(view.data + view.len - length, suffix, length) == 0;
}

/* `# HELP name text` and then, as the very next line, `# TYPE name type`. */
static void parse_head(struct text help, struct text type) {
    text_cut(&help, ' ');
    text_cut(&help, ' ');
    struct text name = text_cut(&help, ' ');
    assert_true(is_name(name, true));
    assert_true(help.data != NULL && help.len > 0);
    assert_null(memchr(help.data, '\\', help.len));
    assert_true(text_starts_with(type, "# TYPE "));
    text_cut(&type, ' ');
    text_cut(&type, ' ');
    assert_true(text_equal(text_cut(&type, ' '), name));
    assert_true(text_equal_string(type, "counter") || text_equal_string(type, "gauge") ||
                text_equal_string(type, "histogram"));
    assert_true(ends_with(name, "_total") == text_equal_string(type, "counter"));
    for (size_t i = 0; i < parsed.family_count; i++)
        assert_false(text_equal(parsed.families[i], name));
    assert_true(parsed.family_count < FAMILIES_MAX);
    parsed.families[parsed.family_count] = name;
    parsed.types[parsed.family_count++] = type;
}

static void parse_labels(struct series *series, struct text labels) {
    series->others = labels;
    while (labels.data != NULL) {
        struct text value = text_cut(&labels, ',');
        struct text key = text_cut(&value, '=');
        assert_true(is_name(key, false));
        assert_true(value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"');
        value = (struct text){value.data + 1, value.len - 2};
        for (size_t i = 0; i < value.len; i++)
            assert_true(strchr("\"\\\n{}", value.data[i]) == NULL);
        if (!text_equal_string(key, "le"))
            continue;
        assert_null(labels.data);
        series->le = value;
        series->others.len = (size_t)(key.data - series->others.data);
        if (series->others.len > 0)
            series->others.len--; /* the comma */
    }
}

/* The samples of a family follow its head. */
static void assert_in_family(const struct series *series) {
    assert_true(parsed.family_count > 0);
    struct text family = parsed.families[parsed.family_count - 1];
    struct text rest = {series->name.data + family.len, series->name.len - family.len};
    assert_true(series->name.len >= family.len &&
                memcmp(series->name.data, family.data, family.len) == 0);
    if (text_equal_string(parsed.types[parsed.family_count - 1], "histogram"))
        assert_true((text_equal_string(rest, "_bucket") && series->le.len > 0) ||
                    text_equal_string(rest, "_sum") || text_equal_string(rest, "_count"));
    else
        assert_true(rest.len == 0 && series->le.len == 0);
}

static void parse_sample(struct text line) {
    struct series series = {0};
    struct text value = line;
    series.identity = text_cut(&value, ' ');
    series.name = series.identity;
    if (series.identity.data[series.identity.len - 1] == '}') {
        struct text labels = series.identity;
        series.name = text_cut(&labels, '{');
        labels.len--;
        assert_true(labels.len > 0);
        parse_labels(&series, labels);
    }
    assert_true(is_name(series.name, true));
    assert_true(value.data != NULL && value.len > 0);
    assert_int_equal(strspn(value.data, "-0123456789."), value.len);
    series.value = strtod(value.data, NULL);
    assert_in_family(&series);
    for (size_t i = 0; i < parsed.series_count; i++)
        assert_false(text_equal(parsed.series[i].identity, series.identity));
    assert_true(parsed.series_count < SERIES_MAX);
    parsed.series[parsed.series_count++] = series;
}

static void parse(struct text exposition) {
    parsed.family_count = 0;
    parsed.series_count = 0;
    assert_int_equal(exposition.data[exposition.len - 1], '\n');
    exposition.len--;
    while (exposition.data != NULL) {
        struct text line = text_cut(&exposition, '\n');
        assert_true(line.len > 0);
        if (line.data[0] == '#') {
            assert_true(text_starts_with(line, "# HELP "));
            parse_head(line, text_cut(&exposition, '\n'));
        } else {
            parse_sample(line);
        }
    }
}

static void scrape(void) {
    buffer_clear(&written);
    metrics_write_prometheus(&written);
    assert_false(written.overflowed);
    parse(buffer_view(&written));
}

static double value_of(const char *identity) {
    for (size_t i = 0; i < parsed.series_count; i++)
        if (text_equal_string(parsed.series[i].identity, identity))
            return parsed.series[i].value;
    fail_msg("no series %s", identity);
    return 0;
}

static double upper_end(struct text le) {
    return text_equal_string(le, "+Inf") ? 1e300 : strtod(le.data, NULL);
}

/* The buckets that begin at `at`, with _sum and _count behind them; returns what follows. */
static size_t check_histogram(size_t at) {
    const struct series *first = &parsed.series[at];
    const struct series *last = first;
    for (at++; parsed.series[at].le.len > 0; at++) {
        const struct series *bucket = &parsed.series[at];
        assert_true(text_equal(bucket->name, first->name));
        assert_true(text_equal(bucket->others, first->others));
        assert_true(bucket->value >= last->value);
        assert_true(upper_end(bucket->le) > upper_end(last->le));
        last = bucket;
    }
    assert_text(last->le, "+Inf");
    assert_true(ends_with(parsed.series[at].name, "_sum"));
    assert_true(ends_with(parsed.series[at + 1].name, "_count"));
    assert_true(text_equal(parsed.series[at].others, first->others));
    assert_true(text_equal(parsed.series[at + 1].others, first->others));
    assert_true(parsed.series[at + 1].value == last->value);
    return at + 2;
}

static size_t check_histograms(void) {
    size_t count = 0;
    for (size_t at = 0; at < parsed.series_count; count++) {
        while (at < parsed.series_count && parsed.series[at].le.len == 0)
            at++;
        if (at == parsed.series_count)
            break;
        at = check_histogram(at);
    }
    return count;
}

static void exposition_is_valid_and_whole(void **state) {
    (void)state;
    metrics_observe_us(METRIC_CLAIM_SECONDS, 300);
    scrape();
    assert_int_equal(check_histograms(), METRIC_HISTOGRAMS);
#define COUNTER(symbol, name, labels, help) value_of(labels[0] ? name "{" labels "}" : name);
#define GAUGE(symbol, name, labels, help) value_of(labels[0] ? name "{" labels "}" : name);
#define HISTOGRAM(symbol, name, labels, help)                                                      \
    value_of(labels[0] ? name "_count{" labels "}" : name "_count");
#include "metrics/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
}

static void counters_add_up(void **state) {
    (void)state;
    uint64_t before = metrics_counter(METRIC_FAILED);
    metrics_add(METRIC_FAILED, 2);
    metrics_add(METRIC_FAILED, UINT64_C(5000000000));
    assert_int_equal(metrics_counter(METRIC_FAILED) - before, UINT64_C(5000000002));
    scrape();
    assert_true(value_of("posthaste_messages_settled_total{outcome=\"failed\"}") ==
                (double)metrics_counter(METRIC_FAILED));
}

static void gauges_are_set_and_changed(void **state) {
    (void)state;
    metrics_set(METRIC_IN_FLIGHT, 7);
    metrics_change(METRIC_IN_FLIGHT, -9);
    assert_int_equal(metrics_gauge(METRIC_IN_FLIGHT), -2);
    scrape();
    assert_true(value_of("posthaste_in_flight") == -2);
}

static void durations_fall_into_their_buckets(void **state) {
    static const int64_t durations[] = {-5, 100, 101, 2500, 60000000, 60000001, 3600000000};
    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        metrics_observe_us(METRIC_ATTEMPT_SECONDS, durations[i]);
    assert_int_equal(metrics_histogram_count(METRIC_ATTEMPT_SECONDS), 7);
    scrape();
#define BUCKET(le) value_of("posthaste_attempt_duration_seconds_bucket{le=\"" le "\"}")
    assert_true(BUCKET("0.0001") == 2);
    assert_true(BUCKET("0.00025") == 3);
    assert_true(BUCKET("0.001") == 3);
    assert_true(BUCKET("0.0025") == 4);
    assert_true(BUCKET("25") == 4);
    assert_true(BUCKET("60") == 5);
    assert_true(BUCKET("+Inf") == 7);
    assert_non_null(strstr(written.data, "posthaste_attempt_duration_seconds_sum 3720.002702\n"));
    metrics_observe_us(METRIC_INSERT_SECONDS, 50000);
    scrape();
    assert_non_null(strstr(written.data, "_bucket{operation=\"insert\",le=\"0.05\"} 1\n"));
    assert_non_null(strstr(written.data, "_sum{operation=\"insert\"} 0.05\n"));
}

static void *add_much(void *unused) {
    for (int i = 0; i < ADDS; i++) {
        metrics_add(METRIC_CLAIMED, 1);
        metrics_observe_us(METRIC_SETTLE_SECONDS, i);
        metrics_change(METRIC_DEPTH_PENDING, 1);
    }
    return unused;
}

static void run_threads(void) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_much, NULL), 0);
    double last = 0;
    for (int i = 0; i < 20; i++) { /* reading while they write */
        scrape();
        check_histograms();
        double seen = value_of("posthaste_messages_claimed_total");
        assert_true(seen >= last);
        last = seen;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void what_ended_threads_counted_stays(void **state) {
    (void)state;
    for (int round = 1; round <= 3; round++) {
        run_threads();
        assert_int_equal(metrics_counter(METRIC_CLAIMED), round * THREADS * ADDS);
        assert_int_equal(metrics_histogram_count(METRIC_SETTLE_SECONDS), round * THREADS * ADDS);
        assert_int_equal(metrics_gauge(METRIC_DEPTH_PENDING), round * THREADS * ADDS);
    }
}

static pthread_key_t late_key;

static void count_late(void *unused) {
    (void)unused;
    metrics_add(METRIC_REFUSED, 1);
}

static void *count_at_the_end(void *argument) {
    metrics_add(METRIC_REFUSED, 1);
    pthread_setspecific(late_key, argument);
    return NULL;
}

/* The key is made after the one of the metrics, so that its destructor runs after theirs. */
static void a_thread_may_count_while_it_ends(void **state) {
    pthread_t thread;
    (void)state;
    metrics_add(METRIC_REFUSED, 0);
    assert_int_equal(pthread_key_create(&late_key, count_late), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pthread_create(&thread, NULL, count_at_the_end, &late_key), 0);
        pthread_join(thread, NULL);
    }
    pthread_key_delete(late_key);
    assert_int_equal(metrics_counter(METRIC_REFUSED), 200);
}

static void the_process_tells_about_itself(void **state) {
    (void)state;
    scrape();
    double descriptors = value_of("process_open_fds");
    int open = 0;
    for (int descriptor = 0; descriptor < DESCRIPTORS_MAX; descriptor++)
        open += fcntl(descriptor, F_GETFD) >= 0;
    assert_true(descriptors == open);
    assert_true(value_of("process_max_fds") > descriptors);
    assert_true(value_of("process_resident_memory_bytes") > 100000);
    assert_true(value_of("process_cpu_seconds_total") >= 0);
    double started = value_of("process_start_time_seconds");
    double now = (double)time(NULL);
    assert_true(started > now - 600 && started <= now + 1);
    scrape();
    assert_true(value_of("process_start_time_seconds") == started);
    assert_non_null(strstr(written.data, "\nposthaste_build_info{version=\""));
}

static void too_small_a_buffer_says_so(void **state) {
    struct buffer small;
    (void)state;
    buffer_init(&small, 1000);
    metrics_write_prometheus(&small);
    assert_true(small.overflowed);
    buffer_deinit(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposition_is_valid_and_whole),
        cmocka_unit_test(counters_add_up),
        cmocka_unit_test(gauges_are_set_and_changed),
        cmocka_unit_test(durations_fall_into_their_buckets),
        cmocka_unit_test(what_ended_threads_counted_stays),
        cmocka_unit_test(a_thread_may_count_while_it_ends),
        cmocka_unit_test(the_process_tells_about_itself),
        cmocka_unit_test(too_small_a_buffer_says_so),
    };
    buffer_init(&written, TEXT_BYTES_MAX);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_deinit(&written);
    return failed;
}
