/* The two networks as the engine sees them, and the criterion of one image. */
#include <math.h>

enum { SIDE = 32, DIGITS = 10, MOST_CLASSES = LENET5_MOST_CLASSES, NOT_A_DIGIT = 255 };

struct offsets {
    int c1, c1_bias, s2, s2_bias, c3, c3_bias, s4, s4_bias, c5, c5_bias, f6, f6_bias, output, output_bias, end;
};

static const struct offsets OFFSETS[2] = {
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

/* ---- the criterion ---- */

/* The target (classes + 1) of image k: its row, or 1 for its label, in `row`. Rubbish comes after the classes. */
static const float *target_of(const struct lenet5_desired *desired, size_t k, int classes, float *row)
{
    if (desired->targets)
        return desired->targets + k * (size_t)(classes + 1);
    for (int i = 0; i <= classes; i++)
        row[i] = 0;
    row[desired->labels[k] == NOT_A_DIGIT ? classes : desired->labels[k]] = 1;
    return row;
}

/* One image's loss. `derivative` becomes `scale` times that by the outputs (second: the second derivative by
 * each), *curve, for second, what bends with the penalties' own slopes: max(0, Σ dE/dy). */
static double criterion_single(const float *outputs, float *derivative, float *curve,
                            const struct lenet5_criterion *criterion, const float *target, int classes, float scale,
                            int concise, int second)
{
    const double temperature = criterion->temperature;
    double energy[MOST_CLASSES + 1], by[MOST_CLASSES + 1], bend[MOST_CLASSES + 1], all = 0, loss = 0;
    for (int i = 0; i < classes; i++)
        energy[i] = concise ? -outputs[i] : outputs[i];
    energy[classes] = criterion->j; /* rubbish */
    for (int i = 0; i <= classes; i++) { /* eq. 8 */
        by[i] = target[i];
        bend[i] = 0;
        if (target[i] != 0) /* j may be infinite */
            loss += target[i] * energy[i];
    }
    if (criterion->discriminative) { /* + T log(e^-j/T + Σ e^-y_i/T), eq. 9 */
        double least = energy[0], sum = 0, likely[MOST_CLASSES + 1];
        for (int i = 1; i <= classes; i++)
            least = energy[i] < least ? energy[i] : least;
        for (int i = 0; i <= classes; i++)
            sum += likely[i] = exp((least - energy[i]) / temperature);
        loss += temperature * log(sum) - least;
        for (int i = 0; i <= classes; i++) {
            by[i] -= likely[i] / sum;
            bend[i] = likely[i] / sum * (1 - likely[i] / sum) / temperature;
        }
    }
    for (int i = 0; i < classes; i++) {
        all += by[i];
        derivative[i] = scale * (float)(second ? bend[i] : concise ? -by[i] : by[i]);
    }
    *curve = scale * (float)(all > 0 ? all : 0);
    return loss;
}

