/* Distortions: images read at other positions, and strokes made thicker or thinner (lenet5.learning.distort). */
#include "engine.h"

#include <string.h>

#include "pool.h"

enum { SIDE = 28, FRAMED = SIDE + 2, PIXELS = SIDE * SIDE, CONTROL = 8, PADDED = 32, PIECE = 16 };

/* Where every pixel is read: by an affine map of pixel positions, and a smooth displacement added. `where` has room
 * for PADDED - SIDE more. */
static void source_positions(const float *restrict matrix, const float *restrict noise,
                             const float *restrict smoothing, float elastic, float *restrict where)
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

/* What bilinear interpolation needs of each pixel's source: the framed pixel above and to the left of it, and the
 * fractions of the way to the next row and column. NaN and everything outside are background. */
struct taps {
    int corner[PIXELS];
    float down[PIXELS], right[PIXELS];
};

/* The framed pixel before a position; the position becomes the fraction of the way to the next one. */
static inline int split_position(float *position)
{
    float at = *position + 1;
    at = at > 0 ? at : 0;
    at = at < SIDE + 1 ? at : SIDE + 1;
    int whole = (int)at;
    whole = whole < SIDE ? whole : SIDE;
    *position = at - (float)whole;
    return whole;
}

static void taps_at(const float *restrict where, struct taps *restrict taps)
{
    for (int i = 0; i < PIXELS; i++) {
        float row = where[i], column = where[PIXELS + i];
        const int y = split_position(&row), x = split_position(&column);
        taps->corner[i] = y * FRAMED + x;
        taps->down[i] = row;
        taps->right[i] = column;
    }
}

static inline float interpolate(float a, float b, float c, float d, float right, float down)
{
    float top = a * (1 - right) + b * right;
    float bottom = c * (1 - right) + d * right;
    return top + (bottom - top) * down;
}

/* An image in a frame of background, read bilinearly: a pixel and its three neighbours are in one word, so that each
 * position costs one load. */
static void resample(const uint8_t *restrict framed, const struct taps *restrict taps, float *restrict out)
{
    uint32_t words[FRAMED * FRAMED], four[PIXELS];
    for (int i = 0; i < FRAMED * (FRAMED - 1) - 1; i++)
        words[i] = (uint32_t)framed[i] | (uint32_t)framed[i + 1] << 8 | (uint32_t)framed[i + FRAMED] << 16 |
                   (uint32_t)framed[i + FRAMED + 1] << 24;
    for (int i = 0; i < PIXELS; i++)
        four[i] = words[taps->corner[i]];
    for (int i = 0; i < PIXELS; i++) {
        const uint32_t w = four[i];
        out[i] = interpolate((float)(int)(w & 255), (float)(int)(w >> 8 & 255), (float)(int)(w >> 16 & 255),
                             (float)(int)(w >> 24), taps->right[i], taps->down[i]);
    }
}

/* Move each pixel towards the largest (amount > 0) or the smallest of itself and its four neighbours. */
static void change_stroke_width(const float *restrict framed, float amount, float *restrict out)
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

extern void PASTE(lenet5_write_input_, ENGINE)(const struct lenet5_distortion *, float *restrict image, float *restrict out);

static void distort_piece(void *of, int worker, size_t piece)
{
    const struct lenet5_distortion *work = of;
    const size_t size = (size_t)(SIDE + 2 * work->frame) * (size_t)(SIDE + 2 * work->frame);
    const size_t start = piece * PIECE, stop = work->n - start < PIECE ? work->n : start + PIECE;
    float framed[FRAMED * FRAMED] = {0}, image[PIXELS], where[2 * PIXELS + PADDED - SIDE];
    uint8_t bytes[FRAMED * FRAMED] = {0};
    struct taps taps;
    (void)worker;
    for (size_t k = start; k < stop; k++) {
        source_positions(work->matrices + k * 6, work->noise ? work->noise + k * 2 * CONTROL * CONTROL : NULL,
                         work->smoothing, work->elastic, where);
        taps_at(where, &taps);
        for (int y = 0; y < SIDE; y++)
            memcpy(bytes + (y + 1) * FRAMED + 1, work->images + k * PIXELS + (size_t)(y * SIDE), SIDE);
        resample(bytes, &taps, image);
        if (work->strokes) {
            for (int y = 0; y < SIDE; y++)
                memcpy(framed + (y + 1) * FRAMED + 1, image + y * SIDE, SIDE * sizeof *image);
            change_stroke_width(framed, work->strokes[k], image);
        }
        PASTE(lenet5_write_input_, ENGINE)(work, image, work->out + k * size);
    }
}

void PASTE(lenet5_distort_, ENGINE)(const struct lenet5_distortion *work, int threads)
{
    lenet5_run_pieces(distort_piece, (void *)work, (work->n + PIECE - 1) / PIECE, threads);
}
