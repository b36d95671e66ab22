#include "log/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    /* guarded by the mutex */
    bool stalled; /* the reader did not read in time */
    bool torn;    /* the last line lacks its end */
    /* set once */
    int descriptor;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER, .descriptor = STDERR_FILENO};

void sink_init(int descriptor) {
    sink.descriptor = descriptor;
    sink.stalled = false;
    sink.torn = false;
}

/* The descriptor is shared with whoever started us, so that it cannot be made non-blocking; asking
 * first does the same, as a pipe that is ready takes PIPE_BUF bytes, which is a whole line. */
static bool wait_for_room(void) {
    struct pollfd ready = {.fd = sink.descriptor, .events = POLLOUT};
    int count;
    do
        count = poll(&ready, 1, sink.stalled ? 0 : SINK_WAIT_MS_MAX);
    while (count < 0 && errno == EINTR);
    sink.stalled = count == 0;
    return count > 0;
}

static bool write_all(struct text bytes) {
    bool begun = false;
    while (bytes.len > 0) {
        if (!wait_for_room())
            break;
        ssize_t written = write(sink.descriptor, bytes.data, bytes.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        begun = true;
        bytes.data += written;
        bytes.len -= (size_t)written;
    }
    if (begun)
        sink.torn = bytes.len > 0;
    return bytes.len == 0;
}

bool sink_write(struct text line) {
    pthread_mutex_lock(&sink.mutex);
    bool whole = (!sink.torn || write_all(TEXT_LITERAL("\n"))) && write_all(line);
    pthread_mutex_unlock(&sink.mutex);
    return whole;
}
