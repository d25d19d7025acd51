#include "vectors_lanes.h"

// Arrays are [outer][channels][inner]. For inner > 1 a run is the inner extent of one channel and a coefficient one
// number; for inner = 1 a run is the range of channels and a coefficient varies along it. The constant `each` says which.
#define coefficient NAME(coefficient)
INLINE V coefficient(const float *a, size_t i, size_t count, int each) {
    return each ? fetch(a + i, count) : all(a[0]);
}

// Runs the statement for each run, with its start `at` in the array, its first channel `c` and its `length`.
#define EACH_RUN(...)                                                                                                  \
    do {                                                                                                               \
        for (size_t o = 0; o < outer; o++)                                                                             \
            if (inner == 1) {                                                                                          \
                const size_t c = c0, at = o * channels + c0, length = c1 - c0;                                         \
                enum { each = 1 };                                                                                     \
                __VA_ARGS__                                                                                            \
            } else                                                                                                     \
                for (size_t c = c0; c < c1; c++) {                                                                     \
                    const size_t at = (o * channels + c) * inner, length = inner;                                      \
                    enum { each = 0 };                                                                                 \
                    __VA_ARGS__                                                                                        \
                }                                                                                                      \
    } while (0)

// dy where low < y < high, else 0; dy if there is no y.
#define masked NAME(masked)
INLINE V masked(const float *dy, const float *y, size_t at, size_t count, float low, float high) {
    V g = fetch(dy + at, count);
    if (y == NULL) return g;
    V v = fetch(y + at, count);
    return ((v > low) & (v < high)) != 0 ? g : all(0.0f);
}

// Each block of a run about the mean known so far, the first about its own; blocks are joined as rene_batch_join does.
// So x is read once, and neither a large mean nor means that differ cost accuracy: what is cancelled in the squares of
// a block is no more than what the distance of its mean adds to them.
TARGET static void NAME(rene_batch_moments)(
    double *mean, double *squares, const float *x, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1) {
    if (inner == 1) {
        for (size_t c = c0; c < c1; c += LANES) {
            const size_t count = c1 - c;
            D sum = wide(all(0.0f)), square = sum;
            for (size_t o = 0; o < outer; o++) sum += wide(fetch(x + o * channels + c, count));
            sum /= (double)outer;
            for (size_t o = 0; o < outer; o++) {
                D v = wide(fetch(x + o * channels + c, count)) - sum;
                square += v * v;
            }
            for (size_t k = 0; k < LANES && k < count; k++) {
                mean[c + k] = sum[k];
                squares[c + k] = square[k];
            }
        }
        return;
    }
    for (size_t c = c0; c < c1; c++) {
        double m = 0, s = 0, known = 0;
        for (size_t o = 0; o < outer; o++) {
            const float *run = x + (o * channels + c) * inner;
            for (size_t block = 0; block < inner; block += SUM_BLOCK) {
                const float *from = run + block;
                const size_t n = inner - block < SUM_BLOCK ? inner - block : SUM_BLOCK;
                float about = (float)m;
                double sum[2];
                if (known == 0) {
                    SUMS(1, sum, n, ADD(0, fetch(from + i, count)););
                    about = (float)(sum[0] / (double)n);
                }
                SUMS(2, sum, n, V v = or_else(fetch(from + i, count) - about, all(0.0f), count); ADD(0, v);
                     ADD(1, v * v););
                double rest = sum[0] / (double)n;
                double all_known = known + (double)n, apart = about + rest - m;
                s += sum[1] - sum[0] * rest + apart * apart * (known * (double)n / all_known);
                m += apart * ((double)n / all_known);
                known = all_known;
            }
        }
        mean[c] = m;
        squares[c] = s;
    }
}

TARGET static void NAME(rene_batch_apply)(
    float *y, const float *x, const float *a, const float *b, const float *residual, float low, float high,
    size_t outer, size_t channels, size_t inner, size_t c0, size_t c1) {
    EACH_RUN(EACH_VECTOR(
        length, V slope = coefficient(a + c, i, count, each); V shift = coefficient(b + c, i, count, each);
        V v = fetch(x + at + i, count) * slope + shift;
        if (residual != NULL) v += fetch(residual + at + i, count);
        put(y + at + i, bound(v, all(low), all(high)), count);););
}

TARGET static void NAME(rene_batch_sums)(
    double *sum_g, double *sum_gx, const float *dy, const float *y, const float *x, const float *mean,
    const float *inverse, float low, float high, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1) {
    if (inner == 1) {
        for (size_t c = c0; c < c1; c += LANES) {
            const size_t count = c1 - c;
            V about = fetch(mean + c, count);
            D sum = wide(all(0.0f)), product = sum;
            for (size_t o = 0; o < outer; o++) {
                V g = masked(dy, y, o * channels + c, count, low, high);
                sum += wide(g);
                product += wide(g * (fetch(x + o * channels + c, count) - about));
            }
            for (size_t k = 0; k < LANES && k < count; k++) {
                sum_g[c + k] = sum[k];
                sum_gx[c + k] = product[k] * inverse[c + k];
            }
        }
        return;
    }
    for (size_t c = c0; c < c1; c++) {
        const float about = mean[c];
        double g_total = 0, product_total = 0;
        for (size_t o = 0; o < outer; o++) {
            const size_t at = (o * channels + c) * inner;
            double sum[2];
            SUMS(2, sum, inner, V g = masked(dy, y, at + i, count, low, high); ADD(0, g);
                 ADD(1, g * (fetch(x + at + i, count) - about)););
            g_total += sum[0];
            product_total += sum[1];
        }
        sum_g[c] = g_total;
        sum_gx[c] = product_total * inverse[c];
    }
}

TARGET static void NAME(rene_batch_gradient)(
    float *dx, float *g_out, const float *dy, const float *y, const float *x, const float *mean, const float *a,
    const float *shift, const float *slope, float low, float high, size_t outer, size_t channels, size_t inner,
    size_t c0, size_t c1) {
    EACH_RUN(EACH_VECTOR(
        length, V g = masked(dy, y, at + i, count, low, high);
        V centred = fetch(x + at + i, count) - coefficient(mean + c, i, count, each);
        if (g_out != NULL) put(g_out + at + i, g, count);
        V rest = g * coefficient(a + c, i, count, each) - coefficient(shift + c, i, count, each);
        put(dx + at + i, rest - centred * coefficient(slope + c, i, count, each), count);););
}

TARGET static void NAME(rene_batch_frozen_gradient)(
    float *dx, float *g_out, const float *dy, const float *y, const float *a, float low, float high, size_t outer,
    size_t channels, size_t inner, size_t c0, size_t c1) {
    EACH_RUN(EACH_VECTOR(
        length, V g = masked(dy, y, at + i, count, low, high); if (g_out != NULL) put(g_out + at + i, g, count);
        put(dx + at + i, g * coefficient(a + c, i, count, each), count);););
}

#undef EACH_RUN
