#pragma once
#include <stddef.h>
#include <stdint.h>

// Vector loops that BLAS lacks, in single precision. None allocates or starts threads: callers split ranges. An output
// may be the same array as an input of the same shape, where not said otherwise. Any count is taken, nothing is read or
// written beyond it. An element of a result does not depend on its place in the range; sums are taken in an order that
// only their length and the instruction set determine. Not-a-number gives not-a-number, where not said otherwise.

// y[i] = f(x[i]).
#define RENE_MAP(name) void name(float *y, const float *x, size_t n);

RENE_MAP(rene_exp) // Zero where it would be denormal.
RENE_MAP(rene_log)
RENE_MAP(rene_tanh)
RENE_MAP(rene_sigmoid)
RENE_MAP(rene_erf)
RENE_MAP(rene_gelu)      // x·½·(1 + erf(x/√2)).
RENE_MAP(rene_gelu_tanh) // x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
RENE_MAP(rene_softplus)
RENE_MAP(rene_mish)
RENE_MAP(rene_hard_swish)
RENE_MAP(rene_relu)
RENE_MAP(rene_abs)
RENE_MAP(rene_neg)
RENE_MAP(rene_sqrt)
RENE_MAP(rene_reciprocal)
RENE_MAP(rene_reciprocal_sqrt)
RENE_MAP(rene_floor)
RENE_MAP(rene_ceil)
RENE_MAP(rene_round) // Half to even.
RENE_MAP(rene_sign)
RENE_MAP(rene_square)
RENE_MAP(rene_sin)
RENE_MAP(rene_cos)
#undef RENE_MAP

void rene_silu(float *y, const float *x, float alpha, size_t n); // x / (1 + e^(−alpha·x)): Swish; alpha 1 is SiLU.
void rene_elu(float *y, const float *x, float alpha, size_t n);
void rene_celu(float *y, const float *x, float alpha, size_t n);
void rene_leaky_relu(float *y, const float *x, float alpha, size_t n);
void rene_selu(float *y, const float *x, float alpha, float gamma, size_t n);
void rene_hard_sigmoid(float *y, const float *x, float alpha, float beta, size_t n);
void rene_clip(float *y, const float *x, float low, float high, size_t n);
void rene_pow(float *y, const float *x, float power, size_t n); // Fast for 2, 3, ½ and −1.

// dx[i] = dy[i]·f′, of the input x, or of the output y where named so.
#define RENE_MAP(name, of) void name(float *dx, const float *dy, const float *of, size_t n);

RENE_MAP(rene_relu_gradient, y) // Of x as well; 0 for not-a-number.
RENE_MAP(rene_sigmoid_gradient, y)
RENE_MAP(rene_tanh_gradient, y)
RENE_MAP(rene_exp_gradient, y)
RENE_MAP(rene_sqrt_gradient, y)
RENE_MAP(rene_reciprocal_gradient, y)
RENE_MAP(rene_gelu_gradient, x)
RENE_MAP(rene_gelu_tanh_gradient, x)
RENE_MAP(rene_hard_swish_gradient, x)
RENE_MAP(rene_softplus_gradient, x)
RENE_MAP(rene_mish_gradient, x)
RENE_MAP(rene_log_gradient, x)
RENE_MAP(rene_erf_gradient, x)
RENE_MAP(rene_abs_gradient, x)
#undef RENE_MAP

void rene_silu_gradient(float *dx, const float *dy, const float *x, float alpha, size_t n);
void rene_elu_gradient(float *dx, const float *dy, const float *x, float alpha, size_t n);
void rene_celu_gradient(float *dx, const float *dy, const float *x, float alpha, size_t n);
void rene_leaky_relu_gradient(float *dx, const float *dy, const float *x, float alpha, size_t n);
void rene_selu_gradient(float *dx, const float *dy, const float *x, float alpha, float gamma, size_t n);
void rene_hard_sigmoid_gradient(float *dx, const float *dy, const float *x, float alpha, float beta, size_t n);
// dy where low < x < high, else 0.
void rene_clip_gradient(float *dx, const float *dy, const float *x, float low, float high, size_t n);

// y[i] = a[i] ∘ b[i]; y[i] = a[i] ∘ s; y[r, i] = a[r, i] ∘ b[i]; y[r, i] = a[r, i] ∘ s[r]. The reverse forms compute
// b ∘ a, so that rene_reverse_div_scalar is s / a.
#define RENE_BINARY(name)                                                                                              \
    void name(float *y, const float *a, const float *b, size_t n);                                                     \
    void name##_scalar(float *y, const float *a, float s, size_t n);                                                   \
    void name##_row(float *y, const float *a, const float *b, size_t rows, size_t n);                                  \
    void name##_column(float *y, const float *a, const float *s, size_t rows, size_t n);

RENE_BINARY(rene_add)
RENE_BINARY(rene_sub)
RENE_BINARY(rene_reverse_sub)
RENE_BINARY(rene_mul)
RENE_BINARY(rene_div)
RENE_BINARY(rene_reverse_div)
RENE_BINARY(rene_min)
RENE_BINARY(rene_max)
#undef RENE_BINARY

void rene_axpy(float *y, float alpha, const float *x, size_t n); // y += alpha·x
void rene_combine(float *y, const float *a, float alpha, const float *b, float beta, size_t n); // alpha·a + beta·b
void rene_multiply_add(float *y, const float *a, const float *b, const float *c, size_t n);     // a·b + c
void rene_scale_shift(float *y, const float *a, float scale, float shift, size_t n);            // scale·a + shift
void rene_fill(float *y, float value, size_t n);

// Over n elements; of none, 0 or the infinity that any number replaces.
double rene_sum(const float *x, size_t n);
double rene_sum_of_squares(const float *x, size_t n);
double rene_sum_of_products(const float *a, const float *b, size_t n);
double rene_sum_of_magnitudes(const float *x, size_t n);
float rene_max_of(const float *x, size_t n);
float rene_min_of(const float *x, size_t n);

void rene_sum_rows(float *out, const float *x, size_t rows, size_t n);        // out[r] = Σ_i x[r, i]
void rene_add_sum_of_rows(float *out, const float *x, size_t rows, size_t n); // out[i] += Σ_r x[r, i]

// Over the last axis. Where all of a row is −∞ the result is not a number.
void rene_softmax(float *y, const float *x, size_t rows, size_t n);
void rene_log_softmax(float *y, const float *x, size_t rows, size_t n);
void rene_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t n);
void rene_log_softmax_gradient(float *dx, const float *dy, const float *y, size_t rows, size_t n);

// y = (x − mean) · inverse · scale + bias over the last axis, inverse = 1 / √(variance + epsilon). scale, bias, and the
// outputs mean[rows] and inverse[rows] may be null.
void rene_layer_norm(
    float *y, const float *x, const float *scale, const float *bias, float *mean, float *inverse, size_t rows, size_t n,
    float epsilon);
// y = x · inverse · scale, inverse = 1 / √(mean of x² + epsilon).
void rene_rms_norm(
    float *y, const float *x, const float *scale, float *inverse, size_t rows, size_t n, float epsilon);
// dscale and dbias are added to; they and scale may be null. dx may be dy.
void rene_layer_norm_gradient(
    float *dx, float *dscale, float *dbias, const float *dy, const float *x, const float *scale, const float *mean,
    const float *inverse, size_t rows, size_t n);
void rene_rms_norm_gradient(
    float *dx, float *dscale, const float *dy, const float *x, const float *scale, const float *inverse, size_t rows,
    size_t n);

// Batch normalisation of arrays [outer][channels][inner] for the channels from c0 to c1; per-channel arrays begin with
// channel 0. To split over `outer`, advance the arrays, and join or add up the per-channel results.

// mean[c], and squares[c] = Σ (x − mean[c])², to be divided by the count.
void rene_batch_moments(
    double *mean, double *squares, const float *x, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1);
// The moments of `count` and of `other_count` elements, of all channels, joined into the first.
void rene_batch_join(
    double *mean, double *squares, double count, const double *other_mean, const double *other_squares,
    double other_count, size_t channels);
// a = scale·inverse, b = bias − mean·a; scale and bias may be null.
void rene_batch_forward_coefficients(
    float *a, float *b, const float *mean, const float *inverse, const float *scale, const float *bias,
    size_t channels);
// y = x·a[c] + b[c] (+ residual), limited to low…high. residual may be null.
void rene_batch_apply(
    float *y, const float *x, const float *a, const float *b, const float *residual, float low, float high,
    size_t outer, size_t channels, size_t inner, size_t c0, size_t c1);

// Below, g is dy where low < y < high and else 0; dy itself if y is null.

// sum_g[c] = Σ g and sum_gx[c] = Σ g·(x − mean[c])·inverse[c]: the gradients of bias and scale.
void rene_batch_sums(
    double *sum_g, double *sum_gx, const float *dy, const float *y, const float *x, const float *mean,
    const float *inverse, float low, float high, size_t outer, size_t channels, size_t inner, size_t c0, size_t c1);
// a = scale·inverse, shift = a·sum_g/count, slope = a·inverse·sum_gx/count, from sums over all of the batch.
void rene_batch_gradient_coefficients(
    float *a, float *shift, float *slope, const float *inverse, const float *scale, const double *sum_g,
    const double *sum_gx, double count, size_t channels);
// dx = a·g − shift − (x − mean)·slope, with the statistics of the batch itself. The output g, of the residual's
// gradient, may be null; of dx and g one may be dy.
void rene_batch_gradient(
    float *dx, float *g, const float *dy, const float *y, const float *x, const float *mean, const float *a,
    const float *shift, const float *slope, float low, float high, size_t outer, size_t channels, size_t inner,
    size_t c0, size_t c1);
// dx = a·g, with statistics that do not depend on x.
void rene_batch_frozen_gradient(
    float *dx, float *g, const float *dy, const float *y, const float *a, float low, float high, size_t outer,
    size_t channels, size_t inner, size_t c0, size_t c1);

// Half precision (binary16) and bfloat16, to the nearest, ties to even; the first two round in place.
void rene_round_half(float *x, size_t n);
void rene_round_bfloat16(float *x, size_t n);
void rene_to_half(uint16_t *y, const float *x, size_t n);
void rene_to_bfloat16(uint16_t *y, const float *x, size_t n);
void rene_from_half(float *y, const uint16_t *x, size_t n);
void rene_from_bfloat16(float *y, const uint16_t *x, size_t n);

// g = gradient_scale·gradient + decay·w; velocity ← momentum·velocity + (1 − dampening)·g;
// w ← w − rate·(nesterov ? g + momentum·velocity : velocity). Without velocity (null): w ← w − rate·g.
void rene_sgd(
    float *w, float *velocity, const float *gradient, size_t n, float gradient_scale, float rate, float momentum,
    float dampening, float decay, int nesterov);
// g = gradient_scale·gradient + l2·w; first ← β₁·first + (1 − β₁)·g; second ← β₂·second + (1 − β₂)·g²;
// w ← (1 − rate·decay)·w − rate·(first/correction1) / (√(second/correction2) + epsilon), correction = 1 − β^step.
void rene_adamw(
    float *w, float *first, float *second, const float *gradient, size_t n, float gradient_scale, float rate,
    float beta1, float beta2, float epsilon, float decay, float l2, float correction1, float correction2);
