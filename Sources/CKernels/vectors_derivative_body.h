#include "vectors_lanes.h"
#include "vectors_math.h"

// dx[i] = dy[i]·f'(…), the right side given for the vectors `g` of dy and `v` of the input x or the output y.
#define MAP(name, f)                                                                                                   \
    TARGET static void NAME(name)(float *dx, const float *dy, const float *x, size_t n) {                              \
        EACH_VECTOR(n, V v = fetch(x + i, count); V g = fetch(dy + i, count); put(dx + i, f, count););                 \
    }
#define MAP1(name, a, f)                                                                                               \
    TARGET static void NAME(name)(float *dx, const float *dy, const float *x, float a, size_t n) {                     \
        EACH_VECTOR(n, V v = fetch(x + i, count); V g = fetch(dy + i, count); put(dx + i, f, count););                 \
    }
#define MAP2(name, a, b, f)                                                                                            \
    TARGET static void NAME(name)(float *dx, const float *dy, const float *x, float a, float b, size_t n) {            \
        EACH_VECTOR(n, V v = fetch(x + i, count); V g = fetch(dy + i, count); put(dx + i, f, count););                 \
    }

#define ZERO all(0.0f)

// Beyond ±bounds the second terms of the derivatives below have vanished, but would become ∞·0.

INLINE V NAME(gelu_slope)(V v) {
    V near = bound(v, all(-20.0f), all(20.0f));
    return normal_distribution(v) + near * normal_density(near);
}

// With s = 1 / (1 + e^−u): s + x·s·(1 − s)·du/dx.
INLINE V NAME(gelu_tanh_slope)(V v) {
    V near = bound(v, all(-20.0f), all(20.0f));
    V square = near * near;
    V s = logistic(near * (1.5957691216f + 0.0713548162726f * square));
    return s + near * (s * (1.0f - s)) * (1.5957691216f + 0.2140644488178f * square);
}

INLINE V NAME(silu_slope)(V v, float alpha) {
    V u = bound(alpha * v, all(-100.0f), all(100.0f));
    V s = logistic(u);
    return s + u * (s * (1.0f - s));
}

// With e = e^x and p = e·(e + 2): p / (p + 2) + x·4·e·(1 + e) / (p + 2)².
INLINE V NAME(mish_slope)(V v) {
    V near = bound(v, all(-100.0f), all(20.0f));
    V e = exponential(near);
    V p = e * (e + 2.0f);
    V inverse = 1.0f / (p + 2.0f);
    return p * inverse + 4.0f * near * (e * inverse) * ((1.0f + e) * inverse);
}

MAP(rene_relu_gradient, v > 0.0f ? g : ZERO)
MAP2(rene_clip_gradient, low, high, ((v > low) & (v < high)) != 0 ? g : ZERO)
MAP(rene_sigmoid_gradient, g * (v * (1.0f - v)))
MAP(rene_tanh_gradient, g * (1.0f - v * v))
MAP(rene_gelu_gradient, g * NAME(gelu_slope)(v))
MAP(rene_gelu_tanh_gradient, g * NAME(gelu_tanh_slope)(v))
MAP1(rene_silu_gradient, alpha, g * NAME(silu_slope)(v, alpha))
MAP(rene_hard_swish_gradient, v <= -3.0f ? ZERO : (v >= 3.0f ? g : g * (v * (1.0f / 3.0f) + 0.5f)))
MAP2(rene_hard_sigmoid_gradient, alpha, beta,
    ((alpha * v + beta > 0.0f) & (alpha * v + beta < 1.0f)) != 0 ? g * alpha : ZERO)
MAP1(rene_leaky_relu_gradient, alpha, v < 0.0f ? g * alpha : g)
MAP1(rene_elu_gradient, alpha, v < 0.0f ? g * (alpha * exponential(v)) : g)
MAP2(rene_selu_gradient, alpha, gamma, v < 0.0f ? g * (gamma * alpha * exponential(v)) : g * gamma)
MAP1(rene_celu_gradient, alpha, v < 0.0f ? g * exponential(v / alpha) : g)
MAP(rene_softplus_gradient, g * logistic(v))
MAP(rene_mish_gradient, g * NAME(mish_slope)(v))
MAP(rene_exp_gradient, g * v)
MAP(rene_log_gradient, g / v)
MAP(rene_sqrt_gradient, g / (v + v))
MAP(rene_reciprocal_gradient, -g * (v * v))
MAP(rene_erf_gradient, g * (1.12837917f * exponential(-v * v)))
MAP(rene_abs_gradient, v > 0.0f ? g : (v < 0.0f ? -g : ZERO))

#undef ZERO
#undef MAP
#undef MAP1
#undef MAP2
