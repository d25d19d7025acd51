// Included by lanes_body.h. Winograd's convolution of tiles, of a kernel of 3×3 with stride 1: with B, G and A of the points
// 0, ±POINT, ±1/POINT, ∞,
//
//     y = Aᵀ[Σ_c (G w Gᵀ) ⊙ (Bᵀ x B)]A          tiles of 4×4 outputs from 6×6 inputs, G of 3 columns, A of 4
//     dw = Aᵀ[Σ_tiles (G dy Gᵀ) ⊙ (Bᵀ x B)]A    3×3 of 4×4 and 6×6, G of 4 columns, A of 3
//
// which multiplies 36 times where the sum itself would 144 times. Bᵀ has the coefficients of Π(z − p) without the factor of
// the row's point, in increasing powers; G has those powers over the product of the distances from the other points.

#define A1 WINOGRAD_POINT
#define B1 (1 / A1)
#define A2 (A1 * A1)
#define B2 (B1 * B1)
#define GA (1 / (2 * A2 * (A2 - B2)))
#define GB (1 / (2 * B2 * (B2 - A2)))
#define STEP(i) *(NAME(vector) *)(out + (i) * step)

typedef NAME(vector) NAME(v);

// One axis of Bᵀ: A1·B1 = 1, so the product of all squares is 1.
TARGET static inline __attribute__((always_inline)) void NAME(input_axis)(
    NAME(v) d0, NAME(v) d1, NAME(v) d2, NAME(v) d3, NAME(v) d4, NAME(v) d5, float *out, ptrdiff_t step) {
    NAME(v) even_a = d4 - B2 * d2, odd_a = d3 - B2 * d1, even_b = d4 - A2 * d2, odd_b = d3 - A2 * d1;
    STEP(0) = (d0 + d4) - (A2 + B2) * d2;
    STEP(1) = even_a + A1 * odd_a;
    STEP(2) = even_a - A1 * odd_a;
    STEP(3) = even_b + B1 * odd_b;
    STEP(4) = even_b - B1 * odd_b;
    STEP(5) = (d1 + d5) - (A2 + B2) * d3;
}

// One axis of G with four columns.
TARGET static inline __attribute__((always_inline)) void NAME(gradient_axis)(
    NAME(v) d0, NAME(v) d1, NAME(v) d2, NAME(v) d3, float *out, ptrdiff_t step) {
    NAME(v) even_a = GA * d0 + (A2 * GA) * d2, odd_a = (A1 * GA) * d1 + (A1 * A2 * GA) * d3;
    NAME(v) even_b = GB * d0 + (B2 * GB) * d2, odd_b = (B1 * GB) * d1 + (B1 * B2 * GB) * d3;
    STEP(0) = d0;
    STEP(1) = even_a + odd_a;
    STEP(2) = even_a - odd_a;
    STEP(3) = even_b + odd_b;
    STEP(4) = even_b - odd_b;
    STEP(5) = d3;
}

// One axis of Aᵀ with four rows.
TARGET static inline __attribute__((always_inline)) void NAME(output_axis)(
    NAME(v) m0, NAME(v) m1, NAME(v) m2, NAME(v) m3, NAME(v) m4, NAME(v) m5, float *out, ptrdiff_t step) {
    NAME(v) even_a = m1 + m2, odd_a = m1 - m2, even_b = m3 + m4, odd_b = m3 - m4;
    STEP(0) = (m0 + even_a) + even_b;
    STEP(1) = A1 * odd_a + B1 * odd_b;
    STEP(2) = A2 * even_a + B2 * even_b;
    STEP(3) = (A1 * A2) * odd_a + ((B1 * B2) * odd_b + m5);
}

// One axis of Aᵀ with three rows.
TARGET static inline __attribute__((always_inline)) void NAME(weight_axis)(
    NAME(v) m0, NAME(v) m1, NAME(v) m2, NAME(v) m3, NAME(v) m4, NAME(v) m5, float *out, ptrdiff_t step) {
    NAME(v) even_a = m1 + m2, odd_a = m1 - m2, even_b = m3 + m4, odd_b = m3 - m4;
    STEP(0) = (m0 + even_a) + even_b;
    STEP(1) = A1 * odd_a + B1 * odd_b;
    STEP(2) = A2 * even_a + (B2 * even_b + m5);
}

// Bᵀ x B of the 6×6 pixels from (row, column) of an h × w plane, zeros outside, to lines `step` floats apart.
TARGET static void NAME(transform_input)(
    const float *restrict x, int h, int w, int row, int column, ptrdiff_t ahead, float *restrict to, ptrdiff_t step) {
    _Alignas(64) float patch[36 * line];
    ptrdiff_t pitch = (ptrdiff_t)w * line;
    const float *from = x + row * pitch + (ptrdiff_t)column * line;
    // The rows of a patch are too short for the processor to foresee those of the next channel.
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) __builtin_prefetch(from + ahead + i * pitch + j * line);
    if (row < 0 || column < 0 || row + 6 > h || column + 6 > w) {
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                for (int v = 0; v < line; v += LANES)
                    *(NAME(v) *)(patch + (i * 6 + j) * line + v) =
                        row + i >= 0 && row + i < h && column + j >= 0 && column + j < w
                            ? *(const NAME(v) *)(from + i * pitch + j * line + v)
                            : (NAME(v)){0};
        from = patch;
        pitch = 6 * line;
    }
    for (int v = 0; v < line; v += LANES, from += LANES, to += LANES) {
        _Alignas(64) float half[36 * LANES];
        for (int j = 0; j < 6; j++) {
            const float *d = from + j * line;
            NAME(input_axis)(
                *(const NAME(v) *)d, *(const NAME(v) *)(d + pitch), *(const NAME(v) *)(d + 2 * pitch),
                *(const NAME(v) *)(d + 3 * pitch), *(const NAME(v) *)(d + 4 * pitch), *(const NAME(v) *)(d + 5 * pitch),
                half + j * LANES, 6 * LANES);
        }
        for (int i = 0; i < 6; i++) {
            const NAME(v) *d = (const NAME(v) *)(half + i * 6 * LANES);
            NAME(input_axis)(d[0], d[1], d[2], d[3], d[4], d[5], to + i * 6 * step, step);
        }
    }
}

// G dy Gᵀ of the 4×4 pixels from (row, column) of an h × w plane, zeros outside; returns the sum of these.
TARGET static quad NAME(transform_gradient)(
    const float *restrict dy, int h, int w, int row, int column, float *restrict to, ptrdiff_t step) {
    _Alignas(64) float patch[16 * line];
    ptrdiff_t pitch = (ptrdiff_t)w * line;
    const float *from = dy + row * pitch + (ptrdiff_t)column * line;
    if (row + 4 > h || column + 4 > w) {
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                for (int v = 0; v < line; v += LANES)
                    *(NAME(v) *)(patch + (i * 4 + j) * line + v) =
                        row + i < h && column + j < w ? *(const NAME(v) *)(from + i * pitch + j * line + v) : (NAME(v)){0};
        from = patch;
        pitch = 4 * line;
    }
    NAME(v) sum = {0};
    for (int v = 0; v < line; v += LANES, from += LANES, to += LANES) {
        _Alignas(64) float half[24 * LANES];
        for (int j = 0; j < 4; j++) {
            const float *d = from + j * line;
            NAME(v) d0 = *(const NAME(v) *)d, d1 = *(const NAME(v) *)(d + pitch), d2 = *(const NAME(v) *)(d + 2 * pitch),
                    d3 = *(const NAME(v) *)(d + 3 * pitch);
            sum += (d0 + d1) + (d2 + d3);
            NAME(gradient_axis)(d0, d1, d2, d3, half + j * LANES, 4 * LANES);
        }
        for (int i = 0; i < 6; i++) {
            const NAME(v) *d = (const NAME(v) *)(half + i * 4 * LANES);
            NAME(gradient_axis)(d[0], d[1], d[2], d[3], to + i * 6 * step, step);
        }
    }
    return NAME(folded)(sum);
}

// Aᵀ m A of 36 lines `step` floats apart, finished, to the 4×4 pixels at y of which rows × columns exist.
TARGET static void NAME(transform_output)(
    const float *restrict from, ptrdiff_t step, const product *k, float bias, const float *residual, float *y,
    ptrdiff_t pitch, int rows, int columns) {
    _Alignas(64) float tile[4 * line];
    for (int v = 0; v < line; v += LANES, from += LANES) {
        _Alignas(64) float half[24 * LANES];
        for (int j = 0; j < 6; j++) {
            const float *m = from + j * step;
            NAME(output_axis)(
                *(const NAME(v) *)m, *(const NAME(v) *)(m + 6 * step), *(const NAME(v) *)(m + 12 * step),
                *(const NAME(v) *)(m + 18 * step), *(const NAME(v) *)(m + 24 * step), *(const NAME(v) *)(m + 30 * step),
                half + j * LANES, 6 * LANES);
        }
        NAME(v) lo = k->lo - (NAME(v)){0}, hi = k->hi - (NAME(v)){0};
        for (int i = 0; i < rows; i++) {
            const NAME(v) *m = (const NAME(v) *)(half + i * 6 * LANES);
            float *out = y + i * pitch + v;
            if (!k->finish && columns == 4) {
                NAME(output_axis)(m[0], m[1], m[2], m[3], m[4], m[5], out, line);
                continue;
            }
            NAME(output_axis)(m[0], m[1], m[2], m[3], m[4], m[5], tile, line);
            for (int j = 0; j < columns; j++) {
                NAME(v) value = *(const NAME(v) *)(tile + j * line);
                if (k->finish) {
                    value += bias;
                    if (residual != NULL) value += *(const NAME(v) *)(residual + i * pitch + j * line + v);
                    value = NAME(bounded)(value, lo, hi);
                }
                *(NAME(v) *)(out + j * line) = value;
            }
        }
    }
}

// packed[tile of rows][36][channel][row of the tile]
static void NAME(winograd_pack)(const layout *l, int backward, const float *weights, float *packed) {
    const double a = A1, b = B1;
    const double g[6][3] = {
        {1, 0, 0}, {GA, a * GA, a * a * GA}, {GA, -a * GA, a * a * GA},
        {GB, b * GB, b * b * GB}, {GB, -b * GB, b * b * GB}, {0, 0, 1},
    };
    int tiles = tile_count(l->to, MOST_ROWS);
    for (int t = 0, m = 0; t < tiles; m += tile_rows(l->to, tiles, t++))
        for (int c = 0; c < l->from; c++)
            for (int r = 0; r < tile_rows(l->to, tiles, t); r++) {
                const float *w =
                    weights + (backward ? (ptrdiff_t)c * l->to + m + r : (ptrdiff_t)(m + r) * l->from + c) * 9;
                int rows = tile_rows(l->to, tiles, t);
                float *to = packed + (ptrdiff_t)36 * m * l->from + (ptrdiff_t)c * rows + r;
                for (int i = 0; i < 6; i++)
                    for (int j = 0; j < 6; j++) {
                        double sum = 0;
                        for (int p = 0; p < 9; p++) sum += g[i][p / 3] * g[j][p % 3] * w[backward ? 8 - p : p];
                        to[(ptrdiff_t)(i * 6 + j) * l->from * rows] = (float)sum;
                    }
            }
}

static void NAME(winograd)(
    const layout *l, const float *x, const float *packed, const float *bias, const float *residual, int finish, float lo,
    float hi, float *y, float *scratch, int part, int parts) {
    winograd_cut c = winograd_cut_of(l, 0);
    float *in = scratch, *out = in + 36 * c.in * line;
    span whole = {0, 0, l->from};
    product k = {&whole, 1, (ptrdiff_t)l->from * line, MOST_ROWS * line, line, 0, lo, hi}, last = k;
    last.finish = finish;
    ptrdiff_t from_plane = (ptrdiff_t)l->h.from * l->w.from * line, to_plane = (ptrdiff_t)l->h.to * l->w.to * line;
    int tiles = tile_count(l->to, MOST_ROWS);
    long long all = (long long)l->blocks * c.rows * c.columns;
    int end = share(all, part + 1, parts);
    for (int begin = share(all, part, parts); begin < end; begin += c.tiles) {
        int count = least(c.tiles, end - begin);
        for (int channel = 0; channel < l->from; channel++)
            for (int i = 0; i < count; i++) {
                patch p = patch_of(&c, begin + i);
                NAME(transform_input)(
                    x + (p.block * l->from + channel) * from_plane, l->h.from, l->w.from, p.row - l->h.pad,
                    p.column - l->w.pad, from_plane, in + ((ptrdiff_t)i * l->from + channel) * line, c.in * line);
            }
        for (int t = 0, m = 0; t < tiles; m += tile_rows(l->to, tiles, t++)) {
            int rows = tile_rows(l->to, tiles, t);
            for (int p = 0; p < 36; p++)
                NAME(multiply)(
                    &k, rows, in + p * c.in * line, packed + ((ptrdiff_t)36 * m + p * rows) * l->from, NULL, NULL,
                    out + p * c.out * line, count);
            for (int row = 0; row < rows; row++)
                for (int i = 0; i < count; i++) {
                    patch p = patch_of(&c, begin + i);
                    int channel = m + row;
                    ptrdiff_t at =
                        (p.block * l->to + channel) * to_plane + ((ptrdiff_t)p.row * l->w.to + p.column) * line;
                    NAME(transform_output)(
                        out + (i * MOST_ROWS + row) * line, c.out * line, &last, bias == NULL ? 0 : bias[channel],
                        residual == NULL ? NULL : residual + at, y + at, (ptrdiff_t)l->w.to * line,
                        least(4, l->h.to - p.row), least(4, l->w.to - p.column));
                }
        }
    }
}

TARGET static void NAME(winograd_gradient)(
    const layout *l, const float *x, const float *dy, float *dw, float *db, float *scratch, int part, int parts) {
    winograd_cut c = winograd_cut_of(l, 1);
    ptrdiff_t channel_step = (c.tiles | 1) * line;
    float *in = scratch, *out = in + 36 * c.in * line, *sums = out + 36 * c.out * line;
    ptrdiff_t plane = lines_of(sizeof(float) * l->from * l->to) * line;
    ptrdiff_t *offsets = (ptrdiff_t *)(sums + 36 * plane);
    for (int n = 0; n < l->from; n++) offsets[n] = n * channel_step;
    memset(sums, 0, sizeof(float) * 36 * plane);
    if (db != NULL) memset(db, 0, sizeof(float) * l->to);
    ptrdiff_t from_plane = (ptrdiff_t)l->h.from * l->w.from * line, to_plane = (ptrdiff_t)l->h.to * l->w.to * line;
    long long all = (long long)l->blocks * c.rows * c.columns;
    int end = share(all, part + 1, parts);
    for (int begin = share(all, part, parts); begin < end; begin += c.tiles) {
        int count = least(c.tiles, end - begin);
        for (int channel = 0; channel < l->from; channel++)
            for (int i = 0; i < count; i++) {
                patch p = patch_of(&c, begin + i);
                NAME(transform_input)(
                    x + (p.block * l->from + channel) * from_plane, l->h.from, l->w.from, p.row - l->h.pad,
                    p.column - l->w.pad, from_plane, in + channel * channel_step + i * line, c.in * line);
            }
        for (int channel = 0; channel < l->to; channel++) {
            quad sum = {0};
            for (int i = 0; i < count; i++) {
                patch p = patch_of(&c, begin + i);
                sum += NAME(transform_gradient)(
                    dy + (p.block * l->to + channel) * to_plane, l->h.to, l->w.to, p.row, p.column,
                    out + channel * channel_step + i * line, c.out * line);
            }
            if (db != NULL) db[channel] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
        for (int p = 0; p < 36; p++) {
            sweep s = {out + p * c.out * line, in + p * c.in * line, 0, 0, line, 1, count};
            NAME(accumulate)(&s, l->to, l->from, channel_step, offsets, sums + p * plane, l->from);
        }
    }
    for (ptrdiff_t i = 0; i < plane; i += LANES) {
        _Alignas(64) float half[18 * LANES], whole[9 * LANES];
        for (int j = 0; j < 6; j++) {
            const float *m = sums + j * plane + i;
            NAME(weight_axis)(
                *(const NAME(v) *)m, *(const NAME(v) *)(m + 6 * plane), *(const NAME(v) *)(m + 12 * plane),
                *(const NAME(v) *)(m + 18 * plane), *(const NAME(v) *)(m + 24 * plane),
                *(const NAME(v) *)(m + 30 * plane), half + j * LANES, 6 * LANES);
        }
        for (int a = 0; a < 3; a++) {
            const NAME(v) *m = (const NAME(v) *)(half + a * 6 * LANES);
            NAME(weight_axis)(m[0], m[1], m[2], m[3], m[4], m[5], whole + a * 3 * LANES, LANES);
        }
        for (ptrdiff_t k = i; k < i + LANES && k < (ptrdiff_t)l->from * l->to; k++)
            for (int t = 0; t < 9; t++) dw[k * 9 + t] = whole[t * LANES + (k - i)];
    }
}

#undef A1
#undef B1
#undef A2
#undef B2
#undef GA
#undef GB
#undef STEP
