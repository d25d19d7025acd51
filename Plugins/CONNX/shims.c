#define _GNU_SOURCE
#include "shims.h"
#include "onnx.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const int rene_open_as_path = O_PATH;

int rene_open_beneath(int folder, const char *path, int flags, mode_t mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (unsigned)flags;
    how.mode = flags & O_CREAT ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    long result;
    do {
        result = syscall(SYS_openat2, folder, path, &how, sizeof how);
        // EAGAIN: a rename raced with the walk; the kernel could not tell whether ".." left the folder.
    } while (result < 0 && (errno == EINTR || errno == EAGAIN));
    return result < 0 ? -errno : (int)result;
}

ssize_t rene_copy_range(int from, off_t from_offset, int to, size_t count) {
    ssize_t result;
    do {
        off_t offset = from_offset;
        result = copy_file_range(from, &offset, to, NULL, count, 0);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

void rene_start_writeback(int descriptor, off_t offset, off_t count) {
    int result = sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
    (void)result;
}

const ProtobufCMessageDescriptor *rene_model_descriptor(void) { return &onnx__model_proto__descriptor; }
