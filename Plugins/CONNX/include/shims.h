/// What Swift cannot say. Beside it lie the generated messages of Schemas/onnx.proto (onnx.pb-c.h and
/// Generated/onnx.pb-c.c), which `Scripts/generate-schema` writes and nobody edits.
#ifndef RENE_CONNX_SHIMS_H
#define RENE_CONNX_SHIMS_H

#include <stddef.h>
#include <sys/types.h>

#include <protobuf-c/protobuf-c.h>

/// Opens `path` relative to the folder `folder` by openat2 so that the kernel itself refuses any way out of the folder
/// and any symbolic link. Returns the descriptor, or the negative errno: -EXDEV and -ELOOP for an escape or a link,
/// -ENOSYS and -EPERM where the kernel (or a system call filter) has no openat2.
int rene_open_beneath(int folder, const char *path, int flags, mode_t mode);

/// Copies up to `count` bytes between files inside the kernel, from `from_offset` to the output's file position.
/// Returns the bytes copied or the negative errno.
ssize_t rene_copy_range(int from, off_t from_offset, int to, size_t count);

/// `O_PATH`: a descriptor that stands for a place and gives no access to the content.
extern const int rene_open_as_path;

/// Asks the kernel to start writing back the `count` bytes from `offset` on; without waiting.
void rene_start_writeback(int descriptor, off_t offset, off_t count);

/// The descriptor of the file's outermost message.
const ProtobufCMessageDescriptor *rene_model_descriptor(void);

#endif
