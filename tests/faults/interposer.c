/* A library to preload that stands between a process and the C library and meddles with one folder.
 *
 * Calls on paths below FAULTS_PREFIX, and on descriptors opened there, are numbered from 1. Environment:
 *   FAULTS_PREFIX   the folder, as an absolute path
 *   FAULTS_AT       number of the call that is meddled with; 0 or unset: none
 *   FAULTS_FOREVER  1: all calls from FAULTS_AT on; a greater number: so many calls from FAULTS_AT on
 *   FAULTS_ONLY     names of the calls that count, separated by commas; unset: all
 *   FAULTS_ACTION   a number: fail with that errno; "kill": SIGKILL before the call; "killed": SIGKILL after it;
 *                   "short": a write does half of its bytes; "repeated": the call is done, and then answered as NFS
 *                   answers one that it has repeated: EEXIST or ENOENT; "stale": from now on every descriptor that is
 *                   open answers ESTALE, and its lock is free; "granted": flock says yes and does nothing
 *   FAULTS_DELAY_US microseconds that each counted call takes longer
 *   FAULTS_LOG      a file that gets one line per change: name, path, offset, bytes in hexadecimal, second path
 * A process that has loaded the library may also call faults_arm(), which counts anew, faults_count(), and
 * faults_shift_clock(), which sets the clock of the whole process by so many seconds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 70000
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *prefix, *only, *action;
static size_t prefix_length;
static long at, forever, delay_us;
static int log_descriptor = -1;
static atomic_long count, stale_before, clock_shift;
static char *paths[MOST];
static long born[MOST]; /* how many calls had been counted when the descriptor was opened */

__attribute__((constructor)) static void begin(void) {
    const char *text;
    prefix = getenv("FAULTS_PREFIX");
    prefix_length = prefix ? strlen(prefix) : 0;
    only = getenv("FAULTS_ONLY");
    action = getenv("FAULTS_ACTION");
    if ((text = getenv("FAULTS_AT"))) at = atol(text);
    if ((text = getenv("FAULTS_FOREVER"))) forever = atol(text);
    if ((text = getenv("FAULTS_DELAY_US"))) delay_us = atol(text);
    if ((text = getenv("FAULTS_LOG")))
        log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Meddle with call number `number` from now on; `what` as FAULTS_ACTION, empty for nothing. */
void faults_arm(const char *folder, long number, long is_forever, const char *what, const char *names, const char *log) {
    prefix = strdup(folder);
    prefix_length = strlen(prefix);
    at = number;
    forever = is_forever;
    action = *what ? strdup(what) : NULL;
    only = *names ? strdup(names) : NULL;
    if (*log) log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    atomic_store(&stale_before, 0);
    atomic_store(&count, 0);
}

void faults_shift_clock(long seconds) { atomic_store(&clock_shift, seconds); }

long faults_count(void) { return atomic_load(&count); }

static int is_below(const char *path) {
    return prefix && path && strncmp(path, prefix, prefix_length) == 0 &&
           (path[prefix_length] == '/' || path[prefix_length] == 0);
}

static const char *path_of(int descriptor) {
    return descriptor >= 0 && descriptor < MOST ? paths[descriptor] : NULL;
}

static void remember(int descriptor, const char *path) {
    if (descriptor >= 0 && descriptor < MOST) {
        free(paths[descriptor]);
        paths[descriptor] = path ? strdup(path) : NULL;
        born[descriptor] = atomic_load(&count);
    }
}

static int counts(const char *name) {
    const char *found = only;
    size_t length = strlen(name);
    if (!only) return 1;
    while ((found = strstr(found, name))) {
        if ((found == only || found[-1] == ',') && (found[length] == ',' || found[length] == 0)) return 1;
        found += length;
    }
    return 0;
}

/* Let every descriptor that is open be stale from now on; the server has forgotten its locks. */
static void forget_all(long number) {
    int descriptor;
    atomic_store(&stale_before, number);
    for (descriptor = 0; descriptor < MOST; descriptor++)
        if (paths[descriptor]) syscall(SYS_flock, descriptor, LOCK_UN);
}

/* Number a call; return 1 if it is the one to meddle with. */
static int is_hit(const char *name) {
    long number;
    if (!counts(name)) return 0;
    if (delay_us) {
        struct timespec pause = {delay_us / 1000000, delay_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
    number = atomic_fetch_add(&count, 1) + 1;
    if (!at || !action || number < at || (number > at && (!forever || (forever > 1 && number >= at + forever)))) return 0;
    if (strcmp(action, "kill") == 0) syscall(SYS_kill, getpid(), SIGKILL);
    if (strcmp(action, "stale") == 0) forget_all(number);
    return 1;
}

static int fails(const char *name) {
    int hit = is_hit(name);
    if (hit && action[0] >= '0' && action[0] <= '9') {
        errno = atoi(action);
        return 1;
    }
    return hit ? -1 : 0;
}

static int fails_on(int descriptor, const char *name) {
    int hit = fails(name);
    if (hit == 1 || born[descriptor] >= atomic_load(&stale_before)) return hit;
    errno = ESTALE;
    return 1;
}

/* What a call answers that was done; `error` is what it would answer if it were done twice. */
static int after(int hit, int error) {
    if (hit && strcmp(action, "killed") == 0) syscall(SYS_kill, getpid(), SIGKILL);
    if (!hit || !error || strcmp(action, "repeated") != 0) return 0;
    errno = error;
    return -1;
}

static void record(const char *name, const char *path, long offset, const void *bytes, size_t size, const char *second) {
    static const char digits[] = "0123456789abcdef";
    char *line, *end;
    size_t number;
    if (log_descriptor < 0) return;
    line = malloc(2 * size + strlen(path) + (second ? strlen(second) : 0) + 100);
    end = line + sprintf(line, "%s\t%s\t%ld\t", name, path, offset);
    for (number = 0; number < size; number++) {
        *end++ = digits[((const unsigned char *)bytes)[number] >> 4];
        *end++ = digits[((const unsigned char *)bytes)[number] & 15];
    }
    end += sprintf(end, "\t%s\n", second ? second : "");
    syscall(SYS_write, log_descriptor, line, end - line);
    free(line);
}

static int opened(const char *name, const char *path, int flags, mode_t mode, int (*real)(const char *, int, ...)) {
    int hit, descriptor;
    if (!is_below(path)) {
        descriptor = real(path, flags, mode);
        remember(descriptor, NULL);
        return descriptor;
    }
    if ((hit = fails(name)) == 1) return -1;
    descriptor = real(path, flags, mode);
    if (descriptor >= 0) {
        remember(descriptor, path);
        if (flags & O_CREAT) record("create", path, 0, "", 0, NULL);
        if (after(hit, flags & O_EXCL ? EEXIST : 0)) {
            syscall(SYS_close, descriptor);
            remember(descriptor, NULL);
            errno = EEXIST;
            return -1;
        }
    }
    return descriptor;
}

static mode_t mode_of(int flags, va_list arguments) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0; }

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return opened("open", path, flags, mode, REAL(open));
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return opened("open", path, flags, mode, REAL(open64));
}

int close(int descriptor) {
    const char *path = path_of(descriptor);
    int hit = 0, result;
    if (path) hit = fails("close");
    remember(descriptor, NULL);
    result = REAL(close)(descriptor);
    after(hit, 0);
    if (hit == 1) { /* as NFS does: the descriptor is closed, and the error of an earlier write is told now */
        errno = atoi(action);
        return -1;
    }
    return result;
}

static ssize_t written(const char *name, int descriptor, const void *bytes, size_t size, off_t offset, int is_positioned) {
    const char *path = path_of(descriptor);
    int hit = 0;
    ssize_t result;
    if (path) {
        if ((hit = fails_on(descriptor, name)) == 1) return -1;
        if (hit && strcmp(action, "short") == 0) size /= 2;
        if (!is_positioned) offset = lseek(descriptor, 0, SEEK_CUR);
    }
    result = is_positioned ? syscall(SYS_pwrite64, descriptor, bytes, size, offset) : syscall(SYS_write, descriptor, bytes, size);
    if (path && result >= 0) {
        record("write", path, (long)offset, bytes, (size_t)result, NULL);
        after(hit, 0);
    }
    return result;
}

ssize_t write(int descriptor, const void *bytes, size_t size) { return written("write", descriptor, bytes, size, 0, 0); }
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    return written("pwrite", descriptor, bytes, size, offset, 1);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
    return written("pwrite", descriptor, bytes, size, offset, 1);
}

ssize_t read(int descriptor, void *bytes, size_t size) {
    if (path_of(descriptor) && fails_on(descriptor, "read") == 1) return -1;
    return syscall(SYS_read, descriptor, bytes, size);
}

static ssize_t read_at(int descriptor, void *bytes, size_t size, off_t offset) {
    if (path_of(descriptor) && fails_on(descriptor, "pread") == 1) return -1;
    return syscall(SYS_pread64, descriptor, bytes, size, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) { return read_at(descriptor, bytes, size, offset); }
ssize_t pread64(int descriptor, void *bytes, size_t size, off64_t offset) { return read_at(descriptor, bytes, size, offset); }

#define ON_DESCRIPTOR(name, log_name, signature, arguments)                 \
    int name signature {                                                    \
        const char *path = path_of(descriptor);                             \
        int hit = 0, result;                                                \
        if (path && (hit = fails_on(descriptor, #name)) == 1) return -1;    \
        if (hit && strcmp(action, "granted") == 0) return 0;                \
        result = REAL(name) arguments;                                      \
        if (path && result == 0) {                                          \
            if (log_name[0]) record(log_name, path, 0, "", 0, NULL);        \
            after(hit, 0);                                                  \
        }                                                                   \
        return result;                                                      \
    }

ON_DESCRIPTOR(fsync, "sync", (int descriptor), (descriptor))
ON_DESCRIPTOR(fdatasync, "sync", (int descriptor), (descriptor))
ON_DESCRIPTOR(flock, "", (int descriptor, int operation), (descriptor, operation))
ON_DESCRIPTOR(fstat, "", (int descriptor, struct stat *state), (descriptor, state))
ON_DESCRIPTOR(fstat64, "", (int descriptor, struct stat64 *state), (descriptor, state))
ON_DESCRIPTOR(futimens, "", (int descriptor, const struct timespec times[2]), (descriptor, times))

int ftruncate64(int descriptor, off64_t size) {
    const char *path = path_of(descriptor);
    int hit = 0, result;
    if (path && (hit = fails_on(descriptor, "ftruncate")) == 1) return -1;
    result = REAL(ftruncate64)(descriptor, size);
    if (path && result == 0) {
        record("truncate", path, (long)size, "", 0, NULL);
        after(hit, 0);
    }
    return result;
}

#define REPEATED(log_name) (!log_name[0] ? 0 : log_name[0] == 'm' || log_name[0] == 'l' ? EEXIST : ENOENT)

#define ON_PATH(name, log_name, signature, arguments, second)               \
    int name signature {                                                    \
        int hit = 0, result, ours = is_below(path);                         \
        if (ours && (hit = fails(#name)) == 1) return -1;                   \
        result = REAL(name) arguments;                                      \
        if (ours && result == 0) {                                          \
            if (log_name[0]) record(log_name, path, 0, "", 0, second);      \
            result = after(hit, REPEATED(log_name));                        \
        }                                                                   \
        return result;                                                      \
    }

ON_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), NULL)
ON_PATH(unlink, "unlink", (const char *path), (path), NULL)
ON_PATH(rmdir, "rmdir", (const char *path), (path), NULL)
ON_PATH(link, "link", (const char *path, const char *to), (path, to), to)
ON_PATH(rename, "rename", (const char *path, const char *to), (path, to), to)
ON_PATH(stat, "", (const char *path, struct stat *state), (path, state), NULL)
ON_PATH(stat64, "", (const char *path, struct stat64 *state), (path, state), NULL)
ON_PATH(lstat, "", (const char *path, struct stat *state), (path, state), NULL)
ON_PATH(lstat64, "", (const char *path, struct stat64 *state), (path, state), NULL)

/* The forms with a folder's descriptor: their paths are absolute where they concern us. */
#define AT_PATH(name, counted, log_name, signature, arguments, second)      \
    int name signature {                                                    \
        int hit = 0, result, ours = is_below(path);                         \
        if (ours && (hit = fails(counted)) == 1) return -1;                 \
        result = REAL(name) arguments;                                      \
        if (ours && result == 0) {                                          \
            if (log_name[0]) record(log_name, path, 0, "", 0, second);      \
            result = after(hit, REPEATED(log_name));                        \
        }                                                                   \
        return result;                                                      \
    }

AT_PATH(linkat, "link", "link", (int a, const char *path, int b, const char *to, int flags), (a, path, b, to, flags), to)
AT_PATH(renameat, "rename", "rename", (int a, const char *path, int b, const char *to), (a, path, b, to), to)
AT_PATH(unlinkat, "unlink", "unlink", (int a, const char *path, int flags), (a, path, flags), NULL)
AT_PATH(mkdirat, "mkdir", "mkdir", (int a, const char *path, mode_t mode), (a, path, mode), NULL)
AT_PATH(fstatat, "stat", "", (int a, const char *path, struct stat *state, int flags), (a, path, state, flags), NULL)
AT_PATH(fstatat64, "stat", "", (int a, const char *path, struct stat64 *state, int flags), (a, path, state, flags), NULL)
AT_PATH(utimensat, "utimensat", "", (int a, const char *path, const struct timespec times[2], int flags), (a, path, times, flags), NULL)

int dup_high(int descriptor, int command, long argument, int (*real)(int, int, ...)) {
    int result = real(descriptor, command, argument);
    if ((command == F_DUPFD_CLOEXEC || command == F_DUPFD) && result >= 0) {
        remember(result, path_of(descriptor));
        if (path_of(descriptor)) born[result] = born[descriptor];
    }
    return result;
}

int fcntl(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return dup_high(descriptor, command, argument, REAL(fcntl));
}

int fcntl64(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return dup_high(descriptor, command, argument, REAL(fcntl64));
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += atomic_load(&clock_shift);
    return result;
}

DIR *opendir(const char *path) {
    if (is_below(path) && fails("opendir") == 1) return NULL;
    return REAL(opendir)(path);
}
