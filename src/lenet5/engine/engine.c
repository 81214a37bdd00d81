/* LeNet-5 from C1 to the output and back: both networks, one source for every instruction set.
 *
 * Compiled once an instruction set with WIDTH (floats in a vector) and ENGINE (the table's name). Images go
 * through in blocks of WIDTH, lane k of every vector belonging to image k: a layer is then plain vector
 * arithmetic with a broadcast weight, whatever the layer's shape, and a block's feature maps stay in the
 * second-level cache. Table I's absent pairs are never computed. A few images go one at a time
 * instead (single.h), lanes being neighbouring positions of one map: the same convolution with other strides.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

#include "vector.h"
#include "network.h"
#include "layers.h"
#include "block.h"
#include "single.h"

/* A call's work, shared out in pieces. */
struct work {
    const struct lenet5_network *network;
    struct wiring wiring;
    struct workspace *spaces; /* one a thread */
    const float *images;
    size_t n, pieces;
    float *outputs;
    /* the way back */
    const struct lenet5_criterion *criterion;
    struct lenet5_desired desired;
    const float *weights; /* the parameters, or for second derivatives their squares */
    float *gradients;     /* a buffer of `stride` floats for each piece */
    size_t stride;
    double *losses;       /* of each piece */
    float *gradient;
    int second;
};

static int threads_for(size_t pieces, int threads) { return pieces < (size_t)threads ? (int)pieces : threads; }

static size_t image_size(const struct lenet5_network *network) { return network->concise ? 28 * 28 : SIDE * SIDE; }

static void maps_of(const struct work *work, struct block *b, size_t first, size_t n)
{
    read_block(b->input, work->images + first * image_size(work->network), n, work->network->concise);
    (work->network->concise ? forward_concise : forward_paper)(b, work->network, &work->wiring);
}

static void forward_piece(void *of, int worker, size_t piece)
{
    const struct work *work = of;
    struct block *b = &work->spaces[worker].maps;
    size_t first = piece * WIDTH, n = work->n - first < WIDTH ? work->n - first : WIDTH;
    const size_t classes = (size_t)work->network->classes;
    maps_of(work, b, first, n);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < classes; i++)
            work->outputs[(first + k) * classes + i] = b->output[i][k];
}

/* Up to so many images are quicker one at a time than in a block. */
enum { FEW = WIDTH / 2, FEW_GRADIENTS = 3 * WIDTH / 8 };

static int forward(const struct lenet5_network *network, const float *images, size_t n, int threads, float *outputs)
{
    struct work work = {.network = network, .images = images, .n = n, .pieces = (n + WIDTH - 1) / WIDTH,
                        .outputs = outputs};
    wire(&work.wiring, network->concise);
    if (n <= FEW) {
        forward_singly(network, &work.wiring, images, n, outputs);
        return 0;
    }
    threads = threads_for(work.pieces, threads);
    work.spaces = lenet5_allocate((size_t)threads * sizeof *work.spaces);
    if (!work.spaces)
        return -1;
    lenet5_run_pieces(forward_piece, &work, work.pieces, threads);
    lenet5_release(work.spaces);
    return 0;
}

static void copy_maps(float *out, size_t first, size_t n, const vec *maps, size_t units)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < units; i++)
            out[(first + k) * units + i] = maps[i][k];
}

static int feature_maps(const struct lenet5_network *network, const float *images, size_t n, const struct lenet5_maps *out)
{
    struct work work = {.network = network, .images = images, .n = n};
    wire(&work.wiring, network->concise);
    struct block *b = lenet5_allocate(sizeof *b);
    if (!b)
        return -1;
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t some = n - first < WIDTH ? n - first : WIDTH;
        maps_of(&work, b, first, some);
        copy_maps(out->c1, first, some, b->c1[0], 6 * 784);
        copy_maps(out->s2, first, some, b->s2[0], 6 * 196);
        copy_maps(out->c3, first, some, b->c3[0], 16 * 100);
        copy_maps(out->s4, first, some, b->s4[0], 16 * 25);
        copy_maps(out->c5, first, some, b->c5, 120);
        copy_maps(out->f6, first, some, b->f6, 84);
        copy_maps(out->output, first, some, b->output, (size_t)network->classes);
    }
    lenet5_release(b);
    return 0;
}

/* Images are cut into pieces by their number alone, each with its own sum, added up in order at the end: the
 * result does not depend on the number of threads. */
enum { PIECE = 32, MOST_PIECES = 16, FEW_SUMS = 4 };

static size_t piece_start(const struct work *work, size_t piece)
{
    size_t blocks = (work->n + WIDTH - 1) / WIDTH, start = blocks * piece / work->pieces * WIDTH;
    return start < work->n ? start : work->n;
}

static void gradient_piece(void *of, int worker, size_t piece)
{
    const struct work *work = of;
    struct workspace *space = &work->spaces[worker];
    float *gradient = work->gradients + piece * work->stride;
    const size_t stop = piece_start(work, piece + 1);
    const int concise = work->network->concise;
    memset(gradient, 0, work->stride * sizeof *gradient);
    work->losses[piece] = 0;
    for (size_t first = piece_start(work, piece); first < stop; first += WIDTH) {
        size_t n = stop - first < WIDTH ? stop - first : WIDTH;
        vec curve;
        maps_of(work, &space->maps, first, n);
        work->losses[piece] += criterion_block(&space->maps, &curve, work->network, work->criterion, &work->desired,
                                               first, n, 1 / (float)work->n, work->second);
        (work->second ? curvature_any : concise ? backward_concise : backward_paper)(
            space, work->network, work->weights, &work->wiring, curve, gradient);
    }
}

/* A slice of the parameters' derivatives, added up over all pieces. */
enum { SLICES = 8 };

static void add_pieces(void *of, int worker, size_t slice)
{
    (void)worker;
    const struct work *work = of;
    size_t parameters = (size_t)OFFSETS[work->network->concise].end;
    size_t start = parameters * slice / SLICES, stop = parameters * (slice + 1) / SLICES;
    for (size_t i = start; i < stop; i++)
        work->gradient[i] = work->gradients[i];
    for (size_t k = 1; k < work->pieces; k++)
        for (size_t i = start; i < stop; i++)
            work->gradient[i] += work->gradients[k * work->stride + i];
}

static int gradient(const struct lenet5_network *network, const struct lenet5_criterion *criterion, const float *images,
                    const struct lenet5_desired *desired, size_t n, int threads, int second, double *loss, float *gradient)
{
    const size_t parameters = (size_t)OFFSETS[network->concise].end, pieces = (n + PIECE - 1) / PIECE;
    double losses[MOST_PIECES];
    struct work work = {.network = network, .criterion = criterion, .images = images, .desired = *desired, .n = n,
                        .pieces = pieces < MOST_PIECES ? pieces : MOST_PIECES, .second = second, .gradient = gradient,
                        .stride = (parameters + 6 * WIDTH + 15) / 16 * 16, .losses = losses,
                        .weights = network->parameters};
    wire(&work.wiring, network->concise);
    if (n <= FEW_GRADIENTS && !second) {
        *loss = gradient_singly(network, &work.wiring, criterion, images, desired, n, gradient);
        return 0;
    }
    threads = threads_for(work.pieces, threads);
    const size_t spaces = (size_t)threads * sizeof *work.spaces;
    char *memory = lenet5_allocate(spaces + (work.pieces + (second != 0)) * work.stride * sizeof(float));
    if (!memory)
        return -1;
    work.spaces = (struct workspace *)memory;
    work.gradients = (float *)(memory + spaces);
    if (second) {
        float *squares = work.gradients + work.pieces * work.stride;
        for (size_t i = 0; i < parameters; i++)
            squares[i] = network->parameters[i] * network->parameters[i];
        work.weights = squares;
    }
    lenet5_run_pieces(gradient_piece, &work, work.pieces, threads);
    *loss = 0;
    for (size_t k = 0; k < work.pieces; k++)
        *loss += losses[k];
    lenet5_run_pieces(add_pieces, &work, SLICES, work.pieces > FEW_SUMS ? threads : 1);
    lenet5_release(memory);
    return 0;
}

extern void PASTE(lenet5_distort_, ENGINE)(const struct lenet5_distortion *, int threads);
extern void PASTE(lenet5_adam_, ENGINE)(const struct lenet5_adam *, size_t n);

const struct lenet5_engine PASTE(lenet5_engine_, ENGINE) = {
    TEXT(ENGINE), WIDTH, forward, feature_maps, gradient, PASTE(lenet5_distort_, ENGINE), PASTE(lenet5_adam_, ENGINE),
};
