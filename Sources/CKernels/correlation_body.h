// Included once for each instruction set, with LANES, ROWS, VECTORS (of one row of a block), SINGLE_VECTORS (of one row
// alone), TAPS (of a block of the gradient), TARGET and NAME(x) defined. Block sizes are such that all sums, one vector
// of each input and a broadcast fit the registers.

typedef float NAME(vector) __attribute__((vector_size(LANES * 4), aligned(4)));

#define CORRELATE(function, rows, vectors)                                                                             \
    TARGET static void NAME(function)(                                                                                 \
        float *restrict y, ptrdiff_t y_stride, const float *restrict x, ptrdiff_t x_stride,                            \
        const ptrdiff_t *restrict offsets, int taps, int channels, const float *restrict w, ptrdiff_t length) {        \
        for (ptrdiff_t p = 0; p < length; p += LANES * vectors) {                                                      \
            NAME(vector) sum[rows][vectors];                                                                           \
            for (int m = 0; m < rows; m++)                                                                             \
                for (int v = 0; v < vectors; v++) sum[m][v] = (NAME(vector)){0};                                       \
            const float *weight = w;                                                                                   \
            for (int c = 0; c < channels; c++) {                                                                       \
                const float *plane = x + c * x_stride + p;                                                             \
                for (int t = 0; t < taps; t++, weight += rows) {                                                       \
                    const float *from = plane + offsets[t];                                                            \
                    NAME(vector) in[vectors];                                                                          \
                    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                               \
                        in[v] = *(const NAME(vector) *)(from + v * LANES);                                             \
                    _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++)                                  \
                        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                           \
                            sum[m][v] += weight[m] * in[v];                                                            \
                }                                                                                                      \
            }                                                                                                          \
            for (int m = 0; m < rows; m++)                                                                             \
                for (int v = 0; v < vectors; v++) *(NAME(vector) *)(y + m * y_stride + p + v * LANES) = sum[m][v];     \
        }                                                                                                              \
    }

CORRELATE(correlate_block, ROWS, VECTORS)
CORRELATE(correlate_one, 1, SINGLE_VECTORS)

// `count` taps from `offsets`, at most TAPS; the sums of the rest are not used.
#define GRADIENT(function, rows, taps_at_once)                                                                         \
    TARGET static void NAME(function)(                                                                                 \
        float *restrict dw, int images, const float *restrict dy, ptrdiff_t dy_image, ptrdiff_t dy_stride,             \
        const float *restrict x, ptrdiff_t x_image, const ptrdiff_t *restrict offsets, int count, ptrdiff_t length) {  \
        NAME(vector) sum[rows][taps_at_once];                                                                          \
        ptrdiff_t offset[taps_at_once];                                                                                \
        for (int t = 0; t < taps_at_once; t++) {                                                                       \
            offset[t] = offsets[t < count ? t : 0];                                                                    \
            for (int m = 0; m < rows; m++) sum[m][t] = (NAME(vector)){0};                                              \
        }                                                                                                              \
        for (int n = 0; n < images; n++) {                                                                             \
            const float *gradient = dy + n * dy_image;                                                                 \
            const float *from = x + n * x_image;                                                                       \
            for (ptrdiff_t p = 0; p < length; p += LANES) {                                                            \
                NAME(vector) in[taps_at_once];                                                                         \
                _Pragma("clang loop unroll(full)") for (int t = 0; t < taps_at_once; t++)                              \
                    in[t] = *(const NAME(vector) *)(from + p + offset[t]);                                             \
                _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++) {                                    \
                    NAME(vector) out = *(const NAME(vector) *)(gradient + m * dy_stride + p);                          \
                    _Pragma("clang loop unroll(full)") for (int t = 0; t < taps_at_once; t++)                          \
                        sum[m][t] += out * in[t];                                                                      \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int t = 0; t < count; t++)                                                                                \
            for (int m = 0; m < rows; m++) {                                                                           \
                float total = 0;                                                                                       \
                for (int lane = 0; lane < LANES; lane++) total += sum[m][t][lane];                                     \
                dw[t * rows + m] += total;                                                                             \
            }                                                                                                          \
    }

GRADIENT(gradient_block, ROWS, TAPS)
GRADIENT(gradient_one, 1, TAPS)

#undef CORRELATE
#undef GRADIENT
