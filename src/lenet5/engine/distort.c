/* Distortions: images read at other positions, and strokes made thicker or thinner (lenet5.learning.distort). */
#include "engine.h"

#include <string.h>

#include "pool.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)

enum { SIDE = 28, FRAMED = SIDE + 2, PIXELS = SIDE * SIDE, CONTROL = 8, PADDED = 32, PIECE = 16 };

/* Where every pixel is read: by an affine map of pixel positions, and a smooth displacement added. */
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
            memcpy(where + y * SIDE, row, SIDE * sizeof *row);
        }
    }
}

/* The framed pixel before a position, and the way to the next in 0..1; NaN and all outside are background. */
static void split(const float *restrict where, int *restrict whole, float *restrict part)
{
    for (int i = 0; i < PIXELS; i++) {
        float position = where[i] + 1;
        position = position > 0 ? position : 0;
        position = position < SIDE + 1 ? position : SIDE + 1;
        int before = (int)position;
        before = before < SIDE ? before : SIDE;
        whole[i] = before;
        part[i] = position - (float)before;
    }
}

/* One image in a frame of background, read bilinearly. */
static void read_at(const float *restrict framed, const float *restrict where, float *restrict out)
{
    int y[PIXELS], x[PIXELS];
    float down[PIXELS], right[PIXELS], four[4][PIXELS];
    split(where, y, down);
    split(where + PIXELS, x, right);
    for (int i = 0; i < PIXELS; i++) {
        const float *corner = framed + y[i] * FRAMED + x[i];
        four[0][i] = corner[0], four[1][i] = corner[1];
        four[2][i] = corner[FRAMED], four[3][i] = corner[FRAMED + 1];
    }
    for (int i = 0; i < PIXELS; i++) {
        float top = four[0][i] * (1 - right[i]) + four[1][i] * right[i];
        float bottom = four[2][i] * (1 - right[i]) + four[3][i] * right[i];
        out[i] = top + (bottom - top) * down[i];
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

static void distort_piece(void *of, int worker, size_t piece)
{
    const struct lenet5_distortion *work = of;
    float framed[FRAMED * FRAMED] = {0}, image[PIXELS], where[2 * PIXELS];
    const size_t start = piece * PIECE, stop = work->n - start < PIECE ? work->n : start + PIECE;
    (void)worker;
    for (size_t k = start; k < stop; k++) {
        float *out = work->out + k * PIXELS;
        if (work->bytes) {
            for (int i = 0; i < PIXELS; i++)
                image[i] = work->bytes[k * PIXELS + (size_t)i];
            frame(framed, image);
        } else
            frame(framed, work->floats + k * PIXELS);
        const float *fields = work->fields ? work->fields + k * 2 * PIXELS : where;
        if (!work->fields)
            positions(work->matrices + k * 6, work->noise ? work->noise + k * 2 * CONTROL * CONTROL : NULL,
                      work->smoothing, work->elastic, where);
        read_at(framed, fields, work->strokes ? image : out);
        if (work->strokes) {
            frame(framed, image);
            stroke(framed, work->strokes[k], out);
        }
    }
}

void PASTE(lenet5_distort_, ENGINE)(const struct lenet5_distortion *work, int threads)
{
    lenet5_share(distort_piece, (void *)work, (work->n + PIECE - 1) / PIECE, threads);
}
