// Included once for each instruction set by the bodies: the vector types, loads and stores of whole and partial
// vectors, and sums. A partial vector goes through the same arithmetic as a whole one, padded with zeros, so that the result of
// an element does not depend on where it lies.

#define V NAME(vector)
#define I NAME(integers)
#define D NAME(doubles)
#define INLINE TARGET static inline __attribute__((always_inline, unused))

typedef float V __attribute__((ext_vector_type(LANES)));
typedef int32_t I __attribute__((ext_vector_type(LANES)));
typedef double D __attribute__((ext_vector_type(LANES)));
typedef float NAME(unaligned) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

#define all(c) ((V)(c))

#define fetch NAME(fetch)
#define put NAME(put)
#define bound NAME(bound)
#define magnitude NAME(magnitude)
#define with_sign NAME(with_sign)
#define total NAME(total)
#define or_else NAME(or_else)
#define wide(v) __builtin_convertvector(v, D)
#define narrow(v) __builtin_convertvector(v, V)

#if LANES == 8 && defined(__x86_64__)
INLINE __m256i NAME(mask)(size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// The first `count` elements, all if there are more. In loops over whole vectors `count` is a constant.
INLINE V fetch(const float *x, size_t count) {
    if (count >= LANES) return *(const NAME(unaligned) *)x;
#if LANES == 16
    return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#elif LANES == 8 && defined(__x86_64__)
    return (V)_mm256_maskload_ps(x, NAME(mask)(count));
#else
    V v = all(0.0f);
    for (size_t i = 0; i < count; i++) v[i] = x[i];
    return v;
#endif
}

INLINE void put(float *y, V v, size_t count) {
    if (count >= LANES) {
        *(NAME(unaligned) *)y = v;
        return;
    }
#if LANES == 16
    _mm512_mask_storeu_ps(y, (__mmask16)((1u << count) - 1), (__m512)v);
#elif LANES == 8 && defined(__x86_64__)
    _mm256_maskstore_ps(y, NAME(mask)(count), (__m256)v);
#else
    for (size_t i = 0; i < count; i++) y[i] = v[i];
#endif
}

// Runs the statements for each vector of n elements, with its first index `i` and its number of elements `count`.
#define EACH_VECTOR(n, ...)                                                                                            \
    do {                                                                                                               \
        size_t i = 0;                                                                                                  \
        for (; i + LANES <= (n); i += LANES) {                                                                         \
            const size_t count = LANES;                                                                                \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
        if (i < (n)) {                                                                                                 \
            const size_t count = (n) - i;                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    } while (0)

// Not-a-number is kept.
INLINE V bound(V x, V low, V high) {
    x = low > x ? low : x;
    return high < x ? high : x;
}

INLINE V magnitude(V x) { return (V)((I)x & 0x7fffffff); }

INLINE V with_sign(V size, V sign) { return (V)((I)size | ((I)sign & (int32_t)0x80000000)); }

// The sum of the lanes, in pairs.
INLINE float total(V v) {
    float part[LANES];
    memcpy(part, &v, sizeof part);
#pragma clang loop unroll(full)
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) part[k] += part[k + half];
    return part[0];
}

// The lanes from `count` on replaced.
INLINE V or_else(V v, V other, size_t count) {
    if (count >= LANES) return v;
    I lane;
    for (int k = 0; k < LANES; k++) lane[k] = k;
    return lane < (I)((int32_t)count) ? v : other;
}

// result[m] = Σ_i of what the statements ADD to sum m for each vector of n elements, with its first index `i` and its
// number of elements `count`. Lanes from `count` on must add zero. The order is fixed: blocks of SUM_BLOCK elements in
// single precision over 4 · LANES partial sums, their totals in double precision.
#define SUM_BLOCK 4096
#define SUMS(sums, result, n, ...)                                                                                     \
    do {                                                                                                               \
        for (int m = 0; m < sums; m++) result[m] = 0;                                                                  \
        for (size_t start = 0; start < (n); start += SUM_BLOCK) {                                                      \
            const size_t stop = (n) - start < SUM_BLOCK ? (n) : start + SUM_BLOCK;                                     \
            V partial[sums][4];                                                                                        \
            for (int m = 0; m < sums; m++)                                                                             \
                for (int k = 0; k < 4; k++) partial[m][k] = all(0.0f);                                                 \
            size_t next = start;                                                                                       \
            for (; next + 4 * LANES <= stop; next += 4 * LANES) {                                                      \
                _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {                                       \
                    const size_t i = next + (size_t)k * LANES, count = LANES;                                          \
                    __VA_ARGS__                                                                                        \
                }                                                                                                      \
            }                                                                                                          \
            for (; next + LANES <= stop; next += LANES) {                                                              \
                const int k = 0;                                                                                       \
                const size_t i = next, count = LANES;                                                                  \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
            if (next < stop) {                                                                                         \
                const int k = 1;                                                                                       \
                const size_t i = next, count = stop - next;                                                            \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
            for (int m = 0; m < sums; m++)                                                                             \
                result[m] += total((partial[m][0] + partial[m][1]) + (partial[m][2] + partial[m][3]));                 \
        }                                                                                                              \
    } while (0)
#define ADD(m, ...) partial[m][k] += __VA_ARGS__
