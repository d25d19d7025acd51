#include "vectors_lanes.h"

TARGET static double NAME(rene_sum)(const float *x, size_t n) {
    double sum[1];
    SUMS(1, sum, n, ADD(0, fetch(x + i, count)););
    return sum[0];
}

TARGET static double NAME(rene_sum_of_squares)(const float *x, size_t n) {
    double sum[1];
    SUMS(1, sum, n, V v = fetch(x + i, count); ADD(0, v * v););
    return sum[0];
}

TARGET static double NAME(rene_sum_of_products)(const float *a, const float *b, size_t n) {
    double sum[1];
    SUMS(1, sum, n, ADD(0, fetch(a + i, count) * fetch(b + i, count)););
    return sum[0];
}

TARGET static double NAME(rene_sum_of_magnitudes)(const float *x, size_t n) {
    double sum[1];
    SUMS(1, sum, n, ADD(0, magnitude(fetch(x + i, count))););
    return sum[0];
}

// Not-a-number is kept: once `best` is one, no comparison replaces it.
#define EXTREME(name, limit, comparison)                                                                               \
    TARGET static float NAME(name)(const float *x, size_t n) {                                                         \
        V best[4] = {all(limit), all(limit), all(limit), all(limit)};                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + 4 * LANES <= n; i += 4 * LANES)                                                                     \
            _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {                                           \
                V v = fetch(x + i + (size_t)k * LANES, LANES);                                                         \
                best[k] = ((v comparison best[k]) | (v != v)) != 0 ? v : best[k];                                      \
            }                                                                                                          \
        for (; i < n; i += LANES) {                                                                                    \
            V v = or_else(fetch(x + i, n - i), all(limit), n - i);                                                     \
            best[0] = ((v comparison best[0]) | (v != v)) != 0 ? v : best[0];                                          \
        }                                                                                                              \
        float result = limit;                                                                                          \
        for (int k = 0; k < 4; k++)                                                                                    \
            for (int lane = 0; lane < LANES; lane++) {                                                                 \
                float v = best[k][lane];                                                                               \
                result = v comparison result || v != v ? v : result;                                                   \
            }                                                                                                          \
        return result;                                                                                                 \
    }
EXTREME(rene_max_of, -INFINITY, >)
EXTREME(rene_min_of, INFINITY, <)
#undef EXTREME

TARGET static void NAME(rene_sum_rows)(float *out, const float *x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++) out[r] = (float)NAME(rene_sum)(x + r * n, n);
}

// For `width` vectors of columns: blocks of 64 rows in single precision, their sums in double precision.
INLINE void NAME(sum_strip)(float *out, const float *x, size_t rows, size_t n, int width, size_t count) {
    D sum[8];
    for (int v = 0; v < width; v++) sum[v] = wide(all(0.0f));
    for (size_t start = 0; start < rows; start += 64) {
        size_t stop = rows - start < 64 ? rows : start + 64;
        V block[8];
        for (int v = 0; v < width; v++) block[v] = all(0.0f);
        for (size_t r = start; r < stop; r++)
            for (int v = 0; v < width; v++) block[v] += fetch(x + r * n + (size_t)v * LANES, count);
        for (int v = 0; v < width; v++) sum[v] += wide(block[v]);
    }
    for (int v = 0; v < width; v++) {
        float *to = out + (size_t)v * LANES;
        put(to, narrow(wide(fetch(to, count)) + sum[v]), count);
    }
}

TARGET static void NAME(rene_add_sum_of_rows)(float *out, const float *x, size_t rows, size_t n) {
    size_t i = 0;
    for (; i + 8 * LANES <= n; i += 8 * LANES) NAME(sum_strip)(out + i, x + i, rows, n, 8, LANES);
    for (; i + LANES <= n; i += LANES) NAME(sum_strip)(out + i, x + i, rows, n, 1, LANES);
    if (i < n) NAME(sum_strip)(out + i, x + i, rows, n, 1, n - i);
}
