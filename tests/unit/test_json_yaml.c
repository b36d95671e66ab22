#include "support/test.h"

#include "base/json_yaml.h"

#define OUTPUT_BYTES_MAX 4096

static void assert_yaml(const char *json, const char *expected) {
    struct buffer output;
    json_t *root = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(root);
    buffer_init(&output, OUTPUT_BYTES_MAX);
    json_yaml_write(&output, root);
    assert_string_equal(buffer_view(&output).data, expected);
    buffer_deinit(&output);
    json_decref(root);
}

static void writes_blocks(void **state) {
    (void)state;
    assert_yaml("{\"a\":{\"b\":[1,true,null,{\"c\":\"d\"}]},\"e\":[]}",
                "---\na:\n  b:\n    - 1\n    - true\n    - null\n    -\n      c: d\ne: []\n");
    assert_yaml("{}", "--- {}\n");
    assert_yaml("[[1],[]]", "---\n-\n  - 1\n- []\n");
}

static void a_string_stays_a_string(void **state) {
    (void)state;
    assert_yaml("[\"yes\",\"No\",\"null\",\"1\",\"\",\"a: b\",\"x #y\",\"-\",\"{id}\",\"a b \"]",
                "---\n- \"yes\"\n- \"No\"\n- \"null\"\n- \"1\"\n- \"\"\n- \"a: b\"\n- \"x #y\"\n"
                "- \"-\"\n- \"{id}\"\n- \"a b \"\n");
    assert_yaml("[\"/api/v1\",\"two words\",\"two\\nlines\",\"\\u00e9\"]",
                "---\n- /api/v1\n- two words\n- \"two\\nlines\"\n- \"\xC3\xA9\"\n");
}

static void so_does_a_key(void **state) {
    (void)state;
    assert_yaml("{\"200\":1,\"true\":2,\"/a/{id}\":3,\"$ref\":\"#/x\"}",
                "---\n\"200\": 1\n\"true\": 2\n\"/a/{id}\": 3\n\"$ref\": \"#/x\"\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_blocks),
        cmocka_unit_test(a_string_stays_a_string),
        cmocka_unit_test(so_does_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
