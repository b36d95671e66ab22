#include "support/temporary.h"

#include "base/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN_FOLDERS_MAX 16

void temporary_init(struct temporary *temporary) {
    const char *parent = getenv("TMPDIR");
    int length = snprintf(temporary->path, sizeof temporary->path, "%s/posthaste-test-XXXXXX",
                          parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    check(length > 0 && (size_t)length < sizeof temporary->path);
    const char *made = mkdtemp(temporary->path);
    check(made != NULL);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void temporary_deinit(struct temporary *temporary) {
    int result = nftw(temporary->path, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
    check(result == 0);
    temporary->path[0] = '\0';
}

void temporary_join(const struct temporary *temporary, const char *name, char *path) {
    int length = snprintf(path, TEMPORARY_PATH_BYTES_MAX, "%s/%s", temporary->path, name);
    check(length > 0 && length < TEMPORARY_PATH_BYTES_MAX);
}

void temporary_write(const struct temporary *temporary, const char *name, const char *bytes) {
    char path[TEMPORARY_PATH_BYTES_MAX];
    temporary_join(temporary, name, path);
    FILE *file = fopen(path, "wb");
    check(file != NULL);
    int put = fputs(bytes, file);
    int closed = fclose(file);
    check(put >= 0 && closed == 0);
}
