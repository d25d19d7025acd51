// Includes the file BODY once for each instruction set, with LANES, TARGET and NAME(x) defined; DISPATCH then defines a
// function that calls the form for the processor's set.

#include "dispatch.h"
#include "vectors.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c")))
#define LANES 16
#include BODY
#undef NAME
#undef TARGET
#undef LANES

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define LANES 8
#include BODY
#undef NAME
#undef TARGET
#undef LANES
#endif

#define NAME(x) x##_baseline
#define TARGET
#define LANES 4
#include BODY

#if defined(__x86_64__)
#define DISPATCH(type, function, parameters, arguments)                                                                \
    type function parameters {                                                                                         \
        static type(*const forms[]) parameters = {function##_baseline, function##_avx2, function##_avx512};            \
        return forms[rene_vector_set()] arguments;                                                                     \
    }
#else
#define DISPATCH(type, function, parameters, arguments)                                                                \
    type function parameters { return function##_baseline arguments; }
#endif
