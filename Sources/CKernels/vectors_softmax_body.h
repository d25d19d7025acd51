#include "vectors_lanes.h"
#include "vectors_math.h"

// Not-a-number may be left out here: it comes back with the exponentials.
INLINE float NAME(largest)(const float *x, size_t n) {
    V best[2] = {all(-INFINITY), all(-INFINITY)};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        for (int k = 0; k < 2; k++) {
            V v = fetch(x + i + (size_t)k * LANES, LANES);
            best[k] = v > best[k] ? v : best[k];
        }
    for (; i < n; i += LANES) {
        V v = or_else(fetch(x + i, n - i), all(-INFINITY), n - i);
        best[0] = v > best[0] ? v : best[0];
    }
    best[0] = best[0] > best[1] ? best[0] : best[1];
    float part[LANES];
    memcpy(part, best, sizeof part);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) part[k] = part[k] > part[k + half] ? part[k] : part[k + half];
    return part[0];
}

// e^x for x ≤ 0.
INLINE V NAME(falling)(V x) {
    V y = bounded_exponential(x < -87.0f ? all(-87.0f) : x);
    return x < -87.0f ? all(0.0f) : y;
}

TARGET static void NAME(rene_softmax)(float *y, const float *x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        float top = NAME(largest)(x, n);
        double sum[1];
        SUMS(1, sum, n, V e = NAME(falling)(fetch(x + i, count) - top); put(y + i, e, count);
             ADD(0, or_else(e, all(0.0f), count)););
        float inverse = (float)(1 / sum[0]);
        EACH_VECTOR(n, put(y + i, fetch(y + i, count) * inverse, count););
    }
}

TARGET static void NAME(rene_log_softmax)(float *y, const float *x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        float top = NAME(largest)(x, n);
        double sum[1];
        SUMS(1, sum, n, ADD(0, or_else(NAME(falling)(fetch(x + i, count) - top), all(0.0f), count)););
        float logarithm_of_sum = (float)log(sum[0]);
        EACH_VECTOR(n, put(y + i, (fetch(x + i, count) - top) - logarithm_of_sum, count););
    }
}

TARGET static void NAME(rene_softmax_gradient)(float *dx, const float *dy, const float *y, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, dx += n, dy += n, y += n) {
        double sum[1];
        SUMS(1, sum, n, ADD(0, fetch(dy + i, count) * fetch(y + i, count)););
        float mean = (float)sum[0];
        EACH_VECTOR(n, put(dx + i, fetch(y + i, count) * (fetch(dy + i, count) - mean), count););
    }
}

TARGET static void NAME(rene_log_softmax_gradient)(float *dx, const float *dy, const float *y, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, dx += n, dy += n, y += n) {
        double sum[1];
        SUMS(1, sum, n, ADD(0, fetch(dy + i, count)););
        float all_of_it = (float)sum[0];
        EACH_VECTOR(n, put(dx + i, fetch(dy + i, count) - NAME(falling)(fetch(y + i, count)) * all_of_it, count););
    }
}
