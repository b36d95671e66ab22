#include "api/seed_list.h"

#include "api/message_read.h"
#include "base/memory.h"
#include "metrics/metrics.h"

#include <stdlib.h>

#define PAGE_MESSAGES 500
#define PAGE_ARENA_BYTES_MAX ((size_t)64 << 20)
#define CHUNK_BYTES_ENOUGH (SERVER_CHUNK_BYTES_MAX / 4)

struct seed_list {
    struct api *api;
    const struct seed_list_style *style;
    struct store_query query;
    struct message_id after;
    size_t left; /* of the limit */
    bool begun, ended;
    bool comma; /* an item was written before */
    int64_t count;
    /* the page that is being written */
    struct arena arena;
    struct store_page page;
    const struct cache_entry *entries; /* NULL: nothing is known */
    size_t written;
};

static enum status turn_page(struct seed_list *list, struct error *error) {
    arena_deinit(&list->arena);
    list->written = 0;
    list->entries = NULL;
    list->query.limit = list->left < PAGE_MESSAGES ? list->left : PAGE_MESSAGES;
    enum status status =
        message_read_once(list->api, &list->query, &list->arena, &list->page, error);
    if (status != STATUS_OK)
        return status;
    list->query.offset = 0;
    list->after = list->page.next;
    list->query.after = text_of(list->after.text);
    list->left -= list->page.count;
    list->ended = !list->page.more || list->left == 0;
    if (list->style->asks_cache)
        list->entries = enrich_find(list->api->options.cache, list->page.messages, list->page.count,
                                    &list->arena);
    return STATUS_OK;
}

static void write_page(struct seed_list *list, struct buffer *chunk) {
    struct json_writer json = json_writer_on(chunk);
    json.comma = list->comma;
    while (list->written < list->page.count && chunk->len < CHUNK_BYTES_ENOUGH) {
        size_t at = list->written++;
        list->style->write_item(&json, &list->page.messages[at],
                                list->entries != NULL ? &list->entries[at] : NULL);
        list->count++;
    }
    list->comma = json.comma;
}

static enum stream_step next_chunk(void *context, struct buffer *chunk) {
    struct seed_list *list = context;
    struct error error;
    if (!list->begun)
        buffer_append_string(chunk, list->style->head);
    list->begun = true;
    if (list->written == list->page.count && !list->ended && turn_page(list, &error) != STATUS_OK)
        return STREAM_ABORT;
    write_page(list, chunk);
    if (list->written < list->page.count || !list->ended)
        return STREAM_MORE;
    list->style->write_tail(chunk, list->count);
    return STREAM_END;
}

static void destroy(void *context) {
    struct seed_list *list = context;
    arena_deinit(&list->arena);
    free(list);
}

void seed_list_send(struct call *call, const struct store_query *query, size_t limit,
                    const struct seed_list_style *style) {
    struct seed_list *list = memory_zeroed(1, sizeof *list);
    struct error error;
    list->api = call->api;
    list->style = style;
    list->query = *query;
    list->left = limit > 0 ? limit : SIZE_MAX;
    arena_init(&list->arena, PAGE_ARENA_BYTES_MAX);
    /* The first page is read before the answer begins, while its status can still say no. */
    if (turn_page(list, &error) != STATUS_OK) {
        style->refuse(call->request, &error);
        destroy(list);
        return;
    }
    metrics_add(METRIC_HTTP_2XX, 1);
    if (list->page.count == 0 && style->empty != NULL) {
        request_respond(call->request, 200, "application/json", text_of(style->empty));
        destroy(list);
        return;
    }
    const struct answer_stream stream = {next_chunk, destroy, list};
    request_respond_stream(call->request, 200, "application/json", &stream);
}
