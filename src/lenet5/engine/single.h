/* One image at a time, forward and back: part of engine.c, once an instruction set.
 *
 * Lanes are neighbouring columns of a map, C3's maps, or the inputs of a unit, so that one image needs no
 * block's time: what a step of training for each pattern costs, and reading a single digit.
 */

/* ---- one image forward: lanes are neighbouring columns, a plane's rows 32 or 16 floats apart ---- */

struct single_maps {
    float input[SIDE * SIDE + SIDE]; /* lanes past a row's end read what follows: the next row, or this slack */
    float c1[6 * 28 * 32], s2[6 * 14 * 16 + 32], c3[16 * 10 * 16];
    float s4[400], c5[128], f6[96], output[MOST_CLASSES];
};

INLINE void squash_all(float *units, int n, int concise)
{
    for (int i = 0; i < n; i += WIDTH)
        store(units + i, squash(load(units + i), concise));
}

INLINE void connect_single(float *out, int outputs, const float *in, int inputs, const float *w, const float *bias)
{
    for (int o = 0; o < outputs; o += 2, w += 2 * inputs) { /* 120, 84 and 10 units */
        vec sums[2] = {{0}, {0}};
        float rest[2] = {bias[o], bias[o + 1]};
        int i = 0;
        for (; i + WIDTH <= inputs; i += WIDTH)
            UNROLL for (int k = 0; k < 2; k++)
                sums[k] += load(w + k * inputs + i) * load(in + i);
        for (; i < inputs; i++)
            UNROLL for (int k = 0; k < 2; k++)
                rest[k] += w[k * inputs + i] * in[i];
        out[o] = total(sums[0]) + rest[0];
        out[o + 1] = total(sums[1]) + rest[1];
    }
}

INLINE void forward_single(struct single_maps *b, const struct lenet5_network *network, const struct wiring *wiring,
                        const float *image, float *output, int concise)
{
    const float *p = network->parameters;
    const struct offsets *at = &OFFSETS[concise];
    const int side = concise ? 28 : SIDE, frame = (SIDE - side) / 2;
    const struct sweep c1_columns = {
        .outer = 4, .inner = (28 + WIDTH - 1) / WIDTH, .in_outer = 7 * SIDE, .in_inner = WIDTH, .out_outer = 7 * 32,
        .out_inner = WIDTH, .along = SIDE, .across = 1, .out_along = 32, .out_map = 28 * 32, .w_along = 5, .w_across = 1};
    const struct sweep c3_columns = {
        .outer = 10 / C3_RUN, .inner = (10 + WIDTH - 1) / WIDTH, .in_outer = C3_RUN * 16, .in_inner = WIDTH,
        .out_outer = C3_RUN * 16, .out_inner = WIDTH, .along = 16, .across = 1, .out_along = 16, .in_map = 14 * 16,
        .out_map = 10 * 16, .w_along = 5, .w_across = 1};

    for (int y = 0; y < side; y++)
        memcpy(b->input + (y + frame) * SIDE + frame, image + y * side, (size_t)side * sizeof *image);
    c1_convolution(b->input, b->c1, p + at->c1, p + at->c1_bias, c1_columns, concise);
    for (int m = 0; m < 6; m++)
        for (int y = 0; y < 14; y++) {
            const float *rows = b->c1 + (m * 28 + 2 * y) * 32;
            float c = concise ? 0.25f : p[at->s2 + m], add = concise ? 0 : p[at->s2_bias + m];
            for (int x = 0; x < 16; x++)
                b->s2[(m * 14 + y) * 16 + x] =
                    c * ((rows[2 * x] + rows[2 * x + 1]) + (rows[32 + 2 * x] + rows[33 + 2 * x])) + add;
        }
    if (!concise)
        squash_all(b->s2, 6 * 14 * 16, 0);
    c3_convolution(b->s2, b->c3, p + at->c3, p + at->c3_bias, wiring, c3_columns, concise);
    for (int m = 0; m < 16; m++)
        for (int y = 0; y < 5; y++) {
            const float *rows = b->c3 + (m * 10 + 2 * y) * 16;
            float c = concise ? 0.25f : p[at->s4 + m], add = concise ? 0 : p[at->s4_bias + m];
            for (int x = 0; x < 5; x++)
                b->s4[(m * 5 + y) * 5 + x] =
                    c * ((rows[2 * x] + rows[2 * x + 1]) + (rows[16 + 2 * x] + rows[17 + 2 * x])) + add;
        }
    if (!concise)
        squash_all(b->s4, 400, 0);
    connect_single(b->c5, 120, b->s4, 400, p + at->c5, p + at->c5_bias);
    squash_all(b->c5, 120, concise);
    connect_single(b->f6, 84, b->c5, 120, p + at->f6, p + at->f6_bias);
    squash_all(b->f6, 84, concise);
    if (concise) {
        connect_single(output, DIGITS, b->f6, 84, p + at->output, p + at->output_bias);
        return;
    }
    for (int i = 0; i < network->classes; i++) { /* radial basis functions, eq. 7 */
        vec sum = {0};
        float rest = 0;
        int k = 0;
        for (; k + WIDTH <= 84; k += WIDTH) {
            vec apart = load(b->f6 + k) - load(network->codes + i * 84 + k);
            sum += apart * apart;
        }
        for (; k < 84; k++)
            rest += (b->f6[k] - network->codes[i * 84 + k]) * (b->f6[k] - network->codes[i * 84 + k]);
        output[i] = total(sum) + rest;
    }
}

static void forward_singly(const struct lenet5_network *network, const struct wiring *wiring, const float *images,
                           size_t n, float *outputs)
{
    struct single_maps b;
    memset(&b, 0, sizeof b);
    for (size_t k = 0; k < n; k++)
        if (network->concise)
            forward_single(&b, network, wiring, images + k * 28 * 28, outputs + k * DIGITS, 1);
        else
            forward_single(&b, network, wiring, images + k * SIDE * SIDE, outputs + k * (size_t)network->classes, 0);
}


/* ---- one image back: gradient += the derivative by every parameter ---- */

struct single_derivatives {
    _Alignas(64) float c1[6 * 28 * 32];     /* derivatives by a map's sums, 0 in what follows a row's end */
    float c3_frame[16], c3[16 * 10 * 16];   /* the row before the first map is read and 0 */
    float c3_by_position[10 * 10][16];           /* position by position, lanes being C3's maps */
    float c3_weights[6][25][16];            /* the derivative of every pair, those absent from Table I too */
    float s2[6 * 14 * 16], s4[400], c5[128], f6[96], output[MOST_CLASSES];
};

/* delta ⊗ input, and the derivative by the inputs. */
INLINE void connect_single_back(float *restrict back, float *restrict gradient, float *restrict d_bias,
                             const float *restrict delta, int outputs, const float *restrict in, int inputs,
                             const float *restrict w)
{
    for (int i = 0; i < inputs; i++)
        back[i] = 0;
    for (int o = 0; o < outputs; o += 2, w += 2 * inputs, gradient += 2 * inputs) { /* 120, 84 and 10 units */
        const float d0 = delta[o], d1 = delta[o + 1];
        for (int i = 0; i < inputs; i++)
            back[i] += d0 * w[i] + d1 * w[inputs + i];
        for (int i = 0; i < inputs; i++)
            gradient[i] += d0 * in[i];
        for (int i = 0; i < inputs; i++)
            gradient[inputs + i] += d1 * in[i];
    }
    for (int o = 0; o < outputs; o++)
        d_bias[o] += delta[o];
}

/* Multiply by the slopes of the units whose outputs these are. */
INLINE void slope_all(float *back, const float *units, int n, int concise)
{
    for (int i = 0; i < n; i += WIDTH)
        store(back + i, load(back + i) * slope(load(units + i), concise, 0));
}

/* From the derivative by one subsampled map's sums to that by the sums of the map below; rows of both are `pitch`
 * and `below_pitch` floats apart. */
INLINE void subsample_single_back(float *below_delta, const float *below, int below_pitch, const float *delta, int side,
                               int pitch, float coefficient, float *d_coefficient, float *d_bias, float *d_bias_below,
                               int concise)
{
    const vec c = broadcast(concise ? 0.25f : coefficient);
    vec sum_coefficient = {0}, sum_bias = {0}, sum_below = {0};
    for (int y = 0; y < side; y++, delta += pitch, below += 2 * below_pitch, below_delta += 2 * below_pitch) {
        float wide[32] = {0}; /* each delta for both of its columns */
        for (int x = 0; x < side; x++)
            wide[2 * x] = wide[2 * x + 1] = delta[x];
        for (int x = 0; x < 2 * side; x += WIDTH) {
            const vec d = load(wide + x), upper = load(below + x), lower = load(below + below_pitch + x);
            const vec by_upper = c * d * slope(upper, concise, 0), by_lower = c * d * slope(lower, concise, 0);
            store(below_delta + x, by_upper);
            store(below_delta + below_pitch + x, by_lower);
            sum_coefficient += d * (upper + lower);
            sum_bias += d;
            sum_below += by_upper + by_lower;
        }
    }
    *d_bias_below += total(sum_below);
    if (!concise) {
        *d_coefficient += total(sum_coefficient);
        *d_bias += total(sum_bias) / 2;
    }
}

/* C3's weights: lanes are its maps, so that nothing is summed across lanes. */
INLINE void c3_single_weights(struct single_derivatives *back, const float *s2, float *gradient,
                              const struct wiring *wiring)
{
    for (int i = 0; i < 100; i++)
        for (int m = 0; m < 16; m++)
            back->c3_by_position[i][m] = back->c3[m * 160 + i / 10 * 16 + i % 10];
    for (int first = 0; first < 16; first += SINGLE_LANES)
        for (int map = 0; map < 6; map++)
            for (int t = 0; t < 5; t += SINGLE_ROWS) {
                vec sums[SINGLE_ROWS * 5 * (SINGLE_LANES / WIDTH)];
                UNROLL for (int i = 0; i < SINGLE_ROWS * 5 * (SINGLE_LANES / WIDTH); i++)
                    sums[i] = (vec){0};
                for (int y = 0; y < 10; y++)
                    for (int x = 0; x < 10; x++) {
                        const float *in = s2 + (map * 14 + y + t) * 16 + x;
                        const float *delta = back->c3_by_position[y * 10 + x] + first;
                        UNROLL for (int l = 0; l < SINGLE_LANES / WIDTH; l++)
                            UNROLL for (int k = 0; k < SINGLE_ROWS * 5; k++)
                                sums[l * SINGLE_ROWS * 5 + k] +=
                                    load(delta + l * WIDTH) * broadcast(in[k / 5 * 16 + k % 5]);
                    }
                UNROLL for (int l = 0; l < SINGLE_LANES / WIDTH; l++)
                    UNROLL for (int k = 0; k < SINGLE_ROWS * 5; k++)
                        store(back->c3_weights[map][t * 5 + k] + first + l * WIDTH, sums[l * SINGLE_ROWS * 5 + k]);
            }
    for (int p = 0; p < wiring->first[16]; p++)
        for (int t = 0; t < 25; t++)
            gradient[p * 25 + t] += back->c3_weights[wiring->s2[p]][t][wiring->map[p]];
}

/* The derivative by one S2 map: ten rows of delta under 5×5 weights. The zeros around a row of C3's delta are its
 * own and the former row's unused columns. */
INLINE void c3_single_back(float *s2, int map, const float *c3, const float *w, const struct wiring *wiring)
{
    for (int column = 0; column < 14; column += WIDTH)
        for (int start = 0; start < 14; start += S2_RUN) {
            vec sums[S2_RUN];
            UNROLL for (int i = 0; i < S2_RUN; i++)
                sums[i] = (vec){0};
            for (int p = 0; p < wiring->first[16]; p++) {
                if (wiring->s2[p] != map)
                    continue;
                for (int k = 0; k < 5; k++) {
                    const float *delta = c3 + wiring->map[p] * 160 + column - k;
                    vec weight[5];
                    UNROLL for (int t = 0; t < 5; t++)
                        weight[t] = broadcast(w[p * 25 + t * 5 + k]);
                    if (S2_RUN == 14 || start == 0) {
                        UNROLL for (int y = 0; y < 10; y++)
                            UNROLL for (int t = 0; t < 5; t++)
                                if (y + t < S2_RUN)
                                    sums[y + t] += weight[t] * load(delta + y * 16);
                    } else {
                        UNROLL for (int y = 0; y < 10; y++)
                            UNROLL for (int t = 0; t < 5; t++)
                                if (y + t >= S2_RUN && y + t < 2 * S2_RUN)
                                    sums[y + t - S2_RUN] += weight[t] * load(delta + y * 16);
                    }
                }
            }
            UNROLL for (int i = 0; i < S2_RUN; i++)
                store(s2 + (start + i) * 16 + column, sums[i]);
        }
}

/* C1's weights: lanes are neighbouring columns, added up at the end. */
INLINE void c1_single_weights(const float *c1, const float *input, float *gradient)
{
    for (int m = 0; m < 6; m += SINGLE_MAPS)
        for (int t = 0; t < 5; t++) {
            vec sums[SINGLE_MAPS * 5];
            UNROLL for (int i = 0; i < SINGLE_MAPS * 5; i++)
                sums[i] = (vec){0};
            for (int y = 0; y < 28; y++)
                for (int x = 0; x < 28; x += WIDTH) {
                    const float *delta = c1 + (m * 28 + y) * 32 + x, *in = input + (y + t) * SIDE + x;
                    UNROLL for (int k = 0; k < 5; k++)
                        UNROLL for (int i = 0; i < SINGLE_MAPS; i++)
                            sums[i * 5 + k] += load(delta + i * 28 * 32) * load(in + k);
                }
            UNROLL for (int i = 0; i < SINGLE_MAPS; i++)
                UNROLL for (int k = 0; k < 5; k++)
                    gradient[(m + i) * 25 + t * 5 + k] += total(sums[i * 5 + k]);
        }
}

INLINE void backward_single(struct single_derivatives *back, const struct single_maps *b,
                            const struct lenet5_network *network, const struct wiring *wiring, float *gradient,
                            int concise)
{
    const float *p = network->parameters;
    const struct offsets *at = &OFFSETS[concise];
    if (concise)
        connect_single_back(back->f6, gradient + at->output, gradient + at->output_bias, back->output, DIGITS, b->f6, 84,
                         p + at->output);
    else {
        memset(back->f6, 0, sizeof back->f6);
        for (int i = 0; i < network->classes; i++) /* by x of y = Σ (x - w)²: 2 (x - w) */
            for (int k = 0; k < 84; k++)
                back->f6[k] += back->output[i] * 2 * (b->f6[k] - network->codes[i * 84 + k]);
    }
    slope_all(back->f6, b->f6, 84, concise);
    connect_single_back(back->c5, gradient + at->f6, gradient + at->f6_bias, back->f6, 84, b->c5, 120, p + at->f6);
    slope_all(back->c5, b->c5, 120, concise);
    connect_single_back(back->s4, gradient + at->c5, gradient + at->c5_bias, back->c5, 120, b->s4, 400, p + at->c5);
    if (!concise)
        slope_all(back->s4, b->s4, 400, 0);
    for (int m = 0; m < 16; m++)
        subsample_single_back(back->c3 + m * 160, b->c3 + m * 160, 16, back->s4 + m * 25, 5, 5,
                           concise ? 0 : p[at->s4 + m], gradient + at->s4 + m, gradient + at->s4_bias + m,
                           gradient + at->c3_bias + m, concise);
    c3_single_weights(back, b->s2, gradient + at->c3, wiring);
    for (int m = 0; m < 6; m++)
        c3_single_back(back->s2 + m * 14 * 16, m, back->c3, p + at->c3, wiring);
    if (!concise)
        slope_all(back->s2, b->s2, 6 * 14 * 16, 0);
    for (int m = 0; m < 6; m++)
        subsample_single_back(back->c1 + m * 28 * 32, b->c1 + m * 28 * 32, 32, back->s2 + m * 14 * 16, 14, 16,
                           concise ? 0 : p[at->s2 + m], gradient + at->s2 + m, gradient + at->s2_bias + m,
                           gradient + at->c1_bias + m, concise);
    c1_single_weights(back->c1, b->input, gradient + at->c1);
}

/* The losses' sum, and the gradient of `scale` times it. */
INLINE double gradient_singly_as(const struct lenet5_network *network, const struct wiring *wiring,
                                 const struct lenet5_criterion *criterion, const float *images,
                                 const struct lenet5_desired *desired, size_t n, float scale, float *gradient, int concise)
{
    const size_t size = concise ? 28 * 28 : SIDE * SIDE;
    struct single_maps b;
    struct single_derivatives back;
    double loss = 0;
    float target[MOST_CLASSES + 1];
    memset(&b, 0, sizeof b);
    memset(&back, 0, sizeof back);
    memset(gradient, 0, (size_t)OFFSETS[concise].end * sizeof *gradient);
    for (size_t k = 0; k < n; k++) {
        float curve;
        forward_single(&b, network, wiring, images + k * size, b.output, concise);
        loss += criterion_single(b.output, back.output, &curve, criterion,
                                 target_of(desired, k, network->classes, target), network->classes, scale, concise, 0);
        backward_single(&back, &b, network, wiring, gradient, concise);
    }
    return loss;
}

static __attribute__((noinline)) double gradient_singly(const struct lenet5_network *network,
                                                        const struct wiring *wiring,
                                                        const struct lenet5_criterion *criterion, const float *images,
                                                        const struct lenet5_desired *desired, size_t n, float *gradient)
{
    const float scale = 1 / (float)n;
    return network->concise ? gradient_singly_as(network, wiring, criterion, images, desired, n, scale, gradient, 1)
                            : gradient_singly_as(network, wiring, criterion, images, desired, n, scale, gradient, 0);
}
