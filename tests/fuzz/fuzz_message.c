/* The JSON that makes messages: what is accepted keeps the rules, what is refused has a reason. */
#include "api/idempotency.h"
#include "api/json_input.h"
#include "api/message_input.h"
#include "base/check.h"
#include "base/json_yaml.h"
#include "fuzz/fuzz.h"

#define ARENA_BYTES_MAX (16 * 1024 * 1024)
#define YAML_BYTES_MAX ((size_t)64 << 20)
#define CONTENT_MAX 160

static void check_draft(const struct message_draft *draft) {
    struct message_fault fault;
    check(message_is_valid(draft->recipient, draft->content, CONTENT_MAX, &fault));
    check(draft->expires_at_ms == 0 || draft->expires_at_ms > draft->due_at_ms);
    check(draft->key.len <= MESSAGE_KEY_BYTES_MAX);
    if (draft->metadata.len == 0)
        return;
    json_t *metadata = json_loadb(draft->metadata.data, draft->metadata.len, 0, NULL);
    check(json_is_object(metadata));
    json_decref(metadata);
}

static void read_messages(struct text body, struct arena *arena) {
    const struct message_rules rules = {.content_max = CONTENT_MAX, .provider = "webhook"};
    const struct idempotency request = {.owner = TEXT_LITERAL("shop"), .body = body};
    struct message_input input;
    struct message_input_fault fault;
    if (!message_input_parse(&input, body, &rules, arena, &fault)) {
        check(fault.text[0] != '\0');
        return;
    }
    bool applied = idempotency_apply(&request, input.drafts, input.count, arena);
    for (size_t i = 0; i < input.count && applied; i++)
        check_draft(&input.drafts[i]);
    message_input_deinit(&input);
}

static void write_as_yaml(struct text body) {
    char fault[JSON_INPUT_FAULT_BYTES] = "";
    json_t *root = json_input_parse(body, fault);
    check(root != NULL || fault[0] != '\0');
    if (root == NULL)
        return;
    struct buffer yaml;
    buffer_init(&yaml, YAML_BYTES_MAX);
    json_yaml_write(&yaml, root);
    check(!yaml.overflowed);
    buffer_deinit(&yaml);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text body = {(const char *)data, size};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    read_messages(body, &arena);
    write_as_yaml(body);
    arena_deinit(&arena);
    return 0;
}
