#define BODY "vectors_layer_body.h"
#include "vectors_sets.h"

DISPATCH(
    void, rene_layer_norm,
    (float *y, const float *x, const float *scale, const float *bias, float *mean, float *inverse, size_t rows,
     size_t n, float epsilon),
    (y, x, scale, bias, mean, inverse, rows, n, epsilon))
DISPATCH(
    void, rene_rms_norm,
    (float *y, const float *x, const float *scale, float *inverse, size_t rows, size_t n, float epsilon),
    (y, x, scale, inverse, rows, n, epsilon))
DISPATCH(
    void, rene_layer_norm_gradient,
    (float *dx, float *dscale, float *dbias, const float *dy, const float *x, const float *scale, const float *mean,
     const float *inverse, size_t rows, size_t n),
    (dx, dscale, dbias, dy, x, scale, mean, inverse, rows, n))
DISPATCH(
    void, rene_rms_norm_gradient,
    (float *dx, float *dscale, const float *dy, const float *x, const float *scale, const float *inverse, size_t rows,
     size_t n),
    (dx, dscale, dy, x, scale, inverse, rows, n))
