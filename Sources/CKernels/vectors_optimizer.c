#define BODY "vectors_optimizer_body.h"
#include "vectors_sets.h"

DISPATCH(
    void, rene_sgd,
    (float *w, float *velocity, const float *gradient, size_t n, float gradient_scale, float rate, float momentum,
     float dampening, float decay, int nesterov),
    (w, velocity, gradient, n, gradient_scale, rate, momentum, dampening, decay, nesterov))
DISPATCH(
    void, rene_adamw,
    (float *w, float *first, float *second, const float *gradient, size_t n, float gradient_scale, float rate,
     float beta1, float beta2, float epsilon, float decay, float l2, float correction1, float correction2),
    (w, first, second, gradient, n, gradient_scale, rate, beta1, beta2, epsilon, decay, l2, correction1, correction2))
