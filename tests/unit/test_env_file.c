#include "support/test.h"

#include "base/memory.h"
#include "config/env_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct parsed {
    struct env_file file;
    struct buffer faults;
    enum status status;
};

static struct parsed parse_bytes(const char *bytes, size_t len) {
    struct parsed parsed = {0};
    char *copy = memory_zeroed(len, 1);
    memcpy(copy, bytes, len);
    buffer_init(&parsed.faults, 4096);
    parsed.status = env_file_parse(&parsed.file, ".env", copy, len, &parsed.faults);
    return parsed;
}

static struct parsed parse(const char *content) {
    return parse_bytes(content, strlen(content));
}

static void end(struct parsed *parsed) {
    env_file_deinit(&parsed->file);
    buffer_deinit(&parsed->faults);
}

static void test_reads_each_form_of_value(void **state) {
    (void)state;
    static const struct {
        const char *line;
        const char *value;
    } cases[] = {
        {"KEY=value", "value"},
        {"KEY=", ""},
        {"KEY=\"\"", ""},
        {"export KEY=value", "value"},
        {"export\tKEY=value", "value"},
        {"  KEY = value  ", "value"},
        {"KEY=two words", "two words"},
        {"KEY=a=b", "a=b"},
        {"KEY=value # comment", "value"},
        {"KEY=value\t# comment", "value"},
        {"KEY= # comment", ""},
        {"KEY=#value", "#value"},
        {"KEY=va#lue", "va#lue"},
        {"KEY='a # $b \\n \"c\"'", "a # $b \\n \"c\""},
        {"KEY='value' # comment", "value"},
        {"KEY=\"a # 'b'\"", "a # 'b'"},
        {"KEY=\"a\\nb\\tc\\\"d\\\\e\"", "a\nb\tc\"d\\e"},
        {"KEY=\"a\\$b\\d\"", "a\\$b\\d"},
        {"KEY=\"value\"   # comment", "value"},
        {"KEY=$HOME ${X}", "$HOME ${X}"},
        {"KEY=it's", "it's"},
        {"\xEF\xBB\xBFKEY=value", "value"},
        {"KEY=value\r\n", "value"},
        {"KEY=\"value\"\r\n", "value"},
        {"# comment\n\n   \n  # KEY=other\nKEY=value", "value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed parsed = parse(cases[i].line);
        assert_string_equal(buffer_view(&parsed.faults).data, "");
        assert_int_equal(parsed.status, STATUS_OK);
        assert_int_equal(parsed.file.count, 1);
        assert_text(parsed.file.entries[0].key, "KEY");
        assert_text(parsed.file.entries[0].value, cases[i].value);
        end(&parsed);
    }
}

static void test_names_file_and_line_of_each_fault_but_not_its_text(void **state) {
    (void)state;
    struct parsed parsed = parse("A=1\n"
                                 "hunter2\n"
                                 "B='hunter2\n"
                                 "C=\"hunter2\\\"\n"
                                 "hunter 2=x\n"
                                 "=hunter2\n"
                                 "D=\"hunter2\" x\n"
                                 "export E\n"
                                 "F=2\n");
    assert_int_equal(parsed.status, STATUS_INVALID);
    assert_string_equal(
        buffer_view(&parsed.faults).data,
        ".env, line 2: has no \"=\"; expected NAME=value\n"
        ".env, line 3: has no closing quote\n"
        ".env, line 4: has no closing quote\n"
        ".env, line 5: has no name before the \"=\" (letters, digits and _); expected NAME=value\n"
        ".env, line 6: has no name before the \"=\" (letters, digits and _); expected NAME=value\n"
        ".env, line 7: has text after the closing quote\n"
        ".env, line 8: has no \"=\"; expected NAME=value\n");
    assert_int_equal(parsed.file.count, 2);
    assert_text(parsed.file.entries[1].key, "F");
    end(&parsed);
}

static void test_counts_faults_beyond_the_maximum(void **state) {
    (void)state;
    struct parsed parsed = parse("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n"
                                 "19\n20\n21\n22\n");
    const char *faults = buffer_view(&parsed.faults).data;
    assert_non_null(strstr(faults, ".env, line 20: "));
    assert_null(strstr(faults, "line 21"));
    assert_non_null(strstr(faults, ".env: has 2 more lines with faults\n"));
    end(&parsed);
}

static void test_keeps_any_bytes_of_a_value(void **state) {
    (void)state;
    struct parsed parsed = parse_bytes("A=x\0y\nB\0=1\n", 12);
    assert_int_equal(parsed.status, STATUS_INVALID);
    assert_int_equal(parsed.file.count, 1);
    assert_int_equal(parsed.file.entries[0].value.len, 3);
    end(&parsed);
}

static void test_keeps_the_order_of_many_lines(void **state) {
    (void)state;
    struct buffer content;
    buffer_init(&content, ENV_FILE_BYTES_MAX);
    for (int i = 0; i < 1000; i++)
        buffer_printf(&content, "KEY_%d=%d\n", i, i);
    struct parsed parsed = parse(content.data);
    assert_int_equal(parsed.file.count, 1000);
    assert_text(parsed.file.entries[999].key, "KEY_999");
    assert_text(parsed.file.entries[512].value, "512");
    end(&parsed);
    buffer_deinit(&content);
}

static int set_up_directory(void **state) {
    static char path[] = "/tmp/test_env_file.XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    *state = path;
    return 0;
}

static int tear_down_directory(void **state) {
    return chdir("/") == 0 ? rmdir(*state) : -1;
}

static void write_file(size_t bytes) {
    FILE *file = fopen("big.env", "w");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++)
        putc('#', file);
    assert_int_equal(fclose(file), 0);
}

static void test_reads_up_to_the_maximum_size(void **state) {
    (void)state;
    struct env_file file;
    struct buffer faults;
    buffer_init(&faults, 4096);

    write_file(ENV_FILE_BYTES_MAX);
    assert_int_equal(env_file_read(&file, "big.env", &faults), STATUS_OK);
    env_file_deinit(&file);

    write_file(ENV_FILE_BYTES_MAX + 1);
    assert_int_equal(env_file_read(&file, "big.env", &faults), STATUS_INVALID);
    assert_string_equal(faults.data, "big.env: is larger than 1048576 bytes\n");
    env_file_deinit(&file);

    write_file(0);
    assert_int_equal(env_file_read(&file, "big.env", &faults), STATUS_OK);
    assert_int_equal(file.count, 0);
    env_file_deinit(&file);
    buffer_deinit(&faults);
    unlink("big.env");
}

static void test_tells_a_missing_file_from_an_unreadable_one(void **state) {
    (void)state;
    struct env_file file;
    struct buffer faults;
    buffer_init(&faults, 4096);
    assert_int_equal(env_file_read(&file, "missing.env", &faults), STATUS_NOT_FOUND);
    assert_int_equal(faults.len, 0);
    env_file_deinit(&file);

    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(env_file_read(&file, "folder", &faults), STATUS_INVALID);
    assert_string_equal(faults.data, "folder: cannot be read: Is a directory\n");
    env_file_deinit(&file);
    buffer_deinit(&faults);
    rmdir("folder");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_each_form_of_value),
        cmocka_unit_test(test_names_file_and_line_of_each_fault_but_not_its_text),
        cmocka_unit_test(test_counts_faults_beyond_the_maximum),
        cmocka_unit_test(test_keeps_any_bytes_of_a_value),
        cmocka_unit_test(test_keeps_the_order_of_many_lines),
        cmocka_unit_test(test_reads_up_to_the_maximum_size),
        cmocka_unit_test(test_tells_a_missing_file_from_an_unreadable_one),
    };
    return cmocka_run_group_tests(tests, set_up_directory, tear_down_directory);
}
