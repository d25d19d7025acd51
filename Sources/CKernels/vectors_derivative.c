#define BODY "vectors_derivative_body.h"
#include "vectors_sets.h"

#define MAP(name) DISPATCH(void, name, (float *dx, const float *dy, const float *x, size_t n), (dx, dy, x, n))
#define MAP1(name)                                                                                                     \
    DISPATCH(void, name, (float *dx, const float *dy, const float *x, float a, size_t n), (dx, dy, x, a, n))
#define MAP2(name)                                                                                                     \
    DISPATCH(void, name, (float *dx, const float *dy, const float *x, float a, float b, size_t n), (dx, dy, x, a, b, n))

MAP(rene_relu_gradient)
MAP2(rene_clip_gradient)
MAP(rene_sigmoid_gradient)
MAP(rene_tanh_gradient)
MAP(rene_gelu_gradient)
MAP(rene_gelu_tanh_gradient)
MAP1(rene_silu_gradient)
MAP(rene_hard_swish_gradient)
MAP2(rene_hard_sigmoid_gradient)
MAP1(rene_leaky_relu_gradient)
MAP1(rene_elu_gradient)
MAP2(rene_selu_gradient)
MAP1(rene_celu_gradient)
MAP(rene_softplus_gradient)
MAP(rene_mish_gradient)
MAP(rene_exp_gradient)
MAP(rene_log_gradient)
MAP(rene_sqrt_gradient)
MAP(rene_reciprocal_gradient)
MAP(rene_erf_gradient)
MAP(rene_abs_gradient)
