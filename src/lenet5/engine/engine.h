/* The compiled engine's interface: one table of functions for each instruction set. */
#ifndef LENET5_ENGINE_H
#define LENET5_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* A function's name in one instruction set: PASTE(lenet5_adam_, ENGINE) */
#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)

enum { LENET5_LEAST_CLASSES = 10, LENET5_MOST_CLASSES = 96 };

/* A network by its flat parameter vector, in the order of lenet5.paper. */
struct lenet5_network {
    int concise;             /* 0: the paper's network, 1: the tutorials' form */
    int classes;             /* outputs: 10 to 96, the digits first; 10 in the tutorials' form */
    const float *parameters; /* 60,000 or 61,706 */
    const float *codes;      /* (classes, 84); only the paper's network reads them */
};

/* Eq. 8 or eq. 9 on penalties, at a temperature; j is infinite for cross-entropy. */
struct lenet5_criterion {
    int discriminative;
    double j, temperature;
};

/* What each of n images should be: its label, 0 to classes - 1 or 255, or, where they are not null, targets
 * (n, classes + 1), the shares of the classes and, last, of rubbish. */
struct lenet5_desired {
    const uint8_t *labels;
    const float *targets;
};

/* Where feature maps go: each (n, maps, height, width) or (n, units), C order. */
struct lenet5_maps {
    float *c1, *s2, *c3, *s4, *c5, *f6, *output;
};

/* Images (n, 28, 28) read bilinearly, 0 outside, and then, where `strokes` (n) is not null, thickened or thinned.
 * Source positions come from `matrices` (n, 2, 3) by (row, column, 1), plus, where `noise` (n, 2, 8, 8) is not null,
 * elastic · smoothingᵀ · noise · smoothing with `smoothing` (8, 28). The result is multiplied by `scale`, `offset` is
 * added, and a frame of `offset` is put around it, `frame` pixels wide. */
struct lenet5_distortion {
    const uint8_t *images;
    const float *matrices, *noise, *smoothing, *strokes;
    float elastic, scale, offset;
    int frame;
    size_t n;
    float *out;
};

/* Adam's step: mean and square move towards the gradient and its square by `forget_mean` and `forget_square`;
 * parameters become parameters · keep − mean / (√square + least) · rate. */
struct lenet5_adam {
    float *parameters, *mean, *square;
    const float *gradient;
    float forget_mean, forget_square, least, rate, keep;
};

/* Functions return 0, or -1 where memory ran out. Images are in the network's input range. */
struct lenet5_engine {
    const char *name;
    int width; /* images in a vector */
    int (*forward)(const struct lenet5_network *, const float *images, size_t n, int threads, float *outputs);
    int (*feature_maps)(const struct lenet5_network *, const float *images, size_t n, const struct lenet5_maps *);
    /* The sum of the n images' losses, and the mean's gradient; or, `second`, the diagonal Gauss-Newton mean. */
    int (*gradient)(const struct lenet5_network *, const struct lenet5_criterion *, const float *images,
                    const struct lenet5_desired *desired, size_t n, int threads, int second, double *loss, float *gradient);
    void (*distort)(const struct lenet5_distortion *, int threads);
    void (*adam)(const struct lenet5_adam *, size_t n);
};

extern const struct lenet5_engine lenet5_engine_baseline, lenet5_engine_avx2, lenet5_engine_avx512;

#endif
