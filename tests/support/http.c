#include "support/http.h"

#include "base/buffer.h"
#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 60
#define REQUEST_BYTES_MAX (64 * 1024 * 1024)
#define ANSWER_BYTES_MAX (64 * 1024 * 1024)

int http_dial(uint16_t port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(client >= 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int connected = connect(client, (const struct sockaddr *)&address, sizeof address);
    check(connected == 0);
    return client;
}

/* A server may refuse a request without having read all of it. */
static void send_all(int client, struct text bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(client, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
}

int http_begin(uint16_t port, const char *head, struct text body) {
    struct buffer request;
    struct text rest = text_of(head);
    buffer_init(&request, REQUEST_BYTES_MAX);
    buffer_append(&request, text_cut(&rest, '\n'));
    buffer_append_string(&request, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    while (rest.data != NULL) {
        buffer_append(&request, text_cut(&rest, '\n'));
        buffer_append_string(&request, "\r\n");
    }
    buffer_printf(&request, "Content-Length: %zu\r\n\r\n", body.len);
    buffer_append(&request, body);
    check(!request.overflowed);
    int client = http_dial(port);
    send_all(client, buffer_view(&request));
    buffer_deinit(&request);
    return client;
}

static void read_all(int client, struct buffer *bytes) {
    char part[65536];
    for (ssize_t got; (got = recv(client, part, sizeof part, 0)) > 0;)
        buffer_append(bytes, (struct text){part, (size_t)got});
    check(!bytes->overflowed);
}

struct http_answer http_end(int client) {
    struct http_answer answer = {0};
    struct buffer bytes;
    buffer_init(&bytes, ANSWER_BYTES_MAX);
    read_all(client, &bytes);
    close(client);
    answer.bytes.len = bytes.len;
    char *data = buffer_take(&bytes);
    answer.bytes.data = answer.head = data;
    char *end = strstr(data, "\r\n\r\n");
    answer.body = end != NULL ? end + 4 : data + answer.bytes.len;
    if (end != NULL)
        end[2] = '\0';
    struct text line = text_of(answer.head);
    text_cut(&line, ' ');
    text_to_int64(text_cut(&line, ' '), &answer.status);
    return answer;
}

struct http_answer http_ask(uint16_t port, const char *head, const char *body) {
    return http_end(http_begin(port, head, text_of(body)));
}

void http_answer_deinit(struct http_answer *answer) {
    free((char *)answer->bytes.data);
    *answer = (struct http_answer){0};
}
