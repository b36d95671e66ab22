/* The watcher, where the store can tell of inserts: wakes the claimer when others insert. */
#include "dispatcher/dispatcher_internal.h"
#include "log/log.h"

#define WATCH_MS 1000

static bool is_ending(struct dispatcher *dispatcher) {
    monitor_lock(&dispatcher->monitor);
    bool ending = dispatcher->ending;
    monitor_unlock(&dispatcher->monitor);
    return ending;
}

void watcher_run(void *argument) {
    struct dispatcher *dispatcher = argument;
    bool works = true;
    while (!is_ending(dispatcher)) {
        struct error error;
        bool told = false;
        bool worked = works;
        works = store_watch(dispatcher->watcher_session, WATCH_MS, &told, &error) == STATUS_OK;
        if (worked && !works)
            log_warn("not told of inserts; looking for them instead",
                     LOG_STRING("reason", error.text));
        if (told)
            dispatcher_wake(dispatcher);
    }
}
