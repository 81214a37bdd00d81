/* Distortions: images read at other positions, and strokes made thicker or thinner (lenet5.learning.distort). */
#include "engine.h"

#include <string.h>

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)

enum { SIDE = 28, FRAMED = SIDE + 2, PIXELS = SIDE * SIDE };

static inline float within(float x, float most) /* NaN reads the background */
{
    x = x > 0 ? x : 0;
    return x < most ? x : most;
}

/* One image in a frame of background, read bilinearly. */
static void read_at(const float *restrict framed, const float *restrict rows, const float *restrict columns,
                    float *restrict out)
{
    for (int i = 0; i < PIXELS; i++) {
        float row = within(rows[i] + 1, SIDE + 1), column = within(columns[i] + 1, SIDE + 1);
        int y = row < SIDE ? (int)row : SIDE, x = column < SIDE ? (int)column : SIDE;
        float down = row - (float)y, right = column - (float)x;
        const float *corner = framed + y * FRAMED + x;
        float top = corner[0] * (1 - right) + corner[1] * right;
        float bottom = corner[FRAMED] * (1 - right) + corner[FRAMED + 1] * right;
        out[i] = top + (bottom - top) * down;
    }
}

/* Towards the largest (amount > 0) or the smallest of a pixel and its four neighbours, in a frame of 0. */
static void stroke(const float *restrict framed, float amount, float *restrict out)
{
    const float sign = amount > 0 ? 1 : -1, part = amount > 0 ? amount : -amount;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const float *at = framed + (y + 1) * FRAMED + x + 1;
            float here = sign * at[0], most = here;
            most = sign * at[-1] > most ? sign * at[-1] : most;
            most = sign * at[1] > most ? sign * at[1] : most;
            most = sign * at[-FRAMED] > most ? sign * at[-FRAMED] : most;
            most = sign * at[FRAMED] > most ? sign * at[FRAMED] : most;
            out[y * SIDE + x] = at[0] + part * (sign * most - at[0]);
        }
}

static void frame(float *restrict framed, const float *restrict image)
{
    for (int y = 0; y < SIDE; y++)
        memcpy(framed + (y + 1) * FRAMED + 1, image + y * SIDE, SIDE * sizeof *image);
}

int PASTE(lenet5_resample_, ENGINE)(const void *images, int are_bytes, const float *fields, const float *strokes,
                                    size_t n, float *out)
{
    float framed[FRAMED * FRAMED] = {0}, image[PIXELS];
    for (size_t k = 0; k < n; k++, fields += 2 * PIXELS, out += PIXELS) {
        if (are_bytes) {
            const uint8_t *bytes = (const uint8_t *)images + k * PIXELS;
            for (int i = 0; i < PIXELS; i++)
                image[i] = bytes[i];
            frame(framed, image);
        } else
            frame(framed, (const float *)images + k * PIXELS);
        if (!strokes) {
            read_at(framed, fields, fields + PIXELS, out);
            continue;
        }
        read_at(framed, fields, fields + PIXELS, image);
        frame(framed, image);
        stroke(framed, strokes[k], out);
    }
    return 0;
}
