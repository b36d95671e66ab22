/* Inside of the API, shared by its handlers. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/acceptor.h"
#include "api/api.h"
#include "api/gate.h"
#include "api/message_input.h"
#include "api/rate_limit.h"
#include "api/route.h"
#include "api/server.h"
#include "base/json_writer.h"
#include "base/thread.h"
#include "store/store_office.h"

#define API_ANSWER_BYTES_MAX (256 * 1024 * 1024)

/* When the store has kept one call waiting for this long, others are told so at once: a thread
 * stays free for what needs no store. */
#define API_STORE_PATIENCE_US 2000000

/* A store session for reading, which a handler borrows for the time of a call. */
struct api_reader {
    struct store_session *session;
    int64_t since_us; /* monotonic, when it was borrowed; 0: it is here */
};

#define CONTROL_ACTOR_BYTES (KEYS_NAME_BYTES_MAX + 1)

struct api {
    /* set once */
    struct api_options options;
    struct server *server;
    struct acceptor *acceptor;
    struct retrier *retrier;
    struct gate *gate;
    struct rate_limit *refusals; /* that are recorded */
    struct buffer openapi, openapi_yaml;
    int64_t started_us;
    struct monitor monitor;
    /* guarded */
    struct api_reader readers[API_THREADS];
    struct {
        char actor[CONTROL_ACTOR_BYTES]; /* who changed the state last */
        int64_t start_id;                /* in the audit, of the start that lasts; 0: none */
    } control;
};

/* What a handler is given besides the request. */
struct call {
    struct api *api;
    struct request *request;
    const struct route *route; /* NULL: there is none */
    struct text id;            /* what stood for {…} in the pattern */
    struct caller caller;
};

/* What is to be written into the audit; views and strings are the caller's. */
struct audit_note {
    const char *action; /* "start", "stop", "cancel", … */
    const char *actor;
    const char *address;
    struct text request_id;
    struct text subject; /* the message or job; empty: none */
    const char *detail;  /* NULL as "" */
    int64_t start_id;    /* of a stop; 0: none */
};

/* A whole number of the query; false when it has answered 422. Absent, or empty, `*value` stays. */
bool query_number(struct call *call, const char *name, int64_t minimum, int64_t maximum,
                  int64_t *value);
/* The same for "true" and "false". */
bool query_bool(struct call *call, const char *name, bool *value);

/* What messages that come through the API are measured by. */
struct message_rules api_message_rules(const struct api *api);
/* A session for the time of one call. STATUS_UNAVAILABLE: the store does not answer others. */
enum status api_borrow_session(struct api *api, struct store_session **session,
                               struct error *error);
/* What was borrowed. */
void api_return_session(struct api *api, const struct store_session *session);
/* store_depth with a borrowed session. */
enum status api_read_depth(struct api *api, struct store_depth *depth, struct error *error);

/* An answer with a JSON body that is built in `buffer`; ends with answer_send. */
struct answer {
    struct buffer buffer;
    struct json_writer json;
};

/* Nothing is written yet; `json` writes into `buffer`. */
void answer_init(struct answer *answer);
/* Sends and deinits. */
void answer_send(struct answer *answer, struct request *request, unsigned status);

/* {"error":{"code","message","field"?}}; `field` may be NULL. */
void answer_error(struct request *request, unsigned status, const char *code, const char *message,
                  const char *field);
/* What a stranger may know of a failure of the store; the log has the rest. */
const char *answer_words(const struct request *request, const struct error *error);
/* The same for a failure of the store: 503 with Retry-After, 404, 409 or 422. */
void answer_failure(struct request *request, const struct error *error);

/* Handlers, one per row of routes.def. */
#define ROUTE(method, pattern, handler, right, tag, parameters, body, answers, summary)            \
    void handler(struct call *call);
#include "api/routes.def"
#undef ROUTE

#endif
