/* Grey levels in the network's input range. Compiled without contraction into fused multiply-adds, so that a level
 * rounds as NumPy's does and lenet5.pixels.network_input gives the same images. A compiler may fuse across loops, too:
 * only the flag, hence a file of its own, keeps the two operations apart. */
#include "engine.h"

#include <string.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE };

/* `image`, which is changed, times the scale plus the offset, in its frame. */
void PASTE(lenet5_write_input_, ENGINE)(const struct lenet5_distortion *work, float *restrict image, float *restrict out)
{
    const float scale = work->scale, offset = work->offset;
    const int side = SIDE + 2 * work->frame;
    for (int i = 0; i < PIXELS; i++)
        image[i] = image[i] * scale + offset;
    if (work->frame)
        for (int i = 0; i < side * side; i++)
            out[i] = offset;
    for (int y = 0; y < SIDE; y++)
        memcpy(out + (work->frame + y) * side + work->frame, image + y * SIDE, SIDE * sizeof *image);
}
