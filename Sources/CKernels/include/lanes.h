#pragma once
#include <stddef.h>

// 2-D convolutions whose vector lanes are images. Sixteen images lie side by side as the innermost axis, so that each tap
// of each pixel is one cache line:
//
//     x[B][in_channels][in_h][in_w][16],  y[B][out_channels][out_h][out_w][16],  B = ⌈images / 16⌉
//
// Lanes beyond the last image hold any finite values; in dy they must be zero, as the weight gradient adds up all lanes.
// Weights are [out_channels][in_channels / groups][kernel_h][kernel_w]. x, y, their gradients, residual and scratch are
// aligned to 64 bytes. Nothing is checked.
//
// Each function does the share `part` of `parts` of its work, and needs a scratch of its own. Parts write different
// elements, and may run at the same time.

typedef struct {
    int blocks;
    int groups, in_channels, out_channels;
    int in_h, in_w, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
} rene_lane_conv;

typedef enum { rene_lane_forward, rene_lane_input_gradient, rene_lane_weight_gradient } rene_lane_pass;

// rene_lane_winograd is for kernels of 3×3, stride 1, dilation 1 and one group.
typedef enum { rene_lane_direct, rene_lane_winograd } rene_lane_algorithm;

// The faster of those that can do it.
rene_lane_algorithm rene_lane_conv_algorithm(const rene_lane_conv *conv, rene_lane_pass pass);

// Floats of the packed weights of a pass; 0 for the weight gradient.
size_t rene_lane_conv_packed_floats(const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm);

// Reorders (and for Winograd transforms) weights for the forward pass or the input gradient. The order depends on
// rene_kernels().
void rene_lane_conv_pack(
    const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm, const float *weights, float *packed);

// Floats of the scratch of one part.
size_t rene_lane_conv_scratch_floats(const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm);

// y = min(max(x ∗ w + bias + residual, lo), hi). bias and residual may be NULL; residual may be y. NaNs pass.
void rene_lane_conv_forward(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *x, const float *packed, const float *bias,
    const float *residual, float lo, float hi, float *y, float *scratch, int part, int parts);

// dx = ∂⟨dy, x ∗ w⟩/∂x; all elements of dx are written.
void rene_lane_conv_input_gradient(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *dy, const float *packed, float *dx,
    float *scratch, int part, int parts);

// This part's share of dw = ∂⟨dy, x ∗ w⟩/∂w, and unless NULL of db = Σ dy per output channel: each part overwrites arrays
// of its own, of the full size, which the caller adds up.
void rene_lane_conv_weight_gradient(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *x, const float *dy, float *dw, float *db,
    float *scratch, int part, int parts);
