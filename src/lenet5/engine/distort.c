/* Distortions: images read at other positions, and strokes made thicker or thinner (lenet5.learning.distort). */
#include "engine.h"

#include <string.h>

#include "pool.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)

enum { SIDE = 28, FRAMED = SIDE + 2, PIXELS = SIDE * SIDE, CONTROL = 8, PADDED = 32, PIECE = 16 };

/* Where every pixel is read: by an affine map of pixel positions, and a smooth displacement added. `where` has room
 * for PADDED - SIDE more. */
static void positions(const float *restrict matrix, const float *restrict noise, const float *restrict smoothing,
                      float elastic, float *restrict where)
{
    float padded[CONTROL][PADDED] = {{0}};
    if (noise)
        for (int k = 0; k < CONTROL; k++)
            memcpy(padded[k], smoothing + k * SIDE, SIDE * sizeof *smoothing);
    for (int d = 0; d < 2; d++, matrix += 3, where += PIXELS) {
        float column[CONTROL][PADDED] = {{0}}; /* smoothingᵀ · noise, then · smoothing row by row */
        if (noise)
            for (int k = 0; k < CONTROL; k++)
                for (int j = 0; j < CONTROL; j++)
                    for (int y = 0; y < PADDED; y++)
                        column[k][y] += elastic * noise[(d * CONTROL + j) * CONTROL + k] * padded[j][y];
        for (int y = 0; y < SIDE; y++) {
            float row[PADDED];
            for (int x = 0; x < PADDED; x++)
                row[x] = matrix[0] * (float)y + matrix[1] * (float)x + matrix[2];
            if (noise)
                for (int k = 0; k < CONTROL; k++)
                    for (int x = 0; x < PADDED; x++)
                        row[x] += column[k][y] * padded[k][x];
            memcpy(where + y * SIDE, row, sizeof row); /* the next row goes over what is too much */
        }
    }
}

/* Where each pixel is read: the corner before its position among the framed pixels, and the way on to the next row
 * and column in 0..1. NaN and all outside are background. */
struct places {
    int corner[PIXELS];
    float down[PIXELS], right[PIXELS];
};

/* The framed pixel before a position. */
static inline int before(float *position)
{
    float at = *position + 1;
    at = at > 0 ? at : 0;
    at = at < SIDE + 1 ? at : SIDE + 1;
    int whole = (int)at;
    whole = whole < SIDE ? whole : SIDE;
    *position = at - (float)whole;
    return whole;
}

static void find(const float *restrict where, struct places *restrict places)
{
    for (int i = 0; i < PIXELS; i++) {
        float row = where[i], column = where[PIXELS + i];
        const int y = before(&row), x = before(&column);
        places->corner[i] = y * FRAMED + x;
        places->down[i] = row;
        places->right[i] = column;
    }
}

static inline float mix(float a, float b, float c, float d, float right, float down)
{
    float top = a * (1 - right) + b * right;
    float bottom = c * (1 - right) + d * right;
    return top + (bottom - top) * down;
}

/* One image in a frame of background, read bilinearly. */
static void read_floats(const float *restrict framed, const struct places *restrict places, float *restrict out)
{
    float four[4][PIXELS];
    for (int i = 0; i < PIXELS; i++) {
        const float *corner = framed + places->corner[i];
        four[0][i] = corner[0], four[1][i] = corner[1];
        four[2][i] = corner[FRAMED], four[3][i] = corner[FRAMED + 1];
    }
    for (int i = 0; i < PIXELS; i++)
        out[i] = mix(four[0][i], four[1][i], four[2][i], four[3][i], places->right[i], places->down[i]);
}

/* The same of bytes: a pixel and its three neighbours in one word, so that each position costs one load. */
static void read_bytes(const uint8_t *restrict framed, const struct places *restrict places, float *restrict out)
{
    uint32_t words[FRAMED * FRAMED], four[PIXELS];
    for (int i = 0; i < FRAMED * (FRAMED - 1) - 1; i++)
        words[i] = (uint32_t)framed[i] | (uint32_t)framed[i + 1] << 8 | (uint32_t)framed[i + FRAMED] << 16 |
                   (uint32_t)framed[i + FRAMED + 1] << 24;
    for (int i = 0; i < PIXELS; i++)
        four[i] = words[places->corner[i]];
    for (int i = 0; i < PIXELS; i++) {
        const uint32_t w = four[i];
        out[i] = mix((float)(int)(w & 255), (float)(int)(w >> 8 & 255), (float)(int)(w >> 16 & 255), (float)(int)(w >> 24),
                     places->right[i], places->down[i]);
    }
}

/* Towards the largest (amount > 0) or the smallest of a pixel and its four neighbours, in a frame of 0. */
static void stroke(const float *restrict framed, float amount, float *restrict out)
{
    const float sign = amount > 0 ? 1 : -1, part = amount > 0 ? amount : -amount;
    float changed[FRAMED * SIDE]; /* with the frame's columns, so that the loop is one */
    for (int i = 0; i < FRAMED * SIDE - 2; i++) {
        const float *at = framed + FRAMED + 1 + i;
        float most = sign * at[0];
        most = sign * at[-1] > most ? sign * at[-1] : most;
        most = sign * at[1] > most ? sign * at[1] : most;
        most = sign * at[-FRAMED] > most ? sign * at[-FRAMED] : most;
        most = sign * at[FRAMED] > most ? sign * at[FRAMED] : most;
        changed[i] = at[0] + part * (sign * most - at[0]);
    }
    for (int y = 0; y < SIDE; y++)
        memcpy(out + y * SIDE, changed + y * FRAMED, SIDE * sizeof *out);
}

static void frame(float *restrict framed, const float *restrict image)
{
    for (int y = 0; y < SIDE; y++)
        memcpy(framed + (y + 1) * FRAMED + 1, image + y * SIDE, SIDE * sizeof *image);
}

/* Levels as the network wants them. Scale and offset are two loops: they round as two operations. */
static void put(const struct lenet5_distortion *work, float *restrict image, float *restrict out)
{
    for (int i = 0; i < PIXELS; i++)
        image[i] *= work->scale;
    for (int i = 0; i < PIXELS; i++)
        image[i] += work->offset;
    const int side = SIDE + 2 * work->frame;
    if (work->frame)
        for (int i = 0; i < side * side; i++)
            out[i] = work->offset;
    for (int y = 0; y < SIDE; y++)
        memcpy(out + (work->frame + y) * side + work->frame, image + y * SIDE, SIDE * sizeof *image);
}

static void distort_piece(void *of, int worker, size_t piece)
{
    const struct lenet5_distortion *work = of;
    const size_t size = (size_t)(SIDE + 2 * work->frame) * (size_t)(SIDE + 2 * work->frame);
    const size_t start = piece * PIECE, stop = work->n - start < PIECE ? work->n : start + PIECE;
    float framed[FRAMED * FRAMED] = {0}, image[PIXELS], where[2 * PIXELS + PADDED - SIDE];
    uint8_t bytes[FRAMED * FRAMED] = {0};
    struct places places;
    (void)worker;
    for (size_t k = start; k < stop; k++) {
        if (!work->fields)
            positions(work->matrices + k * 6, work->noise ? work->noise + k * 2 * CONTROL * CONTROL : NULL,
                      work->smoothing, work->elastic, where);
        find(work->fields ? work->fields + k * 2 * PIXELS : where, &places);
        if (work->bytes) {
            for (int y = 0; y < SIDE; y++)
                memcpy(bytes + (y + 1) * FRAMED + 1, work->bytes + k * PIXELS + (size_t)(y * SIDE), SIDE);
            read_bytes(bytes, &places, image);
        } else {
            frame(framed, work->floats + k * PIXELS);
            read_floats(framed, &places, image);
        }
        if (work->strokes) {
            frame(framed, image);
            stroke(framed, work->strokes[k], image);
        }
        put(work, image, work->out + k * size);
    }
}

void PASTE(lenet5_distort_, ENGINE)(const struct lenet5_distortion *work, int threads)
{
    lenet5_share(distort_piece, (void *)work, (work->n + PIECE - 1) / PIECE, threads);
}
