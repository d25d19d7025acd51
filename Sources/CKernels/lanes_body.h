// Included once for each instruction set, with LANES (of a vector), MOST_ROWS (of a tile), TILES(T) (their rows and
// pixels; one pixel for each number of rows), LONE_TILES(T), OUTER_TILES(T), TARGET and NAME(x) defined. Tile sizes are such that all
// sums, the vectors of one pixel and a broadcast fit the registers, and that there are sums enough to hide the latency
// of a multiplication where the channels allow it.

#define VECTORS (line / LANES)

typedef float NAME(vector) __attribute__((vector_size(LANES * 4)));
typedef int NAME(mask) __attribute__((vector_size(LANES * 4)));

// y[m][p] = Σ over spans and their lines i of w[i·R + m] · x[p][i],   m < R, p < P·tiles
#define TILE(R, P)                                                                                                     \
    TARGET static void NAME(tile_##R##_##P)(                                                                           \
        const product *k, const float *restrict x, const float *restrict w, const float *bias, const float *residual,  \
        float *y, int tiles) {                                                                                         \
        ptrdiff_t x_step = k->x_step, y_step = k->y_step, y_row = k->y_row;                                            \
        for (int tile = 0; tile < tiles; tile++, x += P * x_step, y += P * y_step) {                                   \
            NAME(vector) sum[R][P][VECTORS];                                                                           \
            UNROLL for (int m = 0; m < R; m++) UNROLL for (int p = 0; p < P; p++)                                      \
                UNROLL for (int v = 0; v < VECTORS; v++) sum[m][p][v] = (NAME(vector)){0};                             \
            for (int s = 0; s < k->count; s++) {                                                                       \
                const float *from = x + k->spans[s].x, *weight = w + k->spans[s].w * R;                                \
                for (int i = k->spans[s].length; i > 0; i--, from += line, weight += R) {                              \
                    if (R < P * VECTORS) {                                                                             \
                        NAME(vector) factor[R];                                                                        \
                        UNROLL for (int m = 0; m < R; m++) factor[m] = weight[m] - (NAME(vector)){0};                  \
                        UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < VECTORS; v++) {                  \
                            NAME(vector) in = *(const NAME(vector) *)(from + p * x_step + v * LANES);                  \
                            UNROLL for (int m = 0; m < R; m++) sum[m][p][v] += factor[m] * in;                         \
                        }                                                                                              \
                    } else {                                                                                           \
                        NAME(vector) in[P][VECTORS];                                                                   \
                        UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < VECTORS; v++)                    \
                            in[p][v] = *(const NAME(vector) *)(from + p * x_step + v * LANES);                         \
                        UNROLL for (int m = 0; m < R; m++) UNROLL for (int p = 0; p < P; p++)                          \
                            UNROLL for (int v = 0; v < VECTORS; v++) sum[m][p][v] += weight[m] * in[p][v];             \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
            if (k->finish) {                                                                                           \
                NAME(vector) lo = k->lo - (NAME(vector)){0}, hi = k->hi - (NAME(vector)){0};                           \
                UNROLL for (int m = 0; m < R; m++) UNROLL for (int p = 0; p < P; p++)                                  \
                    UNROLL for (int v = 0; v < VECTORS; v++) {                                                         \
                    NAME(vector) value = sum[m][p][v];                                                                 \
                    if (bias != NULL) value += bias[m];                                                                \
                    if (residual != NULL)                                                                              \
                        value += *(const NAME(vector) *)(residual + m * y_row + p * y_step + v * LANES);               \
                    sum[m][p][v] = NAME(bounded)(value, lo, hi);                                                       \
                }                                                                                                      \
                if (residual != NULL) residual += P * y_step;                                                          \
            }                                                                                                          \
            UNROLL for (int m = 0; m < R; m++) UNROLL for (int p = 0; p < P; p++)                                      \
                UNROLL for (int v = 0; v < VECTORS; v++)                                                               \
                    *(NAME(vector) *)(y + m * y_row + p * y_step + v * LANES) = sum[m][p][v];                          \
        }                                                                                                              \
    }

// min(max(x, lo), hi), or x where it is not a number.
TARGET static inline NAME(vector) NAME(bounded)(NAME(vector) x, NAME(vector) lo, NAME(vector) hi) {
    NAME(mask) low = x < lo;
    x = (NAME(vector))((low & (NAME(mask))lo) | (~low & (NAME(mask))x));
    NAME(mask) high = x > hi;
    return (NAME(vector))((high & (NAME(mask))hi) | (~high & (NAME(mask))x));
}

TILES(TILE)

enum { NAME(most_pixels) = 8 };

#define ENTRY(R, P) [R][P] = NAME(tile_##R##_##P),
static tile_function *const NAME(tiles)[MOST_ROWS + 1][NAME(most_pixels) + 1] = {TILES(ENTRY)};
#undef ENTRY

// A row of `count` pixels of one tile of channels.
static void NAME(multiply)(
    const product *k, int rows, const float *x, const float *w, const float *bias, const float *residual, float *y,
    int count) {
    for (int pixels = NAME(most_pixels); count > 0; pixels--) {
        tile_function *tile = NAME(tiles)[rows][pixels];
        int tiles = count / pixels;
        if (tile == NULL || tiles == 0) continue;
        tile(k, x, w, bias, residual, y, tiles);
        int done = tiles * pixels;
        x += done * k->x_step;
        y += done * k->y_step;
        if (residual != NULL) residual += done * k->y_step;
        count -= done;
    }
}

// The same of a single channel from a single one, whose taps are too few to be listed for each row as spans.
#define LONE(P)                                                                                                        \
    TARGET static void NAME(lone_##P)(                                                                                 \
        const product *k, const stencil *taps, const float *restrict x, const float *restrict w, float bias,           \
        const float *residual, float *y, int tiles) {                                                                  \
        ptrdiff_t x_step = k->x_step, y_step = k->y_step;                                                              \
        NAME(vector) lo = k->lo - (NAME(vector)){0}, hi = k->hi - (NAME(vector)){0};                                   \
        for (int tile = 0; tile < tiles; tile++, x += P * x_step, y += P * y_step) {                                   \
            NAME(vector) sum[P][VECTORS];                                                                              \
            UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < VECTORS; v++)                                \
                sum[p][v] = bias - (NAME(vector)){0};                                                                  \
            for (int a = 0; a < taps->row_count; a++) {                                                                \
                const float *row = x + taps->rows[a].from * taps->row_step;                                            \
                const float *weights = w + taps->rows[a].index * taps->kernel_w;                                       \
                for (int b = 0; b < taps->column_count; b++) {                                                         \
                    const float *from = row + (ptrdiff_t)taps->columns[b].from * line;                                 \
                    NAME(vector) factor = weights[taps->columns[b].index] - (NAME(vector)){0};                         \
                    UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < VECTORS; v++)                        \
                        sum[p][v] += factor * *(const NAME(vector) *)(from + p * x_step + v * LANES);                  \
                }                                                                                                      \
            }                                                                                                          \
            UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < VECTORS; v++) {                              \
                NAME(vector) value = sum[p][v];                                                                        \
                if (residual != NULL) value += *(const NAME(vector) *)(residual + p * y_step + v * LANES);             \
                if (k->finish) value = NAME(bounded)(value, lo, hi);                                                   \
                *(NAME(vector) *)(y + p * y_step + v * LANES) = value;                                                 \
            }                                                                                                          \
            if (residual != NULL) residual += P * y_step;                                                              \
        }                                                                                                              \
    }

LONE_TILES(LONE)

enum { NAME(most_lone_pixels) = 16 };

#define ENTRY(P) [P] = NAME(lone_##P),
static lone_function *const NAME(lones)[NAME(most_lone_pixels) + 1] = {LONE_TILES(ENTRY)};
#undef ENTRY

static void NAME(multiply_lone)(
    const product *k, const stencil *taps, const float *x, const float *w, float bias, const float *residual, float *y,
    int count) {
    for (int pixels = NAME(most_lone_pixels); count > 0; pixels--) {
        lone_function *lone = NAME(lones)[pixels];
        int tiles = count / pixels;
        if (lone == NULL || tiles == 0) continue;
        lone(k, taps, x, w, bias, residual, y, tiles);
        int done = tiles * pixels;
        x += done * k->x_step;
        y += done * k->y_step;
        if (residual != NULL) residual += done * k->y_step;
        count -= done;
    }
}

// packed[group][tile][tap][channel][row of the tile], taps in the order of the axes.
static void NAME(pack)(const layout *l, int backward, const float *weights, float *packed) {
    int taps = l->h.kernel * l->w.kernel, tiles = tile_count(l->to, MOST_ROWS);
    for (int group = 0; group < l->groups; group++, weights += (ptrdiff_t)l->from * l->to * taps)
        for (int t = 0, m = 0; t < tiles; m += tile_rows(l->to, tiles, t++))
            for (int j = 0; j < taps; j++)
                for (int c = 0; c < l->from; c++)
                    for (int r = 0; r < tile_rows(l->to, tiles, t); r++)
                        *packed++ = backward ? weights[((ptrdiff_t)c * l->to + m + r) * taps + taps - 1 - j]
                                             : weights[((ptrdiff_t)(m + r) * l->from + c) * taps + j];
}

// Copies one input row, columns `first`, first + step, … into [column][channel].
TARGET static void NAME(gather_row)(
    const layout *l, const cut *c, const float *x, int row, int first, int columns, float *restrict to) {
    ptrdiff_t plane = (ptrdiff_t)l->h.from * l->w.from * line;
    const float *from = x + ((ptrdiff_t)row * l->w.from + first) * line;
    for (int channel = 0; channel < l->from; channel++)
        for (int column = 0; column < columns; column++)
            memcpy(
                to + ((ptrdiff_t)column * l->from + channel) * line,
                from + channel * plane + (ptrdiff_t)column * c->column_step * line, line * sizeof(float));
}

static void NAME(direct)(
    const layout *l, const float *x, const float *packed, const float *bias, const float *residual, int finish, float lo,
    float hi, float *y, float *scratch, int part, int parts) {
    cut c = cut_of(l);
    float *ring = scratch;
    float *rest = ring + c.lines * line;
    run *runs = (run *)rest;
    tap *taps = (tap *)(rest += lines_of(sizeof(run) * l->w.to) * line);
    span *spans = (span *)(rest += lines_of(sizeof(tap) * l->w.to * l->w.kernel) * line);
    tap *row_taps = (tap *)(rest += lines_of(sizeof(span) * l->h.kernel * l->w.kernel) * line);
    int run_count = find_runs(&l->w, runs, taps);

    int tiles = tile_count(l->to, MOST_ROWS), kernel = l->h.kernel * l->w.kernel;
    ptrdiff_t from_plane = (ptrdiff_t)l->h.from * l->w.from * line, to_plane = (ptrdiff_t)l->h.to * l->w.to * line;
    ptrdiff_t pixel = c.gathers ? l->from * line : line;
    ptrdiff_t ring_row = c.gathers ? c.columns * pixel : l->w.from * line;
    product k = {spans, 0, l->w.factor / c.column_step * pixel, l->w.divisor * line, to_plane, finish, lo, hi};

    long long units = (long long)l->blocks * l->groups * c.segments * l->h.to, previous = -1;
    int next_row = 0;
    for (int unit = share(units, part, parts); unit < share(units, part + 1, parts); unit++) {
        int row = unit % l->h.to, strip = unit / l->h.to;
        int segment = strip % c.segments, image = strip / c.segments, group = image % l->groups;
        if (strip != previous) next_row = 0;
        previous = strip;

        const float *planes = x + image * l->from * from_plane;
        ptrdiff_t out = image * l->to * to_plane + (ptrdiff_t)row * l->w.to * line;
        const float *weights = packed + (ptrdiff_t)group * l->from * l->to * kernel;
        int begin = segment * c.width, end = least(begin + c.width, l->w.to);

        int rows = 0;
        for (int j = 0; j < l->h.kernel; j++) {
            int from = position(&l->h, row, j);
            if (from >= 0) row_taps[rows++] = (tap){j, from};
        }
        int first = 0;
        if (c.gathers) {
            int lowest = begin * l->w.factor - l->w.pad;
            int highest = (end - 1) * l->w.factor - l->w.pad + (l->w.kernel - 1) * l->w.dilation;
            first = lowest >= 0 ? ceiling(lowest, l->w.divisor)
                                : c.column_step == 1 ? 0 : lowest + ceiling(-lowest, c.column_step) * c.column_step;
            int last = highest < 0 ? -1 : least(l->w.from - 1, highest / l->w.divisor);
            int columns = last < first ? 0 : (last - first) / c.column_step + 1;
            if (rows > 0) {
                // From the first row within reach on, though it be none of this row's taps: later rows may want it.
                int reach = most(0, row * l->h.factor - l->h.pad);
                for (int from = most(next_row, ceiling(reach, l->h.divisor)); from <= row_taps[rows - 1].from; from++)
                    NAME(gather_row)(l, &c, planes, from, first, columns, ring + from % c.ring * ring_row);
                next_row = most(next_row, row_taps[rows - 1].from + 1);
            }
            for (int r = 0; r < rows; r++) row_taps[r].from %= c.ring;
        }

        for (int r = 0; r < run_count; r++) {
            run now = runs[r];
            int skipped = most(0, ceiling(begin - now.start, l->w.divisor));
            int count = least(now.count, ceiling(end - now.start, l->w.divisor)) - skipped;
            if (count <= 0) continue;
            ptrdiff_t at = out + (ptrdiff_t)(now.start + skipped * l->w.divisor) * line;
            if (l->from == 1 && l->to == 1) {
                stencil s = {row_taps, taps + now.first, rows, now.taps, l->w.kernel, ring_row};
                NAME(multiply_lone)(
                    &k, &s, planes + skipped * k.x_step, weights, bias == NULL ? 0 : bias[group],
                    residual == NULL ? NULL : residual + at, y + at, count);
                continue;
            }
            k.count = 0;
            for (int a = 0; a < rows; a++)
                for (int b = 0; b < now.taps; b++) {
                    tap column = taps[now.first + b];
                    int place = (column.from + skipped * l->w.factor - first) / c.column_step;
                    span one = {
                        row_taps[a].from * ring_row + place * pixel,
                        ((ptrdiff_t)row_taps[a].index * l->w.kernel + column.index) * l->from, l->from};
                    span *last = spans + k.count - 1;
                    if (k.count > 0 && last->x + last->length * line == one.x && last->w + last->length == one.w)
                        last->length += one.length;
                    else
                        spans[k.count++] = one;
                }
            for (int t = 0, m = 0; t < tiles; m += tile_rows(l->to, tiles, t++))
                NAME(multiply)(
                    &k, tile_rows(l->to, tiles, t), c.gathers ? ring : planes, weights + (ptrdiff_t)kernel * l->from * m,
                    bias == NULL ? NULL : bias + group * l->to + m,
                    residual == NULL ? NULL : residual + at + m * to_plane, y + at + m * to_plane, count);
        }
    }
}

TARGET static inline quad NAME(folded)(NAME(vector) v) {
#if LANES == 4
    return v;
#elif LANES == 8
    return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    return (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7)) +
           (__builtin_shufflevector(v, v, 8, 9, 10, 11) + __builtin_shufflevector(v, v, 12, 13, 14, 15));
#endif
}

// The sums of the lanes of four vectors.
TARGET static inline quad NAME(totals)(NAME(vector) a, NAME(vector) b, NAME(vector) c, NAME(vector) d) {
    quad e = NAME(folded)(a), f = NAME(folded)(b), g = NAME(folded)(c), h = NAME(folded)(d);
    quad ef = __builtin_shufflevector(e, f, 0, 4, 1, 5) + __builtin_shufflevector(e, f, 2, 6, 3, 7);
    quad gh = __builtin_shufflevector(g, h, 0, 4, 1, 5) + __builtin_shufflevector(g, h, 2, 6, 3, 7);
    return __builtin_shufflevector(ef, gh, 0, 1, 4, 5) + __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
}

// c[m·c_row + n] += Σ over rows, columns and lanes of dy[out_offsets[m] + …] · x[in_offsets[n] + …], m < rows, n < columns
#define OUTER(M, N)                                                                                                    \
    TARGET static void NAME(outer_##M##_##N)(                                                                          \
        const sweep *s, const ptrdiff_t *out_offsets, const ptrdiff_t *in_offsets, float *c, ptrdiff_t c_row, int rows,\
        int columns) {                                                                                                 \
        NAME(vector) sum[M][N];                                                                                        \
        const float *out[M], *in[N];                                                                                   \
        ptrdiff_t x_step = s->x_step;                                                                                  \
        UNROLL for (int m = 0; m < M; m++) UNROLL for (int n = 0; n < N; n++) sum[m][n] = (NAME(vector)){0};           \
        for (int r = 0; r < s->rows; r++) {                                                                            \
            UNROLL for (int m = 0; m < M; m++) out[m] = s->dy + r * s->dy_row + out_offsets[m];                        \
            UNROLL for (int n = 0; n < N; n++) in[n] = s->x + r * s->x_row + in_offsets[n];                            \
            ptrdiff_t end = (ptrdiff_t)s->columns * line;                                                              \
            for (ptrdiff_t p = 0, q = 0; p < end; p += line, q += x_step)                                              \
                UNROLL for (int v = 0; v < VECTORS; v++) {                                                             \
                    if (M < N) {                                                                                       \
                        NAME(vector) a[M];                                                                             \
                        UNROLL for (int m = 0; m < M; m++) a[m] = *(const NAME(vector) *)(out[m] + p + v * LANES);     \
                        UNROLL for (int n = 0; n < N; n++) {                                                           \
                            NAME(vector) b = *(const NAME(vector) *)(in[n] + q + v * LANES);                           \
                            UNROLL for (int m = 0; m < M; m++) sum[m][n] += a[m] * b;                                  \
                        }                                                                                              \
                    } else {                                                                                           \
                        NAME(vector) b[N];                                                                             \
                        UNROLL for (int n = 0; n < N; n++) b[n] = *(const NAME(vector) *)(in[n] + q + v * LANES);      \
                        UNROLL for (int m = 0; m < M; m++) {                                                           \
                            NAME(vector) a = *(const NAME(vector) *)(out[m] + p + v * LANES);                          \
                            UNROLL for (int n = 0; n < N; n++) sum[m][n] += a * b[n];                                  \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
        }                                                                                                              \
        const NAME(vector) *sums = &sum[0][0];                                                                         \
        quad totals[(M * N + 3) / 4];                                                                                  \
        UNROLL for (int i = 0; i < M * N; i += 4)                                                                      \
            totals[i / 4] = NAME(totals)(                                                                              \
                sums[i], sums[i + 1 < M * N ? i + 1 : i], sums[i + 2 < M * N ? i + 2 : i],                             \
                sums[i + 3 < M * N ? i + 3 : i]);                                                                      \
        if (rows >= M && columns >= N) {                                                                               \
            UNROLL for (int m = 0; m < M; m++) UNROLL for (int n = 0; n < N; n++)                                      \
                c[m * c_row + n] += totals[(m * N + n) / 4][(m * N + n) % 4];                                          \
        } else {                                                                                                       \
            for (int m = 0; m < least(M, rows); m++)                                                                   \
                for (int n = 0; n < least(N, columns); n++)                                                            \
                    c[m * c_row + n] += totals[(m * N + n) / 4][(m * N + n) % 4];                                      \
        }                                                                                                              \
    }

OUTER_TILES(OUTER)

#define ENTRY(M, N) {M, N, NAME(outer_##M##_##N)},
static const outer_kernel NAME(outers)[] = {OUTER_TILES(ENTRY)};
#undef ENTRY

// c[m·c_row + n] += Σ over pixels and lanes, for all m < rows and n < columns; out channels lie out_step floats apart.
static void NAME(accumulate)(
    const sweep *s, int rows, int columns, ptrdiff_t out_step, const ptrdiff_t *in_offsets, float *c, ptrdiff_t c_row) {
    const outer_kernel *k = cheapest(NAME(outers), sizeof NAME(outers) / sizeof *NAME(outers), rows, columns);
    ptrdiff_t out_offsets[32], last_offsets[32];
    for (int m = 0; m < rows; m += k->m) {
        // Rows and columns beyond the last repeat it, and are dropped.
        for (int i = 0; i < k->m; i++) out_offsets[i] = least(m + i, rows - 1) * out_step;
        for (int n = 0; n < columns; n += k->n) {
            const ptrdiff_t *offsets = in_offsets + n;
            if (n + k->n > columns) {
                for (int i = 0; i < k->n; i++) last_offsets[i] = in_offsets[least(n + i, columns - 1)];
                offsets = last_offsets;
            }
            k->function(s, out_offsets, offsets, c + m * c_row + n, c_row, rows - m, columns - n);
        }
    }
}

TARGET static void NAME(gather_input)(
    const layout *l, const gradient_cut *c, const float *x, int channels, int row, int column, int rows, int columns,
    float *restrict to) {
    for (int channel = 0; channel < channels; channel++)
        for (int r = 0; r < rows; r++) {
            int from_row = row + r * c->row_step;
            float *out = to + (channel * c->in_plane + (ptrdiff_t)r * c->in_columns) * line;
            if (from_row < 0 || from_row >= l->h.from) {
                memset(out, 0, (size_t)columns * line * sizeof(float));
                continue;
            }
            const float *from = x + ((ptrdiff_t)channel * l->h.from + from_row) * l->w.from * line;
            for (int k = 0; k < columns; k++) {
                int at = column + k * c->column_step;
                if (at >= 0 && at < l->w.from)
                    memcpy(out + k * line, from + (ptrdiff_t)at * line, line * sizeof(float));
                else
                    memset(out + k * line, 0, line * sizeof(float));
            }
        }
}

// Also adds the sums of the channels to db, unless that is NULL.
TARGET static void NAME(gather_output)(
    const layout *l, const gradient_cut *c, const float *dy, int channels, int row, int column, int rows, int columns,
    float *restrict to, float *db) {
    for (int channel = 0; channel < channels; channel++) {
        quad sum[4] = {0};
        for (int r = 0; r < rows; r++) {
            const float *from = dy + (((ptrdiff_t)channel * l->h.to + row + r) * l->w.to + column) * line;
            float *out = to + (channel * c->out_plane + (ptrdiff_t)r * c->width) * line;
            memcpy(out, from, (size_t)columns * line * sizeof(float));
            if (db != NULL)
                for (int k = 0; k < columns; k++)
                    for (int q = 0; q < 4; q++) sum[q] += *(const quad *)(out + k * line + q * 4);
        }
        quad total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        if (db != NULL) db[channel] += (total[0] + total[1]) + (total[2] + total[3]);
    }
}

static void NAME(gradient)(
    const layout *l, const float *x, const float *dy, float *dw, float *db, float *scratch, int part, int parts) {
    gradient_cut c = gradient_cut_of(l);
    float *in = scratch, *out = in + c.in * c.in_plane * line;
    ptrdiff_t *offsets = (ptrdiff_t *)(out + c.out * c.out_plane * line);
    int kernel = l->h.kernel * l->w.kernel;
    memset(dw, 0, sizeof(float) * l->groups * l->to * l->from * kernel);
    if (db != NULL) memset(db, 0, sizeof(float) * l->groups * l->to);
    for (int channel = 0, i = 0; channel < c.in; channel++)
        for (int a = 0; a < l->h.kernel; a++)
            for (int b = 0; b < l->w.kernel; b++)
                offsets[i++] =
                    (channel * c.in_plane + (ptrdiff_t)a * l->h.dilation * c.in_columns + b * l->w.dilation) * line;

    ptrdiff_t from_plane = (ptrdiff_t)l->h.from * l->w.from * line, to_plane = (ptrdiff_t)l->h.to * l->w.to * line;
    long long units = (long long)l->blocks * l->groups * c.bands * c.segments;
    for (int unit = share(units, part, parts); unit < share(units, part + 1, parts); unit++) {
        int segment = unit % c.segments, band = unit / c.segments % c.bands, image = unit / c.segments / c.bands;
        int group = image % l->groups;
        int row = band * c.rows, rows = least(c.rows, l->h.to - row);
        int column = segment * c.width, columns = least(c.width, l->w.to - column);
        if (rows <= 0 || columns <= 0) continue;
        int in_rows = (rows - 1) * l->h.factor / c.row_step + (l->h.kernel - 1) * l->h.dilation + 1;
        int in_columns = (columns - 1) * l->w.factor / c.column_step + (l->w.kernel - 1) * l->w.dilation + 1;
        sweep s = {
            out, in, c.width * line, l->h.factor / c.row_step * c.in_columns * (ptrdiff_t)line,
            l->w.factor / c.column_step * line, rows, columns};
        for (int m = 0; m < l->to; m += c.out) {
            int outs = least(c.out, l->to - m);
            NAME(gather_output)(
                l, &c, dy + (image * l->to + m) * to_plane, outs, row, column, rows, columns, out,
                db == NULL ? NULL : db + group * l->to + m);
            for (int n = 0; n < l->from; n += c.in) {
                int ins = least(c.in, l->from - n);
                if (m == 0 || c.in < l->from)
                    NAME(gather_input)(
                        l, &c, x + (image * l->from + n) * from_plane, ins, row * l->h.factor - l->h.pad,
                        column * l->w.factor - l->w.pad, in_rows, in_columns, in);
                NAME(accumulate)(
                    &s, outs, ins * kernel, c.out_plane * line, offsets,
                    dw + ((ptrdiff_t)(group * l->to + m) * l->from + n) * kernel, (ptrdiff_t)l->from * kernel);
            }
        }
    }
}

#include "lanes_winograd_body.h"

static const lane_kernels NAME(lane_kernels) = {
    NAME(pack), NAME(winograd_pack), NAME(direct), NAME(winograd), NAME(gradient), NAME(winograd_gradient),
};

#undef TILE
#undef LONE
#undef OUTER
#undef VECTORS
