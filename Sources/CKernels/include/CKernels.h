#pragma once
#include <stddef.h>

#include "lane_layout.h"
#include "lanes.h"

#include "threads.h"
#include "vectors.h"

// Vector loops that BLAS lacks, each built for AVX-512, AVX2 and the baseline; the processor's best is taken at run time,
// or the next one that RENE_KERNELS (avx512, avx2, baseline) allows.
// All matrices are of single precision. Pointers need no alignment. Nothing is checked: callers know their extents.

// Which were taken: "avx512", "avx2" or "baseline".
const char *rene_kernels(void);

// Output rows that rene_correlate computes at a time, and that rene_correlation_gradient takes at a time: 8 or 4.
int rene_correlation_rows(void);

// Elements by which x and y of the functions below must be readable, and y writable, beyond `length`.
int rene_correlation_slack(void);

// Correlation of flattened planes with a table of tap offsets:
//
//     y[m·y_stride + p] = Σ_c Σ_t w[(c·taps + t)·rows + m] · x[c·x_stride + p + offsets[t]],   0 ≤ m < rows, 0 ≤ p < length
//
// `rows` is rene_correlation_rows() or 1. Cost: rows · taps · channels · length multiplications.
void rene_correlate(
    float *y, ptrdiff_t y_stride, int rows, const float *x, ptrdiff_t x_stride, const ptrdiff_t *offsets, int taps,
    int channels, const float *w, ptrdiff_t length);

// Its gradient in w for one channel, added up over images:
//
//     dw[t·rows + m] += Σ_n Σ_p dy[n·dy_image + m·dy_stride + p] · x[n·x_image + p + offsets[t]]
//
// dy must be zero from `length` to the slack.
void rene_correlation_gradient(
    float *dw, int rows, int images, const float *dy, ptrdiff_t dy_image, ptrdiff_t dy_stride, const float *x,
    ptrdiff_t x_image, const ptrdiff_t *offsets, int taps, ptrdiff_t length);
