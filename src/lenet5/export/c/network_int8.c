
/* Eq. 6, f(a) = A tanh(S a), in levels: a = sum * scale / 2^shift, in steps of the table. The level is rounded, and a
 * step of the table is at most %TABLE_ERROR% levels off. */
static int8_t squash(int32_t sum, uint16_t scale, int shift)
{
    const uint32_t magnitude = (uint32_t)(sum < 0 ? -sum : sum);
    const uint64_t step = ((uint64_t)magnitude * scale + ((uint64_t)1 << (shift - 1))) >> shift;
    const int level = step < TABLE_STEPS ? squashing[step] : 127;
    return (int8_t)(sum < 0 ? -level : level);
}

/* A kernel times the 5x5 field at x, in a map so many columns wide. */
static int32_t field(const int8_t kernel[25], const int8_t *x, int columns)
{
    int32_t sum = 0;
    int row;
    for (row = 0; row < 5; row++, kernel += 5, x += columns)
        sum += kernel[0] * x[0] + kernel[1] * x[1] + kernel[2] * x[2] + kernel[3] * x[3] + kernel[4] * x[4];
    return sum;
}

/* The sum of n products, n a multiple of four. */
static int32_t product(const int8_t *weight, const int8_t *x, int n)
{
    int32_t sum = 0;
    int k;
    for (k = 0; k < n; k += 4)
        sum += weight[k] * x[k] + weight[k + 1] * x[k + 1] + weight[k + 2] * x[k + 2] + weight[k + 3] * x[k + 3];
    return sum;
}

/* The image in its frame, its levels less 128; the biases of C1 make up for that and for the paper's -0.1. */
static void input(const uint8_t *image, lenet5_scratch *s)
{
    int row, column;
    for (row = 0; row < 32; row++)
        for (column = 0; column < 32; column++) {
            const int inside = row >= 2 && row < 30 && column >= 2 && column < 30;
            s->input[row][column] = (int8_t)(inside ? image[(row - 2) * LENET5_SIDE + column - 2] - 128 : -128);
        }
}

/* C1, six 5x5 convolutions, and S2: four units of C1 added, times the map's coefficient, plus its bias. */
static void c1_s2(lenet5_scratch *s)
{
    int map, row, column, k;
    for (map = 0; map < 6; map++) {
        const int8_t *kernel = unpacked(c1_weight[map], 1, 25, s);
        for (row = 0; row < 14; row++)
            for (column = 0; column < 14; column++) {
                int32_t sum = 0;
                for (k = 0; k < 4; k++) {
                    const int8_t *x = &s->input[2 * row + k / 2][2 * column + k % 2];
                    sum += squash(field(kernel, x, 32) + c1_bias[map], c1_scale[map], C1_SHIFT);
                }
                s->s2[map][row][column] = squash(s2_coefficient[map] * sum + s2_bias[map], 1, SUBSAMPLING_SHIFT);
            }
    }
}

/* C3, each map with a kernel for each map of S2 that Table I joins it to, and S4 as S2. */
static void c3_s4(lenet5_scratch *s)
{
    int map, row, column, k, pair;
    for (map = 0; map < 16; map++) {
        const uint8_t *joined = &table_1[table_1_start[map]];
        const int pairs = table_1_start[map + 1] - table_1_start[map];
        const int8_t *kernels = unpacked(c3_weight[table_1_start[map]], pairs, 25, s);
        for (row = 0; row < 5; row++)
            for (column = 0; column < 5; column++) {
                int32_t sum = 0;
                for (k = 0; k < 4; k++) {
                    int32_t a = c3_bias[map];
                    for (pair = 0; pair < pairs; pair++)
                        a += field(kernels + 25 * pair, &s->s2[joined[pair]][2 * row + k / 2][2 * column + k % 2], 14);
                    sum += squash(a, c3_scale[map], C3_SHIFT);
                }
                s->s4[map][row][column] = squash(s4_coefficient[map] * sum + s4_bias[map], 1, SUBSAMPLING_SHIFT);
            }
    }
}

/* C5, whose 5x5 fields cover all of S4, and F6, fully connected. */
static void c5_f6(lenet5_scratch *s)
{
    int unit;
    for (unit = 0; unit < 120; unit++) {
        const int8_t *weight = unpacked(c5_weight[unit], 1, 400, s);
        s->c5[unit] = squash(product(weight, &s->s4[0][0][0], 400) + c5_bias[unit], c5_scale[unit], C5_SHIFT);
    }
    for (unit = 0; unit < 84; unit++) {
        const int8_t *weight = unpacked(f6_weight[unit], 1, 120, s);
        s->f6[unit] = squash(product(weight, s->c5, 120) + f6_bias[unit], f6_scale[unit], F6_SHIFT);
    }
}

/* Eq. 7: the squared distance of F6 to the picture of a class, 7 wide and 12 high, whose bits are +1 or -1. */
static float distance(const lenet5_scratch *s, const uint8_t picture[12])
{
    int32_t sum = 0;
    int unit;
    for (unit = 0; unit < 84; unit++) {
        const int32_t apart = s->f6[unit] - ((picture[unit / 7] >> (6 - unit % 7)) & 1 ? LEVELS : -LEVELS);
        sum += apart * apart;
    }
    return (float)sum / (float)(LEVELS * LEVELS);
}
