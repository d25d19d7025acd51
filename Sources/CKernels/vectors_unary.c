#define BODY "vectors_unary_body.h"
#include "vectors_sets.h"

#define MAP(name) DISPATCH(void, name, (float *y, const float *x, size_t n), (y, x, n))
#define MAP1(name) DISPATCH(void, name, (float *y, const float *x, float a, size_t n), (y, x, a, n))
#define MAP2(name) DISPATCH(void, name, (float *y, const float *x, float a, float b, size_t n), (y, x, a, b, n))

MAP(rene_exp)
MAP(rene_log)
MAP(rene_tanh)
MAP(rene_sigmoid)
MAP(rene_erf)
MAP(rene_gelu)
MAP(rene_gelu_tanh)
MAP1(rene_silu)
MAP(rene_softplus)
MAP(rene_mish)
MAP1(rene_elu)
MAP2(rene_selu)
MAP1(rene_celu)
MAP2(rene_hard_sigmoid)
MAP(rene_hard_swish)
MAP(rene_relu)
MAP1(rene_leaky_relu)
MAP2(rene_clip)
MAP(rene_abs)
MAP(rene_neg)
MAP(rene_sqrt)
MAP(rene_reciprocal_sqrt)
MAP(rene_reciprocal)
MAP(rene_floor)
MAP(rene_ceil)
MAP(rene_round)
MAP(rene_sign)
MAP(rene_square)
MAP(rene_sin)
MAP(rene_cos)

// The powers that occur in graphs are spared the library. For ½ the results of −0 and −∞ are those of the square root.
void rene_pow(float *y, const float *x, float power, size_t n) {
    if (power == 2) {
        rene_square(y, x, n);
    } else if (power == 0.5f) {
        rene_sqrt(y, x, n);
    } else if (power == -1) {
        rene_reciprocal(y, x, n);
    } else if (power == 3) {
        for (size_t i = 0; i < n; i++) y[i] = x[i] * x[i] * x[i];
    } else {
        for (size_t i = 0; i < n; i++) y[i] = powf(x[i], power);
    }
}
