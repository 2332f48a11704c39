/* What if the disk were slow? Loaded with LD_PRELOAD, this makes each call of the loop's own thread that touches a
 * file (not a pipe or socket) take longer, between slow_disk_begin() and slow_disk_end(), and counts those calls.
 *
 * Only calls that go through the C library's functions are seen. Calls of other threads are neither delayed nor
 * counted: the question is what the training loop waits for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static volatile long delay_ns = -1;
static long calls;
static __thread int is_ours;

void slow_disk_begin(long ns) {
  is_ours = 1;
  calls = 0;
  delay_ns = ns;
}

long slow_disk_end(void) {
  delay_ns = -1;
  return calls;
}

static void touch(void) {
  if (!is_ours || delay_ns < 0) return;
  calls++;
  if (delay_ns > 0) {
    struct timespec pause = {delay_ns / 1000000000, delay_ns % 1000000000};
    nanosleep(&pause, NULL);
  }
}

#define NEXT(name) \
  static __typeof__(&name) next; \
  if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void touch_descriptor(int descriptor) {
  NEXT(fstat);
  struct stat state;
  if (is_ours && delay_ns >= 0 && next(descriptor, &state) == 0 && S_ISREG(state.st_mode)) touch();
}

ssize_t write(int f, const void *data, size_t size) { NEXT(write); touch_descriptor(f); return next(f, data, size); }
ssize_t read(int f, void *data, size_t size) { NEXT(read); touch_descriptor(f); return next(f, data, size); }
ssize_t pwrite(int f, const void *data, size_t size, off_t at) { NEXT(pwrite); touch_descriptor(f); return next(f, data, size, at); }
ssize_t pwrite64(int f, const void *data, size_t size, off64_t at) { NEXT(pwrite64); touch_descriptor(f); return next(f, data, size, at); }
ssize_t pread(int f, void *data, size_t size, off_t at) { NEXT(pread); touch_descriptor(f); return next(f, data, size, at); }
ssize_t pread64(int f, void *data, size_t size, off64_t at) { NEXT(pread64); touch_descriptor(f); return next(f, data, size, at); }
int fstat(int f, struct stat *state) { NEXT(fstat); touch_descriptor(f); return next(f, state); }
int fsync(int f) { NEXT(fsync); touch_descriptor(f); return next(f); }
int fdatasync(int f) { NEXT(fdatasync); touch_descriptor(f); return next(f); }
int ftruncate(int f, off_t size) { NEXT(ftruncate); touch_descriptor(f); return next(f, size); }
int ftruncate64(int f, off64_t size) { NEXT(ftruncate64); touch_descriptor(f); return next(f, size); }
int rename(const char *from, const char *to) { NEXT(rename); touch(); return next(from, to); }
int renameat(int a, const char *from, int b, const char *to) { NEXT(renameat); touch(); return next(a, from, b, to); }
int link(const char *from, const char *to) { NEXT(link); touch(); return next(from, to); }
int unlink(const char *path) { NEXT(unlink); touch(); return next(path); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); touch(); return next(path, mode); }
int stat(const char *path, struct stat *state) { NEXT(stat); touch(); return next(path, state); }
int lstat(const char *path, struct stat *state) { NEXT(lstat); touch(); return next(path, state); }
int stat64(const char *path, struct stat64 *state) { NEXT(stat64); touch(); return next(path, state); }
int lstat64(const char *path, struct stat64 *state) { NEXT(lstat64); touch(); return next(path, state); }
int fstat64(int f, struct stat64 *state) { NEXT(fstat64); touch_descriptor(f); return next(f, state); }
int fstatat(int a, const char *path, struct stat *state, int flags) { NEXT(fstatat); touch(); return next(a, path, state, flags); }
int fstatat64(int a, const char *path, struct stat64 *state, int flags) { NEXT(fstatat64); touch(); return next(a, path, state, flags); }
int access(const char *path, int mode) { NEXT(access); touch(); return next(path, mode); }
FILE *fopen(const char *path, const char *mode) { NEXT(fopen); touch(); return next(path, mode); }
FILE *fopen64(const char *path, const char *mode) { NEXT(fopen64); touch(); return next(path, mode); }

#define OPENER(name, parameters, arguments) \
  int name parameters { \
    NEXT(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    touch(); \
    return next arguments; \
  }
OPENER(open, (const char *path, int flags, ...), (path, flags, mode))
OPENER(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENER(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENER(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
