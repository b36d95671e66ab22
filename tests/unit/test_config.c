#include "support/test.h"

#include "config/config.h"
#include "config/option_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_COUNT_MAX 16

/* One load and what came of it; the lists end with NULL. */
struct given {
    char *flags[LIST_COUNT_MAX];
    char *environment[LIST_COUNT_MAX];
    const char *command_defaults[LIST_COUNT_MAX];
    const char *env_file; /* the content of .env; NULL for no file */
};

static struct config config;
static struct buffer warnings;
static struct buffer faults;
static bool loaded;

static void write_file(const char *path, const char *content) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void unload(void) {
    if (loaded)
        config_deinit(&config);
    loaded = false;
    unlink(".env");
    unlink("other.env");
    buffer_clear(&warnings);
    buffer_clear(&faults);
}

static enum status load(const struct given *given) {
    unload();
    struct config_sources sources = {.flags = given->flags,
                                     .environment = (char *const *)given->environment,
                                     .standard_env_file = ".env",
                                     .command_defaults = given->command_defaults};
    while (given->flags[sources.flag_count] != NULL)
        sources.flag_count++;
    if (given->env_file != NULL)
        write_file(".env", given->env_file);
    enum status status = config_load(&config, &sources, &warnings, &faults);
    loaded = status == STATUS_OK;
    return status;
}

#define LOAD(...) load(&(const struct given){__VA_ARGS__})
#define LIST(...)                                                                                  \
    { __VA_ARGS__ }

static void assert_faults(const char *expected) {
    assert_string_equal(buffer_view(&faults).data, expected);
}

static void assert_warnings(const char *expected) {
    assert_string_equal(buffer_view(&warnings).data, expected);
}

static int set_up(void **state) {
    static char path[] = "/tmp/test_config.XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    buffer_init(&warnings, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&faults, CONFIG_TEXT_BYTES_MAX);
    *state = path;
    return 0;
}

static int tear_down(void **state) {
    unload();
    buffer_deinit(&warnings);
    buffer_deinit(&faults);
    return chdir("/") == 0 ? rmdir(*state) : -1;
}

static void test_has_the_defaults_of_the_table(void **state) {
    (void)state;
    assert_int_equal(LOAD(0), STATUS_OK);
    assert_string_equal(config.store_url, "sqlite:posthaste.db");
    assert_int_equal(config.port, 8080);
    assert_int_equal(config.batch_size, 2);
    assert_int_equal(config.processing_interval_ms, 120000);
    assert_string_equal(config.webhook_url, "");
    assert_string_equal(config.webhook_auth_key, "");
    assert_true(config.auto_start);
    assert_int_equal(config.lease_ms, 0);
    assert_int_equal(config_lease_ms(&config), 30000 + CONFIG_LEASE_SLACK_MS);
    assert_string_equal(config.log_level, "info");
    assert_warnings("");
}

/* Each bit of `places` sets BATCH_SIZE in one place; the lowest bit is the highest place. */
static void test_the_higher_place_wins(void **state) {
    (void)state;
    static const int64_t values[] = {11, 12, 13, 14};
    for (unsigned places = 0; places < 16; places++) {
        struct given given = {0};
        if ((places & 1) != 0)
            given.flags[0] = "--batch-size=11";
        if ((places & 2) != 0)
            given.environment[0] = "BATCH_SIZE=12";
        if ((places & 4) != 0)
            given.env_file = "BATCH_SIZE=13\n";
        if ((places & 8) != 0)
            given.command_defaults[0] = "BATCH_SIZE=14";
        assert_int_equal(load(&given), STATUS_OK);
        assert_int_equal(config.batch_size, places == 0 ? 2 : values[__builtin_ctz(places)]);
    }
}

static void test_a_lower_place_is_not_looked_at(void **state) {
    (void)state;
    assert_int_equal(LOAD(.flags = LIST("--server-port", "1"), .environment = LIST("PORT=abc"),
                          .env_file = "PORT=2\nSERVER_PORT=3\n"),
                     STATUS_OK);
    assert_int_equal(config.port, 1);
}

static void test_an_empty_value_is_not_set(void **state) {
    (void)state;
    assert_int_equal(LOAD(.flags = LIST("--batch-size=", "--port", ""),
                          .environment = LIST("BATCH_SIZE=", "MESSAGE_FETCH_LIMIT=7"),
                          .env_file = "PORT=\"\"\nSERVER_PORT=9\n"),
                     STATUS_OK);
    assert_int_equal(config.batch_size, 7);
    assert_int_equal(config.port, 9);
}

static void test_understands_every_alias_in_every_place(void **state) {
    (void)state;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        struct text alias;
        for (size_t j = 0; (alias = option_name_at(&option_specs[i], j)).data != NULL; j++) {
            if (option_specs[i].type != OPTION_TYPE_INTEGER &&
                option_specs[i].type != OPTION_TYPE_DURATION)
                continue;
            struct buffer variable, flag;
            buffer_init(&variable, 128);
            buffer_init(&flag, 128);
            bool integer = option_specs[i].type == OPTION_TYPE_INTEGER;
            const char *value = !integer ? "77s" : option_specs[i].minimum > 77 ? "7777" : "77";
            int64_t expected = !integer ? 77000 : option_specs[i].minimum > 77 ? 7777 : 77;
            buffer_printf(&variable, "%.*s=%s", TEXT_ARGUMENT(alias), value);
            option_write_flag(&flag, alias);
            buffer_printf(&flag, "=%s", value);
            assert_int_equal(LOAD(.environment = {variable.data}), STATUS_OK);
            assert_int_equal(option_fetch(&config, &option_specs[i]).number, expected);
            assert_int_equal(LOAD(.env_file = variable.data), STATUS_OK);
            assert_int_equal(option_fetch(&config, &option_specs[i]).number, expected);
            assert_int_equal(LOAD(.flags = {flag.data}), STATUS_OK);
            assert_int_equal(option_fetch(&config, &option_specs[i]).number, expected);
            buffer_deinit(&variable);
            buffer_deinit(&flag);
        }
    }
}

static void test_names_that_agree_are_fine(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("PROCESSING_INTERVAL=2m", "CRON_INTERVAL=120"),
                          .flags = LIST("--port", "5", "--port=5", "--server-port", "05")),
                     STATUS_OK);
    assert_int_equal(config.processing_interval_ms, 120000);
    assert_int_equal(config.port, 5);
}

static void test_names_that_disagree_are_a_fault(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("SERVER_PORT=9090", "PORT=8080"),
                          .env_file = "BATCH_SIZE=1\nMESSAGE_FETCH_LIMIT=2\n"
                                      "WEBHOOK_AUTH_KEY=hunter1\nWEBHOOK_AUTH_KEY=hunter2\n",
                          .flags = LIST("--cron-interval", "3", "--processing-interval", "4",
                                        "--retry-base=1", "--retry-base=2")),
                     STATUS_INVALID);
    assert_faults(
        "SERVER_PORT and PORT: name one option, but have different values, \"9090\" and \"8080\";"
        " keep one\n"
        "BATCH_SIZE and MESSAGE_FETCH_LIMIT in .env: name one option, but have different values,"
        " \"1\" and \"2\"; keep one\n"
        "CRON_INTERVAL (--cron-interval) and PROCESSING_INTERVAL (--processing-interval): name one"
        " option, but have different values, \"3\" and \"4\"; keep one\n"
        "RETRY_BASE (--retry-base): is given twice, with different values, \"1\" and \"2\";"
        " keep one\n"
        "WEBHOOK_AUTH_KEY in .env: is given twice, with different values; keep one\n");
}

static void test_flags_take_every_form(void **state) {
    (void)state;
    assert_int_equal(
        LOAD(.flags = LIST("--batch-size", "10", "--max-retries=5", "--auto-start", "--server-port",
                           "0", "--webhook-auth-key", "-dash", "--app-name=--x=y")),
        STATUS_OK);
    assert_int_equal(config.batch_size, 10);
    assert_int_equal(config.max_retries, 5);
    assert_true(config.auto_start);
    assert_int_equal(config.port, 0);
    assert_string_equal(config.webhook_auth_key, "-dash");
    assert_string_equal(config.app_name, "--x=y");

    assert_int_equal(LOAD(.flags = LIST("--auto-start=false")), STATUS_OK);
    assert_false(config.auto_start);
    assert_int_equal(LOAD(.flags = LIST("--auto-start", "OFF")), STATUS_OK);
    assert_false(config.auto_start);
}

static void test_faults_of_flags(void **state) {
    (void)state;
    assert_int_equal(LOAD(.flags = LIST("--batch-siz", "10", "--BATCH_SIZE=1", "--env-fil=x",
                                        "--nonsense\x1b[2J", "-port", "80", "hunter2", "--port",
                                        "--app-name", "--", "--webhook-auth-key")),
                     STATUS_INVALID);
    assert_faults(
        "--batch-siz is not known; did you mean --batch-size?\n"
        "--BATCH_SIZE is not known; did you mean --batch-size?\n"
        "--env-fil is not known; did you mean --env-file?\n"
        "--nonsense\\x1B[2J is not known\n"
        "-port is not known; did you mean --port?\n"
        "argument 8 is not an option; options begin with --\n"
        "--port needs a value: a whole number from 0 to 65535\n"
        "--app-name needs a value: text of at most 128 bytes (UTF-8, no NUL); one that begins with"
        " -- is given as --app-name=--VALUE\n"
        "-- is not known\n"
        "--webhook-auth-key needs a value: text of at most 4096 bytes (UTF-8, no NUL); one that"
        " begins with -- is given as --webhook-auth-key=--VALUE\n");
}

static void test_the_env_file_flag_replaces_the_standard_file(void **state) {
    (void)state;
    unload();
    write_file("other.env", "PORT=7\n");
    struct given given = {.flags = LIST("--env-file", "other.env")};
    const struct config_sources sources = {
        .flag_count = 2, .flags = given.flags, .standard_env_file = ".env"};
    write_file(".env", "PORT=8\nBATCH_SIZE=8\n");
    assert_int_equal(config_load(&config, &sources, &warnings, &faults), STATUS_OK);
    loaded = true;
    assert_int_equal(config.port, 7);
    assert_int_equal(config.batch_size, 2);

    assert_int_equal(LOAD(.flags = LIST("--env-file=missing.env")), STATUS_INVALID);
    assert_faults("--env-file: there is no file missing.env\n");
    assert_int_equal(LOAD(.flags = LIST("--env-file=/")), STATUS_INVALID);
    assert_faults("/: cannot be read: Is a directory\n");
}

static void test_unknown_keys_of_the_env_file_are_warnings(void **state) {
    (void)state;
    assert_int_equal(LOAD(.env_file = "BATCH_SIZ=10\n"
                                      "batch_size=10\n"
                                      "CRON_INTERVALL=1\n"
                                      "MONGODB_SECRET=hunter2\n"
                                      "X=1\n"
                                      "ENV_FILE=y\n",
                          .environment = LIST("BATCH_SIZ=3", "NOISE", "PATH=/bin")),
                     STATUS_OK);
    assert_warnings("BATCH_SIZ in .env is not known; did you mean BATCH_SIZE?\n"
                    "batch_size in .env is not known; did you mean BATCH_SIZE?\n"
                    "CRON_INTERVALL in .env is not known; did you mean CRON_INTERVAL?\n"
                    "MONGODB_SECRET in .env is not known\n"
                    "X in .env is not known\n"
                    "ENV_FILE in .env is not known\n");
    assert_int_equal(config.batch_size, 2);
}

static void test_all_faults_at_once(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("BATCH_SIZE=abc", "PROCESSING_INTERVAL=2 minutes",
                                              "LOG_LEVEL=loud", "AUTO_START=maybe", "PORT=65536",
                                              "WEBHOOK_AUTH_KEY=hunter2\xFF",
                                              "WEBHOOK_URL=http://u:hunter2@h/\x80"),
                          .env_file = "MAX_RETRIES=1.5\nnothing\nPORTT=1\n",
                          .flags = LIST("--retry-base=0", "--nonsense")),
                     STATUS_INVALID);
    assert_faults(
        "--nonsense is not known\n"
        ".env, line 2: has no \"=\"; expected NAME=value\n"
        "PORT: \"65536\" is not a whole number from 0 to 65535\n"
        "BATCH_SIZE: \"abc\" is not a whole number from 1 to 10000\n"
        "PROCESSING_INTERVAL: \"2 minutes\" is not a duration from 0 to 24h (like 2m, 30s, 500ms;"
        " a bare number is seconds)\n"
        "MAX_RETRIES in .env: \"1.5\" is not a whole number from 0 to 1000\n"
        "RETRY_BASE (--retry-base): \"0\" is not a duration from 1ms to 24h (like 2m, 30s, 500ms;"
        " a bare number is seconds)\n"
        "WEBHOOK_URL: \"http://******@h/\\x80\" is not text of at most 4096 bytes (UTF-8, no"
        " NUL)\n"
        "WEBHOOK_AUTH_KEY: its value is not text of at most 4096 bytes (UTF-8, no NUL)\n"
        "AUTO_START: \"maybe\" is not true or false (or 1, 0, yes, no, on, off)\n"
        "LOG_LEVEL: \"loud\" is not one of: debug, info, warn, error\n");
    assert_warnings("PORTT in .env is not known; did you mean PORT?\n");
    assert_null(config.store_url);
}

static void test_numbers_are_strict(void **state) {
    (void)state;
    static const char *const wrong[] = {"10.5",
                                        " 10",
                                        "10 ",
                                        "1e3",
                                        "+1",
                                        "0x1",
                                        "-1",
                                        "0",
                                        "x",
                                        "10001",
                                        "9223372036854775808",
                                        "18446744073709551618"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char variable[64];
        snprintf(variable, sizeof variable, "BATCH_SIZE=%s", wrong[i]);
        assert_int_equal(LOAD(.environment = {variable}), STATUS_INVALID);
    }
    static const char *const wrong_durations[] = {"2 m", "-1s", "1.5s", "25h", "9ms", "1x", "m"};
    for (size_t i = 0; i < sizeof wrong_durations / sizeof wrong_durations[0]; i++) {
        char variable[64];
        snprintf(variable, sizeof variable, "POLL_INTERVAL=%s", wrong_durations[i]);
        assert_int_equal(LOAD(.environment = {variable}), STATUS_INVALID);
    }
    assert_int_equal(
        LOAD(.environment = LIST("POLL_INTERVAL=10ms", "RETRY_CAP=1m30s", "BATCH_SIZE=10000")),
        STATUS_OK);
    assert_int_equal(config.poll_interval_ms, 10);
    assert_int_equal(config.retry_cap_ms, 90000);
}

static void test_choices_ignore_case(void **state) {
    (void)state;
    assert_int_equal(
        LOAD(.environment = LIST("LOG_LEVEL=DEBUG", "LOG_FORMAT=Console", "SENDER_TYPE=WebHook")),
        STATUS_OK);
    assert_string_equal(config.log_level, "debug");
    assert_string_equal(config.log_format, "console");
    assert_string_equal(config.provider, "webhook");
}

static void test_texts_have_a_longest_length(void **state) {
    (void)state;
    char variable[256] = "APP_NAME=";
    memset(variable + 9, 'x', 128);
    assert_int_equal(LOAD(.environment = {variable}), STATUS_OK);
    assert_int_equal(strlen(config.app_name), 128);
    variable[9 + 128] = 'x';
    assert_int_equal(LOAD(.environment = {variable}), STATUS_INVALID);
    assert_faults("APP_NAME: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                  "xxxxxxxxxxxx…\" is not text of at most 128 bytes (UTF-8, no NUL)\n");
}

static void test_a_small_buffer_hides_no_fault(void **state) {
    (void)state;
    struct buffer small;
    buffer_init(&small, 4);
    struct given given = {.environment = LIST("PORT=x")};
    const struct config_sources sources = {.environment = given.environment};
    assert_int_equal(config_load(&config, &sources, &warnings, &small), STATUS_INVALID);
    buffer_deinit(&small);
}

/* config_check_serve with WEBHOOK_URL set and one more variable. */
static void assert_serve_faults(char *variable, const char *expected) {
    char *fine = "WEBHOOK_URL=http://127.0.0.1:3001/send";
    bool is_url = strncmp(variable, "WEBHOOK_URL", 11) == 0;
    assert_int_equal(LOAD(.environment = {variable, is_url ? NULL : fine}), STATUS_OK);
    assert_int_equal(config_check_serve(&config, &faults), expected[0] == '\0');
    assert_faults(expected);
}

static void test_serve_needs_a_webhook_url(void **state) {
    (void)state;
    assert_serve_faults("WEBHOOK_URL=",
                        "WEBHOOK_URL: is not set; give the address messages are posted to, like "
                        "https://provider.example.com/send (for a try: http://127.0.0.1:3001/send "
                        "with posthaste mock-provider)\n");
    static char *const fine[] = {"WEBHOOK_URL=https://example.com", "WEBHOOK_URL=HTTP://a?b",
                                 "WEBHOOK_URL=http://u:p@[::1]:80/x", "WEBHOOK_URL=http://[::1]"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_serve_faults(fine[i], "");
    assert_serve_faults("WEBHOOK_URL=ftp://u:hunter2@example.com/",
                        "WEBHOOK_URL: \"ftp://******@example.com/\" does not begin with http:// or "
                        "https://\n");
    assert_serve_faults(
        "WEBHOOK_URL=http://example.com/a b",
        "WEBHOOK_URL: \"http://example.com/a b\" has a space or a control character "
        "in it\n");
    assert_serve_faults("WEBHOOK_URL=http://example.com/\n",
                        "WEBHOOK_URL: \"http://example.com/\\x0A\" has a space or a control "
                        "character in it\n");
    static char *const hostless[] = {
        "WEBHOOK_URL=http://",     "WEBHOOK_URL=http:///x",   "WEBHOOK_URL=http://:80/",
        "WEBHOOK_URL=http://u@/",  "WEBHOOK_URL=http://a:/",  "WEBHOOK_URL=http://a:0/",
        "WEBHOOK_URL=http://a:x",  "WEBHOOK_URL=http://a:-1", "WEBHOOK_URL=http://a:65536",
        "WEBHOOK_URL=http://[::1", "WEBHOOK_URL=http://[]/",  "WEBHOOK_URL=http://[::1]80"};
    for (size_t i = 0; i < sizeof hostless / sizeof hostless[0]; i++) {
        assert_int_equal(LOAD(.environment = {hostless[i]}), STATUS_OK);
        assert_false(config_check_serve(&config, &faults));
        assert_non_null(strstr(faults.data, "names no host"));
    }
}

static void test_serve_needs_a_known_store_and_address(void **state) {
    (void)state;
    assert_serve_faults("STORE_URL=memory:", "");
    assert_serve_faults("STORE_URL=sqlite:/var/lib/x@1.db", "");
    assert_serve_faults("STORE_URL=sqlite:",
                        "STORE_URL: \"sqlite:\" is not a known kind of store; give sqlite:FILE, "
                        "postgres://… or memory:\n");
    assert_serve_faults("STORE_URL=postgres://u:hunter2@db/x", "");
    assert_serve_faults("STORE_URL=oracle://u:hunter2@db/x",
                        "STORE_URL: \"oracle://******@db/x\" is not a known kind of store; give "
                        "sqlite:FILE, postgres://… or memory:\n");
    assert_serve_faults("CACHE_URL=redis://:hunter2@cache/1", "");
    assert_serve_faults("CACHE_URL=none", "");
    assert_serve_faults("CACHE_URL=memcached://:hunter2@cache/1",
                        "CACHE_URL: \"memcached://******@cache/1\" is not a known kind of cache; "
                        "give redis://…, memory: or none\n");
    assert_serve_faults("BIND=localhost", "");
    assert_serve_faults("BIND=example.com", "BIND: \"example.com\" is not an address like "
                                            "127.0.0.1, 0.0.0.0 or ::1, nor localhost\n");
}

static void test_serve_lets_nobody_in_by_accident(void **state) {
    (void)state;
    static char *const open[] = {"BIND=0.0.0.0", "BIND=::", "BIND=192.0.2.1"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        char *url = "WEBHOOK_URL=http://127.0.0.1:3001/send";
        assert_int_equal(LOAD(.environment = {url, open[i]}), STATUS_OK);
        assert_false(config_check_serve(&config, &faults));
        assert_non_null(strstr(faults.data, "lets others in, and there are no keys"));
        assert_int_equal(LOAD(.environment = {url, open[i], "ALLOW_ANONYMOUS=true"}), STATUS_OK);
        assert_true(config_check_serve(&config, &faults));
        assert_int_equal(LOAD(.environment = {url, open[i], "API_KEY=0123456789abcdef"}),
                         STATUS_OK);
        assert_true(config_check_serve(&config, &faults));
        assert_int_equal(LOAD(.environment = {url, open[i], "API_KEYS=a:read:0123456789abcdef",
                                              "ALLOW_ANONYMOUS=true"}),
                         STATUS_OK);
        assert_false(config_check_serve(&config, &faults));
        assert_non_null(strstr(faults.data, "set one of the two"));
    }
    assert_serve_faults("BIND=127.0.0.2", "");
    assert_serve_faults("TLS_CERT=/x.pem",
                        "TLS_CERT: needs TLS_KEY, and TLS_KEY needs TLS_CERT; one is not set\n");
}

static void assert_store_url(const char *expected) {
    assert_string_equal(config.store_url, expected);
}

static void test_the_parts_of_a_database_make_its_url(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("DB_HOST=db.example.com", "DB_PORT=5433",
                                              "DB_NAME=messages_db", "DB_USER=app user",
                                              "DB_PASSWORD=p@ss:w/rd?#%", "DB_SSLMODE=disable")),
                     STATUS_OK);
    assert_store_url("postgres://app%20user:p%40ss%3Aw%2Frd%3F%23%25@db.example.com:5433/"
                     "messages_db?sslmode=disable");
    assert_int_equal(
        LOAD(.environment = LIST("POSTGRES_USER=u", "POSTGRES_DB=d", "POSTGRES_PASSWORD=")),
        STATUS_OK);
    assert_store_url("postgres://u@localhost:5432/d?sslmode=prefer");
    assert_int_equal(LOAD(.environment = LIST("DB_HOST=::1", "DB_SSL_MODE=require")), STATUS_OK);
    assert_store_url("postgres://[::1]:5432/?sslmode=require");
    assert_int_equal(LOAD(.environment = LIST("DB_HOST=/run/postgresql", "DB_NAME=d")), STATUS_OK);
    assert_store_url("postgres:///d?sslmode=prefer&host=%2Frun%2Fpostgresql&port=5432");
    assert_int_equal(LOAD(.environment = LIST("DB_PASSWORD=x", "DB_PORT=5433")), STATUS_OK);
    assert_store_url("sqlite:posthaste.db");
}

static void test_a_url_and_its_parts_do_not_mix(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("POSTGRES_URI=postgres://a/b", "DB_HOST=c")),
                     STATUS_INVALID);
    assert_faults("STORE_URL and DB_HOST both name the database; keep one\n");
    assert_int_equal(LOAD(.environment = LIST("REDIS_URL=redis://a", "REDIS_HOST=c")),
                     STATUS_INVALID);
    assert_faults("CACHE_URL and REDIS_HOST both name the cache; keep one\n");
    assert_int_equal(LOAD(.environment = LIST("DATABASE_URL=postgres://a/b", "POSTGRES_USER=c",
                                              "POSTGRES_PASSWORD=d", "POSTGRES_DB=e")),
                     STATUS_OK);
    assert_store_url("postgres://a/b");
}

static void test_the_parts_of_a_cache_make_its_url(void **state) {
    (void)state;
    assert_int_equal(
        LOAD(.environment = LIST("REDIS_HOST=redis", "REDIS_PORT=6380", "REDIS_PASSWORD=a b",
                                 "REDIS_DATABASE=3", "REDIS_TTL=3600")),
        STATUS_OK);
    assert_string_equal(config.cache_url, "redis://:a%20b@redis:6380/3");
    assert_int_equal(config.redis_ttl_ms, 3600000);
    assert_int_equal(LOAD(.environment = LIST("REDIS_PASSWORD=x", "REDIS_TTL=5m")), STATUS_OK);
    assert_string_equal(config.cache_url, "memory:");
    assert_int_equal(config.redis_ttl_ms, 300000);
}

static void test_a_password_in_a_query_is_hidden(void **state) {
    (void)state;
    struct buffer listing;
    buffer_init(&listing, CONFIG_TEXT_BYTES_MAX);
    assert_int_equal(LOAD(.environment = LIST(
                              "STORE_URL=postgres://db/x?user=u&password=hunter2&sslmode=require")),
                     STATUS_OK);
    config_write_effective(&config, &listing);
    assert_null(strstr(listing.data, "hunter2"));
    assert_non_null(strstr(listing.data, "postgres://db/x?user=u&password=******&sslmode=require"));
    buffer_clear(&listing);
    assert_int_equal(
        LOAD(.environment = LIST("STORE_URL=postgres://u:hunter2@db/x?password=hunter2")),
        STATUS_OK);
    config_write_effective(&config, &listing);
    assert_null(strstr(listing.data, "hunter2"));
    buffer_deinit(&listing);
}

static void test_serve_needs_a_lease_longer_than_an_attempt(void **state) {
    (void)state;
    assert_serve_faults("LEASE=31s", "LEASE: 31s does not outlast an attempt; give more than 31s "
                                     "(WEBHOOK_TIMEOUT and 1s), or 0 to derive it\n");
    assert_serve_faults("LEASE=31001ms", "");
    assert_int_equal(config_lease_ms(&config), 31001);
}

static void test_serve_checks_retries_and_authentication(void **state) {
    (void)state;
    assert_serve_faults("RETRY_BASE=2h", "RETRY_BASE: 2h is longer than RETRY_CAP, 1h\n");
    assert_serve_faults("RETRY_BASE=1h", "");
    assert_serve_faults(
        "WEBHOOK_AUTH_HEADER=x y:",
        "WEBHOOK_AUTH_HEADER: \"x y:\" is not the name of a header (letters, digits "
        "and !#$%&'*+-.^_`|~)\n");
    assert_serve_faults("WEBHOOK_AUTH_KEY=hunter2\n",
                        "WEBHOOK_AUTH_KEY: its value has a control character in it (a line end, "
                        "perhaps)\n");
}

static void test_serve_reports_all_faults(void **state) {
    (void)state;
    assert_int_equal(LOAD(.environment = LIST("BIND=x", "RETRY_CAP=1ms", "LEASE=1", "STORE_URL=y",
                                              "WEBHOOK_AUTH_HEADER=:", "WEBHOOK_AUTH_KEY=\t")),
                     STATUS_OK);
    assert_false(config_check_serve(&config, &faults));
    size_t lines = 0;
    for (const char *c = faults.data; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 7);
}

static void test_hides_credentials_wherever_they_stand(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"https://user:pass@host/x", "https://******@host/x"},
        {"https://token@host", "https://******@host"},
        {"https://user:p@ss@host/", "https://******@host/"},
        {"https://user:pa/ss@host/", "https://******@host/"},
        {"https:/user:pass@host/", "https:/******@host/"},
        {"HTTP:user:pass@host/", "HTTP:******@host/"},
        {"user:pass@host", "******@host"},
        {"https://host:80/x?mail=a@example.com", "https://host:80/x?mail=a@example.com"},
        {"http://[::1]:80/@x", "http://[::1]:80/@x"},
        {"me@home", "me@home"},
        {"sqlite:/a@b", "sqlite:/a@b"},
        {"", ""},
        {"sqlite:///var/a@b", "sqlite:///var/a@b"},
        {"@", "@"},
        {"://", "://"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer shown;
        buffer_init(&shown, 256);
        option_write_without_credentials(&shown, text_of(cases[i][0]));
        assert_string_equal(buffer_view(&shown).data, cases[i][1]);
        buffer_deinit(&shown);
    }
}

static void test_the_listing_hides_secrets_and_reads_back(void **state) {
    (void)state;
    assert_int_equal(
        LOAD(.environment =
                 LIST("WEBHOOK_AUTH_KEY=hunter2", "WEBHOOK_URL=http://u:hunter2@example.com/#x",
                      "APP_NAME= a\"b'c\\ \n#d\t", "AUTO_START=no", "RETRY_CAP=25h1m1001ms")),
        STATUS_OK);
    struct buffer listing, again;
    buffer_init(&listing, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&again, CONFIG_TEXT_BYTES_MAX);
    config_write_effective(&config, &listing);
    assert_null(strstr(listing.data, "hunter2"));
    assert_non_null(strstr(listing.data, "\nWEBHOOK_AUTH_KEY=******\n"));
    assert_non_null(strstr(listing.data, "\nWEBHOOK_URL=\"http://******@example.com/#x\"\n"));
    assert_non_null(strstr(listing.data, "\nRETRY_CAP=25h1m1s1ms\n"));
    assert_non_null(strstr(listing.data, "\nAUTO_START=false\n"));

    assert_int_equal(LOAD(.env_file = listing.data), STATUS_OK);
    assert_string_equal(config.app_name, " a\"b'c\\ \n#d\t");
    config_write_effective(&config, &again);
    assert_string_equal(again.data, listing.data);
    buffer_deinit(&listing);
    buffer_deinit(&again);
}

static void test_the_example_is_the_defaults(void **state) {
    (void)state;
    struct buffer example, listing, uncommented;
    buffer_init(&example, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&listing, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&uncommented, CONFIG_TEXT_BYTES_MAX);
    config_write_env_example(&example);
    struct text rest = buffer_view(&example);
    while (rest.data != NULL) {
        struct text line = text_cut(&rest, '\n');
        assert_true(line.len == 0 || (line.data[0] == '#' && line.len <= 100));
        if (line.len > 1 && line.data[1] != ' ')
            buffer_printf(&uncommented, "%.*s\n", (int)line.len - 1, line.data + 1);
    }
    assert_int_equal(LOAD(.env_file = uncommented.data), STATUS_OK);
    assert_warnings("");
    config_write_effective(&config, &listing);
    assert_string_equal(uncommented.data, listing.data);
    buffer_deinit(&example);
    buffer_deinit(&listing);
    buffer_deinit(&uncommented);
}

static void test_help_and_markdown_hold_every_option(void **state) {
    (void)state;
    struct buffer help, markdown;
    buffer_init(&help, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&markdown, CONFIG_TEXT_BYTES_MAX);
    config_write_help(&help);
    config_write_markdown(&markdown);
    assert_non_null(strstr(help.data, "\n  --env-file "));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_spec *spec = &option_specs[i];
        struct buffer expected;
        buffer_init(&expected, 1024);
        option_write_flag(&expected, text_of(spec->name));
        assert_non_null(strstr(help.data, expected.data));
        buffer_clear(&expected);
        buffer_printf(&expected, "\n### %s\n\n%s\n\n| Flag ", spec->name, spec->help);
        assert_non_null(strstr(markdown.data, expected.data));
        for (size_t j = 1; option_name_at(spec, j).data != NULL; j++) {
            buffer_clear(&expected);
            buffer_printf(&expected, "`%.*s`", TEXT_ARGUMENT(option_name_at(spec, j)));
            assert_non_null(strstr(markdown.data, expected.data));
        }
        buffer_deinit(&expected);
    }
    struct text rest = buffer_view(&help);
    while (rest.data != NULL)
        assert_true(text_cut(&rest, '\n').len <= 80);
    buffer_deinit(&help);
    buffer_deinit(&markdown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_the_defaults_of_the_table),
        cmocka_unit_test(test_the_higher_place_wins),
        cmocka_unit_test(test_a_lower_place_is_not_looked_at),
        cmocka_unit_test(test_an_empty_value_is_not_set),
        cmocka_unit_test(test_understands_every_alias_in_every_place),
        cmocka_unit_test(test_names_that_agree_are_fine),
        cmocka_unit_test(test_names_that_disagree_are_a_fault),
        cmocka_unit_test(test_flags_take_every_form),
        cmocka_unit_test(test_faults_of_flags),
        cmocka_unit_test(test_the_env_file_flag_replaces_the_standard_file),
        cmocka_unit_test(test_unknown_keys_of_the_env_file_are_warnings),
        cmocka_unit_test(test_all_faults_at_once),
        cmocka_unit_test(test_numbers_are_strict),
        cmocka_unit_test(test_choices_ignore_case),
        cmocka_unit_test(test_texts_have_a_longest_length),
        cmocka_unit_test(test_a_small_buffer_hides_no_fault),
        cmocka_unit_test(test_serve_needs_a_webhook_url),
        cmocka_unit_test(test_serve_needs_a_known_store_and_address),
        cmocka_unit_test(test_serve_lets_nobody_in_by_accident),
        cmocka_unit_test(test_the_parts_of_a_database_make_its_url),
        cmocka_unit_test(test_a_url_and_its_parts_do_not_mix),
        cmocka_unit_test(test_the_parts_of_a_cache_make_its_url),
        cmocka_unit_test(test_a_password_in_a_query_is_hidden),
        cmocka_unit_test(test_serve_needs_a_lease_longer_than_an_attempt),
        cmocka_unit_test(test_serve_checks_retries_and_authentication),
        cmocka_unit_test(test_serve_reports_all_faults),
        cmocka_unit_test(test_hides_credentials_wherever_they_stand),
        cmocka_unit_test(test_the_listing_hides_secrets_and_reads_back),
        cmocka_unit_test(test_the_example_is_the_defaults),
        cmocka_unit_test(test_help_and_markdown_hold_every_option),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
