
/* Eq. 6: f(a) = A tanh(S a), within 2e-7 of A; tanh x = (1 - e^-2x) / (1 + e^-2x). */
static float squash(float a)
{
    const float t = exponential((a < 0.0f ? a : -a) * (2.0f * SLOPE));
    const float level = AMPLITUDE * (1.0f - t) / (1.0f + t);
    return a < 0.0f ? -level : level;
}

/* A kernel times the 5x5 field at x, in a map so many columns wide. */
static float field(const float kernel[25], const float *x, int columns)
{
    float sum = 0.0f;
    int row;
    for (row = 0; row < 5; row++, kernel += 5, x += columns)
        sum += kernel[0] * x[0] + kernel[1] * x[1] + kernel[2] * x[2] + kernel[3] * x[3] + kernel[4] * x[4];
    return sum;
}

static float product(const float *weight, const float *x, int n)
{
    float sum = 0.0f;
    int k;
    for (k = 0; k < n; k++)
        sum += weight[k] * x[k];
    return sum;
}

/* The image in its frame: paper is BACKGROUND, full ink FOREGROUND. */
static void input(const uint8_t *image, lenet5_scratch *s)
{
    int row, column;
    for (row = 0; row < 32; row++)
        for (column = 0; column < 32; column++) {
            const int inside = row >= 2 && row < 30 && column >= 2 && column < 30;
            const int level = inside ? image[(row - 2) * LENET5_SIDE + column - 2] : 0;
            s->input[row][column] = BACKGROUND + (float)level * ((FOREGROUND - BACKGROUND) / 255.0f);
        }
}

/* C1, six 5x5 convolutions, and S2: four units of C1 added, times the map's coefficient, plus its bias. */
static void c1_s2(lenet5_scratch *s)
{
    int map, row, column, k;
    for (map = 0; map < 6; map++)
        for (row = 0; row < 14; row++)
            for (column = 0; column < 14; column++) {
                float sum = 0.0f;
                for (k = 0; k < 4; k++) {
                    const float *x = &s->input[2 * row + k / 2][2 * column + k % 2];
                    sum += squash(field(c1_weight[map], x, 32) + c1_bias[map]);
                }
                s->s2[map][row][column] = squash(s2_coefficient[map] * sum + s2_bias[map]);
            }
}

/* C3, each map with a kernel for each map of S2 that Table I joins it to, and S4 as S2. */
static void c3_s4(lenet5_scratch *s)
{
    int map, row, column, k, pair;
    for (map = 0; map < 16; map++)
        for (row = 0; row < 5; row++)
            for (column = 0; column < 5; column++) {
                float sum = 0.0f;
                for (k = 0; k < 4; k++) {
                    float a = c3_bias[map];
                    for (pair = table_1_start[map]; pair < table_1_start[map + 1]; pair++)
                        a += field(c3_weight[pair], &s->s2[table_1[pair]][2 * row + k / 2][2 * column + k % 2], 14);
                    sum += squash(a);
                }
                s->s4[map][row][column] = squash(s4_coefficient[map] * sum + s4_bias[map]);
            }
}

/* C5, whose 5x5 fields cover all of S4, and F6, fully connected. */
static void c5_f6(lenet5_scratch *s)
{
    int unit;
    for (unit = 0; unit < 120; unit++)
        s->c5[unit] = squash(product(c5_weight[unit], &s->s4[0][0][0], 400) + c5_bias[unit]);
    for (unit = 0; unit < 84; unit++)
        s->f6[unit] = squash(product(f6_weight[unit], s->c5, 120) + f6_bias[unit]);
}

/* Eq. 7: the squared distance of F6 to the picture of a class, 7 wide and 12 high, whose bits are +1 or -1. */
static float distance(const lenet5_scratch *s, const uint8_t picture[12])
{
    float sum = 0.0f;
    int unit;
    for (unit = 0; unit < 84; unit++) {
        const float apart = s->f6[unit] - ((picture[unit / 7] >> (6 - unit % 7)) & 1 ? 1.0f : -1.0f);
        sum += apart * apart;
    }
    return sum;
}
