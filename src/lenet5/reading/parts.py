"""Layout ``digit``: the connected parts of a picture's ink, and which of them are the digit's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PHOTO", "Chosen", "Parts", "are_of_the_digit", "parts_of"]

Mask = NDArray[np.bool_]

PHOTO: Final = 100
"""Pixels of the longer side: smaller pictures have no shadows."""

_GAP: Final = 0.04  # of the extent of all ink: narrower gaps are within one stroke
_SPECK: Final = 0.04  # of the main part's area: smaller parts are specks
_REACH: Final = 0.35  # of the main part's longer side: parts farther away are not the digit's
_AS_TALL: Final = 0.6  # of the main part's height: another part may be a digit, too
_SIDE: Final = 0.7  # of the picture's height or width: edges of boxes are at least so long
_THIN: Final = 0.08  # of the picture's sides: and at most so thick
_RIM: Final = 0.15  # of the picture's sides: and no farther from the border
_HEM: Final = 0.05  # of the shorter side: what lies as near to the border is no digit


@dataclass(frozen=True)
class Parts:
    """Connected parts of ink: ``labels`` (H, W), 0 where none; of each part its box edges and area, (N,)."""

    labels: NDArray[np.int64]
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    right: NDArray[np.int64]
    bottom: NDArray[np.int64]
    area: NDArray[np.int64]

    @property
    def size(self) -> NDArray[np.int64]:
        """The longer side of each part."""
        return np.asarray(np.maximum(self.right - self.left, self.bottom - self.top))

    @property
    def touches(self) -> Mask:
        """Which parts reach the border of the picture."""
        height, width = self.labels.shape
        return np.asarray((self.left == 0) | (self.top == 0) | (self.right == width) | (self.bottom == height))


def parts_of(mask: Mask) -> Parts:
    """Parts of a mask with some ink; gaps of a thin or dry stroke, under _GAP of its extent, do not part them."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    reach = int(np.ceil(extent * _GAP / 2)) if extent < 0.75 * max(mask.shape) or max(mask.shape) < PHOTO else 1
    bridged = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    count, connected = cv2.connectedComponents(bridged, connectivity=8)
    labels: NDArray[np.int64] = np.asarray(np.where(mask, connected, 0), np.int64)
    y, x = np.nonzero(mask)
    own = labels[y, x] - 1
    first = np.full((2, count - 1), max(mask.shape), np.int64)
    last = np.full((2, count - 1), -1, np.int64)
    for axis, position in enumerate((x, y)):
        np.minimum.at(first[axis], own, position)
        np.maximum.at(last[axis], own, position)
    (left, top), (right, bottom) = first, last + 1
    return Parts(labels, left, top, right, bottom, np.bincount(own, minlength=count - 1))


@dataclass(frozen=True)
class Chosen:
    """Which parts are the digit's, ``kept`` (N,); the ``main`` one; and whether others ``beside`` are as tall."""

    kept: Mask
    main: int
    beside: bool


def are_of_the_digit(parts: Parts) -> Chosen:
    """Which parts are the digit's: the main one and what is large and near enough to belong to it."""
    weight = np.asarray(np.where(parts.touches, 0.2, 1.0) * parts.size * np.sqrt(parts.area), np.float64)
    edges = _edges(parts)
    if len(edges) == 1 and _is_one(parts):
        edges[0] = False
    weight[edges] = 0
    weight[_frames(parts, weight)] = 0
    main = int(weight.argmax())
    gap_x = np.maximum(0, np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right))
    gap_y = np.maximum(0, np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom))
    kept = (np.hypot(gap_x, gap_y) <= _REACH * parts.size[main]) & (parts.area >= _SPECK * parts.area[main])
    kept &= weight > 0
    if not parts.touches[main]:
        kept &= ~parts.touches
    height = parts.bottom - parts.top
    beside = ~kept & (weight > 0) & ~parts.touches & (height >= _AS_TALL * height[main])
    return Chosen(np.asarray(kept), main, bool(beside.any()))


def _is_one(parts: Parts) -> bool:
    """Whether the first part is an upright stroke in the middle half of a small picture."""
    height, width = parts.labels.shape
    middle = float(parts.left[0] + parts.right[0]) / 2
    upright = parts.bottom[0] - parts.top[0] > parts.right[0] - parts.left[0]
    return bool(max(height, width) <= PHOTO and upright and width / 4 < middle < 3 * width / 4)


def _edges(parts: Parts) -> Mask:
    """Which parts are edges of a box or sheet, or their remains: along the border, over most of a side, and thin."""
    height, width = parts.labels.shape
    long = (parts.bottom - parts.top >= _SIDE * height) | (parts.right - parts.left >= _SIDE * width)
    edges = parts.touches & long & (parts.area <= _THIN * (height + width) * parts.size)
    hem = round(_HEM * min(height, width))
    hemmed = (parts.right <= hem) | (parts.bottom <= hem) | (parts.left >= width - hem) | (parts.top >= height - hem)
    rim = max(1, round(_RIM * height)), max(1, round(_RIM * width))
    within = np.bincount(parts.labels[rim[0] : -rim[0], rim[1] : -rim[1]].ravel(), minlength=len(parts.area) + 1)[1:]
    sides = (parts.left == 0).astype(int) + (parts.right == width) + (parts.top == 0) + (parts.bottom == height)
    across = (sides >= 2) & (parts.area <= _THIN / 2 * (height + width) * parts.size)
    return np.asarray((edges & ((within <= 0.1 * parts.area) | across)) | hemmed)


def _frames(parts: Parts, weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """The heaviest part, if it is a drawn box: nearly all of it along the edges of its own box, and ink inside."""
    k = int(weight.argmax())
    left, top, right, bottom = (int(edge[k]) for edge in (parts.left, parts.top, parts.right, parts.bottom))
    own = parts.labels[top:bottom, left:right] == k + 1
    rim_y, rim_x = max(1, (bottom - top) // 8), max(1, (right - left) // 8)
    rim = own.sum() - own[rim_y:-rim_y, rim_x:-rim_x].sum()
    inside = (parts.left > left) & (parts.top > top) & (parts.right < right) & (parts.bottom < bottom)
    holds = bool((inside & (parts.size > 0.15 * parts.size[k])).any())
    return np.array([k] if rim > 0.9 * own.sum() and holds else [], np.int64)
