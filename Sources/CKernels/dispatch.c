#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static int choice(void) {
    const char *wish = getenv("RENE_KERNELS");
    if (wish != NULL && strcmp(wish, "baseline") == 0) return RENE_BASELINE;
    // Every processor with AVX2 has F16C too, but a virtual machine may hide it.
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
        return RENE_BASELINE;
    if (wish != NULL && strcmp(wish, "avx2") == 0) return RENE_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        return RENE_AVX512;
    return RENE_AVX2;
}
#else
static int choice(void) { return RENE_BASELINE; }
#endif

int rene_vector_set(void) {
    static int chosen = -1;
    int known = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (known < 0) {
        known = choice();
        __atomic_store_n(&chosen, known, __ATOMIC_RELAXED);
    }
    return known;
}
