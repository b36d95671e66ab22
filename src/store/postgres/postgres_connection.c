#include "store/postgres/postgres_connection.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct postgres_connection {
    struct postgres_options options;
    PGconn *link; /* NULL: not connected */
    bool prepared[POSTGRES_STATEMENTS];
    bool was_lost;       /* since postgres_watch last looked */
    int64_t next_try_us; /* no attempt to connect before */
    int64_t backoff_us;
    struct error lost; /* why there is no connection */
    int interrupt;     /* an eventfd: written by postgres_connection_interrupt */
};

/* Statements of ours, and how many parameters each takes. */
static const struct {
    int parameters;
    const char *sql;
} statements[] = {
#define STATEMENT(symbol, count, text) [POSTGRES_##symbol] = {count, text},
#include "store/postgres/statements.def"
#undef STATEMENT
};

static int64_t now_us(void) {
    return clock_monotonic_us(&clock_system);
}

/* libpq ends its texts with a line feed, and puts one host a line. */
static void copy_text(const char *source, char *target, size_t size) {
    size_t length = 0;
    for (const char *at = source; *at != '\0' && length + 1 < size; at++)
        target[length++] = *at == '\n' || *at == '\t' ? ' ' : *at;
    while (length > 0 && target[length - 1] == ' ')
        length--;
    target[length] = '\0';
}

/* The link as it is, is of no further use; the next call connects anew. */
static enum status lose(struct postgres_connection *connection, const char *why,
                        struct error *error) {
    char text[ERROR_TEXT_BYTES_MAX / 2];
    copy_text(why, text, sizeof text);
    PQfinish(connection->link);
    connection->link = NULL;
    connection->was_lost = true;
    memset(connection->prepared, 0, sizeof connection->prepared);
    error_set(&connection->lost, STATUS_UNAVAILABLE, "postgres: %s", text);
    *error = connection->lost;
    return STATUS_UNAVAILABLE;
}

struct failure_class {
    const char *prefix; /* of the SQLSTATE */
    enum status status;
    bool lost; /* the connection is not to be used again */
    const char *advice;
};

/* The first that fits. Appendix A of PostgreSQL's manual lists the codes. */
static const struct failure_class failure_classes[] = {
    {"53100", STATUS_FULL, false, "; make space on the database's disk"},
    {"53300", STATUS_UNAVAILABLE, true, "; raise max_connections"},
    {"53", STATUS_UNAVAILABLE, false, ""},
    {"57014", STATUS_UNAVAILABLE, false, " (DB_TIMEOUT)"},
    {"57", STATUS_UNAVAILABLE, true, ""},
    {"08", STATUS_UNAVAILABLE, true, ""},
    {"25006", STATUS_UNAVAILABLE, true, "; this server is a standby now"},
    {"26000", STATUS_UNAVAILABLE, true, "; behind a pooler set DB_POOLING=transaction"},
    {"0A000", STATUS_UNAVAILABLE, true, ""},
    {"40", STATUS_UNAVAILABLE, false, ""},
    {"55", STATUS_UNAVAILABLE, false, ""},
    {"22", STATUS_INVALID, false, ""},
    {"PH001", STATUS_CONFLICT, false, ""}, /* raised by posthaste_insert_keys */
    {"23", STATUS_INVALID, false, ""},
    {"P0001", STATUS_INVALID, false, " (a trigger of the table)"},
    {"42501", STATUS_BROKEN, false, "; grant it to the user that STORE_URL names"},
    {"42", STATUS_BROKEN, false, "; see `posthaste migrate status`"},
    {"3F", STATUS_BROKEN, false, "; see `posthaste migrate status`"},
    {"XX001", STATUS_BROKEN, false, "; the database's files are damaged"},
    {"XX002", STATUS_BROKEN, false, "; REINDEX the index"},
    {"", STATUS_UNAVAILABLE, false, ""},
};

static const struct failure_class *classify(const char *sqlstate) {
    const struct failure_class *class = failure_classes;
    while (strncmp(sqlstate, class->prefix, strlen(class->prefix)) != 0)
        class ++;
    return class;
}

static enum status fail(struct postgres_connection *connection, const PGresult *result,
                        struct error *error) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (PQstatus(connection->link) == CONNECTION_BAD || sqlstate == NULL)
        return lose(connection, message != NULL ? message : PQerrorMessage(connection->link),
                    error);
    const struct failure_class *class = classify(sqlstate);
    if (class->lost) {
        char text[ERROR_TEXT_BYTES_MAX / 2];
        snprintf(text, sizeof text, "%s%s", message != NULL ? message : sqlstate, class->advice);
        return lose(connection, text, error);
    }
    return error_set(error, class->status, "postgres: %s%s", message != NULL ? message : sqlstate,
                     class->advice);
}

static int wait_ms(int64_t end_us) {
    if (end_us == INT64_MAX)
        return -1;
    int64_t left_us = end_us - now_us();
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

/* Waits until the server's answer is there whole, or the time is over. */
static enum status await(struct postgres_connection *connection, int64_t end_us,
                         struct error *error) {
    for (;;) {
        int unsent = PQflush(connection->link);
        if (unsent < 0 || (unsent == 0 && PQstatus(connection->link) == CONNECTION_BAD))
            return lose(connection, PQerrorMessage(connection->link), error);
        if (unsent == 0 && !PQisBusy(connection->link))
            return STATUS_OK;
        struct pollfd descriptor = {PQsocket(connection->link),
                                    (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
        int ready = poll(&descriptor, 1, wait_ms(end_us));
        if (ready == 0)
            return lose(connection, "the server did not answer within DB_TIMEOUT", error);
        if (ready > 0 && (descriptor.revents & ~POLLOUT) != 0 && !PQconsumeInput(connection->link))
            return lose(connection, PQerrorMessage(connection->link), error);
    }
}

/* Takes all results of what was sent; the last one counts, or the first that is an error. */
static enum status collect(struct postgres_connection *connection, int64_t end_us,
                           struct postgres_rows *rows, struct error *error) {
    PGresult *kept = NULL;
    for (;;) {
        enum status status = await(connection, end_us, error);
        if (status != STATUS_OK) {
            PQclear(kept);
            return status;
        }
        PGresult *result = PQgetResult(connection->link);
        if (result == NULL)
            break;
        if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
    ExecStatusType outcome = PQresultStatus(kept);
    enum status status = STATUS_OK;
    if (outcome != PGRES_TUPLES_OK && outcome != PGRES_COMMAND_OK)
        status = fail(connection, kept, error);
    if (status == STATUS_OK && rows != NULL)
        *rows = (struct postgres_rows){kept, (size_t)PQntuples(kept)};
    else
        PQclear(kept);
    return status;
}

static int64_t deadline_us(const struct postgres_connection *connection) {
    return now_us() + (connection->options.timeout_ms + POSTGRES_PATIENCE_MS) * 1000;
}

/* What must hold in every session of ours; a pooler that shares sessions would lose it. */
static enum status greet(struct postgres_connection *connection, struct error *error) {
    char sql[512];
    if (connection->options.pooled)
        return STATUS_OK;
    snprintf(sql, sizeof sql,
             "SET statement_timeout = %lld; SET default_transaction_isolation = 'read committed';"
             " SET client_min_messages = warning; SET jit = off; %s",
             (long long)connection->options.timeout_ms,
             connection->options.greeting != NULL ? connection->options.greeting : "");
    if (!PQsendQuery(connection->link, sql))
        return lose(connection, PQerrorMessage(connection->link), error);
    return collect(connection, deadline_us(connection), NULL, error);
}

/* libpq tells what is wrong with a URL by showing it, the password included. */
static enum status check_url(const char *url, struct error *error) {
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    PQfreemem(message);
    if (options == NULL)
        return error_set(error, STATUS_INVALID,
                         "STORE_URL is not like postgres://user:password@host:port/name (with %%XX"
                         " for special characters in the password)");
    PQconninfoFree(options);
    return STATUS_OK;
}

/* What the server has to say beside its answers, which libpq would print. */
static void on_notice(void *context, const PGresult *notice) {
    (void)context;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (severity != NULL && message != NULL && strcmp(severity, "WARNING") == 0)
        log_warn("postgres warns", LOG_STRING("text", message));
}

static enum status try_connect(struct postgres_connection *connection, struct error *error) {
    /* What stands before the URL are defaults, what follows it is not to be changed. */
    const char *const names[] = {"connect_timeout", "application_name",    "tcp_user_timeout",
                                 "keepalives_idle", "keepalives_interval", "target_session_attrs",
                                 "dbname",          "client_encoding",     NULL};
    const char *const values[] = {
        POSTGRES_CONNECT_SECONDS, "posthaste", "10000", "10", "5", "read-write",
        connection->options.url,  "UTF8",      NULL};
    connection->link = PQconnectdbParams(names, values, 1);
    if (connection->link == NULL || PQstatus(connection->link) != CONNECTION_OK)
        return lose(connection,
                    connection->link != NULL ? PQerrorMessage(connection->link) : "out of memory",
                    error);
    PQsetnonblocking(connection->link, 1);
    PQsetNoticeReceiver(connection->link, on_notice, NULL);
    return greet(connection, error);
}

/* A server that was restarted has closed our side while nobody looked; better to see it before
 * something is sent that is lost. */
static bool is_closed_by_server(struct postgres_connection *connection) {
    struct pollfd descriptor = {PQsocket(connection->link), POLLIN, 0};
    return poll(&descriptor, 1, 0) > 0 &&
           (!PQconsumeInput(connection->link) || PQstatus(connection->link) == CONNECTION_BAD);
}

static enum status ensure_connected(struct postgres_connection *connection, struct error *error) {
    if (connection->link != NULL && !is_closed_by_server(connection))
        return STATUS_OK;
    if (connection->link != NULL)
        lose(connection, PQerrorMessage(connection->link), error);
    if (now_us() < connection->next_try_us) {
        *error = connection->lost;
        return error->status;
    }
    enum status status = try_connect(connection, error);
    if (status == STATUS_OK) {
        connection->backoff_us = 0;
        return STATUS_OK;
    }
    connection->backoff_us =
        connection->backoff_us == 0 ? POSTGRES_BACKOFF_US_MIN : connection->backoff_us * 2;
    if (connection->backoff_us > POSTGRES_BACKOFF_US_MAX)
        connection->backoff_us = POSTGRES_BACKOFF_US_MAX;
    connection->next_try_us = now_us() + connection->backoff_us;
    return status;
}

enum status postgres_connection_open(struct postgres_connection **connection,
                                     const struct postgres_options *options, struct error *error) {
    check(connection != NULL && options != NULL && options->url != NULL);
    struct postgres_connection *opened = memory_zeroed(1, sizeof *opened);
    opened->options = *options;
    opened->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum status status = opened->interrupt >= 0
                             ? check_url(options->url, error)
                             : error_set(error, STATUS_UNAVAILABLE, "eventfd: %s", strerror(errno));
    if (status == STATUS_OK)
        status = ensure_connected(opened, error);
    if (status != STATUS_OK) {
        postgres_connection_close(opened);
        return status;
    }
    *connection = opened;
    return STATUS_OK;
}

void postgres_connection_close(struct postgres_connection *connection) {
    if (connection == NULL)
        return;
    PQfinish(connection->link);
    if (connection->interrupt >= 0)
        close(connection->interrupt);
    free(connection);
}

void postgres_rows_deinit(struct postgres_rows *rows) {
    PQclear(rows->result);
    *rows = (struct postgres_rows){0};
}

struct text postgres_text(const struct postgres_rows *rows, size_t row, int column) {
    const char *data = PQgetvalue(rows->result, (int)row, column);
    return (struct text){data, (size_t)PQgetlength(rows->result, (int)row, column)};
}

int64_t postgres_number(const struct postgres_rows *rows, size_t row, int column) {
    int64_t value = 0;
    text_to_int64(postgres_text(rows, row, column), &value);
    return value;
}

bool postgres_is_null(const struct postgres_rows *rows, size_t row, int column) {
    return PQgetisnull(rows->result, (int)row, column) != 0;
}

static void name_of(enum postgres_statement which, char name[16]) {
    snprintf(name, 16, "posthaste_%d", (int)which);
}

static enum status prepare(struct postgres_connection *connection, enum postgres_statement which,
                           struct error *error) {
    char name[16];
    name_of(which, name);
    if (!PQsendPrepare(connection->link, name, statements[which].sql, 0, NULL))
        return lose(connection, PQerrorMessage(connection->link), error);
    enum status status = collect(connection, deadline_us(connection), NULL, error);
    connection->prepared[which] = status == STATUS_OK;
    return status;
}

static bool send_statement(struct postgres_connection *connection, enum postgres_statement which,
                           const char *const *parameters) {
    int count = statements[which].parameters;
    if (connection->options.pooled)
        return PQsendQueryParams(connection->link, statements[which].sql, count, NULL, parameters,
                                 NULL, NULL, 0);
    char name[16];
    name_of(which, name);
    return PQsendQueryPrepared(connection->link, name, count, parameters, NULL, NULL, 0);
}

enum status postgres_run(struct postgres_connection *connection, enum postgres_statement which,
                         const char *const *parameters, struct postgres_rows *rows,
                         struct error *error) {
    check(connection != NULL && which < POSTGRES_STATEMENTS && rows != NULL);
    enum status status = ensure_connected(connection, error);
    if (status == STATUS_OK && !connection->options.pooled && !connection->prepared[which])
        status = prepare(connection, which, error);
    if (status != STATUS_OK)
        return status;
    if (!send_statement(connection, which, parameters))
        return lose(connection, PQerrorMessage(connection->link), error);
    return collect(connection, deadline_us(connection), rows, error);
}

enum status postgres_query(struct postgres_connection *connection, const char *sql,
                           const char *parameter, struct postgres_rows *rows, struct error *error) {
    enum status status = ensure_connected(connection, error);
    if (status != STATUS_OK)
        return status;
    int count = parameter != NULL ? 1 : 0;
    if (!PQsendQueryParams(connection->link, sql, count, NULL, &parameter, NULL, NULL, 0))
        return lose(connection, PQerrorMessage(connection->link), error);
    return collect(connection, INT64_MAX, rows, error);
}

enum status postgres_execute(struct postgres_connection *connection, const char *sql,
                             struct error *error) {
    enum status status = ensure_connected(connection, error);
    if (status != STATUS_OK)
        return status;
    if (!PQsendQuery(connection->link, sql))
        return lose(connection, PQerrorMessage(connection->link), error);
    return collect(connection, INT64_MAX, NULL, error);
}

/* True when at least one notification has come in; all that have are taken. */
static bool take_notifications(struct postgres_connection *connection) {
    bool any = false;
    for (PGnotify *notice; (notice = PQnotifies(connection->link)) != NULL; any = true)
        PQfreemem(notice);
    return any;
}

static bool take_interrupt(struct postgres_connection *connection) {
    uint64_t count = 0;
    return read(connection->interrupt, &count, sizeof count) == (ssize_t)sizeof count;
}

enum status postgres_watch(struct postgres_connection *connection, int64_t wait, bool *told,
                           struct error *error) {
    int64_t end_us = now_us() + wait * 1000;
    enum status status = ensure_connected(connection, error);
    *told = status == STATUS_OK && connection->was_lost;
    if (status == STATUS_OK)
        connection->was_lost = false;
    while (!*told && !take_interrupt(connection) && now_us() < end_us) {
        struct pollfd descriptors[] = {
            {connection->interrupt, POLLIN, 0},
            {connection->link != NULL ? PQsocket(connection->link) : -1, POLLIN, 0},
        };
        poll(descriptors, 2, wait_ms(end_us));
        if (descriptors[1].revents == 0)
            continue;
        if (!PQconsumeInput(connection->link))
            return lose(connection, PQerrorMessage(connection->link), error);
        *told = take_notifications(connection);
    }
    return status;
}

void postgres_connection_interrupt(struct postgres_connection *connection) {
    const uint64_t one = 1;
    ssize_t written = write(connection->interrupt, &one, sizeof one);
    check(written == (ssize_t)sizeof one || errno == EAGAIN);
}

static void quote(struct buffer *sql, struct text value, char mark) {
    buffer_append_byte(sql, mark);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == mark)
            buffer_append_byte(sql, mark);
        buffer_append_byte(sql, value.data[i]);
    }
    buffer_append_byte(sql, mark);
}

void postgres_quote_name(struct buffer *sql, struct text name) {
    quote(sql, name, '"');
}

void postgres_quote_string(struct buffer *sql, struct text value) {
    quote(sql, value, '\'');
}
