
/* How MNIST was made (section III-A): the ink in a box of 20x20 that keeps its aspect, then placed with its centre of
 * mass in the middle of 28x28. Strokes thinner than MNIST's are thickened in between, at four times the resolution. */

enum { BOX = 20, FINE = 4, MARGIN = 2 * FINE, THIN = 2, FINE_SIDE = 96 };

/* A part of the grey crop, its ink levels from 0 to "range". */
typedef struct {
    const uint8_t *grey;
    int stride, paper, range, dark_ground;
    int top, left, height, width;
} crop_type;

static int ink_level(const crop_type *crop, int row, int column)
{
    const int grey = crop->grey[(crop->top + row) * crop->stride + crop->left + column];
    const int ink = crop->dark_ground ? grey - crop->paper : crop->paper - grey;
    return ink < 0 ? 0 : ink < crop->range ? ink : crop->range;
}

/* Cuts the margins without ink off; 0 where there is no ink at all. */
static int cut(crop_type *crop)
{
    int row, column, top = crop->height, bottom = -1, left = crop->width, right = -1;
    for (row = 0; row < crop->height; row++)
        for (column = 0; column < crop->width; column++)
            if (ink_level(crop, row, column) > 0) {
                top = row < top ? row : top;
                bottom = row;
                left = column < left ? column : left;
                right = column > right ? column : right;
            }
    crop->top = top;
    crop->left = left;
    crop->height = bottom - top + 1;
    crop->width = right - left + 1;
    return bottom >= 0;
}

/* The pixels of a row of "length" under the triangle of pixel "at" of a row of "parts", which is as wide as the coarser
 * of the two grids: anti-aliasing where a picture gets smaller, linear interpolation where it grows. */
typedef struct {
    int32_t centre, reach, step;
    int first, last;
} triangle_type;

static triangle_type triangle(int length, int parts, int at)
{
    triangle_type t;
    t.centre = (int32_t)(2 * at + 1) * length - parts;
    t.reach = (int32_t)2 * (length > parts ? length : parts);
    t.step = (int32_t)2 * parts;
    t.first = t.centre > t.reach ? (int)((t.centre - t.reach) / t.step) : 0;
    t.last = (int)((t.centre + t.reach) / t.step);
    t.last = t.last < length ? t.last : length - 1;
    return t;
}

static uint32_t height_at(const triangle_type *t, int place)
{
    const int32_t apart = t->centre - place * t->step;
    const int32_t height = t->reach - (apart < 0 ? -apart : apart);
    return height > 0 ? (uint32_t)height : 0;
}

/* The crop as "rows" by "columns" of levels from 0 to 255, in a margin without ink. */
static void resize(const crop_type *crop, int rows, int columns, lenet5_preparation *s)
{
    int row, column, i, j;
    for (row = 0; row < FINE_SIDE; row++)
        for (column = 0; column < FINE_SIDE; column++)
            s->fine[row][column] = 0;
    for (row = 0; row < rows; row++) {
        const triangle_type down = triangle(crop->height, rows, row);
        for (column = 0; column < columns; column++) {
            const triangle_type across = triangle(crop->width, columns, column);
            uint64_t sum = 0, weights = 0;
            for (i = down.first; i <= down.last; i++) {
                uint32_t sum_of_row = 0, weights_of_row = 0;
                for (j = across.first; j <= across.last; j++) {
                    const uint32_t weight = height_at(&across, j);
                    sum_of_row += weight * (uint32_t)ink_level(crop, i, j);
                    weights_of_row += weight;
                }
                sum += (uint64_t)height_at(&down, i) * sum_of_row;
                weights += (uint64_t)height_at(&down, i) * weights_of_row;
            }
            weights *= (uint64_t)crop->range;
            s->fine[MARGIN + row][MARGIN + column] = (uint8_t)((sum * 255 + weights / 2) / weights);
        }
    }
}

/* The level that three quarters of the ink do not exceed, of every second pixel; of all where these have none. */
static int full_ink(lenet5_preparation *s, int step)
{
    int row, column, level, darkest = 0, inked = 0, below = 0;
    for (level = 0; level < 256; level++)
        s->count[level] = 0;
    for (row = 0; row < FINE_SIDE; row += step)
        for (column = 0; column < FINE_SIDE; column += step) {
            level = s->fine[row][column];
            s->count[level]++;
            darkest = level > darkest ? level : darkest;
        }
    if (darkest == 0)
        return step > 1 ? full_ink(s, 1) : 255;
    for (level = darkest / 10 + 1; level <= darkest; level++)
        inked += s->count[level];
    for (level = darkest / 10 + 1; level < darkest; level++) {
        below += s->count[level];
        if (below > inked * 3 / 4)
            break;
    }
    return level;
}

static uint32_t square_root(uint32_t x)
{
    uint32_t root = 0, bit = (uint32_t)1 << 30;
    for (; bit > 0; bit >>= 2)
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else
            root >>= 1;
    return root;
}

/* The radius, in 256ths of a fine pixel, that brings strokes to a width of THIN: a stroke of width w and length l has
 * the area w l and an outline 2 l long, so w = 2 area / outline; the outline is the total variation. */
static int32_t missing_radius(const lenet5_preparation *s)
{
    uint32_t area = 0, outline = 0; /* the outline in 16ths */
    int row, column;
    for (row = 0; row < FINE_SIDE - 1; row++)
        for (column = 0; column < FINE_SIDE - 1; column++) {
            const int down = s->fine[row + 1][column] - s->fine[row][column];
            const int right = s->fine[row][column + 1] - s->fine[row][column];
            area += s->fine[row][column];
            if (down != 0 || right != 0)
                outline += square_root((uint32_t)(down * down + right * right) << 8);
        }
    return THIN * FINE / 2 * 256 - (int32_t)((uint64_t)area * 4096 / (outline > 0 ? outline : 1));
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Each pixel becomes the largest of its neighbours, of four and of eight by turns, which grows an octagon. */
static void thicken(lenet5_preparation *s, int32_t radius)
{
    uint8_t *above = s->rows[0], *here = s->rows[1];
    int row, column, with_corners = 0;
    for (; radius > 0; radius -= 256, with_corners = !with_corners) {
        const int32_t part = radius < 256 ? radius : 256;
        for (column = 0; column < FINE_SIDE; column++)
            above[column] = 0;
        for (row = 1; row < FINE_SIDE - 1; row++) {
            const uint8_t *below = s->fine[row + 1];
            for (column = 0; column < FINE_SIDE; column++)
                here[column] = s->fine[row][column];
            for (column = 1; column < FINE_SIDE - 1; column++) {
                int most = larger(larger(above[column], below[column]), larger(here[column - 1], here[column + 1]));
                if (with_corners) {
                    most = larger(most, larger(above[column - 1], above[column + 1]));
                    most = larger(most, larger(below[column - 1], below[column + 1]));
                }
                if (most > here[column])
                    s->fine[row][column] = (uint8_t)(here[column] + ((most - here[column]) * part + 128) / 256);
            }
            for (column = 0; column < FINE_SIDE; column++)
                above[column] = here[column];
        }
    }
}

/* The fine picture at a quarter of its resolution, under the triangles of "triangle". */
static void coarsen(lenet5_preparation *s)
{
    static const uint8_t weight[2 * FINE] = {1, 3, 5, 7, 7, 5, 3, 1};
    int row, column, i, j;
    for (row = 0; row < FINE_SIDE / FINE; row++)
        for (column = 0; column < FINE_SIDE / FINE; column++) {
            int32_t sum = 0;
            for (i = 0; i < 2 * FINE; i++)
                for (j = 0; j < 2 * FINE; j++) {
                    const int y = FINE * row - FINE / 2 + i, x = FINE * column - FINE / 2 + j;
                    if (y >= 0 && x >= 0 && y < FINE_SIDE && x < FINE_SIDE)
                        sum += weight[i] * weight[j] * s->fine[y][x];
                }
            s->coarse[row][column] = (uint8_t)((sum + 512) / 1024);
        }
}

/* Where a picture's first pixel with ink goes, so that its centre of mass, "moment" / "mass" from its edge, is nearest
 * to the middle and all its ink inside the image. */
static int first_place(uint32_t moment, uint32_t mass, int first, int last)
{
    const int32_t twice = (int32_t)(mass * (uint32_t)(LENET5_SIDE + 2 * first + 1)) - (int32_t)(2 * moment);
    const int place = twice < 0 ? 0 : (int)((uint32_t)twice / (2 * mass));
    const int most = LENET5_SIDE - (last - first + 1);
    return place < most ? place : most;
}

static void centre(const lenet5_preparation *s, uint8_t image[LENET5_PIXELS])
{
    const int side = FINE_SIDE / FINE;
    uint32_t mass = 0, down = 0, across = 0;
    int row, column, to_row, to_column, top = side, bottom = 0, left = side, right = 0;
    for (row = 0; row < side; row++)
        for (column = 0; column < side; column++)
            if (s->coarse[row][column] > 0) {
                mass += s->coarse[row][column];
                down += (uint32_t)(row * s->coarse[row][column]);
                across += (uint32_t)(column * s->coarse[row][column]);
                top = row < top ? row : top;
                bottom = row;
                left = column < left ? column : left;
                right = column > right ? column : right;
            }
    if (mass == 0)
        return;
    to_row = first_place(down, mass, top, bottom);
    to_column = first_place(across, mass, left, right);
    for (row = top; row <= bottom; row++)
        for (column = left; column <= right; column++)
            image[(to_row + row - top) * LENET5_SIDE + to_column + column - left] = s->coarse[row][column];
}

/* round(side * BOX / longer), at least 1; halves go to the even number. */
static int in_box(int side, int longer)
{
    const int twice = 2 * BOX * side, whole = twice / (2 * longer), rest = twice - whole * 2 * longer;
    const int rounded = whole + (rest > longer || (rest == longer && whole % 2 == 1));
    return rounded > 0 ? rounded : 1;
}

int lenet5_prepare(const uint8_t *grey, int width, int height, int stride, uint8_t paper, uint8_t ink,
                   uint8_t image[LENET5_PIXELS], lenet5_preparation *scratch)
{
    crop_type crop;
    int k, full, longer, row, column;
    for (k = 0; k < LENET5_PIXELS; k++)
        image[k] = 0;
    crop.grey = grey;
    crop.stride = stride;
    crop.paper = paper;
    crop.dark_ground = ink > paper;
    crop.range = crop.dark_ground ? ink - paper : paper - ink;
    crop.top = crop.left = 0;
    crop.height = height;
    crop.width = width;
    if (width < 1 || height < 1 || width > LENET5_MOST_SIDE || height > LENET5_MOST_SIDE || !cut(&crop))
        return 0;
    longer = larger(crop.height, crop.width);
    resize(&crop, in_box(crop.height, longer) * FINE, in_box(crop.width, longer) * FINE, scratch);
    full = full_ink(scratch, 2);
    for (row = 0; row < FINE_SIDE; row++)
        for (column = 0; column < FINE_SIDE; column++) {
            const int level = (scratch->fine[row][column] * 255 + full / 2) / full;
            scratch->fine[row][column] = (uint8_t)(level < 255 ? level : 255);
        }
    thicken(scratch, missing_radius(scratch));
    coarsen(scratch);
    centre(scratch, image);
    return 1;
}
