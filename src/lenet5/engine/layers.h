/* The layers of a block of WIDTH images, lane k of every vector belonging to image k: part of engine.c.
 *
 * The convolutions' way forward serves one image too (single.h), with other strides.
 */

/* ---- 5×5 convolution, forward, by its inputs and by its weights ---- */

/* `maps`·`n` sums over 5×5 taps. Outputs lie side by side in one direction, `along`, which is also that of
 * the inner taps, so that a loaded input serves up to five of them in each map. */
INLINE void correlate(vec *sums, int maps, int n, const float *in, ptrdiff_t along, ptrdiff_t across, const float *w,
                      int w_along, int w_across)
{
    for (int t = 0; t < 5; t++) {
        vec weight[5 * C1_MAPS];
        UNROLL for (int m = 0; m < maps; m++)
            UNROLL for (int k = 0; k < 5; k++)
                weight[m * 5 + k] = broadcast(w[m * 25 + t * w_across + k * w_along]);
        UNROLL for (int i = 0; i < n + 4; i++) {
            vec x = load(in + t * across + i * along);
            UNROLL for (int k = 0; k < 5; k++)
                if (i - k >= 0 && i - k < n)
                    UNROLL for (int m = 0; m < maps; m++)
                        sums[m * n + i - k] += weight[m * 5 + k] * x;
        }
    }
}

/* Where positions lie: lanes are images (whole vectors a position) or one image's neighbouring columns. */
struct sweep {
    int outer, inner;                    /* runs of outputs in both directions */
    ptrdiff_t in_outer, in_inner, out_outer, out_inner; /* from a run to the next */
    ptrdiff_t along, across, out_along;  /* from an output of a run to the next; from a tap to the next */
    ptrdiff_t in_map, out_map;
    int w_along, w_across;
};

INLINE void c1_convolution(const float *input, float *c1, const float *w, const float *bias, struct sweep at, int concise)
{
    for (int a = 0; a < at.outer; a++)
        for (int b = 0; b < at.inner; b++)
            for (int m = 0; m < 6; m += C1_MAPS) {
                vec sums[C1_MAPS * 7];
                UNROLL for (int k = 0; k < C1_MAPS; k++)
                    UNROLL for (int i = 0; i < 7; i++)
                        sums[k * 7 + i] = broadcast(bias[m + k]);
                correlate(sums, C1_MAPS, 7, input + a * at.in_outer + b * at.in_inner, at.along, at.across,
                          w + m * 25, at.w_along, at.w_across);
                float *out = c1 + m * at.out_map + a * at.out_outer + b * at.out_inner;
                UNROLL for (int k = 0; k < C1_MAPS; k++)
                    UNROLL for (int i = 0; i < 7; i++)
                        store(out + k * at.out_map + i * at.out_along, squash(sums[k * 7 + i], concise));
            }
}

INLINE void c3_convolution(const float *s2, float *c3, const float *w, const float *bias, const struct wiring *wiring,
                           struct sweep at, int concise)
{
    for (int m = 0; m < 16; m++)
        for (int a = 0; a < at.outer; a++)
            for (int b = 0; b < at.inner; b++) {
                vec sums[C3_RUN];
                UNROLL for (int i = 0; i < C3_RUN; i++)
                    sums[i] = broadcast(bias[m]);
                const float *in = s2 + a * at.in_outer + b * at.in_inner;
                for (int p = wiring->first[m]; p < wiring->first[m + 1]; p++)
                    correlate(sums, 1, C3_RUN, in + wiring->s2[p] * at.in_map, at.along, at.across, w + p * 25,
                              at.w_along, at.w_across);
                float *out = c3 + m * at.out_map + a * at.out_outer + b * at.out_inner;
                UNROLL for (int i = 0; i < C3_RUN; i++)
                    store(out + i * at.out_along, squash(sums[i], concise));
            }
}

/* The derivative by one S2 map: every delta of a C3 map that reads it spreads over 5×5 inputs. */
INLINE void c3_back(vec *s2_back, int map, const vec (*c3)[100], const float *w, const struct wiring *wiring)
{
    for (int y = 0; y < 14; y++)
        for (int start = 0; start < 14; start += S2_RUN) {
            vec sums[S2_RUN];
            UNROLL for (int i = 0; i < S2_RUN; i++)
                sums[i] = (vec){0};
            for (int p = 0; p < wiring->first[16]; p++) {
                if (wiring->s2[p] != map)
                    continue;
                for (int t = y < 9 ? 0 : y - 9; t <= (y < 4 ? y : 4); t++) {
                    const vec *delta = c3[wiring->map[p]] + (y - t) * 10;
                    const float *row = w + p * 25 + t * 5;
                    if (S2_RUN == 14 || start == 0) {
                        UNROLL for (int x = 0; x < 10; x++)
                            UNROLL for (int k = 0; k < 5; k++)
                                if (x + k < S2_RUN)
                                    sums[x + k] += broadcast(row[k]) * delta[x];
                    } else {
                        UNROLL for (int x = 0; x < 10; x++)
                            UNROLL for (int k = 0; k < 5; k++)
                                if (x + k >= S2_RUN && x + k < 2 * S2_RUN)
                                    sums[x + k - S2_RUN] += broadcast(row[k]) * delta[x];
                    }
                }
            }
            UNROLL for (int i = 0; i < S2_RUN; i++)
                s2_back[y * 14 + start + i] = sums[i];
        }
}

/* A row of 5 weights' derivatives: each sums delta·input over all `side`² positions of a map, `run` at a time. */
INLINE void correlate_weights(float *gradient, int maps, int run, const vec *delta, int side, const vec *in, int in_side)
{
    for (int t = 0; t < 5; t++) {
        vec sums[C1_MAPS * 5];
        UNROLL for (int i = 0; i < maps * 5; i++)
            sums[i] = (vec){0};
        for (int y = 0; y < side; y++)
            for (int start = 0; start < side; start += run) {
                const vec *d = delta + y * side + start, *x = in + (y + t) * in_side + start;
                UNROLL for (int i = 0; i < run + 4; i++)
                    UNROLL for (int k = 0; k < 5; k++)
                        if (i - k >= 0 && i - k < run)
                            UNROLL for (int m = 0; m < maps; m++)
                                sums[m * 5 + k] += d[m * side * side + i - k] * x[i];
            }
        UNROLL for (int m = 0; m < maps; m++)
            UNROLL for (int k = 0; k < 5; k++)
                gradient[m * 25 + t * 5 + k] += total(sums[m * 5 + k]);
    }
}

/* ---- subsampling ---- */

/* S2, S4: four inputs added, times the map's coefficient, plus its bias, squashed; concise: their mean. */
INLINE void subsample(const vec *in, vec *out, int maps, int side, const float *coefficient, const float *bias, int concise)
{
    for (int m = 0; m < maps; m++) {
        vec c = broadcast(concise ? 0.25f : coefficient[m]), b = broadcast(concise ? 0 : bias[m]);
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++, out++) {
                const vec *four = in + ((m * side + y) * 2 * side + x) * 2;
                vec sum = (four[0] + four[1]) + (four[2 * side] + four[2 * side + 1]);
                *out = concise ? c * sum : squash(c * sum + b, 0);
            }
    }
}

/* From the derivative by a subsampled map to that by the sums of the convolution below, in place of its map. */
INLINE void subsample_back(vec *below, const vec *map, const vec *back, int side, float coefficient,
                           float *d_coefficient, float *d_bias, float *d_bias_below, int concise, int second)
{
    vec c = broadcast(concise ? 0.25f : coefficient), sum_coefficient = {0}, sum_bias = {0}, sum_below = {0};
    if (second)
        c *= c;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            vec *four[2] = {below + (y * 2 * side + x) * 2, below + (y * 2 * side + x) * 2 + 2 * side};
            vec delta = back[y * side + x];
            if (!concise) {
                vec added = (four[0][0] + four[0][1]) + (four[1][0] + four[1][1]);
                delta *= slope(map[y * side + x], 0, second);
                sum_bias += delta;
                sum_coefficient += delta * (second ? added * added : added);
            }
            UNROLL for (int i = 0; i < 4; i++) {
                vec *unit = four[i / 2] + i % 2;
                *unit = c * delta * slope(*unit, concise, second);
                sum_below += *unit;
            }
        }
    *d_bias_below += total(sum_below);
    if (!concise) {
        *d_coefficient += total(sum_coefficient);
        *d_bias += total(sum_bias);
    }
}

/* ---- full connection ---- */

INLINE void connect_run(vec *out, int n, const vec *in, int inputs, const float *w, const float *bias)
{
    vec sums[UNITS];
    UNROLL for (int o = 0; o < n; o++)
        sums[o] = broadcast(bias[o]);
    for (int i = 0; i < inputs; i++) {
        vec x = in[i];
        UNROLL for (int o = 0; o < n; o++)
            sums[o] += broadcast(w[o * inputs + i]) * x;
    }
    UNROLL for (int o = 0; o < n; o++)
        out[o] = sums[o];
}

INLINE void connect(vec *out, int outputs, const vec *in, int inputs, const float *w, const float *bias)
{
    int o = 0;
    for (; o + UNITS <= outputs; o += UNITS)
        connect_run(out + o, UNITS, in, inputs, w + o * inputs, bias + o);
    for (; o + 4 <= outputs; o += 4)
        connect_run(out + o, 4, in, inputs, w + o * inputs, bias + o);
    for (; o < outputs; o++)
        connect_run(out + o, 1, in, inputs, w + o * inputs, bias + o);
}

INLINE void connect_back_run(vec *back, int n, const vec *delta, int outputs, int inputs, const float *w)
{
    vec sums[INPUTS];
    UNROLL for (int i = 0; i < n; i++)
        sums[i] = (vec){0};
    for (int o = 0; o < outputs; o++) {
        vec d = delta[o];
        UNROLL for (int i = 0; i < n; i++)
            sums[i] += broadcast(w[o * inputs + i]) * d;
    }
    UNROLL for (int i = 0; i < n; i++)
        back[i] = sums[i];
}

INLINE void connect_back(vec *back, const vec *delta, int outputs, int inputs, const float *w)
{
    int i = 0;
    for (; i + INPUTS <= inputs; i += INPUTS)
        connect_back_run(back + i, INPUTS, delta, outputs, inputs, w + i);
    for (; i < inputs; i += 4) /* 400, 120 and 84 are multiples of 4 */
        connect_back_run(back + i, 4, delta, outputs, inputs, w + i);
}

/* Inputs (vectors over images) → transposed[image][input]; what follows the last input is 0. */
INLINE void transpose_inputs(float (*transposed)[400 + 5 * WIDTH], const vec *in, int inputs, int second)
{
    for (int i = 0; i < inputs + 5 * WIDTH && i < 400 + 5 * WIDTH; i += WIDTH) {
        vec rows[WIDTH];
        UNROLL for (int k = 0; k < WIDTH; k++) {
            rows[k] = i + k < inputs ? in[i + k] : (vec){0};
            if (second)
                rows[k] *= rows[k];
        }
        transpose(rows);
        UNROLL for (int k = 0; k < WIDTH; k++)
            store(&transposed[k][i], rows[k]);
    }
}

/* The weights' derivative, delta ⊗ input summed over the block. Rows are summed in runs of five vectors, of
 * which the last may reach over the row's end: what it adds there is 0. */
INLINE void connect_weights(float *gradient, float *d_bias, const vec *delta, int outputs, const vec *in, int inputs,
                            float (*transposed)[400 + 5 * WIDTH], int second)
{
    const int run = outputs % OUTER ? 2 : OUTER; /* 120, 84, 10 units */
    transpose_inputs(transposed, in, inputs, second);
    for (int o = 0; o < outputs; o += run)
        for (int i = 0; i < inputs; i += 5 * WIDTH) {
            vec sums[OUTER * 5];
            UNROLL for (int k = 0; k < run * 5; k++)
                sums[k] = (vec){0};
            for (int image = 0; image < WIDTH; image++) {
                vec d[OUTER];
                UNROLL for (int k = 0; k < run; k++)
                    d[k] = broadcast(((const float *)(delta + o + k))[image]);
                UNROLL for (int v = 0; v < 5; v++) {
                    vec x = load(&transposed[image][i + v * WIDTH]);
                    UNROLL for (int k = 0; k < run; k++)
                        sums[k * 5 + v] += d[k] * x;
                }
            }
            UNROLL for (int k = 0; k < run; k++)
                UNROLL for (int v = 0; v < 5; v++) {
                    float *at = gradient + (o + k) * inputs + i + v * WIDTH;
                    if (i + v * WIDTH < inputs)
                        store(at, load(at) + sums[k * 5 + v]);
                }
        }
    for (int o = 0; o < outputs; o++)
        d_bias[o] += total(delta[o]);
}

