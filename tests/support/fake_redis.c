#include "support/fake_redis.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRIP_MS 5
#define MOMENT_US 5000
#define PATIENCE_US 60000000
#define PIECE_BYTES 65536
#define ANSWER_BYTES_MAX 65536

#define NOBODY ((struct fake_redis_client){.descriptor = -1, .last = FAKE_REDIS_COMMANDS})

static const char delivery_key[] = "posthaste:delivery:";

/* The number on a line that begins with `mark`; false where the line is not whole yet. */
static bool take_number(struct text *rest, char mark, int64_t *number) {
    struct text line = text_cut(rest, '\n');
    if (rest->data == NULL)
        return false;
    check(line.len > 2 && line.data[0] == mark);
    return text_to_int64((struct text){line.data + 1, line.len - 2}, number);
}

/* Takes one command off `*rest`, its first two words, and how many it has; false where it is not
 * whole yet. */
static bool take_command(struct text *rest, struct text words[2], int64_t *count) {
    struct text text = *rest;
    if (!take_number(&text, '*', count))
        return false;
    for (int64_t i = 0; i < *count; i++) {
        int64_t length;
        if (!take_number(&text, '$', &length) || text.len < (size_t)length + 2)
            return false;
        if (i < 2)
            words[i] = (struct text){text.data, (size_t)length};
        text = (struct text){text.data + length + 2, text.len - (size_t)length - 2};
    }
    *rest = text;
    return true;
}

static enum fake_redis_command command_of(const struct text words[2]) {
    static const char *const names[] = {"AUTH", "SELECT", "", "SET", "MGET"};
    int command = 0;
    while (command < FAKE_REDIS_COMMANDS && !text_equal_string(words[0], names[command]))
        command++;
    check(command < FAKE_REDIS_COMMANDS);
    if (command == FAKE_REDIS_SET && !text_starts_with(words[1], delivery_key))
        return FAKE_REDIS_PROBE;
    return (enum fake_redis_command)command;
}

static void leave(struct fake_redis_client *client) {
    if (client->descriptor >= 0)
        close(client->descriptor);
    buffer_deinit(&client->heard);
    *client = NOBODY;
}

static void say(struct fake_redis_client *client, struct text bytes) {
    for (ssize_t sent; bytes.len > 0;
         bytes = (struct text){bytes.data + sent, bytes.len - (size_t)sent})
        if ((sent = send(client->descriptor, bytes.data, bytes.len, MSG_NOSIGNAL)) <= 0) {
            leave(client);
            return;
        }
}

static void say_good(struct fake_redis_client *client, enum fake_redis_command command,
                     int64_t words) {
    struct buffer answer;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    if (command == FAKE_REDIS_MGET)
        buffer_printf(&answer, "*%lld\r\n", (long long)words - 1);
    for (int64_t i = 1; command == FAKE_REDIS_MGET && i < words; i++)
        buffer_append_string(&answer, "$-1\r\n");
    if (command != FAKE_REDIS_MGET)
        buffer_append_string(&answer, "+OK\r\n");
    check(!answer.overflowed);
    say(client, buffer_view(&answer));
    buffer_deinit(&answer);
}

/* What is to be answered to a command that was heard; NULL: something good. */
static const char *note(struct fake_redis *fake, enum fake_redis_command command,
                        struct text bytes) {
    monitor_lock(&fake->monitor);
    fake->commands[command].count++;
    const char *answer = fake->commands[command].answer;
    if (answer != NULL && fake->commands[command].good_left > 0) {
        fake->commands[command].good_left--;
        answer = NULL;
    }
    if (command == FAKE_REDIS_SET) {
        buffer_clear(&fake->last);
        buffer_append(&fake->last, bytes);
    }
    monitor_signal(&fake->monitor);
    monitor_unlock(&fake->monitor);
    return answer;
}

static void answer(struct fake_redis_client *client, const char *with,
                   enum fake_redis_command command, int64_t words) {
    if (with == NULL)
        say_good(client, command, words);
    else if (strcmp(with, FAKE_REDIS_HANG_UP) == 0)
        leave(client);
    else if (strcmp(with, FAKE_REDIS_DRIP) == 0) {
        client->dripping = true;
        say(client, TEXT_LITERAL("$500000000\r\n"));
    } else if (strcmp(with, FAKE_REDIS_SILENCE) != 0)
        say(client, text_of(with));
}

static void answer_heard(struct fake_redis *fake, struct fake_redis_client *client) {
    struct buffer heard = client->heard;
    struct text rest = buffer_view(&heard), words[2];
    int64_t count;
    buffer_init(&client->heard, FAKE_REDIS_BYTES_MAX);
    for (const char *start = rest.data; take_command(&rest, words, &count); start = rest.data) {
        enum fake_redis_command command = command_of(words);
        client->last = command;
        const char *with = note(fake, command, (struct text){start, (size_t)(rest.data - start)});
        answer(client, with, command, count);
        if (client->descriptor < 0)
            break;
    }
    if (client->descriptor >= 0)
        buffer_append(&client->heard, rest);
    buffer_deinit(&heard);
}

static void hear(struct fake_redis *fake, struct fake_redis_client *client) {
    static _Thread_local char piece[PIECE_BYTES];
    ssize_t length = recv(client->descriptor, piece, sizeof piece, 0);
    if (length <= 0) {
        leave(client);
        return;
    }
    bool fits = buffer_append(&client->heard, (struct text){piece, (size_t)length});
    check(fits);
    answer_heard(fake, client);
}

static void greet(struct fake_redis *fake) {
    size_t place = 0;
    while (place < FAKE_REDIS_CLIENTS_MAX && fake->clients[place].descriptor >= 0)
        place++;
    check(place < FAKE_REDIS_CLIENTS_MAX);
    fake->clients[place].descriptor = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    buffer_init(&fake->clients[place].heard, FAKE_REDIS_BYTES_MAX);
}

static void leave_all(struct fake_redis *fake) {
    for (size_t i = 0; i < FAKE_REDIS_CLIENTS_MAX; i++)
        leave(&fake->clients[i]);
}

/* False when the test is over. */
static bool obey(struct fake_redis *fake) {
    monitor_lock(&fake->monitor);
    bool ending = fake->ending;
    for (size_t i = 0; fake->hanging_up && i < FAKE_REDIS_CLIENTS_MAX; i++)
        if (fake->clients[i].last == fake->hanging_up_after)
            leave(&fake->clients[i]);
    fake->hanging_up = false;
    monitor_signal(&fake->monitor);
    monitor_unlock(&fake->monitor);
    return !ending;
}

static void serve(struct fake_redis *fake, const struct pollfd *events) {
    for (size_t i = 0; i < FAKE_REDIS_CLIENTS_MAX; i++) {
        struct fake_redis_client *client = &fake->clients[i];
        if (client->descriptor >= 0 && client->dripping)
            say(client, TEXT_LITERAL("x"));
        if (client->descriptor >= 0 && events[i].revents != 0)
            hear(fake, client);
    }
}

static void run(void *argument) {
    enum { LISTENER = FAKE_REDIS_CLIENTS_MAX, WAKE, EVENTS };
    struct fake_redis *fake = argument;
    struct pollfd events[EVENTS];
    char byte;
    while (obey(fake)) {
        for (size_t i = 0; i < FAKE_REDIS_CLIENTS_MAX; i++)
            events[i] = (struct pollfd){.fd = fake->clients[i].descriptor, .events = POLLIN};
        events[LISTENER] = (struct pollfd){.fd = fake->listener, .events = POLLIN};
        events[WAKE] = (struct pollfd){.fd = fake->wake[0], .events = POLLIN};
        poll(events, EVENTS, DRIP_MS);
        serve(fake, events);
        if (events[LISTENER].revents != 0)
            greet(fake);
        if (events[WAKE].revents != 0 && read(fake->wake[0], &byte, 1) != 1)
            break;
    }
    leave_all(fake);
}

void fake_redis_start(struct fake_redis *fake) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct error error;
    *fake = (struct fake_redis){0};
    for (size_t i = 0; i < FAKE_REDIS_CLIENTS_MAX; i++)
        fake->clients[i] = NOBODY;
    buffer_init(&fake->last, FAKE_REDIS_BYTES_MAX);
    monitor_init(&fake->monitor);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listening = fake->listener >= 0 &&
                     bind(fake->listener, (struct sockaddr *)&address, length) == 0 &&
                     listen(fake->listener, SOMAXCONN) == 0 &&
                     getsockname(fake->listener, (struct sockaddr *)&address, &length) == 0 &&
                     pipe(fake->wake) == 0;
    check(listening);
    fake->port = ntohs(address.sin_port);
    enum status status = thread_start(&fake->thread, "fake redis", run, fake, &error);
    check(status == STATUS_OK);
}

/* Called with the monitor locked. */
static void wake(struct fake_redis *fake) {
    bool woken = write(fake->wake[1], "", 1) == 1;
    check(woken);
}

void fake_redis_stop(struct fake_redis *fake) {
    monitor_lock(&fake->monitor);
    fake->ending = true;
    wake(fake);
    monitor_unlock(&fake->monitor);
    thread_join(&fake->thread);
    close(fake->listener);
    close(fake->wake[0]);
    close(fake->wake[1]);
    buffer_deinit(&fake->last);
    monitor_deinit(&fake->monitor);
}

void fake_redis_say_after(struct fake_redis *fake, int count, enum fake_redis_command command,
                          const char *bytes) {
    monitor_lock(&fake->monitor);
    fake->commands[command].answer = bytes;
    fake->commands[command].good_left = count;
    monitor_unlock(&fake->monitor);
}

void fake_redis_say(struct fake_redis *fake, enum fake_redis_command command, const char *bytes) {
    fake_redis_say_after(fake, 0, command, bytes);
}

void fake_redis_hang_up(struct fake_redis *fake, enum fake_redis_command command) {
    monitor_lock(&fake->monitor);
    fake->hanging_up_after = command;
    fake->hanging_up = true;
    wake(fake);
    while (fake->hanging_up)
        monitor_wait(&fake->monitor);
    monitor_unlock(&fake->monitor);
}

int fake_redis_count(struct fake_redis *fake, enum fake_redis_command command) {
    monitor_lock(&fake->monitor);
    int count = fake->commands[command].count;
    monitor_unlock(&fake->monitor);
    return count;
}

bool fake_redis_wait(struct fake_redis *fake, enum fake_redis_command command, int count) {
    bool in_time = true;
    monitor_lock(&fake->monitor);
    while (in_time && fake->commands[command].count < count)
        in_time = monitor_wait_for(&fake->monitor, PATIENCE_US);
    bool heard = fake->commands[command].count >= count;
    monitor_unlock(&fake->monitor);
    return heard;
}

void fake_redis_linger(struct fake_redis *fake) {
    monitor_lock(&fake->monitor);
    monitor_wait_for(&fake->monitor, MOMENT_US);
    monitor_unlock(&fake->monitor);
}

bool fake_redis_heard(struct fake_redis *fake, const char *bytes) {
    monitor_lock(&fake->monitor);
    struct text last = buffer_view(&fake->last);
    bool heard = memmem(last.data, last.len, bytes, strlen(bytes)) != NULL;
    monitor_unlock(&fake->monitor);
    return heard;
}
