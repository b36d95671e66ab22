#include "metrics/process.h"

#include "base/clock.h"
#include "base/version.h"
#include "metrics/sample.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX 1024
/* Between the end of the name and the start time, in /proc/self/stat; see proc(5). */
#define STAT_FIELDS_SKIPPED 20

/* The beginning of a small file; empty when it cannot be read. */
static struct text read_file(const char *path, char bytes[FILE_BYTES_MAX]) {
    struct text content = {bytes, 0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return content;
    ssize_t length = read(descriptor, bytes, FILE_BYTES_MAX);
    close(descriptor);
    content.len = length > 0 ? (size_t)length : 0;
    return content;
}

/* The number in the field after `skipped` others; -1 where there is none. */
static int64_t number_after(struct text fields, int skipped) {
    int64_t number = -1;
    while (skipped > 0 && fields.data != NULL) {
        text_cut(&fields, ' ');
        skipped--;
    }
    if (fields.data != NULL && !text_to_int64(text_cut(&fields, ' '), &number))
        return -1;
    return number;
}

static int64_t resident_bytes(void) {
    char bytes[FILE_BYTES_MAX];
    int64_t pages = number_after(read_file("/proc/self/statm", bytes), 1);
    return pages >= 0 ? pages * sysconf(_SC_PAGESIZE) : -1;
}

static int64_t open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return -1;
    int64_t count = -1; /* the one we read them with is not counted */
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static int64_t descriptors_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return -1;
    return (int64_t)limit.rlim_cur;
}

static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static int64_t start_ms = -1; /* since 1970; set once */

/* Worked out only once, so that a clock that is set later does not look like a restart. */
static void find_start(void) {
    char bytes[FILE_BYTES_MAX];
    struct timespec since_boot;
    struct text stat = read_file("/proc/self/stat", bytes);
    const char *name_end = memrchr(stat.data, ')', stat.len); /* the name may hold anything */
    if (name_end == NULL || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return;
    struct text fields = {name_end, stat.len - (size_t)(name_end - stat.data)};
    int64_t ticks = number_after(fields, STAT_FIELDS_SKIPPED);
    if (ticks < 0)
        return;
    int64_t now_since_boot_ms = (int64_t)since_boot.tv_sec * 1000 + since_boot.tv_nsec / 1000000;
    int64_t start_since_boot_ms = ticks * 1000 / sysconf(_SC_CLK_TCK);
    start_ms = clock_wall_ms(&clock_system) - now_since_boot_ms + start_since_boot_ms;
}

static uint64_t cpu_us(void) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    int64_t seconds = (int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    return (uint64_t)(seconds * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void write_gauge(struct buffer *buffer, const char *name, const char *help, int64_t value) {
    if (value < 0)
        return;
    sample_write_head(buffer, name, "gauge", help);
    buffer_printf(buffer, "%s %" PRId64 "\n", name, value);
}

static void write_seconds(struct buffer *buffer, const char *name, uint64_t duration_us) {
    buffer_printf(buffer, "%s ", name);
    sample_write_seconds(buffer, duration_us);
    buffer_append_byte(buffer, '\n');
}

void process_write_prometheus(struct buffer *buffer) {
    static const char cpu[] = "process_cpu_seconds_total";
    static const char start[] = "process_start_time_seconds";
    static const char build[] = "posthaste_build_info";
    write_gauge(buffer, "process_resident_memory_bytes", "Memory in RAM.", resident_bytes());
    write_gauge(buffer, "process_open_fds", "Open file descriptors.", open_descriptors());
    write_gauge(buffer, "process_max_fds", "The most that may be open.", descriptors_max());
    sample_write_head(buffer, cpu, "counter", "CPU time used, in user and system mode.");
    write_seconds(buffer, cpu, cpu_us());
    pthread_once(&start_once, find_start);
    if (start_ms >= 0) {
        sample_write_head(buffer, start, "gauge", "When the process started, since 1970.");
        write_seconds(buffer, start, (uint64_t)start_ms * 1000);
    }
    sample_write_head(buffer, build, "gauge", "1, with the build as labels.");
    buffer_printf(buffer, "%s{version=\"%s\",commit=\"%s\"} 1\n", build, POSTHASTE_VERSION,
                  POSTHASTE_GIT_COMMIT);
}
