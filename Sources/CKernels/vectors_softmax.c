#define BODY "vectors_softmax_body.h"
#include "vectors_sets.h"

DISPATCH(void, rene_softmax, (float *y, const float *x, size_t rows, size_t n), (y, x, rows, n))
DISPATCH(void, rene_log_softmax, (float *y, const float *x, size_t rows, size_t n), (y, x, rows, n))
DISPATCH(
    void, rene_softmax_gradient, (float *dx, const float *dy, const float *y, size_t rows, size_t n),
    (dx, dy, y, rows, n))
DISPATCH(
    void, rene_log_softmax_gradient, (float *dx, const float *dy, const float *y, size_t rows, size_t n),
    (dx, dy, y, rows, n))
