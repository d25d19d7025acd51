#define BODY "vectors_binary_body.h"
#include "vectors_sets.h"

#define OPERATION(name, result)                                                                                        \
    DISPATCH(void, rene_##name, (float *y, const float *a, const float *b, size_t n), (y, a, b, n))                    \
    DISPATCH(void, rene_##name##_scalar, (float *y, const float *a, float s, size_t n), (y, a, s, n))                  \
    DISPATCH(                                                                                                          \
        void, rene_##name##_row, (float *y, const float *a, const float *b, size_t rows, size_t n),                    \
        (y, a, b, rows, n))                                                                                            \
    DISPATCH(                                                                                                          \
        void, rene_##name##_column, (float *y, const float *a, const float *s, size_t rows, size_t n),                 \
        (y, a, s, rows, n))
BINARY_OPERATIONS(OPERATION)

DISPATCH(void, rene_axpy, (float *y, float alpha, const float *x, size_t n), (y, alpha, x, n))
DISPATCH(
    void, rene_combine, (float *y, const float *a, float alpha, const float *b, float beta, size_t n),
    (y, a, alpha, b, beta, n))
DISPATCH(
    void, rene_multiply_add, (float *y, const float *a, const float *b, const float *c, size_t n), (y, a, b, c, n))
DISPATCH(
    void, rene_scale_shift, (float *y, const float *a, float scale, float shift, size_t n), (y, a, scale, shift, n))
DISPATCH(void, rene_fill, (float *y, float value, size_t n), (y, value, n))
