#define BODY "vectors_reduction_body.h"
#include "vectors_sets.h"

DISPATCH(double, rene_sum, (const float *x, size_t n), (x, n))
DISPATCH(double, rene_sum_of_squares, (const float *x, size_t n), (x, n))
DISPATCH(double, rene_sum_of_products, (const float *a, const float *b, size_t n), (a, b, n))
DISPATCH(double, rene_sum_of_magnitudes, (const float *x, size_t n), (x, n))
DISPATCH(float, rene_max_of, (const float *x, size_t n), (x, n))
DISPATCH(float, rene_min_of, (const float *x, size_t n), (x, n))
DISPATCH(void, rene_sum_rows, (float *out, const float *x, size_t rows, size_t n), (out, x, rows, n))
DISPATCH(void, rene_add_sum_of_rows, (float *out, const float *x, size_t rows, size_t n), (out, x, rows, n))
