#define _GNU_SOURCE
#include "threads.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// Turns of the waiting loop before a thread sleeps: some tens of microseconds, about the time between two kernels.
#define SPINS 20000

struct rene_pool {
    int width;
    // Number of the call that is under way; a thread works when it changes. Odd values of `stop` end it.
    atomic_uint call;
    atomic_int stop;
    atomic_int busy;
    // Parts that are not done yet.
    atomic_uint open;
    void (*work)(void *, int, int);
    void *context;
    struct worker {
        pthread_t thread;
        rene_pool *pool;
        int part;
    } workers[];
};

static _Thread_local int inside;

static void pause_once(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void sleep_while(atomic_uint *word, unsigned value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(atomic_uint *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }

static unsigned wait_for_change(atomic_uint *word, unsigned old) {
    for (int spin = 0; spin < SPINS; spin++) {
        unsigned now = atomic_load_explicit(word, memory_order_acquire);
        if (now != old) return now;
        pause_once();
    }
    for (;;) {
        unsigned now = atomic_load_explicit(word, memory_order_acquire);
        if (now != old) return now;
        sleep_while(word, old);
    }
}

static void *serve(void *argument) {
    struct worker *worker = argument;
    rene_pool *pool = worker->pool;
    inside = 1;
    for (unsigned seen = 0;;) {
        seen = wait_for_change(&pool->call, seen);
        if (atomic_load(&pool->stop)) return NULL;
        pool->work(pool->context, worker->part, pool->width);
        if (atomic_fetch_sub(&pool->open, 1) == 1) wake_all(&pool->open);
    }
}

rene_pool *rene_pool_create(int width) {
    if (width < 1) width = 1;
    rene_pool *pool = calloc(1, sizeof(rene_pool) + (size_t)width * sizeof(struct worker));
    if (pool == NULL) return NULL;
    pool->width = 1;
    for (int part = 1; part < width; part++) {
        struct worker *worker = &pool->workers[part];
        worker->pool = pool;
        worker->part = part;
        // Fewer threads than asked for is slower and not wrong.
        if (pthread_create(&worker->thread, NULL, serve, worker) != 0) break;
        pool->width = part + 1;
    }
    return pool;
}

int rene_pool_width(const rene_pool *pool) { return pool->width; }

void rene_pool_destroy(rene_pool *pool) {
    if (pool == NULL) return;
    atomic_store(&pool->stop, 1);
    atomic_fetch_add(&pool->call, 1);
    wake_all(&pool->call);
    for (int part = 1; part < pool->width; part++) pthread_join(pool->workers[part].thread, NULL);
    free(pool);
}

void rene_pool_run(rene_pool *pool, void (*work)(void *, int, int), void *context) {
    int idle = 0;
    if (pool->width == 1 || inside || !atomic_compare_exchange_strong(&pool->busy, &idle, 1)) {
        for (int part = 0; part < pool->width; part++) work(context, part, pool->width);
        return;
    }
    pool->work = work;
    pool->context = context;
    atomic_store(&pool->open, (unsigned)pool->width - 1);
    atomic_fetch_add(&pool->call, 1);
    wake_all(&pool->call);
    inside = 1;
    work(context, 0, pool->width);
    inside = 0;
    for (unsigned open = atomic_load(&pool->open); open != 0; open = wait_for_change(&pool->open, open)) {}
    atomic_store(&pool->busy, 0);
}

// A Swift closure as it is passed: where its code is and what it has captured.
struct closure {
    void (*code)(long part, long parts, __attribute__((swift_context)) void *captured) __attribute__((swiftcall));
    void *captured;
};

static void run_closure(void *context, int part, int parts) {
    const struct closure *closure = context;
    closure->code(part, parts, closure->captured);
}

// Declared in Swift only: C has no way to state a closure that does not escape.
__attribute__((swiftcall)) void rene_pool_run_closure(
    rene_pool *pool,
    void (*code)(long part, long parts, __attribute__((swift_context)) void *captured) __attribute__((swiftcall)),
    void *captured) {
    struct closure closure = {code, captured};
    rene_pool_run(pool, run_closure, &closure);
}
