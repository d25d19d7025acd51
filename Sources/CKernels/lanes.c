#include "lanes.h"

#include "CKernels.h"

#include <stdlib.h>
#include <string.h>

enum { line = 16 };  // floats of a cache line: the lanes of one pixel

typedef float quad __attribute__((vector_size(16)));

// One axis of a convolution from an input to an output of whichever pass. Tap j of output position o reads the input
// position n / divisor, n = o·factor − pad + j·dilation, if that is whole and within the input. Factor is the stride in
// the forward pass, divisor in the input gradient; the taps of the latter are numbered from the kernel's end.
typedef struct {
    int from, to, kernel, factor, divisor, dilation, pad;
} axis;

typedef struct {
    int blocks, groups, from, to;  // channels of one group
    axis h, w;
} layout;

// `length` input lines from x on, relative to the pixel, with the weights from w · (rows of the tile) on.
typedef struct {
    ptrdiff_t x, w;
    int length;
} span;

// What a tile of output channels × pixels sums up, and how that is stored.
typedef struct {
    const span *spans;
    int count;
    ptrdiff_t x_step, y_step, y_row;  // floats from pixel to pixel, and from channel to channel
    int finish;                       // whether bias, residual and bounds apply
    float lo, hi;
} product;

// Output columns start, start + step, … with the same taps, whose input columns advance by the axis' factor.
typedef struct {
    int start, count, first, taps;
} run;

typedef struct {
    int index, from;  // tap, and the input column it reads for the run's first output column
} tap;

// The taps of one row of pixels of a single channel: rows × columns of them.
typedef struct {
    const tap *rows, *columns;
    int row_count, column_count, kernel_w;
    ptrdiff_t row_step;  // floats
} stencil;

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }
static int ceiling(int a, int b) { return (a + b - 1) / b; }  // a > −b
static int share(long long total, int part, int parts) { return (int)(total * part / parts); }

static axis forward_axis(int from, int to, int kernel, int stride, int dilation, int pad) {
    return (axis){from, to, kernel, stride, 1, dilation, pad};
}

static axis backward_axis(int from, int to, int kernel, int stride, int dilation, int pad) {
    return (axis){from, to, kernel, 1, stride, dilation, (kernel - 1) * dilation - pad};
}

// A convolution that maps each pixel to itself has no rows: all pixels are one line of them.
static int is_pointwise(const rene_lane_conv *c) {
    return c->kernel_h == 1 && c->kernel_w == 1 && c->stride_h == 1 && c->stride_w == 1 && c->pad_top == 0 &&
           c->pad_left == 0 && c->in_h == c->out_h && c->in_w == c->out_w;
}

static rene_lane_conv flattened(const rene_lane_conv *conv) {
    rene_lane_conv c = *conv;
    if (is_pointwise(conv)) {
        c.in_w = c.out_w = c.in_h * c.in_w;
        c.in_h = c.out_h = 1;
    }
    return c;
}

static layout layout_of(const rene_lane_conv *conv, rene_lane_pass pass) {
    rene_lane_conv c = flattened(conv);
    int in = c.in_channels / c.groups, out = c.out_channels / c.groups;
    if (pass == rene_lane_input_gradient)
        return (layout){
            c.blocks, c.groups, out, in, backward_axis(c.out_h, c.in_h, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top),
            backward_axis(c.out_w, c.in_w, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left)};
    return (layout){
        c.blocks, c.groups, in, out, forward_axis(c.in_h, c.out_h, c.kernel_h, c.stride_h, c.dilation_h, c.pad_top),
        forward_axis(c.in_w, c.out_w, c.kernel_w, c.stride_w, c.dilation_w, c.pad_left)};
}

// The input position that tap j of output position o reads, or −1.
static int position(const axis *a, int o, int j) {
    int n = o * a->factor - a->pad + j * a->dilation;
    if (n < 0 || (a->divisor > 1 && n % a->divisor != 0)) return -1;
    n /= a->divisor;
    return n < a->from ? n : -1;
}

// Returns the number of runs; `runs` has room for a->to, `taps` for a->to · a->kernel.
static int find_runs(const axis *a, run *runs, tap *taps) {
    int count = 0, used = 0;
    for (int phase = 0; phase < least(a->divisor, a->to); phase++) {
        run *last = NULL;
        for (int o = phase; o < a->to; o += a->divisor) {
            run now = {o, 1, used, 0};
            for (int j = 0; j < a->kernel; j++) {
                int from = position(a, o, j);
                if (from >= 0) taps[used + now.taps++] = (tap){j, from};
            }
            int same = last != NULL && last->taps == now.taps;
            for (int t = 0; same && t < now.taps; t++) same = taps[last->first + t].index == taps[used + t].index;
            if (same) {
                last->count++;
                continue;
            }
            used += now.taps;
            last = &runs[count++];
            *last = now;
        }
    }
    return count;
}

// How a direct pass is cut: units of one output row and `width` columns of one block and group. The input rows of a unit
// are gathered as lines of [row of a ring][column][channel]: planes whose size is a power of two would share few cache
// sets, and this order is read from end to end.
typedef struct {
    int ring, width, segments;
    int column_step;  // of gathered input columns
    int columns;      // at most, gathered
    int gathers;
    size_t lines;
} cut;

static cut cut_of(const layout *l) {
    cut c = {0};
    c.gathers = l->from > 1;
    c.column_step = l->w.kernel == 1 ? l->w.factor : 1;
    if (!c.gathers) {
        c.column_step = 1;
        c.width = l->w.to;
        if (l->h.to == 1) c.width = least(c.width, 256);
    } else {
        // A third of the second-level cache, which the weights and the output share.
        c.ring = least(l->h.from, (l->h.kernel - 1) * l->h.dilation / l->h.divisor + 1);
        int columns = (160 << 10) / (c.ring * l->from * line * 4);
        int reach = (l->w.kernel - 1) * l->w.dilation / l->w.divisor;
        c.width = most(4, (columns - reach) * l->w.divisor / (l->w.factor / c.column_step));
        if (l->h.to == 1) c.width = least(c.width, 32);
        c.width = least(c.width, l->w.to);
    }
    c.segments = ceiling(l->w.to, c.width);
    c.width = ceiling(ceiling(l->w.to, c.segments), l->w.divisor) * l->w.divisor;
    c.segments = ceiling(l->w.to, c.width);
    if (c.gathers) {
        c.columns = least(
            l->w.from, (c.width * l->w.factor + (l->w.kernel - 1) * l->w.dilation) / l->w.divisor / c.column_step + 2);
        c.lines = (size_t)c.ring * c.columns * l->from;
    }
    return c;
}

static size_t lines_of(size_t bytes) { return (bytes + 63) / 64; }

static size_t direct_lines(const layout *l) {
    return cut_of(l).lines + lines_of(sizeof(run) * l->w.to) + lines_of(sizeof(tap) * l->w.to * l->w.kernel) +
           lines_of(sizeof(span) * l->h.kernel * l->w.kernel) + lines_of(sizeof(tap) * l->h.kernel);
}

// How the direct weight gradient is cut: units of `rows` × `width` outputs of one block and group, whose pixels of
// `in` × `out` channels at a time are gathered as lines of [channel][row][column], the input with its margin of zeros.
typedef struct {
    int rows, width, bands, segments;
    int in, out;
    int row_step, column_step;   // of gathered inputs
    int in_rows, in_columns;     // at most, gathered
    ptrdiff_t in_plane, out_plane;  // lines; odd, so that planes fall into different cache sets
} gradient_cut;

static gradient_cut gradient_cut_of(const layout *l) {
    gradient_cut c = {0};
    c.row_step = l->h.kernel == 1 ? l->h.factor : 1;
    c.column_step = l->w.kernel == 1 ? l->w.factor : 1;
    c.out = least(l->to, 64);
    c.segments = ceiling(l->w.to, 96);
    c.width = ceiling(l->w.to, c.segments);
    c.in_columns = (c.width - 1) * l->w.factor / c.column_step + (l->w.kernel - 1) * l->w.dilation + 1;
    // Sums over many pixels, as each ends with a sum over lanes; then as many input channels as the cache takes.
    for (c.rows = least(l->h.to, most(1, 96 / c.width));; c.rows--) {
        c.in_rows = (c.rows - 1) * l->h.factor / c.row_step + (l->h.kernel - 1) * l->h.dilation + 1;
        c.in_plane = (ptrdiff_t)c.in_rows * c.in_columns | 1;
        c.out_plane = (ptrdiff_t)c.rows * c.width | 1;
        ptrdiff_t room = (384 << 10) / 64 - c.out * c.out_plane;
        c.in = least(l->from, most(8, room / c.in_plane));
        if (c.rows == 1 || c.in * c.in_plane <= room) break;
    }
    c.in = ceiling(l->from, ceiling(l->from, c.in));
    c.bands = ceiling(l->h.to, c.rows);
    c.rows = ceiling(l->h.to, c.bands);
    return c;
}

static size_t gradient_lines(const layout *l) {
    gradient_cut c = gradient_cut_of(l);
    return c.in * c.in_plane + c.out * c.out_plane +
           lines_of(sizeof(ptrdiff_t) * (c.in * l->h.kernel * l->w.kernel + 32));
}

// Sums of products over pixels and lanes, of M output channels with N shifted inputs.
typedef struct {
    const float *dy, *x;
    ptrdiff_t dy_row, x_row, x_step;  // floats
    int rows, columns;
} sweep;

typedef void tile_function(
    const product *, const float *, const float *, const float *, const float *, float *, int);
typedef void lone_function(
    const product *, const stencil *, const float *, const float *, float, const float *, float *, int);
typedef void outer_function(const sweep *, const ptrdiff_t *, const ptrdiff_t *, float *, ptrdiff_t, int, int);

typedef struct {
    int m, n;
    outer_function *function;
} outer_kernel;

// Of several tile sizes the one that covers m × n with the least arithmetic, or loads where these are more.
static const outer_kernel *cheapest(const outer_kernel *kernels, int count, int m, int n) {
    const outer_kernel *best = NULL;
    long long least_cost = 0;
    for (int i = 0; i < count; i++) {
        int a = kernels[i].m, b = kernels[i].n;
        long long cost = (long long)ceiling(m, a) * ceiling(n, b) * most(a * b, a + b);
        if (best == NULL || cost < least_cost) best = &kernels[i], least_cost = cost;
    }
    return best;
}

// Output channels are cut into tiles of almost equal height.
static int tile_count(int channels, int most_rows) { return ceiling(channels, most_rows); }
static int tile_rows(int channels, int tiles, int t) { return channels / tiles + (t < channels % tiles); }

// How Winograd's passes are cut: `tiles` of rows × columns per block at a time, whose transforms lie as 36 planes of so
// many lines, an odd number for the sake of the cache sets.
typedef struct {
    int rows, columns, tiles;
    ptrdiff_t in, out;
} winograd_cut;

enum { most_rows_of_tiles = 12 };  // of any instruction set

static winograd_cut winograd_cut_of(const layout *l, int gradient) {
    winograd_cut c = {ceiling(l->h.to, 4), ceiling(l->w.to, 4), 0, 0, 0};
    int out = gradient ? l->to : most_rows_of_tiles;
    // The forward pass in the second-level cache; the weight gradient beyond it, as each product ends with a sum over lanes.
    int room = gradient ? 5 << 10 : 352;
    c.tiles = (room << 10) / (36 * 64 * (l->from + out));
    c.tiles = gradient ? most(8, least(c.tiles, 32)) : most(1, c.tiles);
    c.tiles = least(c.tiles, l->blocks * c.rows * c.columns);
    c.in = (ptrdiff_t)(gradient ? c.tiles | 1 : c.tiles) * l->from | 1;
    c.out = (ptrdiff_t)(gradient ? c.tiles | 1 : c.tiles) * out | 1;
    return c;
}

static size_t winograd_lines(const layout *l, int gradient) {
    winograd_cut c = winograd_cut_of(l, gradient);
    size_t lines = 36 * (c.in + c.out);
    if (gradient) lines += 36 * lines_of(sizeof(float) * l->from * l->to) + lines_of(sizeof(ptrdiff_t) * l->from);
    return lines;
}

typedef struct {
    int block, row, column;  // of its first output
} patch;

static patch patch_of(const winograd_cut *c, int tile) {
    return (patch){tile / c->columns / c->rows, tile / c->columns % c->rows * 4, tile % c->columns * 4};
}

// Points are 0, ±√½, ±√2 and ∞, with less rounding error than 0, ±½, ±2 and ∞.
#define WINOGRAD_POINT 0.70710678f

typedef void pack_function(const layout *, int, const float *, float *);
typedef void pass_function(
    const layout *, const float *, const float *, const float *, const float *, int, float, float, float *, float *, int,
    int);
typedef void gradient_function(const layout *, const float *, const float *, float *, float *, float *, int, int);

typedef struct {
    pack_function *pack, *winograd_pack;
    pass_function *direct, *winograd;
    gradient_function *gradient, *winograd_gradient;
} lane_kernels;

#define UNROLL _Pragma("clang loop unroll(full)")

#if defined(__x86_64__)

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma")))
#define LANES 16
#define MOST_ROWS 12
#define TILES(T)                                                                                                       \
    T(1, 1) T(1, 2) T(1, 4) T(1, 8) T(2, 1) T(2, 2) T(2, 4) T(2, 8) T(3, 1) T(3, 2) T(3, 4) T(3, 8) T(4, 1) T(4, 2)    \
    T(4, 4) T(5, 1) T(5, 2) T(5, 4) T(6, 1) T(6, 2) T(6, 4) T(7, 1) T(7, 2) T(8, 1) T(8, 2) T(9, 1) T(9, 2) T(10, 1)   \
    T(10, 2) T(11, 1) T(11, 2) T(12, 1) T(12, 2)
#define LONE_TILES(T) T(1) T(2) T(4) T(8) T(16)
#define OUTER_TILES(T) T(8, 3) T(6, 4) T(4, 6) T(3, 8) T(2, 12) T(1, 18)
#include "lanes_body.h"
#undef NAME
#undef TARGET
#undef LANES
#undef MOST_ROWS
#undef TILES
#undef LONE_TILES
#undef OUTER_TILES

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define MOST_ROWS 6
#define TILES(T)                                                                                                       \
    T(1, 1) T(1, 2) T(1, 3) T(1, 4) T(1, 5) T(1, 6) T(2, 1) T(2, 2) T(2, 3) T(3, 1) T(3, 2) T(4, 1) T(5, 1) T(6, 1)
#define LONE_TILES(T) T(1) T(2) T(4) T(6)
#define OUTER_TILES(T) T(4, 3) T(3, 4) T(2, 6) T(6, 2) T(1, 9)
#include "lanes_body.h"
#undef NAME
#undef TARGET
#undef LANES
#undef MOST_ROWS
#undef TILES
#undef LONE_TILES
#undef OUTER_TILES

#endif

#define NAME(x) x##_baseline
#define TARGET
#define LANES 4
#define MOST_ROWS 3
#define TILES(T) T(1, 1) T(1, 2) T(2, 1) T(3, 1)
#define LONE_TILES(T) T(1) T(2) T(3)
#define OUTER_TILES(T) T(4, 3) T(3, 4) T(2, 6) T(6, 2) T(1, 9)
#include "lanes_body.h"

#if defined(__x86_64__)
static const lane_kernels *choice(void) {
    const char *name = rene_kernels();
    if (strcmp(name, "avx512") == 0) return &lane_kernels_avx512;
    if (strcmp(name, "avx2") == 0) return &lane_kernels_avx2;
    return &lane_kernels_baseline;
}
#else
static const lane_kernels *choice(void) { return &lane_kernels_baseline; }
#endif

static const lane_kernels *best(void) {
    static const lane_kernels *chosen;
    const lane_kernels *known = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (known == NULL) {
        known = choice();
        __atomic_store_n(&chosen, known, __ATOMIC_RELAXED);
    }
    return known;
}

rene_lane_algorithm rene_lane_conv_algorithm(const rene_lane_conv *conv, rene_lane_pass pass) {
    if (conv->kernel_h != 3 || conv->kernel_w != 3 || conv->stride_h != 1 || conv->stride_w != 1 ||
        conv->dilation_h != 1 || conv->dilation_w != 1 || conv->groups != 1)
        return rene_lane_direct;
    // As measured with AVX2: the transforms are repaid from eight channels on, unless much of the tiles lies outside.
    int channels = least(conv->in_channels, conv->out_channels);
    int h = pass == rene_lane_input_gradient ? conv->in_h : conv->out_h;
    int w = pass == rene_lane_input_gradient ? conv->in_w : conv->out_w;
    double filled = (double)h * w / (16.0 * ceiling(h, 4) * ceiling(w, 4));
    double wanted = pass != rene_lane_weight_gradient && channels >= 32 ? 0.55 : 0.7;
    return channels >= 8 && filled >= wanted ? rene_lane_winograd : rene_lane_direct;
}

size_t rene_lane_conv_packed_floats(const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm) {
    if (pass == rene_lane_weight_gradient) return 0;
    int taps = algorithm == rene_lane_winograd ? 36 : conv->kernel_h * conv->kernel_w;
    return (size_t)conv->out_channels * (conv->in_channels / conv->groups) * taps;
}

void rene_lane_conv_pack(
    const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm, const float *weights, float *packed) {
    if (pass == rene_lane_weight_gradient) return;
    layout l = layout_of(conv, pass);
    (algorithm == rene_lane_winograd ? best()->winograd_pack : best()->pack)(
        &l, pass == rene_lane_input_gradient, weights, packed);
}

size_t rene_lane_conv_scratch_floats(const rene_lane_conv *conv, rene_lane_pass pass, rene_lane_algorithm algorithm) {
    layout l = layout_of(conv, pass);
    int gradient = pass == rene_lane_weight_gradient;
    if (algorithm == rene_lane_winograd) return winograd_lines(&l, gradient) * line;
    return (gradient ? gradient_lines(&l) : direct_lines(&l)) * line;
}

void rene_lane_conv_forward(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *x, const float *packed, const float *bias,
    const float *residual, float lo, float hi, float *y, float *scratch, int part, int parts) {
    layout l = layout_of(conv, rene_lane_forward);
    (algorithm == rene_lane_winograd ? best()->winograd : best()->direct)(
        &l, x, packed, bias, residual, 1, lo, hi, y, scratch, part, parts);
}

void rene_lane_conv_input_gradient(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *dy, const float *packed, float *dx,
    float *scratch, int part, int parts) {
    layout l = layout_of(conv, rene_lane_input_gradient);
    (algorithm == rene_lane_winograd ? best()->winograd : best()->direct)(
        &l, dy, packed, NULL, NULL, 0, 0, 0, dx, scratch, part, parts);
}

void rene_lane_conv_weight_gradient(
    const rene_lane_conv *conv, rene_lane_algorithm algorithm, const float *x, const float *dy, float *dw, float *db,
    float *scratch, int part, int parts) {
    layout l = layout_of(conv, rene_lane_forward);
    (algorithm == rene_lane_winograd ? best()->winograd_gradient : best()->gradient)(
        &l, x, dy, dw, db, scratch, part, parts);
}
