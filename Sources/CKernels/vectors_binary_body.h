#include "vectors_lanes.h"

#ifndef BINARY_OPERATIONS
#include "vectors_binary_list.h"
#endif

// rene_…: y[i] = a[i] ∘ b[i]; rene_…_scalar: y[i] = a[i] ∘ s; rene_…_row: y[r, i] = a[r, i] ∘ b[i];
// rene_…_column: y[r, i] = a[r, i] ∘ s[r].
#define OPERATION(name, result)                                                                                        \
    INLINE V NAME(name)(V a, V b) { return result; }                                                                   \
    TARGET static void NAME(rene_##name)(float *y, const float *a, const float *b, size_t n) {                         \
        EACH_VECTOR(n, put(y + i, NAME(name)(fetch(a + i, count), fetch(b + i, count)), count););                      \
    }                                                                                                                  \
    TARGET static void NAME(rene_##name##_scalar)(float *y, const float *a, float s, size_t n) {                       \
        EACH_VECTOR(n, put(y + i, NAME(name)(fetch(a + i, count), all(s)), count););                                   \
    }                                                                                                                  \
    TARGET static void NAME(rene_##name##_row)(float *y, const float *a, const float *b, size_t rows, size_t n) {      \
        for (size_t r = 0; r < rows; r++) NAME(rene_##name)(y + r * n, a + r * n, b, n);                               \
    }                                                                                                                  \
    TARGET static void NAME(rene_##name##_column)(float *y, const float *a, const float *s, size_t rows, size_t n) {   \
        for (size_t r = 0; r < rows; r++) NAME(rene_##name##_scalar)(y + r * n, a + r * n, s[r], n);                   \
    }
BINARY_OPERATIONS(OPERATION)
#undef OPERATION

TARGET static void NAME(rene_axpy)(float *y, float alpha, const float *x, size_t n) {
    EACH_VECTOR(n, put(y + i, fetch(y + i, count) + alpha * fetch(x + i, count), count););
}

TARGET static void NAME(rene_combine)(float *y, const float *a, float alpha, const float *b, float beta, size_t n) {
    EACH_VECTOR(n, put(y + i, fetch(a + i, count) * alpha + fetch(b + i, count) * beta, count););
}

TARGET static void NAME(rene_multiply_add)(float *y, const float *a, const float *b, const float *c, size_t n) {
    EACH_VECTOR(n, put(y + i, fetch(a + i, count) * fetch(b + i, count) + fetch(c + i, count), count););
}

TARGET static void NAME(rene_scale_shift)(float *y, const float *a, float scale, float shift, size_t n) {
    EACH_VECTOR(n, put(y + i, fetch(a + i, count) * scale + shift, count););
}

TARGET static void NAME(rene_fill)(float *y, float value, size_t n) { EACH_VECTOR(n, put(y + i, all(value), count);); }
