/* LeNet-5 from C1 to the output and back: both networks, one source for every instruction set.
 *
 * Compiled once an instruction set with WIDTH (floats in a vector) and ENGINE (the table's name). Images go
 * through in blocks of WIDTH, lane k of every vector belonging to image k: a layer is then plain vector
 * arithmetic with a broadcast weight, whatever the layer's shape, and a block's feature maps stay in the
 * second-level cache. Table I's absent pairs are never computed. Fewer images than a few go one at a time
 * instead (single.h), lanes being neighbouring positions of one map: the same convolution with other strides.
 */
#include "engine.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")
#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)

typedef float vec __attribute__((vector_size(4 * WIDTH)));
typedef float loose __attribute__((vector_size(4 * WIDTH), may_alias, aligned(4))); /* at any float */
typedef int ivec __attribute__((vector_size(4 * WIDTH)));

/* Accumulators that fit the registers: 32 of them with AVX-512 and NEON, 16 else. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { C1_MAPS = 2, C3_RUN = 10, S2_RUN = 14, UNITS = 12, INPUTS = 20, OUTER = 4 };
enum { ONE_MAPS = 3, ONE_ROWS = 5, ONE_LANES = WIDTH };
#else
enum { C1_MAPS = 1, C3_RUN = 5, S2_RUN = 7, UNITS = 10, INPUTS = 10, OUTER = 2 };
enum { ONE_MAPS = 2, ONE_ROWS = 1, ONE_LANES = 2 * WIDTH };
#endif

INLINE vec broadcast(float x) { return x - (vec){0}; }
INLINE vec load(const float *at) { return *(const loose *)at; }
INLINE void store(float *at, vec x) { *(loose *)at = x; }

/* Bounds that let NaN through: the second operand is the one returned for NaN. */
INLINE vec bound(vec x, float most)
{
    vec high = broadcast(most), low = broadcast(-most);
#if defined(__AVX512F__) && WIDTH == 16
    return (vec)_mm512_max_ps((__m512)low, _mm512_min_ps((__m512)high, (__m512)x));
#elif defined(__AVX__) && WIDTH == 8
    return (vec)_mm256_max_ps((__m256)low, _mm256_min_ps((__m256)high, (__m256)x));
#elif defined(__SSE2__) && WIDTH == 4
    return (vec)_mm_max_ps((__m128)low, _mm_min_ps((__m128)high, (__m128)x));
#elif defined(__ARM_NEON) && WIDTH == 4
    return (vec)vmaxq_f32((float32x4_t)low, vminq_f32((float32x4_t)high, (float32x4_t)x));
#else
    ivec above = x > high, below = x < low;
    return (vec)(((ivec)x & ~(above | below)) | ((ivec)high & above) | ((ivec)low & below));
#endif
}

/* p / q for q >= 1. */
INLINE vec divide(vec p, vec q)
{
#if defined(__AVX512F__) && WIDTH == 16 /* an estimate and one step of Newton's: half a division's time */
    vec r = (vec)_mm512_rcp14_ps((__m512)q), ratio = p * r;
    return ratio + r * (p - q * ratio);
#else
    return p / q;
#endif
}

INLINE float total(vec x)
{
#if defined(__AVX512F__) && WIDTH == 16
    return _mm512_reduce_add_ps((__m512)x);
#else
    float lanes[WIDTH];
    store(lanes, x);
    for (int half = WIDTH / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
#endif
}

/* ---- squashing: f(a) = centre + amplitude·tanh(slope·a), eq. 6, or the logistic function ---- */

#define AMPLITUDE(concise) ((concise) ? 0.5f : 1.7159f)
#define SLOPE(concise) ((concise) ? 0.5f : 0.66666667f)
#define CENTRE(concise) ((concise) ? 0.5f : 0.0f)

/* tanh z = z·P(z²)/Q(z²), a minimax fit for |z| <= 9 with relative error 2e-8 before rounding. */
INLINE vec squash(vec a, int concise)
{
    const float s = SLOPE(concise), s2 = s * s, s4 = s2 * s2, s6 = s4 * s2, s8 = s4 * s4;
    const float t = AMPLITUDE(concise) * s;
    a = bound(a, 9.0f / s);
    vec u = a * a;
    vec p = u * (t * s8 * 1.335460754e-08f) + t * s6 * 2.060904290e-05f;
    vec q = u * (s8 * 7.776536081e-07f) + s6 * 3.285630879e-04f;
    p = p * u + t * s4 * 3.495585707e-03f;
    q = q * u + s4 * 2.587697296e-02f;
    p = p * u + t * s2 * 1.338102359e-01f;
    q = q * u + s2 * 4.671433918e-01f;
    p = p * u + t * 9.999999795e-01f;
    q = q * u + 1.0f;
    vec f = divide(a * p, q);
    return concise ? f + CENTRE(1) : f;
}

/* f'(a) from y = f(a), squared for second derivatives. */
INLINE vec slope(vec y, int concise, int second)
{
    const float a = AMPLITUDE(concise), s = SLOPE(concise);
    vec middle = concise ? y - CENTRE(1) : y;
    vec f = a * s - (s / a) * (middle * middle);
    return second ? f * f : f;
}

/* ---- the networks: where each array starts in the flat vector, and what C3 reads ---- */

enum { SIDE = 32, DIGITS = 10, RUBBISH = 10, NOT_A_DIGIT = 255 };

struct places {
    int c1, c1_bias, s2, s2_bias, c3, c3_bias, s4, s4_bias, c5, c5_bias, f6, f6_bias, output, output_bias, end;
};

static const struct places PLACES[2] = {
    {0, 150, 156, 162, 168, 1668, 1684, 1700, 1716, 49716, 49836, 59916, 60000, 60000, 60000},
    {0, 150, 0, 0, 156, 2556, 0, 0, 2572, 50572, 50692, 60772, 60856, 61696, 61706},
};

/* Table I: the S2 maps that feed each C3 map. The concise network connects every pair. */
static const char *const TABLE_I[16] = {
    "012", "123", "234", "345", "045", "015", "0123", "1234",
    "2345", "0345", "0145", "0125", "0134", "1245", "0235", "012345",
};

struct wiring {
    int first[17];      /* map m's pairs are first[m] ... first[m + 1] - 1 */
    int map[96], s2[96]; /* a pair's C3 map and S2 map */
};

static void wire(struct wiring *w, int concise)
{
    int pairs = 0;
    for (int m = 0; m < 16; m++) {
        w->first[m] = pairs;
        for (const char *s = concise ? TABLE_I[15] : TABLE_I[m]; *s; s++, pairs++)
            w->map[pairs] = m, w->s2[pairs] = *s - '0';
    }
    w->first[16] = pairs;
}

/* A block's feature maps; after the way back c1, c3, ... hold the derivatives by the units' sums. */
struct block {
    vec input[SIDE * SIDE];
    vec c1[6][28 * 28], s2[6][14 * 14], c3[16][10 * 10], s4[16][5 * 5];
    vec c5[120], f6[84], output[DIGITS];
};

struct workspace {
    struct block maps;
    vec back[400];                          /* the derivative by a layer's outputs, on its way to the layer below */
    vec s2_back[14 * 14];
    vec squared[6 * 14 * 14 > SIDE * SIDE ? 6 * 14 * 14 : SIDE * SIDE];
    float turned[WIDTH][400 + 5 * WIDTH];   /* a layer's inputs, image by image */
};

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

/* WIDTH vectors as a matrix, transposed: log2(WIDTH) rounds of interleaving the two halves. */
INLINE void transpose(vec *rows)
{
#if WIDTH == 16
#define LOW {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23}
#define HIGH {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31}
#elif WIDTH == 8
#define LOW {0, 8, 1, 9, 2, 10, 3, 11}
#define HIGH {4, 12, 5, 13, 6, 14, 7, 15}
#else
#define LOW {0, 4, 1, 5}
#define HIGH {2, 6, 3, 7}
#endif
    for (int round = 1; round < WIDTH; round *= 2) {
        vec mixed[WIDTH];
        UNROLL for (int i = 0; i < WIDTH / 2; i++) {
#if defined(__clang__)
            static const int low[WIDTH] = LOW, high[WIDTH] = HIGH;
            for (int k = 0; k < WIDTH; k++) {
                mixed[2 * i][k] = low[k] < WIDTH ? rows[i][low[k]] : rows[i + WIDTH / 2][low[k] - WIDTH];
                mixed[2 * i + 1][k] = high[k] < WIDTH ? rows[i][high[k]] : rows[i + WIDTH / 2][high[k] - WIDTH];
            }
#else
            mixed[2 * i] = __builtin_shuffle(rows[i], rows[i + WIDTH / 2], (ivec)LOW);
            mixed[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + WIDTH / 2], (ivec)HIGH);
#endif
        }
        UNROLL for (int i = 0; i < WIDTH; i++)
            rows[i] = mixed[i];
    }
}

/* Inputs (vectors over images) → turned[image][input]; what follows the last input is 0. */
INLINE void turn(float (*turned)[400 + 5 * WIDTH], const vec *in, int inputs, int second)
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
            store(&turned[k][i], rows[k]);
    }
}

/* The weights' derivative, delta ⊗ input summed over the block. Rows are summed in runs of five vectors, of
 * which the last may reach over the row's end: what it adds there is 0. */
INLINE void connect_weights(float *gradient, float *d_bias, const vec *delta, int outputs, const vec *in, int inputs,
                            float (*turned)[400 + 5 * WIDTH], int second)
{
    const int run = outputs % OUTER ? 2 : OUTER; /* 120, 84, 10 units */
    turn(turned, in, inputs, second);
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
                    vec x = load(&turned[image][i + v * WIDTH]);
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
    const struct places *at = &PLACES[concise];
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
    for (int i = 0; i < DIGITS; i++) { /* radial basis functions, eq. 7 */
        vec sum = {0};
        for (int k = 0; k < 84; k++) {
            vec apart = b->f6[k] - network->codes[i * 84 + k];
            sum += apart * apart;
        }
        b->output[i] = sum;
    }
}

/* ---- the criterion ---- */

/* One image's loss. `derivative` becomes `scale` times that by the ten outputs (second: the second derivative by
 * each), *curve, for second, what bends with the penalties' own slopes: max(0, Σ dE/dy). */
static double criterion_one(const float *outputs, float *derivative, float *curve,
                            const struct lenet5_criterion *criterion, uint8_t label, float scale, int concise, int second)
{
    const int desired = label == NOT_A_DIGIT ? RUBBISH : label;
    double energy[RUBBISH + 1], by[RUBBISH + 1] = {0}, bend[RUBBISH + 1] = {0}, all = 0;
    for (int i = 0; i < DIGITS; i++)
        energy[i] = concise ? -outputs[i] : outputs[i];
    energy[RUBBISH] = criterion->j;
    double loss = energy[desired]; /* eq. 8 */
    by[desired] = 1;
    if (criterion->discriminative) { /* + log(e^-j + Σ e^-y_i), eq. 9 */
        double least = energy[0], sum = 0, likely[RUBBISH + 1];
        for (int i = 1; i <= RUBBISH; i++)
            least = energy[i] < least ? energy[i] : least;
        for (int i = 0; i <= RUBBISH; i++)
            sum += likely[i] = exp(least - energy[i]);
        loss += log(sum) - least;
        for (int i = 0; i <= RUBBISH; i++) {
            by[i] -= likely[i] / sum;
            bend[i] = likely[i] / sum * (1 - likely[i] / sum);
        }
    }
    for (int i = 0; i < DIGITS; i++) {
        all += by[i];
        derivative[i] = scale * (float)(second ? bend[i] : concise ? -by[i] : by[i]);
    }
    *curve = scale * (float)(all > 0 ? all : 0);
    return loss;
}

/* A block's losses added up; its output becomes their derivative. Lanes without an image have none. */
static double criterion_block(struct block *b, vec *curve, const struct lenet5_criterion *criterion,
                              const uint8_t *labels, size_t n, float scale, int concise, int second)
{
    double loss = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) {
        float outputs[DIGITS], derivative[DIGITS] = {0}, bends = 0;
        for (int i = 0; i < DIGITS; i++)
            outputs[i] = b->output[i][lane];
        if (lane < n)
            loss += criterion_one(outputs, derivative, &bends, criterion, labels[lane], scale, concise, second);
        for (int i = 0; i < DIGITS; i++)
            b->output[i][lane] = derivative[i];
        (*curve)[lane] = bends;
    }
    return loss;
}

#include "single.h"

/* ---- a block back: gradient += the derivative by every parameter ---- */

/* `second` propagates second derivatives with f'' dropped (appendix C): weights, inputs and slopes enter squared,
 * so w are the parameters' squares. */
INLINE void backward_block(struct workspace *space, const struct lenet5_network *network, const float *w,
                           const struct wiring *wiring, vec curve, float *gradient, int concise, int second)
{
    struct block *b = &space->maps;
    const struct places *at = &PLACES[concise];
    vec *back = space->back;

    if (concise) {
        connect_weights(gradient + at->output, gradient + at->output_bias, b->output, DIGITS, b->f6, 84, space->turned,
                        second);
        connect_back(back, b->output, DIGITS, 84, w + at->output);
    } else {
        for (int k = 0; k < 84; k++) { /* by x of y = Σ (x - w)²: 2 (x - w); second: its square, and y'' = 2 */
            vec sum = second ? 2 * curve : (vec){0};
            for (int i = 0; i < DIGITS; i++) {
                vec by_x = 2 * (b->f6[k] - network->codes[i * 84 + k]);
                sum += b->output[i] * (second ? by_x * by_x : by_x);
            }
            back[k] = sum;
        }
    }
    for (int i = 0; i < 84; i++)
        b->f6[i] = back[i] * slope(b->f6[i], concise, second);
    connect_weights(gradient + at->f6, gradient + at->f6_bias, b->f6, 84, b->c5, 120, space->turned, second);
    connect_back(back, b->f6, 84, 120, w + at->f6);
    for (int i = 0; i < 120; i++)
        b->c5[i] = back[i] * slope(b->c5[i], concise, second);
    connect_weights(gradient + at->c5, gradient + at->c5_bias, b->c5, 120, b->s4[0], 400, space->turned, second);
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

/* ---- threads ---- */

/* A call's work: pieces are taken by whichever thread is free, results never depend on which. */
struct work {
    const struct lenet5_network *network;
    struct wiring wiring;
    const float *images;
    size_t n, pieces;
    atomic_size_t next;
    float *outputs;
    /* the way back */
    const struct lenet5_criterion *criterion;
    const uint8_t *labels;
    const float *weights; /* the parameters, or for second derivatives their squares */
    float *gradients;     /* a buffer of `stride` floats for each piece */
    size_t stride;
    double *losses;
    float *gradient;
    int second;
    void (*run)(struct work *, struct workspace *, size_t piece);
};

struct worker {
    struct work *work;
    struct workspace *space;
    pthread_t thread;
    int started;
};

static void *serve(void *argument)
{
    struct worker *me = argument;
    size_t piece;
    while ((piece = atomic_fetch_add(&me->work->next, 1)) < me->work->pieces)
        me->work->run(me->work, me->space, piece);
    return NULL;
}

static int most(size_t pieces, int threads) { return pieces < (size_t)threads ? (int)pieces : threads; }

/* Run all pieces on up to `threads` threads, the caller's among them; a thread that cannot start is done without. */
static void share(struct work *work, struct worker *workers, int threads)
{
    atomic_store(&work->next, 0);
    threads = most(work->pieces, threads);
    for (int t = 1; t < threads; t++)
        workers[t].started = pthread_create(&workers[t].thread, NULL, serve, &workers[t]) == 0;
    serve(&workers[0]);
    for (int t = 1; t < threads; t++)
        if (workers[t].started)
            pthread_join(workers[t].thread, NULL);
}

static void *allocate(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

static struct worker *hire(struct work *work, int threads)
{
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    struct workspace *spaces = allocate((size_t)threads * sizeof *spaces);
    if (!workers || !spaces) {
        free(workers), free(spaces);
        return NULL;
    }
    for (int t = 0; t < threads; t++)
        workers[t] = (struct worker){.work = work, .space = spaces + t};
    return workers;
}

static void dismiss(struct worker *workers)
{
    free(workers[0].space);
    free(workers);
}

static size_t image_size(const struct lenet5_network *network) { return network->concise ? 28 * 28 : SIDE * SIDE; }

static void maps_of(struct work *work, struct block *b, size_t first, size_t n)
{
    read_block(b->input, work->images + first * image_size(work->network), n, work->network->concise);
    (work->network->concise ? forward_concise : forward_paper)(b, work->network, &work->wiring);
}

static void forward_piece(struct work *work, struct workspace *space, size_t piece)
{
    size_t first = piece * WIDTH, n = work->n - first < WIDTH ? work->n - first : WIDTH;
    maps_of(work, &space->maps, first, n);
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < DIGITS; i++)
            work->outputs[(first + k) * DIGITS + i] = space->maps.output[i][k];
}

/* So few images are quicker one at a time, in part of a block's time and without threads. */
enum { FEW = WIDTH / 2 };

static int forward(const struct lenet5_network *network, const float *images, size_t n, int threads, float *outputs)
{
    struct work work = {.network = network, .images = images, .n = n, .pieces = (n + WIDTH - 1) / WIDTH,
                        .outputs = outputs, .run = forward_piece};
    wire(&work.wiring, network->concise);
    if (n <= FEW) {
        forward_singly(network, &work.wiring, images, n, outputs);
        return 0;
    }
    threads = most(work.pieces, threads);
    struct worker *workers = hire(&work, threads);
    if (!workers)
        return -1;
    share(&work, workers, threads);
    dismiss(workers);
    return 0;
}

static void spread(float *out, size_t first, size_t n, const vec *maps, size_t units)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < units; i++)
            out[(first + k) * units + i] = maps[i][k];
}

static int feature_maps(const struct lenet5_network *network, const float *images, size_t n, const struct lenet5_maps *out)
{
    struct work work = {.network = network, .images = images, .n = n};
    wire(&work.wiring, network->concise);
    struct block *b = allocate(sizeof *b);
    if (!b)
        return -1;
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t some = n - first < WIDTH ? n - first : WIDTH;
        maps_of(&work, b, first, some);
        spread(out->c1, first, some, b->c1[0], 6 * 784);
        spread(out->s2, first, some, b->s2[0], 6 * 196);
        spread(out->c3, first, some, b->c3[0], 16 * 100);
        spread(out->s4, first, some, b->s4[0], 16 * 25);
        spread(out->c5, first, some, b->c5, 120);
        spread(out->f6, first, some, b->f6, 84);
        spread(out->output, first, some, b->output, DIGITS);
    }
    free(b);
    return 0;
}

/* Images are cut into pieces by their number alone, each with its own sum, added up in order at the end: the
 * result does not depend on the number of threads. */
enum { PIECE = 32, MOST_PIECES = 16, FEW_SUMS = 4, FEW_GRADIENTS = 3 * WIDTH / 8 };

static size_t piece_start(const struct work *work, size_t piece)
{
    size_t blocks = (work->n + WIDTH - 1) / WIDTH, start = blocks * piece / work->pieces * WIDTH;
    return start < work->n ? start : work->n;
}

static void gradient_piece(struct work *work, struct workspace *space, size_t piece)
{
    float *gradient = work->gradients + piece * work->stride;
    const size_t stop = piece_start(work, piece + 1);
    const int concise = work->network->concise;
    memset(gradient, 0, work->stride * sizeof *gradient);
    work->losses[piece] = 0;
    for (size_t first = piece_start(work, piece); first < stop; first += WIDTH) {
        size_t n = stop - first < WIDTH ? stop - first : WIDTH;
        vec curve;
        maps_of(work, &space->maps, first, n);
        work->losses[piece] += criterion_block(&space->maps, &curve, work->criterion, work->labels + first, n,
                                               1 / (float)work->n, concise, work->second);
        (work->second ? curvature_any : concise ? backward_concise : backward_paper)(
            space, work->network, work->weights, &work->wiring, curve, gradient);
    }
}

static void add_pieces(struct work *work, struct workspace *space, size_t slice)
{
    (void)space;
    size_t parameters = (size_t)PLACES[work->network->concise].end, buffers = work->n; /* here: how many to add */
    size_t start = parameters * slice / work->pieces, stop = parameters * (slice + 1) / work->pieces;
    for (size_t i = start; i < stop; i++)
        work->gradient[i] = work->gradients[i];
    for (size_t k = 1; k < buffers; k++)
        for (size_t i = start; i < stop; i++)
            work->gradient[i] += work->gradients[k * work->stride + i];
}

static int gradient(const struct lenet5_network *network, const struct lenet5_criterion *criterion, const float *images,
                    const uint8_t *labels, size_t n, int threads, int second, double *loss, float *gradient)
{
    const size_t parameters = (size_t)PLACES[network->concise].end;
    size_t pieces = (n + PIECE - 1) / PIECE;
    struct work work = {.network = network, .criterion = criterion, .images = images, .labels = labels, .n = n,
                        .pieces = pieces < MOST_PIECES ? pieces : MOST_PIECES, .second = second, .gradient = gradient,
                        .stride = (parameters + 6 * WIDTH + 15) / 16 * 16, .run = gradient_piece};
    wire(&work.wiring, network->concise);
    if (n <= FEW_GRADIENTS && !second) {
        *loss = gradient_singly(network, &work.wiring, criterion, images, labels, n, gradient);
        return 0;
    }
    threads = most(work.pieces, threads);
    work.gradients = allocate(work.pieces * work.stride * sizeof(float));
    work.losses = allocate(work.pieces * sizeof(double));
    float *squares = second ? allocate(parameters * sizeof(float)) : NULL;
    struct worker *workers = hire(&work, threads);
    int failed = !work.gradients || !work.losses || (second && !squares) || !workers;
    if (!failed) {
        work.weights = network->parameters;
        if (second) {
            for (size_t i = 0; i < parameters; i++)
                squares[i] = network->parameters[i] * network->parameters[i];
            work.weights = squares;
        }
        share(&work, workers, threads);
        *loss = 0;
        for (size_t k = 0; k < work.pieces; k++)
            *loss += work.losses[k];
        work.n = work.pieces;
        work.pieces = work.n > FEW_SUMS ? (size_t)threads : 1; /* few sums cost less than another thread */
        work.run = add_pieces;
        share(&work, workers, threads);
    }
    if (workers)
        dismiss(workers);
    free(squares), free(work.losses), free(work.gradients);
    return failed ? -1 : 0;
}

extern void PASTE(lenet5_distort_, ENGINE)(const struct lenet5_distortion *, int threads);

const struct lenet5_engine PASTE(lenet5_engine_, ENGINE) = {
    TEXT(ENGINE), WIDTH, forward, feature_maps, gradient, PASTE(lenet5_distort_, ENGINE),
};
