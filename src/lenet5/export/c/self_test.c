
#ifdef LENET5_SELF_TEST

/* Images of the embedded digits (E. Alpaydin and C. Kaynak, UCI, CC BY 4.0) and the engine's answers to them. */
%VECTORS%

/* Returns how many answers are wrong: 0 if all is well. */
int main(void)
{
    union {
        lenet5_scratch network;
        lenet5_preparation preparation;
    } scratch;
    uint8_t grey[40 * 40], image[LENET5_PIXELS];
    int test, k, wrong = 0;
    for (test = 0; test < TESTS; test++) {
        const lenet5_answer answer = lenet5_read(test_image[test], &scratch.network);
        const float off = answer.confidence - test_confidence[test];
        wrong += answer.label != test_label[test] || off > %TOLERANCE%f || off < -%TOLERANCE%f;
    }
    for (k = 0; k < 40 * 40; k++) /* a vertical bar on light paper is a 1 */
        grey[k] = (uint8_t)(k % 40 >= 18 && k % 40 < 22 && k / 40 >= 4 && k / 40 < 36 ? 30 : 220);
    wrong += lenet5_prepare(grey, 40, 40, 40, 200, 40, image, &scratch.preparation) != 1;
    wrong += lenet5_read(image, &scratch.network).label != 1;
    wrong += lenet5_prepare(grey, 10, 40, 40, 200, 40, image, &scratch.preparation) != 0;
    wrong += lenet5_read(image, &scratch.network).label != LENET5_REFUSED;
    return wrong;
}

#endif
