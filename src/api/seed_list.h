/* Lists in the words of the seeds. Those that have no pages are streamed: a page of ours after the
 * other, so that a list of millions takes no memory. */
#ifndef API_SEED_LIST_H
#define API_SEED_LIST_H

#include "api/api_internal.h"
#include "api/enrich.h"

/* How a seed writes its list. */
struct seed_list_style {
    const char *head; /* before the first item */
    const char
        *empty; /* in place of head, items and tail when there are none; NULL: no such form */
    void (*write_item)(struct json_writer *json, const struct message *message,
                       const struct cache_entry *entry); /* `entry` may be NULL */
    void (*write_tail)(struct buffer *text, int64_t count);
    bool asks_cache;
    void (*refuse)(struct request *request, const struct error *error);
};

/* `query->limit` may be of any size here; 0: all. */
void seed_list_send(struct call *call, const struct store_query *query, size_t limit,
                    const struct seed_list_style *style);

#endif
