#include "store/sqlite/sqlite_owner.h"

#include "base/buffer.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static int open_file(const char *database_path) {
    struct buffer path;
    buffer_init(&path, PATH_MAX);
    int descriptor = -1;
    if (buffer_printf(&path, "%s-owners", database_path))
        descriptor = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    buffer_deinit(&path);
    return descriptor;
}

enum status sqlite_owner_init(struct sqlite_owner *owner, const char *database_path,
                              struct random *random, struct error *error) {
    owner->id = (int64_t)(random_next(random) >> 2) + 1;
    owner->descriptor = open_file(database_path);
    if (owner->descriptor < 0)
        return error_set(error, STATUS_UNAVAILABLE, "open %s-owners: %s", database_path,
                         strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_start = owner->id, .l_len = 1};
    if (fcntl(owner->descriptor, F_OFD_SETLK, &lock) == 0)
        return STATUS_OK;
    error_set(error, STATUS_UNAVAILABLE, "lock %s-owners: %s", database_path, strerror(errno));
    close(owner->descriptor);
    return error->status;
}

void sqlite_owner_deinit(struct sqlite_owner *owner) {
    close(owner->descriptor);
}

bool sqlite_owner_is_dead(const struct sqlite_owner *self, int64_t id) {
    if (id == self->id || id <= 0)
        return false;
    struct flock probe = {.l_type = F_WRLCK, .l_start = id, .l_len = 1};
    return fcntl(self->descriptor, F_OFD_GETLK, &probe) == 0 && probe.l_type == F_UNLCK;
}
