"""Salt-and-pepper noise of dust and dead pixels: whether a picture has it, and the picture without.

Single impulses go where they stand apart from the median of their neighbours. Impulses also fall side by side and
make specks, which that leaves. A field of as many random impulses tells how large specks grow by chance: no mark of
that size can be told from noise, and all of them go.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["without_impulses"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SEEN: Final = 512  # pixels of the sides of the part in the middle that tells whether a picture is noisy
_LEAST_SIDE: Final = 20  # pixels of the shorter side: in smaller pictures strokes are noise
_NOISY: Final = 0.005  # of the pixels are impulses in a noisy picture, at least; of drawn pages at most 0.003
_APART: Final = 0.2  # how far an impulse is from the median of its neighbours
_ALIKE: Final = 0.1  # levels no farther apart are alike
_FLAT: Final = 7  # of the eight neighbours are alike on flat ground, at least
_AROUND: Final = np.array([(0, 0, 0, 1, 1, 2, 2, 2), (0, 1, 2, 0, 2, 0, 1, 2)])  # rows, columns of 3×3 but the middle
_MOST: Final = 0.2  # of the pixels of a ground: of more, specks grow together
_RANDOM: Final = 0.5  # of the pairs that chance makes are there at least where it made the impulses
_FIELD: Final = 2048  # pixels of the sides of the largest field of random impulses


def without_impulses(grey: Floats) -> Floats:
    """Grey levels (H, W) without salt-and-pepper noise, where there is much of it; else as they are.

    A picture is noisy if many of its pixels stand out from ground that is flat all around them, as no
    stroke does however thin. Then every pixel goes that differs from all of its neighbours but one. Where
    impulses are random, every speck goes that is no larger than they make by chance.

    >>> page = np.ones((40, 40), np.float32)
    >>> page[::4, ::4] = 0  # pepper
    >>> float(without_impulses(page).min())
    1.0
    """
    if min(grey.shape) < _LEAST_SIDE:
        return grey
    top, left = (max(0, side - _SEEN) // 2 for side in grey.shape)
    seen = np.ascontiguousarray(grey[top : top + _SEEN, left : left + _SEEN])
    middle = _median(seen)
    is_apart = cv2.absdiff(seen, middle) > _APART
    if np.count_nonzero(is_apart) < _NOISY * seen.size:  # which most pictures show, in a fifth of the time
        return grey
    rows, columns = np.nonzero(is_apart)
    on_flat = _alike(seen, middle[rows, columns], (rows, columns)) >= _FLAT
    if np.count_nonzero(on_flat) < _NOISY * seen.size:
        return grey
    largest = _largest_by_chance(seen, grey.size), _largest_by_chance(np.float32(1) - seen, grey.size)
    for _ in range(3):
        middle = _median(grey)
        apart = np.nonzero(np.abs(grey - middle) > _APART)
        alone = _alike(grey, grey[apart], apart) <= 1
        grey = grey.copy()
        grey[apart[0][alone], apart[1][alone]] = middle[apart][alone]
    for sign, pixels in zip((1, -1), largest, strict=True):
        if pixels > 1:
            grey = _without_specks(grey, pixels, sign)
    return grey


def _without_specks(grey: Floats, largest: int, sign: int) -> Floats:
    """Without specks of no more pixels than the ``largest``, dark ones of ``sign`` 1 and light ones of -1."""
    side = math.isqrt(2 * largest) + 1 | 1  # a speck is less than half of the square, the rest its median
    levels = np.asarray(255 * grey + np.float32(0.5), np.uint8)
    ground = np.asarray(cv2.medianBlur(levels, side), np.float32) / np.float32(255)
    labels, areas = _components(np.asarray(sign * (ground - grey) > _APART))
    is_speck = areas <= largest
    is_speck[0] = False
    return np.where(is_speck[labels], ground, grey)


def _largest_by_chance(seen: Floats, pixels: int) -> int:
    """Pixels of the largest dark speck in a field of as many random impulses, up to ten times as large as a picture.

    0 where specks would grow together, and where the dark pixels are not random: the dots of a grid or of dither
    keep away from each other, where chance makes pairs.
    """
    middle = _median(seen)
    shows = middle > _APART  # on black no pepper does
    places = np.nonzero(shows)
    flat = _alike(seen, middle[places], places) >= _FLAT
    dark = middle - seen > _APART
    share = int(np.count_nonzero(dark[places] & flat)) / max(int(np.count_nonzero(flat)), 1)
    if share > _MOST:
        return 0
    side = min(math.isqrt(10 * pixels), _FIELD)
    field = np.random.default_rng(0).random((side, side), np.float32)
    areas = _components(np.asarray(field < share))[1][1:]
    pairs = int(np.count_nonzero(areas == 2)) * int(np.count_nonzero(shows)) / side**2
    if np.count_nonzero(_components(dark)[1][1:] == 2) < _RANDOM * pairs:
        return 0
    return int(areas.max(initial=0))


def _components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The labels of components that touch at sides or corners, 0 outside of them, and the area of each label."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(statistics[:, cv2.CC_STAT_AREA], np.int32)


def _median(grey: Floats) -> Floats:
    """The middle of each pixel's 3×3 neighbours."""
    return np.asarray(cv2.medianBlur(grey, 3), np.float32)


def _alike(grey: Floats, level: Floats, where: tuple[NDArray[np.intp], ...]) -> NDArray[np.int64]:
    """How many of the eight neighbours of each pixel ``where`` rows and columns (N,) are about as light as its
    ``level`` (N,): (N,); none is beyond the border."""
    rows, columns = where
    edged = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=-1)
    beside = edged[rows + _AROUND[0][:, None], columns + _AROUND[1][:, None]]
    return np.asarray(np.count_nonzero(np.abs(beside - level) < _ALIKE, axis=0))
