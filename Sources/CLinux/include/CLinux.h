/// Calls of Linux that glibc's module does not show to Swift. Includes no header of the system: Swift would take what it
/// declares for this module's.
#ifndef RENE_CLINUX_H
#define RENE_CLINUX_H

/// Renames `source` to `target` in one step and fails with EEXIST when `target` is there. Returns 0, or -1 with errno.
int rene_rename_without_replacing(const char *source, const char *target);

/// Number of processors that the calling process may run on; 0 when it cannot be told.
int rene_available_cores(void);

/// Has this process sent `signal` when the thread that started it ends.
int rene_set_parent_death_signal(int signal);

/// A descriptor that becomes readable when the process ends; closed on exec.
int rene_pidfd_open(int process);

/// Both ends closed on exec.
int rene_pipe(int ends[2]);

/// A counter that can be polled; closed on exec.
int rene_eventfd(void);

/// Adds one to a counter.
int rene_eventfd_raise(int descriptor);

/// Waits until a counter is not zero, and sets it to zero. Returns 0, or -1 with errno.
int rene_eventfd_wait(int descriptor);

/// Closes every descriptor from `first` on in the new process; `actions` is a `posix_spawn_file_actions_t`. Of glibc 2.34.
int rene_spawn_close_from(void *actions, int first);

#endif
