/* A block of WIDTH images forward and back: part of engine.c, once an instruction set. */

/* A block's feature maps; after the way back c1, c3, ... hold the derivatives by the units' sums. */
struct block {
    vec input[SIDE * SIDE];
    vec c1[6][28 * 28], s2[6][14 * 14], c3[16][10 * 10], s4[16][5 * 5];
    vec c5[120], f6[84], output[MOST_CLASSES];
};

struct workspace {
    struct block maps;
    vec back[400];                          /* the derivative by a layer's outputs, on its way to the layer below */
    vec s2_back[14 * 14];
    vec squared[6 * 14 * 14 > SIDE * SIDE ? 6 * 14 * 14 : SIDE * SIDE];
    float transposed[WIDTH][400 + 5 * WIDTH];   /* a layer's inputs, image by image */
};

/* ---- a block forward ---- */

static void read_block(vec *input, const float *images, size_t n, int concise)
{
    static const float nothing[SIDE * SIDE];
    const int side = concise ? 28 : SIDE, frame = (SIDE - side) / 2;
    if (frame)
        memset(input, 0, sizeof(vec) * SIDE * SIDE);
    for (int i = 0; i < side * side; i += WIDTH) {
        vec rows[WIDTH];
        UNROLL for (int k = 0; k < WIDTH; k++)
            rows[k] = load((size_t)k < n ? images + k * side * side + i : nothing);
        transpose(rows);
        for (int k = 0; k < WIDTH; k++)
            input[((i + k) / side + frame) * SIDE + (i + k) % side + frame] = rows[k];
    }
}

INLINE void forward_block(struct block *b, const struct lenet5_network *network, const struct wiring *wiring, int concise)
{
    const float *p = network->parameters;
    const struct offsets *at = &OFFSETS[concise];
    const struct sweep c1_rows = {
        .outer = 28, .inner = 4, .in_outer = SIDE * WIDTH, .in_inner = 7 * WIDTH, .out_outer = 28 * WIDTH,
        .out_inner = 7 * WIDTH, .along = WIDTH, .across = SIDE * WIDTH, .out_along = WIDTH,
        .out_map = 28 * 28 * WIDTH, .w_along = 1, .w_across = 5};
    const struct sweep c3_rows = {
        .outer = 10, .inner = 10 / C3_RUN, .in_outer = 14 * WIDTH, .in_inner = C3_RUN * WIDTH,
        .out_outer = 10 * WIDTH, .out_inner = C3_RUN * WIDTH, .along = WIDTH, .across = 14 * WIDTH,
        .out_along = WIDTH, .in_map = 14 * 14 * WIDTH, .out_map = 10 * 10 * WIDTH, .w_along = 1, .w_across = 5};

    c1_convolution((const float *)b->input, (float *)b->c1, p + at->c1, p + at->c1_bias, c1_rows, concise);
    subsample(b->c1[0], b->s2[0], 6, 14, p + at->s2, p + at->s2_bias, concise);
    c3_convolution((const float *)b->s2, (float *)b->c3, p + at->c3, p + at->c3_bias, wiring, c3_rows, concise);
    subsample(b->c3[0], b->s4[0], 16, 5, p + at->s4, p + at->s4_bias, concise);
    connect(b->c5, 120, b->s4[0], 400, p + at->c5, p + at->c5_bias);
    for (int i = 0; i < 120; i++)
        b->c5[i] = squash(b->c5[i], concise);
    connect(b->f6, 84, b->c5, 120, p + at->f6, p + at->f6_bias);
    for (int i = 0; i < 84; i++)
        b->f6[i] = squash(b->f6[i], concise);
    if (concise) {
        connect(b->output, DIGITS, b->f6, 84, p + at->output, p + at->output_bias);
        return;
    }
    for (int i = 0; i < network->classes; i++) { /* radial basis functions, eq. 7 */
        vec sum = {0};
        for (int k = 0; k < 84; k++) {
            vec apart = b->f6[k] - network->codes[i * 84 + k];
            sum += apart * apart;
        }
        b->output[i] = sum;
    }
}

/* A block's losses added up; its output becomes their derivative. Lanes without an image have none. */
static double criterion_block(struct block *b, vec *curve, const struct lenet5_network *network,
                              const struct lenet5_criterion *criterion, const struct lenet5_desired *desired,
                              size_t first, size_t n, float scale, int second)
{
    const int classes = network->classes;
    double loss = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) {
        float outputs[MOST_CLASSES], derivative[MOST_CLASSES] = {0}, target[MOST_CLASSES + 1], bends = 0;
        for (int i = 0; i < classes; i++)
            outputs[i] = b->output[i][lane];
        if (lane < n)
            loss += criterion_single(outputs, derivative, &bends, criterion,
                                  target_of(desired, first + lane, classes, target), classes, scale,
                                  network->concise, second);
        for (int i = 0; i < classes; i++)
            b->output[i][lane] = derivative[i];
        (*curve)[lane] = bends;
    }
    return loss;
}

/* ---- a block back: gradient += the derivative by every parameter ---- */

/* `second` propagates second derivatives with f'' dropped (appendix C): weights, inputs and slopes enter squared,
 * so w are the parameters' squares. */
INLINE void backward_block(struct workspace *space, const struct lenet5_network *network, const float *w,
                           const struct wiring *wiring, vec curve, float *gradient, int concise, int second)
{
    struct block *b = &space->maps;
    const struct offsets *at = &OFFSETS[concise];
    vec *back = space->back;

    if (concise) {
        connect_weights(gradient + at->output, gradient + at->output_bias, b->output, DIGITS, b->f6, 84,
                        space->transposed, second);
        connect_back(back, b->output, DIGITS, 84, w + at->output);
    } else {
        for (int k = 0; k < 84; k++) { /* by x of y = Σ (x - w)²: 2 (x - w); second: its square, and y'' = 2 */
            vec sum = second ? 2 * curve : (vec){0};
            for (int i = 0; i < network->classes; i++) {
                vec by_x = 2 * (b->f6[k] - network->codes[i * 84 + k]);
                sum += b->output[i] * (second ? by_x * by_x : by_x);
            }
            back[k] = sum;
        }
    }
    for (int i = 0; i < 84; i++)
        b->f6[i] = back[i] * slope(b->f6[i], concise, second);
    connect_weights(gradient + at->f6, gradient + at->f6_bias, b->f6, 84, b->c5, 120, space->transposed, second);
    connect_back(back, b->f6, 84, 120, w + at->f6);
    for (int i = 0; i < 120; i++)
        b->c5[i] = back[i] * slope(b->c5[i], concise, second);
    connect_weights(gradient + at->c5, gradient + at->c5_bias, b->c5, 120, b->s4[0], 400, space->transposed, second);
    connect_back(back, b->c5, 120, 400, w + at->c5);
    for (int m = 0; m < 16; m++)
        subsample_back(b->c3[m], b->s4[m], back + m * 25, 5, concise ? 0 : network->parameters[at->s4 + m],
                       gradient + at->s4 + m, gradient + at->s4_bias + m, gradient + at->c3_bias + m, concise, second);

    const vec *s2 = b->s2[0];
    if (second) {
        for (int i = 0; i < 6 * 196; i++)
            space->squared[i] = s2[i] * s2[i];
        s2 = space->squared;
    }
    for (int p = 0; p < wiring->first[16]; p++)
        correlate_weights(gradient + at->c3 + p * 25, 1, C3_RUN, b->c3[wiring->map[p]], 10, s2 + wiring->s2[p] * 196, 14);
    for (int m = 0; m < 6; m++) {
        c3_back(space->s2_back, m, (const vec(*)[100])b->c3, w + at->c3, wiring);
        subsample_back(b->c1[m], b->s2[m], space->s2_back, 14, concise ? 0 : network->parameters[at->s2 + m],
                       gradient + at->s2 + m, gradient + at->s2_bias + m, gradient + at->c1_bias + m, concise, second);
    }
    const vec *input = b->input;
    if (second) {
        for (int i = 0; i < SIDE * SIDE; i++)
            space->squared[i] = input[i] * input[i];
        input = space->squared;
    }
    for (int m = 0; m < 6; m += C1_MAPS)
        correlate_weights(gradient + at->c1 + m * 25, C1_MAPS, 7, b->c1[m], 28, input, SIDE);
}

/* Each network gets its own copy, with its squashing and shapes as constants. */
static __attribute__((noinline)) void forward_paper(struct block *b, const struct lenet5_network *n, const struct wiring *w)
{
    forward_block(b, n, w, 0);
}

static __attribute__((noinline)) void forward_concise(struct block *b, const struct lenet5_network *n, const struct wiring *w)
{
    forward_block(b, n, w, 1);
}

static __attribute__((noinline)) void backward_paper(struct workspace *s, const struct lenet5_network *n, const float *p,
                                                     const struct wiring *w, vec curve, float *gradient)
{
    backward_block(s, n, p, w, curve, gradient, 0, 0);
}

static __attribute__((noinline)) void backward_concise(struct workspace *s, const struct lenet5_network *n, const float *p,
                                                       const struct wiring *w, vec curve, float *gradient)
{
    backward_block(s, n, p, w, curve, gradient, 1, 0);
}

static __attribute__((noinline)) void curvature_any(struct workspace *s, const struct lenet5_network *n, const float *p,
                                                    const struct wiring *w, vec curve, float *gradient)
{
    if (n->concise)
        backward_block(s, n, p, w, curve, gradient, 1, 1);
    else
        backward_block(s, n, p, w, curve, gradient, 0, 1);
}

