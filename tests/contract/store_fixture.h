/* What every case of the store contract works with: one open, empty store of some back end in a
 * folder of its own, a clock that stands still, and short ways to use both. The short ways fail
 * the running case where the store does not answer STATUS_OK; so call them on the test's thread. */
#ifndef CONTRACT_STORE_FIXTURE_H
#define CONTRACT_STORE_FIXTURE_H

#include "support/test.h"

#include "store/store_office.h"
#include "support/fake_clock.h"
#include "support/temporary.h"

#define LEASE_MS 30000
#define RECIPIENT "+15551234567"
#define FIXTURE_CLAIMS_MAX 128

struct back_end {
    const char *name; /* as store_kind says it */
    bool has_file;    /* the URL ends with the path of one */
    bool has_schema;  /* which has versions */
    bool is_server;   /* see store_postgres.h */
};

struct store_fixture {
    const struct back_end *back_end;
    struct temporary temporary;
    struct fake_clock clock;
    char file[TEMPORARY_PATH_BYTES_MAX];
    char url[TEMPORARY_PATH_BYTES_MAX + 512];
    struct postgres_place *place; /* on a server */
    struct store *store;
    struct store_session *session; /* what the short ways use */
    struct store_session *other;   /* a second one of the same store */
    struct arena arena;            /* of what the short ways read */
    struct claim *claims[FIXTURE_CLAIMS_MAX];
    size_t claims_count;
    struct error error;
};

/* For cmocka: `*state` points to a struct back_end before, to a struct store_fixture after. */
int store_fixture_set_up(void **state);
int store_fixture_tear_down(void **state);
/* What a restart of the program does: all sessions and the store are closed and opened again. */
void reopen_store(struct store_fixture *fixture);
void close_store(struct store_fixture *fixture);

#define assert_ok(status, error) assert_ok_at((status), (error), __FILE__, __LINE__)
void assert_ok_at(enum status status, const struct error *error, const char *file, int line);

struct message_id insert_message(struct store_fixture *fixture, struct text content,
                                 int64_t priority);
struct message_id insert_draft(struct store_fixture *fixture, const struct message_draft *draft);
/* Inserts `count` ordinary messages in one call; `ids` may be NULL. */
void insert_messages(struct store_fixture *fixture, size_t count, struct message_id *ids);

/* Claims for LEASE_MS. The fixture destroys the claim at the end. */
struct claim_result claim_in(struct store_fixture *fixture, struct store_session *session,
                             size_t messages_max);
/* Claims everything that is due, which must be `count` messages, at least one. */
struct claim *claim_all(struct store_fixture *fixture, size_t count);

struct outcome sent(const char *provider_id);
struct outcome retry(int64_t number, int64_t delay_ms);
struct outcome failed(int64_t number, enum attempt_class class);
struct outcome expired(int64_t number, enum attempt_class class);
struct outcome released(void);

/* Settles messages `first` to `first + count - 1` alike. False: it was a conflict. */
bool settle(struct store_fixture *fixture, struct claim *claim, size_t first, size_t count,
            struct outcome outcome);
/* Claims until nothing is due, and settles all of it alike. */
void settle_everything_due(struct store_fixture *fixture, struct outcome outcome);

struct message read_message(struct store_fixture *fixture, struct message_id id);
struct attempt_list read_attempts(struct store_fixture *fixture, struct message_id id);
struct store_depth read_depth(struct store_fixture *fixture);
struct store_page read_page(struct store_fixture *fixture, const struct store_query *query);
struct store_total read_total(struct store_fixture *fixture, const struct store_query *query);
/* How many of these messages changed. */
size_t change_messages(struct store_fixture *fixture, enum store_change_kind kind,
                       const struct message_id *ids, size_t count);
/* The newest of one state, up to STORE_LIST_LIMIT_MAX. */
struct store_page read_state(struct store_fixture *fixture, enum message_state state);

/* Exactly these messages in this order. */
void assert_messages(const struct message *messages, size_t count, const struct message_id *ids,
                     size_t ids_count);
void assert_state(struct store_fixture *fixture, struct message_id id, enum message_state state);
/* Decimal numbers, or strings of one length. */
bool id_is_later(struct message_id id, struct message_id than);

#endif
