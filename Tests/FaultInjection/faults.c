#define _GNU_SOURCE
#include "FaultInjection.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;
static long target = -1;
static int fault, after, log_file = -1;

// By system calls, since this library stands in front of the functions.
__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("RENE_FAULT_AT");
    const char *what = getenv("RENE_FAULT");
    const char *word = getenv("RENE_FAULT_BELOW");
    const char *log = getenv("RENE_FAULT_LOG");
    if (at == NULL) return;
    if (word != NULL) {
        char line[4096] = {0};
        int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        long size = syscall(SYS_read, file, line, sizeof line - 1);
        syscall(SYS_close, file);
        for (long i = 0; i < size; i++)
            if (line[i] == 0) line[i] = ' ';
        if (strstr(line, word) == NULL) return;
    }
    if (log != NULL) log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    after = what != NULL && strcmp(what, "after") == 0;
    fault = what != NULL ? atoi(what) : 0;
    target = atol(at);
}

// Returns 1 when the call is to fail. Ends the process where that is wanted before the call.
static int counted(const char *name, int *is_last) {
    *is_last = 0;
    if (target < 0) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (log_file >= 0) {
        char line[96];
        int size = snprintf(line, sizeof line, "%ld %s\n", number, name);
        syscall(SYS_write, log_file, line, size);
    }
    if (number != target) return 0;
    if (fault != 0) {
        errno = fault;
        return 1;
    }
    if (after) *is_last = 1;
    else syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    return 0;
}

static void ended(int is_last) {
    if (is_last) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRAP(type, name, parameters, arguments, counts)                \
    type name parameters {                                             \
        if (!(counts)) return NEXT(name) arguments;                    \
        int is_last;                                                   \
        if (counted(#name, &is_last)) return -1;                       \
        type result = NEXT(name) arguments;                            \
        int number = errno;                                            \
        ended(is_last);                                                \
        errno = number;                                                \
        return result;                                                 \
    }

static int is_file(int descriptor) {
    struct stat status;
    return descriptor > 2 && descriptor != log_file && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

WRAP(int, rename, (const char *from, const char *to), (from, to), 1)
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), 1)
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), 1)
WRAP(int, unlink, (const char *path), (path), 1)
WRAP(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), 1)
WRAP(int, rmdir, (const char *path), (path), 1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), 1)
WRAP(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), 1)
WRAP(int, fsync, (int file), (file), 1)
WRAP(int, fdatasync, (int file), (file), 1)
WRAP(int, ftruncate, (int file, off_t size), (file, size), 1)
WRAP(int, ftruncate64, (int file, off64_t size), (file, size), 1)
WRAP(int, fchmod, (int file, mode_t mode), (file, mode), 1)
WRAP(int, futimens, (int file, const struct timespec *times), (file, times), 1)
WRAP(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size), is_file(file))
WRAP(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t offset), (file, bytes, size, offset), is_file(file))
WRAP(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t offset), (file, bytes, size, offset), is_file(file))
WRAP(ssize_t, sendfile, (int to, int from, off_t *offset, size_t size), (to, from, offset, size), is_file(to))
WRAP(ssize_t, sendfile64, (int to, int from, off64_t *offset, size_t size), (to, from, offset, size), is_file(to))

#define WRAP_OPEN(name, parameters, ...)                               \
    int name parameters {                                              \
        mode_t mode = 0;                                               \
        if (flags & (O_CREAT | O_TMPFILE)) {                           \
            va_list list;                                              \
            va_start(list, flags);                                     \
            mode = va_arg(list, mode_t);                               \
            va_end(list);                                              \
        }                                                              \
        int is_last = 0;                                               \
        if ((flags & O_CREAT) && counted(#name, &is_last)) return -1;  \
        int result = NEXT(name)(__VA_ARGS__, flags, mode);             \
        int number = errno;                                            \
        ended(is_last);                                                \
        errno = number;                                                \
        return result;                                                 \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), path)
WRAP_OPEN(open64, (const char *path, int flags, ...), path)
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), folder, path)
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path)
