#include "cache/redis_client.h"

#include "base/check.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define ARGUMENTS_MAX 1100 /* more than any MGET of ours */

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
    const redisContext *link = link_of(client);
    bool slow = link->err == REDIS_ERR_IO && link->errstr[0] != '\0' &&
                strstr(link->errstr, "temporarily unavailable") != NULL;
    return fail(client, slow ? "no answer within CACHE_TIMEOUT" : link->errstr, error);
}

/* One command and its answer, which must be no error. */
static enum status command(struct redis_client *client, int count, const char **arguments,
                           struct error *error) {
    redisReply *reply = redisCommandArgv(client->link, count, arguments, NULL);
    if (reply == NULL)
        return fail_of_link(client, error);
    enum status status = STATUS_OK;
    if (reply->type == REDIS_REPLY_ERROR)
        status = fail(client, reply->str, error);
    freeReplyObject(reply);
    return status;
}

static enum status log_in(struct redis_client *client, const struct redis_address *address,
                          struct error *error) {
    const char *arguments[3] = {"AUTH"};
    int count = 1;
    if (address->password == NULL)
        return STATUS_OK;
    if (address->user != NULL)
        arguments[count++] = address->user;
    arguments[count++] = address->password;
    return command(client, count, arguments, error);
}

static enum status select_database(struct redis_client *client, int database, struct error *error) {
    char number[16];
    if (database == 0)
        return STATUS_OK;
    snprintf(number, sizeof number, "%d", database);
    return command(client, 2, (const char *[]){"SELECT", number}, error);
}

enum status redis_client_open(struct redis_client *client, const struct redis_address *address,
                              int64_t timeout_ms, struct error *error) {
    struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    redis_client_close(client);
    client->link = address->socket != NULL
                       ? redisConnectUnixWithTimeout(address->socket, timeout)
                       : redisConnectWithTimeout(address->host, address->port, timeout);
    if (client->link == NULL)
        return error_set(error, STATUS_UNAVAILABLE, "redis: out of memory");
    if (link_of(client)->err != 0)
        return fail_of_link(client, error);
    redisSetTimeout(client->link, timeout);
    enum status status = log_in(client, address, error);
    if (status == STATUS_OK)
        status = select_database(client, address->database, error);
    return status;
}

enum status redis_client_probe(struct redis_client *client, struct error *error) {
    const char *arguments[] = {"SET", "posthaste:probe", "1", "PX", "1"};
    return command(client, 5, arguments, error);
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
    char refusal[ERROR_TEXT_BYTES_MAX / 2] = "";
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(client->link, (void **)&reply) != REDIS_OK)
            return fail_of_link(client, error);
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
    check(count > 0 && count < ARGUMENTS_MAX);
    const char *arguments[ARGUMENTS_MAX] = {"MGET"};
    size_t lengths[ARGUMENTS_MAX] = {4};
    free_reply(client);
    for (size_t i = 0; i < count; i++) {
        arguments[i + 1] = keys[i].data;
        lengths[i + 1] = keys[i].len;
    }
    redisReply *reply = redisCommandArgv(client->link, (int)count + 1, arguments, lengths);
    if (reply == NULL)
        return fail_of_link(client, error);
    client->reply = reply;
    if (reply->type == REDIS_REPLY_ERROR)
        return fail(client, reply->str, error);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count)
        return fail(client, "the answer is none to MGET", error);
    for (size_t i = 0; i < count; i++)
        keep_value(reply->element[i], &values[i]);
    return STATUS_OK;
}
