/* LeNet-5 reads one handwritten digit: %TITLE%.
 *
 * Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document Recognition",
 * Proceedings of the IEEE 86(11), 1998, called "the paper". C99, also C++; needs no library and keeps no state.
 *
 *     static lenet5_scratch scratch;
 *     static lenet5_preparation preparation;
 *     uint8_t image[LENET5_PIXELS];
 *     if (lenet5_prepare(crop, width, height, stride, paper, ink, image, &preparation)) {
 *         lenet5_answer answer = lenet5_read(image, &scratch);
 *         ... answer.label, answer.confidence ...
 *     }
 *
 * Written by lenet5 %VERSION% (MIT licence) from the weights %WEIGHTS%.
 * Trained on: %TRAINED_ON%
 */
#ifndef LENET5_H
#define LENET5_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LENET5_SIDE 28                      /* height and width of an image */
#define LENET5_PIXELS 784                   /* and its number of pixels */
#define LENET5_REFUSED (-1)                 /* the label of an image that is none of the digits */
#define LENET5_CONSTANT_BYTES %CONSTANT_BYTES%L /* weights, biases, codes and tables */
#define LENET5_SCRATCH_BYTES %SCRATCH_BYTES%       /* lenet5_scratch */
#define LENET5_PREPARATION_BYTES 10496      /* lenet5_preparation */

typedef %UNIT% lenet5_unit; /* %UNIT_COMMENT% */

/* The feature maps, each there until the next call of lenet5_read; C1 and C3 are never stored. */
typedef struct {
    lenet5_unit input[32][32]; /* the image in a frame two pixels wide */
    lenet5_unit s2[6][14][14];
    lenet5_unit s4[16][5][5];
    lenet5_unit c5[120];
    lenet5_unit f6[84];
%ROW%} lenet5_scratch;

/* What lenet5_prepare works in; it may share its memory with lenet5_scratch. */
typedef struct {
    uint8_t fine[96][96];   /* the crop at four times the final resolution */
    uint8_t rows[2][96];    /* two of its rows as they were */
    uint8_t coarse[24][24]; /* the crop at the final resolution */
    uint16_t count[256];    /* how many pixels have each level */
} lenet5_preparation;

typedef struct {
    int8_t label;        /* 0 to 9, or LENET5_REFUSED */
    float confidence;    /* the probability of the label, 0 to 1 */
    float posterior[11]; /* the probabilities of the ten digits and, last, of none of them */
} lenet5_answer;

/* Reads an image in MNIST's form, row by row: 0 is paper, 255 full ink, the digit 20 pixels high or wide, its centre of
 * mass in the middle. lenet5_prepare makes such images. */
lenet5_answer lenet5_read(const uint8_t image[LENET5_PIXELS], lenet5_scratch *scratch);

/* Makes an image in MNIST's form of a grey crop, "width" by "height" pixels from 1 to LENET5_MOST_SIDE, its rows
 * "stride" bytes apart. "paper" is the grey level from which ink begins, "ink" that of full ink; on a dark ground the
 * ink is the larger one. Margins without ink are cut off. Returns 1, or 0 with a blank image where there is no ink. */
#define LENET5_MOST_SIDE 16383
int lenet5_prepare(const uint8_t *grey, int width, int height, int stride, uint8_t paper, uint8_t ink,
                   uint8_t image[LENET5_PIXELS], lenet5_preparation *scratch);

#ifdef __cplusplus
}
#endif

#endif
