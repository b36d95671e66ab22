#include "store/memory/record.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(struct text source) {
    char *bytes = memory_zeroed(source.len + 1, 1);
    if (source.len > 0)
        memcpy(bytes, source.data, source.len);
    return bytes;
}

static void replace(char **string, const char *value) {
    free(*string);
    *string = value != NULL && value[0] != '\0' ? memory_copy_string(value) : NULL;
}

struct record *record_create(const struct message_draft *draft, int64_t id, int64_t now_ms) {
    struct record *record = memory_zeroed(1, sizeof *record);
    *record = (struct record){
        .id = id,
        .priority = draft->priority,
        .created_at_ms = now_ms,
        .recipient = copy(draft->recipient),
        .content = copy(draft->content),
        .content_bytes = draft->content.len,
        .due_at_ms = draft->due_at_ms > now_ms ? draft->due_at_ms : 0,
        .expires_at_ms = draft->expires_at_ms,
        .max_attempts = draft->max_attempts,
        .metadata = draft->metadata.len > 0 ? copy(draft->metadata) : NULL,
        .provider = draft->provider.len > 0 ? copy(draft->provider) : NULL,
        .state = MESSAGE_PENDING,
    };
    return record;
}

void record_destroy(struct record *record) {
    free(record->recipient);
    free(record->content);
    free(record->metadata);
    free(record->provider);
    free(record->provider_id);
    free(record->error);
    free(record->failures);
    free(record);
}

bool record_leaves_before(const void *a, const void *b) {
    const struct record *left = a, *right = b;
    if (left->priority != right->priority)
        return left->priority > right->priority;
    return left->id < right->id;
}

bool record_is_due_before(const void *a, const void *b) {
    const struct record *left = a, *right = b;
    if (left->due_at_ms != right->due_at_ms)
        return left->due_at_ms < right->due_at_ms;
    return left->id < right->id;
}

static void add_failure(struct record *record, const struct attempt *attempt) {
    record->failures =
        memory_resize(record->failures, record->failures_count + 1, sizeof *record->failures);
    record->failures[record->failures_count++] = *attempt;
    replace(&record->error, attempt->excerpt);
}

void record_settle(struct record *record, const struct outcome *outcome, int64_t now_ms) {
    message_state_move(&record->state, outcome_state(outcome->kind));
    record->attempts += outcome_attempts(outcome);
    switch (outcome->kind) {
    case OUTCOME_SENT:
        record->sent_at_ms = now_ms;
        record->due_at_ms = 0;
        replace(&record->provider_id, outcome->provider_id);
        replace(&record->error, NULL);
        break;
    case OUTCOME_RETRY:
        record->due_at_ms = now_ms + outcome->delay_ms;
        add_failure(record, &outcome->attempt);
        break;
    case OUTCOME_FAILED:
    case OUTCOME_EXPIRED:
        record->due_at_ms = 0;
        add_failure(record, &outcome->attempt);
        break;
    case OUTCOME_RELEASED: break;
    }
}

void record_take_back(struct record *record, int64_t now_ms) {
    message_state_move(&record->state, MESSAGE_PENDING);
    record->attempts++;
    struct attempt attempt = {
        .number = record->attempts, .at_ms = now_ms, .class = ATTEMPT_LEASE_EXPIRED};
    attempt_set_excerpt(&attempt, TEXT_LITERAL(ATTEMPT_LEASE_EXPIRED_TEXT));
    add_failure(record, &attempt);
}

void record_retry(struct record *record) {
    message_state_move(&record->state, MESSAGE_PENDING);
    record->attempts = record->due_at_ms = record->expires_at_ms = 0;
}

static bool copy_to(struct arena *arena, struct text source, struct text *target) {
    *target = arena_copy(arena, source);
    return target->data != NULL;
}

bool record_read(const struct record *record, struct arena *arena, struct message *message) {
    *message = (struct message){
        .priority = record->priority,
        .created_at_ms = record->created_at_ms,
        .state = record->state,
        .attempts = record->attempts,
        .due_at_ms = record->due_at_ms,
        .expires_at_ms = record->expires_at_ms,
        .max_attempts = record->max_attempts,
        .sent_at_ms = record->sent_at_ms,
    };
    snprintf(message->id.text, sizeof message->id.text, "%lld", (long long)record->id);
    struct text content = {record->content, record->content_bytes};
    return copy_to(arena, text_of(record->recipient), &message->recipient) &&
           copy_to(arena, content, &message->content) &&
           copy_to(arena, text_of(record->metadata), &message->metadata) &&
           copy_to(arena, text_of(record->provider), &message->provider) &&
           copy_to(arena, text_of(record->provider_id), &message->provider_id) &&
           copy_to(arena, text_of(record->error), &message->error);
}
