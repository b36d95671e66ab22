#include "sender/http_client.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 256
#define RETRY_AFTER_BYTES_MAX 127

struct transfer {
    struct http_exchange exchange; /* first: an exchange is a transfer */
    CURL *easy;
    struct transfer *next; /* in the free list or the done list */
    char *url;             /* what the easy handle was last given; owned */
    const char *method;
    bool running;
    struct curl_slist headers[HTTP_HEADERS_MAX];
    char error[CURL_ERROR_SIZE];
    char retry_after[RETRY_AFTER_BYTES_MAX + 1];
    int64_t started_us;
    size_t body_kept;
    size_t body_read;
    char body[HTTP_BODY_KEPT_BYTES_MAX];
};

struct http_client {
    CURLM *multi;
    int epoll;
    int wake;            /* an eventfd */
    int64_t timer_at_us; /* when libcurl wants to be called; negative: not */
    size_t exchanges_max;
    size_t exchanges; /* made so far */
    struct transfer **all;
    struct transfer *free;
    struct transfer *done_first, **done_last;
};

static int64_t now_us(void) {
    return clock_monotonic_us(&clock_system);
}

/* libcurl tells which sockets to watch. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known) {
    (void)easy;
    struct http_client *client = context;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(client->epoll, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = socket};
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (known != NULL && epoll_ctl(client->epoll, EPOLL_CTL_MOD, socket, &event) == 0)
        return 0;
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, socket, &event) != 0 &&
        (errno != EEXIST || epoll_ctl(client->epoll, EPOLL_CTL_MOD, socket, &event) != 0))
        return -1;
    curl_multi_assign(client->multi, socket, client);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context) {
    (void)multi;
    struct http_client *client = context;
    client->timer_at_us = timeout_ms < 0 ? -1 : now_us() + timeout_ms * 1000;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    (void)size; /* always 1 */
    struct transfer *transfer = context;
    size_t room = sizeof transfer->body - transfer->body_kept;
    size_t kept = count < room ? count : room;
    memcpy(transfer->body + transfer->body_kept, data, kept);
    transfer->body_kept += kept;
    transfer->body_read += count;
    return transfer->body_read > HTTP_BODY_READ_BYTES_MAX ? 0 : count;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    (void)size; /* always 1 */
    static const char name[] = "retry-after:";
    struct transfer *transfer = context;
    struct text line = {data, count};
    struct text start = {data, count < sizeof name - 1 ? count : sizeof name - 1};
    if (!text_equal_ignoring_case(start, TEXT_LITERAL(name)))
        return count;
    struct text value = text_trim((struct text){line.data + start.len, line.len - start.len});
    if (value.len <= RETRY_AFTER_BYTES_MAX) {
        memcpy(transfer->retry_after, value.data, value.len);
        transfer->retry_after[value.len] = '\0';
    }
    return count;
}

/* What never changes from request to request. */
static void set_constant_options(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    char user_agent[64];
    snprintf(user_agent, sizeof user_agent, "posthaste/%s", POSTHASTE_VERSION);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    /* Without it, breaking off a name resolution would wait for it. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static struct transfer *make_transfer(struct http_client *client) {
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    struct transfer *transfer = memory_zeroed(1, sizeof *transfer);
    transfer->easy = easy;
    buffer_init(&transfer->exchange.request.body, HTTP_REQUEST_BODY_BYTES_MAX);
    buffer_init(&transfer->exchange.request.headers, HTTP_HEADERS_BYTES_MAX);
    set_constant_options(transfer);
    client->all[client->exchanges++] = transfer;
    return transfer;
}

static void init_libcurl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum status open_descriptors(struct http_client *client, struct error *error) {
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    client->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = client->wake};
    if (client->epoll >= 0 && client->wake >= 0 &&
        epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->wake, &event) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_UNAVAILABLE, "start the HTTP client: %s", strerror(errno));
}

enum status http_client_create(struct http_client **client,
                               const struct http_client_options *options, struct error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    check(client != NULL && options->exchanges_max > 0);
    check(options->exchanges_max <= options->connections_max);
    pthread_once(&once, init_libcurl);
    struct http_client *created = memory_zeroed(1, sizeof *created);
    created->exchanges_max = options->exchanges_max;
    created->all = memory_zeroed(options->exchanges_max, sizeof(struct transfer *));
    created->done_last = &created->done_first;
    created->timer_at_us = -1;
    created->multi = curl_multi_init();
    enum status status = open_descriptors(created, error);
    if (status == STATUS_OK && created->multi == NULL)
        status = error_set(error, STATUS_UNAVAILABLE, "start the HTTP client: out of memory");
    if (status != STATUS_OK) {
        http_client_destroy(created);
        return status;
    }
    long connections = (long)options->connections_max;
    curl_multi_setopt(created->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(created->multi, CURLMOPT_SOCKETDATA, created);
    curl_multi_setopt(created->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(created->multi, CURLMOPT_TIMERDATA, created);
    curl_multi_setopt(created->multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(created->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(created->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    *client = created;
    return STATUS_OK;
}

static void destroy_transfer(struct http_client *client, struct transfer *transfer) {
    if (transfer->running)
        curl_multi_remove_handle(client->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    free(transfer->url);
    buffer_deinit(&transfer->exchange.request.body);
    buffer_deinit(&transfer->exchange.request.headers);
    free(transfer);
}

void http_client_destroy(struct http_client *client) {
    if (client == NULL)
        return;
    for (size_t i = 0; i < client->exchanges; i++)
        destroy_transfer(client, client->all[i]);
    if (client->multi != NULL)
        curl_multi_cleanup(client->multi);
    if (client->epoll >= 0)
        close(client->epoll);
    if (client->wake >= 0)
        close(client->wake);
    free(client->all);
    free(client);
}

struct http_exchange *http_client_take(struct http_client *client) {
    struct transfer *transfer = client->free;
    if (transfer != NULL)
        client->free = transfer->next;
    else if (client->exchanges < client->exchanges_max)
        transfer = make_transfer(client);
    if (transfer == NULL)
        return NULL;
    struct http_request *request = &transfer->exchange.request;
    buffer_clear(&request->body);
    buffer_clear(&request->headers);
    request->header_count = 0;
    transfer->exchange.context = NULL;
    return &transfer->exchange;
}

void http_client_give_back(struct http_client *client, struct http_exchange *exchange) {
    struct transfer *transfer = (struct transfer *)exchange;
    check(!transfer->running);
    transfer->next = client->free;
    client->free = transfer;
}

static bool is_header_safe(struct text view) {
    for (size_t i = 0; i < view.len; i++)
        if ((unsigned char)view.data[i] < 0x20 || view.data[i] == 0x7F)
            return false;
    return true;
}

/* Lines stand one after the other, each with its NUL. */
bool http_request_add_header(struct http_request *request, struct text name, struct text value) {
    if (request->header_count == HTTP_HEADERS_MAX || name.len == 0 || !is_header_safe(name) ||
        !is_header_safe(value))
        return false;
    struct buffer *headers = &request->headers;
    size_t before = headers->len;
    bool fits = buffer_append(headers, name) && buffer_append_string(headers, ": ") &&
                buffer_append(headers, value) && buffer_append_byte(headers, '\0');
    if (fits)
        request->header_count++;
    else
        headers->len = before;
    return fits;
}

static struct curl_slist *link_headers(struct transfer *transfer) {
    const struct http_request *request = &transfer->exchange.request;
    char *line = request->headers.data;
    for (size_t i = 0; i < request->header_count; i++) {
        bool last = i + 1 == request->header_count;
        transfer->headers[i].data = line;
        transfer->headers[i].next = last ? NULL : &transfer->headers[i + 1];
        line += strlen(line) + 1;
    }
    return request->header_count > 0 ? transfer->headers : NULL;
}

static void finish(struct http_client *client, struct transfer *transfer) {
    transfer->next = NULL;
    *client->done_last = transfer;
    client->done_last = &transfer->next;
}

static void fail(struct transfer *transfer, enum attempt_class class, const char *words) {
    struct http_response *response = &transfer->exchange.response;
    response->class = class;
    snprintf(response->error, sizeof response->error, "%s", words);
}

/* Only what differs from the handle's last request is set again. */
static void set_request_options(struct transfer *transfer) {
    const struct http_request *request = &transfer->exchange.request;
    CURL *easy = transfer->easy;
    if (transfer->url == NULL || strcmp(transfer->url, request->url) != 0) {
        curl_easy_setopt(easy, CURLOPT_URL, request->url);
        free(transfer->url);
        transfer->url = memory_copy_string(request->url);
    }
    if (transfer->method != request->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    transfer->method = request->method;
    struct text body = buffer_view(&request->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, link_headers(transfer));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout_ms);
}

void http_client_submit(struct http_client *client, struct http_exchange *exchange) {
    struct transfer *transfer = (struct transfer *)exchange;
    check(!transfer->running && exchange->request.url != NULL && exchange->request.timeout_ms > 0);
    exchange->response = (struct http_response){0};
    transfer->error[0] = transfer->retry_after[0] = '\0';
    transfer->body_kept = transfer->body_read = 0;
    transfer->started_us = now_us();
    set_request_options(transfer);
    CURLMcode result = curl_multi_add_handle(client->multi, transfer->easy);
    transfer->running = result == CURLM_OK;
    if (transfer->running)
        return;
    fail(transfer, ATTEMPT_RESET, curl_multi_strerror(result));
    finish(client, transfer);
}

static int64_t info_time_us(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy, info, &value);
    return (int64_t)value;
}

/* Which part of the request the deadline hit: pretransfer is reached when the connection, TLS
 * included, is ready to be used. */
static enum attempt_class class_of_timeout(CURL *easy) {
    if (info_time_us(easy, CURLINFO_PRETRANSFER_TIME_T) > 0)
        return ATTEMPT_READ_TIMEOUT;
    return info_time_us(easy, CURLINFO_NAMELOOKUP_TIME_T) > 0 ? ATTEMPT_CONNECT_TIMEOUT
                                                              : ATTEMPT_DNS;
}

static enum attempt_class class_of_failure(CURL *easy, CURLcode result) {
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return ATTEMPT_DNS;
    case CURLE_COULDNT_CONNECT: return ATTEMPT_REFUSED;
    case CURLE_OPERATION_TIMEDOUT: return class_of_timeout(easy);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return ATTEMPT_TLS;
    case CURLE_WRITE_ERROR: return ATTEMPT_BODY_LIMIT;
    default: return ATTEMPT_RESET;
    }
}

static enum attempt_class class_of_status(int64_t status) {
    if (status >= 500)
        return ATTEMPT_HTTP_5XX;
    if (status >= 400)
        return ATTEMPT_HTTP_4XX;
    return status >= 300 || status < 200 ? ATTEMPT_HTTP_3XX : ATTEMPT_ACCEPTED;
}

/* What there is of an answer, however the transfer ended. */
static void fill_response(struct transfer *transfer) {
    struct http_response *response = &transfer->exchange.response;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = status;
    response->body = (struct text){transfer->body, transfer->body_kept};
    response->body_cut = transfer->body_read > transfer->body_kept;
    response->retry_after = text_of(transfer->retry_after);
    response->duration_us = now_us() - transfer->started_us;
}

static void classify(struct transfer *transfer, CURLcode result) {
    struct http_response *response = &transfer->exchange.response;
    if (result == CURLE_OK)
        response->class = class_of_status(response->status);
    else
        fail(transfer, class_of_failure(transfer->easy, result),
             transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(result));
}

static void collect_finished(struct http_client *client) {
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(client->multi, transfer->easy);
        transfer->running = false;
        fill_response(transfer);
        classify(transfer, result);
        finish(client, transfer);
    }
}

static int wait_bound_ms(const struct http_client *client, int64_t wait_ms) {
    if (client->done_first != NULL)
        return 0;
    if (client->timer_at_us >= 0) {
        int64_t timer_ms = (client->timer_at_us - now_us() + 999) / 1000;
        if (timer_ms < wait_ms)
            wait_ms = timer_ms > 0 ? timer_ms : 0;
    }
    return wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
}

static void drain_wake(const struct http_client *client) {
    uint64_t count;
    while (read(client->wake, &count, sizeof count) > 0)
        continue;
}

static void move_transfers(struct http_client *client, const struct epoll_event *event) {
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    int running = 0;
    curl_multi_socket_action(client->multi, event->data.fd, what, &running);
}

static void fire_timer(struct http_client *client) {
    if (client->timer_at_us < 0 || client->timer_at_us > now_us())
        return;
    int running = 0;
    client->timer_at_us = -1;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

size_t http_client_poll(struct http_client *client, struct http_exchange **finished,
                        size_t finished_max, int64_t wait_ms) {
    check(client != NULL && finished != NULL && wait_ms >= 0);
    fire_timer(client);
    collect_finished(client);
    struct epoll_event events[EVENTS_PER_WAIT];
    int ready = epoll_wait(client->epoll, events, EVENTS_PER_WAIT, wait_bound_ms(client, wait_ms));
    for (int i = 0; i < ready; i++) {
        if (events[i].data.fd == client->wake)
            drain_wake(client);
        else
            move_transfers(client, &events[i]);
    }
    fire_timer(client);
    collect_finished(client);
    size_t count = 0;
    while (count < finished_max && client->done_first != NULL) {
        struct transfer *transfer = client->done_first;
        client->done_first = transfer->next;
        finished[count++] = &transfer->exchange;
    }
    if (client->done_first == NULL)
        client->done_last = &client->done_first;
    return count;
}

void http_client_wake(struct http_client *client) {
    uint64_t one = 1;
    ssize_t written = write(client->wake, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

static void abort_transfer(struct http_client *client, struct transfer *transfer) {
    curl_multi_remove_handle(client->multi, transfer->easy);
    transfer->running = false;
    fill_response(transfer);
    fail(transfer, ATTEMPT_ABORTED, "cut off: the grace period of the stop was over");
    finish(client, transfer);
}

void http_client_abort_all(struct http_client *client) {
    check(client != NULL);
    for (size_t i = 0; i < client->exchanges; i++)
        if (client->all[i]->running)
            abort_transfer(client, client->all[i]);
}
