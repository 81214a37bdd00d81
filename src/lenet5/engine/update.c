/* An optimizer's step, one pass over the parameters. Compiled without contraction into fused multiply-adds, so that
 * every operation rounds as NumPy's and lenet5.learning.optimizer gives the same numbers with and without it. */
#include "engine.h"

#include <math.h>

void PASTE(lenet5_adam_, ENGINE)(const struct lenet5_adam *by, size_t n)
{
    const float forget_mean = by->forget_mean, forget_square = by->forget_square, least = by->least, rate = by->rate;
    const float keep = by->keep;
    const float *restrict gradient = by->gradient;
    float *restrict parameters = by->parameters, *restrict mean = by->mean, *restrict square = by->square;
    for (size_t i = 0; i < n; i++) {
        const float g = gradient[i], m = mean[i] + (g - mean[i]) * forget_mean;
        const float s = square[i] + (g * g - square[i]) * forget_square;
        mean[i] = m;
        square[i] = s;
        parameters[i] = parameters[i] * keep - m / (sqrtf(s) + least) * rate;
    }
}
