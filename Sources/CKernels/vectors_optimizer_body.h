#include "vectors_lanes.h"

// g = gradient · gradient_scale + decay · w; v ← momentum · v + (1 − dampening) · g;
// w ← w − rate · (g + momentum · v with Nesterov's form, else v).
TARGET static void NAME(rene_sgd)(
    float *w, float *velocity, const float *gradient, size_t n, float gradient_scale, float rate, float momentum,
    float dampening, float decay, int nesterov) {
    if (velocity == NULL) {
        EACH_VECTOR(n, V at = fetch(w + i, count); V g = fetch(gradient + i, count) * gradient_scale + decay * at;
                    put(w + i, at - rate * g, count););
        return;
    }
    const float fresh = 1 - dampening;
    EACH_VECTOR(n, V at = fetch(w + i, count); V g = fetch(gradient + i, count) * gradient_scale + decay * at;
                V v = momentum * fetch(velocity + i, count) + fresh * g; put(velocity + i, v, count);
                put(w + i, at - rate * (nesterov ? g + momentum * v : v), count););
}

// g = gradient · gradient_scale + l2 · w; m ← β₁·m + (1 − β₁)·g; s ← β₂·s + (1 − β₂)·g²;
// w ← w·(1 − rate·decay) − rate · (m / correction1) / (√(s / correction2) + ε).
TARGET static void NAME(rene_adamw)(
    float *w, float *first, float *second, const float *gradient, size_t n, float gradient_scale, float rate,
    float beta1, float beta2, float epsilon, float decay, float l2, float correction1, float correction2) {
    const float fresh1 = 1 - beta1, fresh2 = 1 - beta2, kept = 1 - rate * decay, step = rate / correction1;
    const float norm = 1 / sqrtf(correction2);
    EACH_VECTOR(n, V at = fetch(w + i, count); V g = fetch(gradient + i, count) * gradient_scale + l2 * at;
                V m = beta1 * fetch(first + i, count) + fresh1 * g;
                V s = beta2 * fetch(second + i, count) + fresh2 * (g * g); put(first + i, m, count);
                put(second + i, s, count);
                put(w + i, at * kept - step * m / (__builtin_elementwise_sqrt(s) * norm + epsilon), count););
}
