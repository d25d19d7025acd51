#define BODY "vectors_batch_body.h"
#include "vectors_sets.h"

DISPATCH(
    void, rene_batch_moments,
    (double *mean, double *squares, const float *x, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1),
    (mean, squares, x, outer, channels, inner, c0, c1))
DISPATCH(
    void, rene_batch_apply,
    (float *y, const float *x, const float *a, const float *b, const float *residual, float low, float high,
     size_t outer, size_t channels, size_t inner, size_t c0, size_t c1),
    (y, x, a, b, residual, low, high, outer, channels, inner, c0, c1))
DISPATCH(
    void, rene_batch_sums,
    (double *sum_g, double *sum_gx, const float *dy, const float *y, const float *x, const float *mean,
     const float *inverse, float low, float high, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1),
    (sum_g, sum_gx, dy, y, x, mean, inverse, low, high, outer, channels, inner, c0, c1))
DISPATCH(
    void, rene_batch_gradient,
    (float *dx, float *g, const float *dy, const float *y, const float *x, const float *mean, const float *a,
     const float *shift, const float *slope, float low, float high, size_t outer, size_t channels, size_t inner,
     size_t c0, size_t c1),
    (dx, g, dy, y, x, mean, a, shift, slope, low, high, outer, channels, inner, c0, c1))
DISPATCH(
    void, rene_batch_frozen_gradient,
    (float *dx, float *g, const float *dy, const float *y, const float *a, float low, float high, size_t outer,
     size_t channels, size_t inner, size_t c0, size_t c1),
    (dx, g, dy, y, a, low, high, outer, channels, inner, c0, c1))

void rene_batch_join(
    double *mean, double *squares, double count, const double *other_mean, const double *other_squares,
    double other_count, size_t channels) {
    double all = count + other_count;
    if (all == 0) return;
    for (size_t c = 0; c < channels; c++) {
        double apart = other_mean[c] - mean[c];
        squares[c] += other_squares[c] + apart * apart * (count * other_count / all);
        mean[c] += apart * (other_count / all);
    }
}

void rene_batch_forward_coefficients(
    float *a, float *b, const float *mean, const float *inverse, const float *scale, const float *bias,
    size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        double factor = (scale != NULL ? (double)scale[c] : 1) * inverse[c];
        a[c] = (float)factor;
        b[c] = (float)((bias != NULL ? (double)bias[c] : 0) - factor * mean[c]);
    }
}

void rene_batch_gradient_coefficients(
    float *a, float *shift, float *slope, const float *inverse, const float *scale, const double *sum_g,
    const double *sum_gx, double count, size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        double factor = (scale != NULL ? (double)scale[c] : 1) * inverse[c];
        a[c] = (float)factor;
        shift[c] = (float)(factor * sum_g[c] / count);
        slope[c] = (float)(factor * inverse[c] * sum_gx[c] / count);
    }
}
