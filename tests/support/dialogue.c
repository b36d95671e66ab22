#include "support/dialogue.h"

#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static char heard[32768];

bool say_bytes(int client, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t sent = send(client, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

void say(int client, const char *text) {
    assert_true(say_bytes(client, text, strlen(text)));
}

const char *hear(int client) {
    size_t len = 0;
    size_t end = sizeof heard - 1;
    memset(heard, 0, sizeof heard);
    while (len < end && recv(client, heard + len, 1, 0) == 1) {
        len++;
        const char *length = strstr(heard, "Content-Length: ");
        if (end == sizeof heard - 1 && len > 3 && strcmp(heard + len - 4, "\r\n\r\n") == 0)
            end = len + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
    }
    return heard;
}

const char *hear_until(int client, const char *end) {
    size_t len = 0, end_len = strlen(end);
    memset(heard, 0, sizeof heard);
    while (len < sizeof heard - 1 && recv(client, heard + len, 1, 0) == 1) {
        len++;
        if (len >= end_len && memcmp(heard + len - end_len, end, end_len) == 0)
            break;
    }
    return heard;
}

bool hear_end(int client) {
    static char dropped[65536];
    ssize_t got = 0;
    while ((got = recv(client, dropped, sizeof dropped, 0)) > 0)
        continue;
    return got == 0 || errno == ECONNRESET;
}

void assert_has(const char *answer, const char *part) {
    if (strstr(answer, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, answer);
}
