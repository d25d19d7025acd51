#include "AllocationCounter.h"

#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// The functions behind those of this file, in glibc.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_bool is_on;
static atomic_long count;
static int is_tracing;
static _Thread_local int is_inside;

static void note(void) {
    if (!atomic_load_explicit(&is_on, memory_order_relaxed) || is_inside) return;
    long number = atomic_fetch_add(&count, 1);
    if (!is_tracing || number >= 20) return;
    is_inside = 1;
    void *frames[24];
    int depth = backtrace(frames, 24);
    backtrace_symbols_fd(frames, depth, STDERR_FILENO);
    (void)!write(STDERR_FILENO, "\n", 1);
    is_inside = 0;
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    note();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    note();
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *made = __libc_memalign(alignment, size);
    if (made == NULL) return ENOMEM;
    *memory = made;
    return 0;
}

void allocation_counter_start(void) {
    is_tracing = getenv("ALLOCATION_TRACE") != NULL;
    void *frame[1];
    // Loads what it needs the first time.
    if (is_tracing) backtrace(frame, 1);
    atomic_store(&count, 0);
    atomic_store(&is_on, 1);
}

long allocation_counter_stop(void) {
    atomic_store(&is_on, 0);
    return atomic_load(&count);
}
