
/* A weight is a byte: rows of n are used where they stand. */
static const int8_t *unpacked(const int8_t *weight, int rows, int n, lenet5_scratch *s)
{
    (void)rows, (void)n, (void)s;
    return weight;
}
