#include "vectors_lanes.h"

#define OPTIONAL(p, otherwise) ((p) != NULL ? fetch((p) + i, count) : all(otherwise))

TARGET static void NAME(rene_layer_norm)(
    float *y, const float *x, const float *scale, const float *bias, float *mean, float *inverse, size_t rows, size_t n,
    float epsilon) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        double sum[1];
        SUMS(1, sum, n, ADD(0, fetch(x + i, count)););
        float m = (float)(sum[0] / (double)n);
        SUMS(1, sum, n, V v = or_else(fetch(x + i, count) - m, all(0.0f), count); ADD(0, v * v););
        float s = (float)(1 / sqrt(sum[0] / (double)n + epsilon));
        EACH_VECTOR(n, V v = (fetch(x + i, count) - m) * s;
                    put(y + i, v * OPTIONAL(scale, 1.0f) + OPTIONAL(bias, 0.0f), count););
        if (mean != NULL) mean[r] = m;
        if (inverse != NULL) inverse[r] = s;
    }
}

TARGET static void NAME(rene_rms_norm)(
    float *y, const float *x, const float *scale, float *inverse, size_t rows, size_t n, float epsilon) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        double sum[1];
        SUMS(1, sum, n, V v = fetch(x + i, count); ADD(0, v * v););
        float s = (float)(1 / sqrt(sum[0] / (double)n + epsilon));
        EACH_VECTOR(n, put(y + i, fetch(x + i, count) * s * OPTIONAL(scale, 1.0f), count););
        if (inverse != NULL) inverse[r] = s;
    }
}

// With g = dy · scale, x̂ = (x − mean) · inverse: dx = inverse · (g − mean of g − x̂ · mean of g·x̂).
TARGET static void NAME(rene_layer_norm_gradient)(
    float *dx, float *dscale, float *dbias, const float *dy, const float *x, const float *scale, const float *mean,
    const float *inverse, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        float m = mean[r], s = inverse[r];
        double sum[2];
        SUMS(2, sum, n, V g = fetch(dy + i, count) * OPTIONAL(scale, 1.0f); ADD(0, g);
             ADD(1, g * (fetch(x + i, count) - m)););
        float shift = (float)(sum[0] / (double)n);
        float slope = (float)(sum[1] / (double)n * s * s);
        EACH_VECTOR(
            n, V g = fetch(dy + i, count); V v = fetch(x + i, count) - m;
            if (dscale != NULL) put(dscale + i, fetch(dscale + i, count) + g * (v * s), count);
            if (dbias != NULL) put(dbias + i, fetch(dbias + i, count) + g, count);
            put(dx + i, s * ((g * OPTIONAL(scale, 1.0f) - shift) - v * slope), count););
    }
}

// With g = dy · scale, x̂ = x · inverse: dx = inverse · (g − x̂ · mean of g·x̂).
TARGET static void NAME(rene_rms_norm_gradient)(
    float *dx, float *dscale, const float *dy, const float *x, const float *scale, const float *inverse, size_t rows,
    size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        float s = inverse[r];
        double sum[1];
        SUMS(1, sum, n, ADD(0, fetch(dy + i, count) * OPTIONAL(scale, 1.0f) * fetch(x + i, count)););
        float slope = (float)(sum[0] / (double)n * s * s);
        EACH_VECTOR(
            n, V g = fetch(dy + i, count); V v = fetch(x + i, count);
            if (dscale != NULL) put(dscale + i, fetch(dscale + i, count) + g * (v * s), count);
            put(dx + i, s * (g * OPTIONAL(scale, 1.0f) - v * slope), count););
    }
}

#undef OPTIONAL
