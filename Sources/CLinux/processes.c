#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int rene_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, (unsigned long)signal); }

int rene_pidfd_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int rene_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int rene_eventfd(void) { return eventfd(0, EFD_CLOEXEC); }

int rene_eventfd_raise(int descriptor) { return eventfd_write(descriptor, 1); }

int rene_eventfd_wait(int descriptor) {
    eventfd_t count;
    return eventfd_read(descriptor, &count);
}

int rene_spawn_close_from(void *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
