
/* Two weights a byte, the first in its lower half; a row of an odd number n ends with half a byte that is not used. The
 * rows follow each other without it until the next call. */
static const int8_t *unpacked(const uint8_t *weight, int rows, int n, lenet5_scratch *s)
{
    int8_t *to = s->row;
    int row, k;
    for (row = 0; row < rows; row++, weight += (n + 1) / 2)
        for (k = 0; k < n; k++) {
            const int half = k % 2 ? weight[k / 2] >> 4 : weight[k / 2] & 15;
            *to++ = (int8_t)((half ^ 8) - 8); /* its sign is bit 3 */
        }
    return s->row;
}
