#include "vectors_lanes.h"
#include "vectors_math.h"

// y[i] = f(x[i]), f given for the vector `v`.
#define MAP(name, f)                                                                                                   \
    TARGET static void NAME(name)(float *y, const float *x, size_t n) {                                                \
        EACH_VECTOR(n, V v = fetch(x + i, count); put(y + i, f, count););                                              \
    }
#define MAP1(name, a, f)                                                                                               \
    TARGET static void NAME(name)(float *y, const float *x, float a, size_t n) {                                       \
        EACH_VECTOR(n, V v = fetch(x + i, count); put(y + i, f, count););                                              \
    }
#define MAP2(name, a, b, f)                                                                                            \
    TARGET static void NAME(name)(float *y, const float *x, float a, float b, size_t n) {                              \
        EACH_VECTOR(n, V v = fetch(x + i, count); put(y + i, f, count););                                              \
    }

// v · g for a gate g = 1 / (1 + e^−u) that vanishes faster than v grows.
INLINE V NAME(gated)(V v, V u) {
    V inverse = 1.0f + exponential(-u);
    return inverse == INFINITY ? all(0.0f) : v / inverse;
}

// x·tanh(ln(1 + e^x)) = x·p / (p + 2) with p = e^x·(e^x + 2).
INLINE V NAME(mish)(V v) {
    V e = exponential(v > 20.0f ? all(20.0f) : v);
    V p = e * (e + 2.0f);
    V y = (v < -FLT_MAX ? all(-FLT_MAX) : v) * (p / (p + 2.0f));
    return v > 20.0f ? v : y;
}

INLINE V NAME(floor)(V v) {
    V rounded = nearest(v);
    return rounded > v ? rounded - 1.0f : rounded;
}

INLINE V NAME(ceil)(V v) {
    V rounded = nearest(v);
    return with_sign(magnitude(rounded < v ? rounded + 1.0f : rounded), v);
}

INLINE V NAME(hard_swish)(V v) {
    V y = v * (v * (1.0f / 6.0f) + 0.5f);
    y = v > -3.0f ? y : (v <= -3.0f ? all(0.0f) : v);
    return v >= 3.0f ? v : y;
}

// e^v − 1 for v ≤ 0; it is −1 from −20 on.
INLINE V NAME(negative_exponential)(V v) { return exponential_minus_one(v < -20.0f ? all(-20.0f) : v); }

#define TANH_GATE(v) ((v) * (1.5957691216f + 0.0713548162726f * ((v) * (v))))

MAP(rene_exp, exponential(v))
MAP(rene_log, logarithm(v))
MAP(rene_tanh, hyperbolic_tangent(v))
MAP(rene_sigmoid, logistic(v))
MAP(rene_erf, error_function(v))
MAP(rene_gelu, (v < -FLT_MAX ? all(-FLT_MAX) : v) * normal_distribution(v))
MAP(rene_gelu_tanh, NAME(gated)(v, TANH_GATE(v)))
MAP1(rene_silu, alpha, NAME(gated)(v, alpha * v))
MAP(rene_softplus, (v > 0.0f ? v : all(0.0f)) + logarithm_of_one_plus(exponential(-magnitude(v))))
MAP(rene_mish, NAME(mish)(v))
MAP1(rene_elu, alpha, v < 0.0f ? alpha * NAME(negative_exponential)(v) : v)
MAP2(rene_selu, alpha, gamma, gamma * (v < 0.0f ? alpha * NAME(negative_exponential)(v) : v))
MAP1(rene_celu, alpha, v < 0.0f ? alpha * NAME(negative_exponential)(v / alpha) : v)
MAP2(rene_hard_sigmoid, alpha, beta, bound(alpha * v + beta, all(0.0f), all(1.0f)))
MAP(rene_hard_swish, NAME(hard_swish)(v))
MAP(rene_relu, 0.0f > v ? all(0.0f) : v)
MAP1(rene_leaky_relu, alpha, v < 0.0f ? alpha * v : v)
MAP2(rene_clip, low, high, bound(v, all(low), all(high)))
MAP(rene_abs, magnitude(v))
MAP(rene_neg, -v)
MAP(rene_sqrt, __builtin_elementwise_sqrt(v))
MAP(rene_reciprocal_sqrt, 1.0f / __builtin_elementwise_sqrt(v))
MAP(rene_reciprocal, 1.0f / v)
MAP(rene_floor, NAME(floor)(v))
MAP(rene_ceil, NAME(ceil)(v))
MAP(rene_round, nearest(v))
MAP(rene_sign, v > 0.0f ? all(1.0f) : (v < 0.0f ? all(-1.0f) : v))
MAP(rene_square, v * v)

#undef TANH_GATE
#undef MAP
#undef MAP1
#undef MAP2

// Lanes too large for the reduction go through the library; the others do not notice.
#define CIRCULAR(name, quarter, of_one)                                                                                \
    TARGET static void NAME(name)(float *y, const float *x, size_t n) {                                                \
        EACH_VECTOR(                                                                                                   \
            n, V v = fetch(x + i, count); V result = circular(v, quarter); I large = !(magnitude(v) < 1e4f);           \
            if (__builtin_reduce_or(large) != 0) for (int k = 0; k < LANES; k++) if (large[k]) result[k] =             \
                of_one(v[k]);                                                                                          \
            put(y + i, result, count););                                                                               \
    }
CIRCULAR(rene_sin, 0, sinf)
CIRCULAR(rene_cos, 1, cosf)
#undef CIRCULAR
