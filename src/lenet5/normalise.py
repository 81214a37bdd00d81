"""A grey crop with ink high → 28×28 the way MNIST was made.

MNIST's digits were fitted into a 20×20 box keeping their aspect, anti-aliased, and placed with
their centre of mass in the middle of 28×28 (section III-A). Pens and scanners differ more than
NIST's did, so strokes that would come out thinner than MNIST's are thickened first.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["BLANK", "BOX", "ink_box", "is_normal", "normalise", "resize", "thicken"]

Floats = NDArray[np.float32]

BLANK: Final = 1e-3
"""Ink levels up to this count as background."""

BOX: Final = 20
"""Height or width, whichever is larger, of the digit inside the 28×28 image."""

_FINE: Final = 4  # strokes are measured and thickened at this many times the final resolution
_COARSE: Final = 4  # crops at least this many times too large are averaged down first
_THIN: Final = 2.0  # stroke width in final pixels; nine tenths of MNIST's are wider
_TRIANGLE: Final = (_FINE - np.abs(np.arange(2 * _FINE) - _FINE + 0.5)) / _FINE**2


def normalise(ink: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The crop ``ink`` (H, W), 0 for background to 1 for full ink, as (28, 28) uint8 in MNIST's form.

    The crop should end where the ink ends. Raises ArrayError for an empty or blank one.

    >>> stroke = np.ones((40, 6))
    >>> image = normalise(stroke)
    >>> image.shape, image.dtype, int(image.max())
    ((28, 28), dtype('uint8'), 255)
    >>> is_normal(image)
    True
    """
    if ink.ndim != 2 or 0 in ink.shape or not ink.max() > BLANK:
        raise ArrayError("there is no ink in this crop")
    height, width = ink.shape
    scale = BOX / max(height, width)
    rows, columns = (max(1, round(side * scale)) for side in (height, width))
    fine = resize(ink.astype(np.float32), rows * _FINE, columns * _FINE)
    fine = _mend_strokes(_framed(fine, _FINE * 2))
    return _centre(np.minimum(_coarsened(fine), np.float32(1)))


def ink_box(ink: NDArray[np.floating] | NDArray[np.uint8], above: float = 0.0) -> tuple[slice, slice] | None:
    """The rows and columns of the bounding box of the levels (H, W) that exceed ``above``; None where none does.

    >>> ink = np.zeros((10, 10))
    >>> ink[2:5, 3:9] = 1
    >>> ink[ink_box(ink)].shape
    (3, 6)
    """
    inked = ink > above
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else None


def is_normal(image: NDArray[np.uint8]) -> bool:
    """Whether a picture (H, W) with ink 255 is in MNIST's form already, so that normalising again would only blur it.

    It is 28×28, the longer side of its ink is that of BOX, or a soft rim longer on each side as :func:`normalise`
    makes it, and its centre of mass is in the middle to within a pixel.

    >>> is_normal(np.eye(28, dtype=np.uint8) * 255)  # as tall as the frame
    False
    """
    if image.shape != (SIDE, SIDE):
        return False
    _, _, width, height = cv2.boundingRect(image)
    if not BOX <= max(width, height) <= BOX + 2:
        return False
    mass = cv2.moments(image)
    return bool(all(abs(mass[m] / mass["m00"] - SIDE / 2) <= 1 for m in ("m10", "m01")))


def resize(image: Floats, rows: int, columns: int) -> Floats:
    """Anti-aliased bilinear resize of (H, W).

    >>> resize(np.array([[0, 0, 1, 1]], np.float32), 1, 2).round(2).tolist()
    [[0.14..., 0.86...]]
    """
    if rows >= image.shape[0] and columns >= image.shape[1]:  # enlarging, bilinear is anti-aliased
        return np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    most = max(image.shape[0] // rows, image.shape[1] // columns) // _COARSE
    if most > 1:  # far larger than needed: whole blocks are averaged first
        height, width = (-(-side // most) for side in image.shape)
        image = np.pad(image, ((0, height * most - image.shape[0]), (0, width * most - image.shape[1])))
        image = image.reshape(height, most, width, most).mean(axis=(1, 3))
    return np.ascontiguousarray(_resize_rows(_resize_rows(image, rows).T, columns).T)


def _resize_rows(image: Floats, new: int) -> Floats:
    """Each new row as a weighted mean of the few old ones under its triangle.

    They are gathered: a product with the whole matrix would wake the threads of BLAS.
    """
    under, weight = _triangles(len(image), new)
    return np.asarray(np.einsum("nt,ntc->nc", weight, image[under]))


@lru_cache(maxsize=1024)
def _triangles(old: int, new: int) -> tuple[NDArray[np.intp], Floats]:
    """The old rows (new, taps) under the triangle of each new row, as wide as the coarser grid, and their weights."""
    step = old / new
    reach = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step - 0.5
    under = np.floor(centres - reach)[:, None] + 1 + np.arange(math.ceil(2 * reach))
    weight = np.maximum(1 - np.abs(centres[:, None] - under) / reach, 0)
    weight[(under < 0) | (under > old - 1)] = 0
    weight /= weight.sum(axis=1, keepdims=True)
    return np.clip(under, 0, old - 1).astype(np.intp), weight.astype(np.float32)


def _coarsened(fine: Floats) -> Floats:
    """A picture (H·_FINE, W·_FINE) resized to (H, W), where every pixel has the same triangle."""
    smooth = cv2.sepFilter2D(fine, -1, _TRIANGLE, _TRIANGLE, anchor=(_FINE // 2, _FINE // 2))
    return np.asarray(smooth[::_FINE, ::_FINE], np.float32)


def _mend_strokes(fine: Floats) -> Floats:
    """Thicken strokes that are thinner than MNIST's, and scale the ink to full darkness.

    A stroke of width w and length l has area w·l and outline 2·l, so w = 2·area / outline; the
    outline is the total variation.
    """
    some = fine[::2, ::2]  # a quarter of the pixels is enough to find the ink's level,
    if not some.any():
        some = fine  # unless all ink lies between them
    inked = some[some > 0.1 * some.max()]
    rank = len(inked) * 3 // 4
    fine = np.minimum(fine / np.partition(inked, rank)[rank], np.float32(1))
    down, right = fine[1:, :-1] - fine[:-1, :-1], fine[:-1, 1:] - fine[:-1, :-1]
    outline = float(np.sqrt(down * down + right * right).sum())  # cv2.magnitude rounds by where its result lies
    stroke = 2 * float(fine.sum()) / outline / _FINE
    return thicken(fine, (_THIN - stroke) / 2 * _FINE)


def _framed(image: Floats, margin: int) -> Floats:
    """The image with ``margin`` pixels of background on each side."""
    framed = np.zeros((image.shape[0] + 2 * margin, image.shape[1] + 2 * margin), np.float32)
    framed[margin:-margin, margin:-margin] = image
    return framed


def thicken(image: Floats, radius: float) -> Floats:
    """The largest value within about ``radius`` pixels, an octagon; a fraction of a pixel blends.

    >>> dot = np.zeros((5, 5), np.float32)
    >>> dot[2, 2] = 1
    >>> int(thicken(dot, 1).sum())
    5
    """
    step = 0
    while radius > 0:
        f = _framed(image, 1)
        sides = np.maximum(np.maximum(f[:-2, 1:-1], f[2:, 1:-1]), np.maximum(f[1:-1, :-2], f[1:-1, 2:]))
        corners = np.maximum(np.maximum(f[:-2, :-2], f[2:, 2:]), np.maximum(f[:-2, 2:], f[2:, :-2]))
        grown = np.maximum(sides, corners) if step % 2 else sides
        image = np.maximum(image, image + min(radius, 1.0) * (grown - image))
        radius, step = radius - 1, step + 1
    return image


def _centre(small: Floats) -> NDArray[np.uint8]:
    """Shift by whole pixels: the centre of mass comes nearest the middle with all ink inside the frame."""
    levels = np.round(small * 255).astype(np.uint8)
    image = np.zeros((SIDE, SIDE), np.uint8)
    left, top, width, height = cv2.boundingRect(levels)
    mass = cv2.moments(levels)
    places = ((mass["m01"] / mass["m00"], top, height), (mass["m10"] / mass["m00"], left, width))
    row, column = (  # MNIST: pixel (14, 14)
        min(max(round(SIDE / 2 - (centre - first)), 0), SIDE - length) for centre, first, length in places
    )
    image[row : row + height, column : column + width] = levels[top : top + height, left : left + width]
    return image
