/* Lists of messages: part of the contract of store.h, whose rules hold here too. */
#ifndef STORE_STORE_QUERY_H
#define STORE_STORE_QUERY_H

#include "store/store.h"

#define STORE_LIST_LIMIT_MAX 1000
#define STORE_OFFSET_MAX 1000000
/* With filters that no index serves, one call looks at so many messages at most. */
#define STORE_SCAN_MAX 100000
/* What is counted one by one is counted up to here. */
#define STORE_COUNT_MAX 10000

enum store_order {
    STORE_NEWEST_FIRST,
    STORE_OLDEST_FIRST,
    /* Of MESSAGE_STATES_SENT only; those whose time is not known last. With filters only the last
     * STORE_SCAN_MAX are looked at. */
    STORE_LAST_SENT_FIRST,
};

/* from_ms <= time < to_ms, Unix time; 0 leaves a side open. */
struct store_range {
    int64_t from_ms;
    int64_t to_ms;
};

/* Zeroed it asks for every message. */
struct store_query {
    unsigned states;       /* MESSAGE_STATE_BITs; 0: any */
    struct text recipient; /* exactly this; empty: any */
    struct text provider;  /* the same */
    struct text content;   /* to be found in the content; empty: any */
    struct store_range created, sent;
    enum store_order order;
    /* Only what stands after the message with this id; empty: from the beginning. Not with
     * STORE_LAST_SENT_FIRST. The list goes on from there whatever is inserted meanwhile. */
    struct text after;
    size_t offset; /* to be passed over, up to STORE_OFFSET_MAX */
    size_t limit;  /* 1 to STORE_LIST_LIMIT_MAX */
};

struct store_page {
    struct message *messages;
    size_t count; /* may be less than the limit, or 0, though there is more: see STORE_SCAN_MAX */
    bool more;
    struct message_id next; /* the next `after`, where there is more */
};

/* True when the query asks for more than states. */
bool store_query_is_selective(const struct store_query *query);
/* Whether a message is one that the query asks for, its place in the list aside. */
bool store_query_matches(const struct store_query *query, const struct message *message);

/* STATUS_INVALID: `after` is no id. */
enum status store_list(struct store_session *session, const struct store_query *query,
                       struct arena *arena, struct store_page *page, struct error *error);

struct store_total {
    int64_t count;
    bool exact; /* else there may be more */
};

/* How many messages the query asks for, its place and limit aside. Cheap: see STORE_SCAN_MAX. */
enum status store_count(struct store_session *session, const struct store_query *query,
                        struct store_total *total, struct error *error);

#endif
