#include "cache/redis_client.h"

#include "base/check.h"
#include "base/clock.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define WORDS_MAX 1100 /* more than any MGET of ours */
#define TOO_SLOW "no answer within CACHE_TIMEOUT"

struct request {
    int count;
    const char **words;
    const size_t *lengths; /* NULL: the words are terminated */
    bool secret;           /* no more than the first word of a refusal is told */
};

static redisContext *link_of(const struct redis_client *client) {
    return client->link;
}

static void free_reply(struct redis_client *client) {
    if (client->reply != NULL)
        freeReplyObject(client->reply);
    client->reply = NULL;
}

void redis_client_close(struct redis_client *client) {
    free_reply(client);
    if (client->link != NULL)
        redisFree(client->link);
    client->link = NULL;
}

static enum status fail(struct redis_client *client, const char *why, struct error *error) {
    char text[ERROR_TEXT_BYTES_MAX / 2];
    snprintf(text, sizeof text, "%s", why);
    text[strcspn(text, "\r\n")] = '\0';
    redis_client_close(client);
    return error_set(error, STATUS_UNAVAILABLE, "redis: %s", text);
}

static enum status fail_of_link(struct redis_client *client, struct error *error) {
    return fail(client, link_of(client)->errstr, error);
}

/* One exchange, of any number of commands: hiredis's own limits the wait for each piece of an
 * answer, and so the whole not at all. */

void redis_client_allow(struct redis_client *client, int64_t timeout_ms) {
    client->end_us = clock_monotonic_us(&clock_system) + timeout_ms * 1000;
}

static int64_t left_us(const struct redis_client *client) {
    return client->end_us - clock_monotonic_us(&clock_system);
}

static enum status wait_for(struct redis_client *client, short event, struct error *error) {
    struct pollfd connection = {.fd = link_of(client)->fd, .events = event};
    int64_t left_ms = (left_us(client) + 999) / 1000;
    if (left_ms <= 0 || poll(&connection, 1, (int)left_ms) == 0)
        return fail(client, TOO_SLOW, error);
    return STATUS_OK;
}

static enum status send_commands(struct redis_client *client, struct error *error) {
    int all = 0;
    while (redisBufferWrite(client->link, &all) == REDIS_OK) {
        if (all)
            return STATUS_OK;
        if (wait_for(client, POLLOUT, error) != STATUS_OK)
            return error->status;
    }
    return fail_of_link(client, error);
}

/* The next answer is the caller's to free. */
static enum status take_reply(struct redis_client *client, redisReply **reply,
                              struct error *error) {
    *reply = NULL;
    while (redisGetReplyFromReader(client->link, (void **)reply) == REDIS_OK) {
        if (*reply != NULL)
            return STATUS_OK;
        if (wait_for(client, POLLIN, error) != STATUS_OK)
            return error->status;
        if (redisBufferRead(client->link) != REDIS_OK)
            break;
    }
    return fail_of_link(client, error);
}

static enum status exchange(struct redis_client *client, const struct request *request,
                            redisReply **reply, struct error *error) {
    if (redisAppendCommandArgv(client->link, request->count, request->words, request->lengths) !=
        REDIS_OK)
        return fail_of_link(client, error);
    enum status status = send_commands(client, error);
    return status == STATUS_OK ? take_reply(client, reply, error) : status;
}

/* A request whose answer must be no error. */
static enum status command(struct redis_client *client, const struct request *request,
                           struct error *error) {
    redisReply *reply;
    enum status status = exchange(client, request, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type == REDIS_REPLY_ERROR) {
        if (request->secret)
            reply->str[strcspn(reply->str, " ")] = '\0';
        status = fail(client, reply->str, error);
    }
    freeReplyObject(reply);
    return status;
}

static enum status log_in(struct redis_client *client, const struct redis_address *address,
                          struct error *error) {
    /* Secret, because a server that does not know AUTH repeats what it was told. */
    const char *words[3] = {"AUTH"};
    struct request request = {.count = 1, .words = words, .secret = true};
    if (address->password == NULL)
        return STATUS_OK;
    if (address->user != NULL)
        words[request.count++] = address->user;
    words[request.count++] = address->password;
    if (command(client, &request, error) == STATUS_OK)
        return STATUS_OK;
    return error_wrap(error, "log in with the user and password of CACHE_URL");
}

static enum status select_database(struct redis_client *client, int database, struct error *error) {
    char number[16];
    if (database == 0)
        return STATUS_OK;
    snprintf(number, sizeof number, "%d", database);
    const struct request request = {.count = 2, .words = (const char *[]){"SELECT", number}};
    return command(client, &request, error);
}

static void connect_link(struct redis_client *client, const struct redis_address *address) {
    int64_t left = left_us(client) > 0 ? left_us(client) : 1;
    struct timeval timeout = {left / 1000000, left % 1000000};
    client->link = address->socket != NULL
                       ? redisConnectUnixWithTimeout(address->socket, timeout)
                       : redisConnectWithTimeout(address->host, address->port, timeout);
}

/* From here on we wait ourselves. */
static void unblock(redisContext *link) {
    fcntl(link->fd, F_SETFL, fcntl(link->fd, F_GETFL) | O_NONBLOCK);
    link->flags &= ~REDIS_BLOCK;
}

enum status redis_client_open(struct redis_client *client, const struct redis_address *address,
                              struct error *error) {
    redis_client_close(client);
    connect_link(client, address);
    if (client->link == NULL)
        return error_set(error, STATUS_UNAVAILABLE, "redis: out of memory");
    if (link_of(client)->err != 0)
        return fail_of_link(client, error);
    unblock(client->link);
    enum status status = log_in(client, address, error);
    if (status == STATUS_OK)
        status = select_database(client, address->database, error);
    return status;
}

bool redis_client_is_open(const struct redis_client *client) {
    /* Nothing was asked, so there is nothing to hear but the end. */
    return client->link != NULL &&
           poll(&(struct pollfd){.fd = link_of(client)->fd, .events = POLLIN}, 1, 0) == 0;
}

enum status redis_client_probe(struct redis_client *client, struct error *error) {
    const char *words[] = {"SET", "posthaste:probe", "1", "PX", "1"};
    return command(client, &(struct request){.count = 5, .words = words}, error);
}

static enum status append_set(struct redis_client *client, const struct redis_pair *pair,
                              const char *ttl, struct error *error) {
    const char *arguments[] = {"SET", pair->key.data, pair->value.data, "PX", ttl};
    const size_t lengths[] = {3, pair->key.len, pair->value.len, 2, strlen(ttl)};
    if (redisAppendCommandArgv(client->link, 5, arguments, lengths) == REDIS_OK)
        return STATUS_OK;
    return fail_of_link(client, error);
}

enum status redis_client_set(struct redis_client *client, struct redis_batch *batch,
                             struct error *error) {
    char ttl[24];
    enum status status = STATUS_OK;
    snprintf(ttl, sizeof ttl, "%lld", (long long)batch->ttl_ms);
    batch->taken = 0;
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
        status = append_set(client, &batch->pairs[i], ttl, error);
    if (status == STATUS_OK)
        status = send_commands(client, error);
    char refusal[ERROR_TEXT_BYTES_MAX / 2] = "";
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        redisReply *reply;
        if (take_reply(client, &reply, error) != STATUS_OK)
            return error->status;
        if (reply->type == REDIS_REPLY_ERROR)
            snprintf(refusal, sizeof refusal, "%s", reply->str);
        else
            batch->taken++;
        freeReplyObject(reply);
    }
    if (status == STATUS_OK && refusal[0] != '\0')
        status = fail(client, refusal, error);
    return status;
}

static void keep_value(const redisReply *reply, struct text *value) {
    *value = (struct text){0};
    if (reply->type == REDIS_REPLY_STRING)
        *value = (struct text){reply->str, (size_t)reply->len};
}

enum status redis_client_get(struct redis_client *client, const struct text *keys, size_t count,
                             struct text *values, struct error *error) {
    check(count > 0 && count < WORDS_MAX);
    const char *words[WORDS_MAX] = {"MGET"};
    size_t lengths[WORDS_MAX] = {4};
    const struct request request = {(int)count + 1, words, lengths, false};
    redisReply *reply;
    free_reply(client);
    for (size_t i = 0; i < count; i++) {
        words[i + 1] = keys[i].data;
        lengths[i + 1] = keys[i].len;
    }
    if (exchange(client, &request, &reply, error) != STATUS_OK)
        return error->status;
    client->reply = reply;
    if (reply->type == REDIS_REPLY_ERROR)
        return fail(client, reply->str, error);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count)
        return fail(client, "the answer is none to MGET", error);
    for (size_t i = 0; i < count; i++)
        keep_value(reply->element[i], &values[i]);
    return STATUS_OK;
}
