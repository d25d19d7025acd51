#include "CKernels.h"
#include "dispatch.h"

#if defined(__x86_64__)

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma")))
#define LANES 16
#define ROWS 8
#define VECTORS 3
#define SINGLE_VECTORS 8
#define TAPS 3
#include "correlation_body.h"
#undef NAME
#undef TARGET
#undef LANES
#undef ROWS
#undef VECTORS
#undef SINGLE_VECTORS

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 4
#define VECTORS 3
#define SINGLE_VECTORS 8
#include "correlation_body.h"
#undef NAME
#undef TARGET
#undef LANES
#undef ROWS
#undef VECTORS
#undef SINGLE_VECTORS
#undef TAPS

#endif

#define NAME(x) x##_baseline
#define TARGET
#define LANES 4
#define ROWS 4
#define VECTORS 2
#define SINGLE_VECTORS 4
#define TAPS 2
#include "correlation_body.h"

typedef void correlate(
    float *, ptrdiff_t, const float *, ptrdiff_t, const ptrdiff_t *, int, int, const float *, ptrdiff_t);
typedef void gradient(
    float *, int, const float *, ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t, const ptrdiff_t *, int, ptrdiff_t);

typedef struct {
    const char *name;
    correlate *block, *one;
    gradient *gradient_block, *gradient_one;
    int rows, taps, slack;
} kernels;

static const kernels baseline = {
    "baseline", correlate_block_baseline, correlate_one_baseline, gradient_block_baseline, gradient_one_baseline, 4, 2, 4 * 4,
};

#if defined(__x86_64__)
static const kernels avx2 = {
    "avx2", correlate_block_avx2, correlate_one_avx2, gradient_block_avx2, gradient_one_avx2, 4, 3, 8 * 8,
};
static const kernels avx512 = {
    "avx512", correlate_block_avx512, correlate_one_avx512, gradient_block_avx512, gradient_one_avx512, 8, 3, 16 * 8,
};

static const kernels *best(void) {
    static const kernels *const forms[] = {&baseline, &avx2, &avx512};
    return forms[rene_vector_set()];
}
#else
static const kernels *best(void) { return &baseline; }
#endif

const char *rene_kernels(void) { return best()->name; }

int rene_correlation_rows(void) { return best()->rows; }

int rene_correlation_slack(void) { return best()->slack; }

void rene_correlate(
    float *y, ptrdiff_t y_stride, int rows, const float *x, ptrdiff_t x_stride, const ptrdiff_t *offsets, int taps,
    int channels, const float *w, ptrdiff_t length) {
    const kernels *kernels = best();
    (rows == 1 ? kernels->one : kernels->block)(y, y_stride, x, x_stride, offsets, taps, channels, w, length);
}

void rene_correlation_gradient(
    float *dw, int rows, int images, const float *dy, ptrdiff_t dy_image, ptrdiff_t dy_stride, const float *x,
    ptrdiff_t x_image, const ptrdiff_t *offsets, int taps, ptrdiff_t length) {
    const kernels *kernels = best();
    gradient *gradient = rows == 1 ? kernels->gradient_one : kernels->gradient_block;
    for (int t = 0; t < taps; t += kernels->taps) {
        int count = taps - t < kernels->taps ? taps - t : kernels->taps;
        gradient(dw + t * rows, images, dy, dy_image, dy_stride, x, x_image, offsets + t, count, length);
    }
}
