/* A server that understands what the cache says to Redis, remembers nothing, and answers what a
 * test wants. Any number of clients up to FAKE_REDIS_CLIENTS_MAX talk to it at once. */
#ifndef SUPPORT_FAKE_REDIS_H
#define SUPPORT_FAKE_REDIS_H

#include "base/buffer.h"
#include "base/thread.h"

#define FAKE_REDIS_CLIENTS_MAX 8
#define FAKE_REDIS_BYTES_MAX ((size_t)1 << 20) /* one command, what is remembered of one */

/* Instead of an answer: none, a closed connection, one that comes byte by byte and never ends. */
#define FAKE_REDIS_SILENCE "silence"
#define FAKE_REDIS_HANG_UP "hang up"
#define FAKE_REDIS_DRIP "drip"

/* PROBE is a SET of any other key than a delivery's. */
enum fake_redis_command {
    FAKE_REDIS_AUTH,
    FAKE_REDIS_SELECT,
    FAKE_REDIS_PROBE,
    FAKE_REDIS_SET,
    FAKE_REDIS_MGET,
    FAKE_REDIS_COMMANDS
};

struct fake_redis_client {
    int descriptor; /* negative: nobody */
    bool dripping;
    enum fake_redis_command last;
    struct buffer heard; /* not yet answered */
};

struct fake_redis {
    /* set once */
    uint16_t port;
    int listener;
    int wake[2];
    struct thread thread;
    /* the thread's */
    struct fake_redis_client clients[FAKE_REDIS_CLIENTS_MAX];
    /* guarded by the monitor */
    struct monitor monitor;
    struct {
        const char *answer; /* NULL: a good one */
        int good_left;      /* so many good ones before it */
        int count;          /* heard so far */
    } commands[FAKE_REDIS_COMMANDS];
    struct buffer last; /* the SET of a delivery heard last, as it came */
    bool ending, hanging_up;
    enum fake_redis_command hanging_up_after;
};

/* Listens on a loopback port chosen by the kernel, and gives good answers: "+OK", and to MGET that
 * there is nothing. */
void fake_redis_start(struct fake_redis *fake);
/* Closes all connections. */
void fake_redis_stop(struct fake_redis *fake);

/* From now on this is the answer to the command, bytes as they are or one of the words above; NULL:
 * a good one again. It is borrowed. */
void fake_redis_say(struct fake_redis *fake, enum fake_redis_command command, const char *answer);
/* The same after `count` good answers more. */
void fake_redis_say_after(struct fake_redis *fake, int count, enum fake_redis_command command,
                          const char *answer);
/* Closes the connections whose last command was this; they are closed when it returns. */
void fake_redis_hang_up(struct fake_redis *fake, enum fake_redis_command command);

/* How often the command was heard. */
int fake_redis_count(struct fake_redis *fake, enum fake_redis_command command);
/* Waits until it was heard `count` times; false when that takes all too long. */
bool fake_redis_wait(struct fake_redis *fake, enum fake_redis_command command, int count);
/* Waits a moment, unless something is heard. */
void fake_redis_linger(struct fake_redis *fake);
/* Whether the last SET of a delivery had these bytes in it. */
bool fake_redis_heard(struct fake_redis *fake, const char *bytes);

#endif
