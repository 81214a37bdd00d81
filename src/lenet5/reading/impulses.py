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
_NOISY: Final = 0.01  # of the pixels are impulses in a noisy picture, at least
_APART: Final = 0.2  # how far an impulse is from the median of its neighbours
_ALIKE: Final = 0.1  # levels no farther apart are alike
_FLAT: Final = 7  # of the eight neighbours are alike on flat ground, at least
_AROUND: Final = np.array([(0, 0, 0, 1, 1, 2, 2, 2), (0, 1, 2, 0, 2, 0, 1, 2)])  # rows, columns of 3×3 but the middle
_FIELD: Final = 2048  # pixels of the sides of the largest field of random impulses


def without_impulses(grey: Floats) -> Floats:
    """Grey levels (H, W) without salt-and-pepper noise, where there is much of it; else as they are.

    A picture is noisy if many of its pixels stand out from ground that is flat all around them, as no
    stroke does however thin. Then every pixel goes that differs from all of its neighbours but one, and
    every speck that is no larger than as many impulses make by chance.

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
    dark = seen[rows, columns] < middle[rows, columns]
    everywhere = np.nonzero(np.ones(seen.shape, np.bool_))
    flat = np.count_nonzero(_alike(seen, middle[everywhere], everywhere) >= _FLAT)
    pepper, salt = (np.count_nonzero(on_flat & kind) / flat for kind in (dark, ~dark))
    for _ in range(3):
        middle = _median(grey)
        apart = np.nonzero(np.abs(grey - middle) > _APART)
        alone = _alike(grey, grey[apart], apart) <= 1
        grey = grey.copy()
        grey[apart[0][alone], apart[1][alone]] = middle[apart][alone]
    grey = np.float32(1) - _without_specks(grey, pepper)
    return np.asarray(np.float32(1) - _without_specks(grey, salt), np.float32)


def _without_specks(grey: Floats, share: float) -> Floats:
    """Without dark specks of so few pixels as impulses make by chance, of which there is this ``share``."""
    largest = _largest_by_chance(share, grey.size)
    side = math.isqrt(2 * largest) + 1 | 1  # a speck is less than half of the square, the rest its median
    levels = np.asarray(255 * grey + np.float32(0.5), np.uint8)
    ground = np.asarray(cv2.medianBlur(levels, side), np.float32) / np.float32(255)
    labels, areas = _components(ground - grey > _APART)
    is_speck = areas <= largest
    is_speck[0] = False
    return np.where(is_speck[labels], ground, grey)


def _largest_by_chance(share: float, pixels: int) -> int:
    """Pixels of the largest speck in a field of random impulses, ``share`` of all, ten times as large as a picture."""
    side = min(math.isqrt(10 * pixels), _FIELD)
    field = np.random.default_rng(0).random((side, side), np.float32) < share
    return int(_components(field)[1][1:].max(initial=0))


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
