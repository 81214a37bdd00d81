"""Layout ``digit``: the pieces of ink that make up the one digit of a picture, as a crop."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Box
from lenet5.reading.ink import Ink

__all__ = ["digit_crop"]

_GAP: Final = 0.04  # of the extent of all ink: narrower gaps are within one stroke
_SPECK: Final = 0.04  # of the largest piece's area: smaller pieces are specks
_REACH: Final = 0.35  # of the largest piece's longer side: pieces farther away are not the digit's


def digit_crop(ink: Ink) -> tuple[NDArray[np.float32], Box] | None:
    """The digit's ink (h, w) and its box (in pixels of the ink map); None where all ink is specks."""
    count, labels, stats = _pieces(ink.mask)
    if count < 2:
        return None
    pieces = np.arange(1, count)
    left, top, width, height, area = stats[1:].T
    kept = _kept(left, top, width, height, area, ink.mask.shape)
    if not kept.any():
        return None
    mask = np.isin(labels, pieces[kept])
    box = Box(
        int(left[kept].min()), int(top[kept].min()), int((left + width)[kept].max()), int((top + height)[kept].max())
    )
    inside = (slice(box.top, box.bottom), slice(box.left, box.right))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return np.where(near, ink.level, 0)[inside], box


def _pieces(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """Connected pieces of ink; gaps of a thin or dry stroke, up to a fiftieth of the ink's extent, do not part them.

    Returns the number of labels with the background, the label of each inked pixel (H, W), and for
    each label left, top, width, height and area of its ink.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return 1, np.zeros(mask.shape, np.int64), np.zeros((1, 5), np.int64)
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    reach = int(np.ceil(extent * _GAP / 2))
    bridged = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    count, connected = cv2.connectedComponents(bridged, connectivity=8)
    labels: NDArray[np.int64] = np.asarray(np.where(mask, connected, 0), np.int64)
    y, x = np.nonzero(mask)
    own = labels[y, x]
    first = np.full((2, count), max(mask.shape), np.int64)
    last = np.full((2, count), -1, np.int64)
    for axis, position in enumerate((x, y)):
        np.minimum.at(first[axis], own, position)
        np.maximum.at(last[axis], own, position)
    area = np.bincount(own, minlength=count)
    return count, labels, np.stack([*first, *(last + 1 - first), area], axis=1)


def _kept(
    left: NDArray[np.int64],
    top: NDArray[np.int64],
    width: NDArray[np.int64],
    height: NDArray[np.int64],
    area: NDArray[np.int64],
    shape: tuple[int, ...],
) -> NDArray[np.bool_]:
    """Which pieces are the digit's: the main one and what is large and near enough to belong to it."""
    touches = (left == 0) | (top == 0) | (left + width == shape[1]) | (top + height == shape[0])
    size = np.maximum(width, height)
    weight = np.where(touches, 0.2, 1.0) * size * np.sqrt(area)
    main = int(weight.argmax())
    gap_x = np.maximum(0, np.maximum(left - (left + width)[main], left[main] - (left + width)))
    gap_y = np.maximum(0, np.maximum(top - (top + height)[main], top[main] - (top + height)))
    near = np.hypot(gap_x, gap_y) <= _REACH * size[main]
    kept = near & (area >= _SPECK * area[main])
    if not touches[main]:
        kept &= ~touches
    return np.asarray(kept)
