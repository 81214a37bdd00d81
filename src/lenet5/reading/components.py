"""Connected components of a mask: where each begins and ends, and how much ink it has."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Components", "bridged", "components"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Components:
    """``labels`` (H, W) int32 has k + 1 in component k and 0 outside; edges of the boxes and areas, (N,) int each.

    >>> mask = np.zeros((8, 9), np.bool_)
    >>> mask[1:5, 2:4] = mask[6, 7] = True
    >>> marks = components(mask)
    >>> len(marks), marks.width.tolist(), marks.height.tolist(), marks.area.tolist()
    (2, [2, 1], [4, 1], [8, 1])
    """

    labels: NDArray[np.int32]
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    right: NDArray[np.int64]
    bottom: NDArray[np.int64]
    area: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.area)

    @property
    def width(self) -> NDArray[np.int64]:
        """The width of each box."""
        return np.asarray(self.right - self.left)

    @property
    def height(self) -> NDArray[np.int64]:
        """The height of each box."""
        return np.asarray(self.bottom - self.top)


def components(mask: Mask) -> Components:
    """The components of a mask (H, W), pixels that meet at a corner being connected.

    >>> marks = components(np.array([[1, 0, 0, 1], [0, 1, 0, 1]], np.bool_))
    >>> marks.left.tolist(), marks.right.tolist()
    ([0, 3], [2, 4])
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    left, top, width, height, area = np.asarray(stats[1:], np.int64).T
    return Components(np.asarray(labels, np.int32), left, top, left + width, top + height, area)


def bridged(mask: Mask, gap: int) -> Components:
    """The components of a mask (H, W), parts no more than about ``gap`` pixels apart joined: dry or grainy strokes.

    Labels and areas are those of the mask alone.

    >>> dashes = np.tile(np.array([1, 1, 1, 1, 0, 0], np.bool_), (4, 3))
    >>> len(components(dashes)), len(bridged(dashes, 2))
    (3, 1)
    """
    if gap < 1:
        return components(mask)
    reach = gap // 2 + 1
    joined = cv2.dilate(mask.view(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    labelled = components(joined.view(np.bool_))
    labels = np.where(mask, labelled.labels, np.int32(0))
    area = np.bincount(labels.ravel(), minlength=len(labelled) + 1)[1:]
    height, width = mask.shape
    left, top = np.minimum(labelled.left + reach, width - 1), np.minimum(labelled.top + reach, height - 1)
    left, top = np.where(labelled.left == 0, 0, left), np.where(labelled.top == 0, 0, top)
    right = np.where(labelled.right == width, width, labelled.right - reach)
    bottom = np.where(labelled.bottom == height, height, labelled.bottom - reach)
    return Components(labels, left, top, np.maximum(right, left + 1), np.maximum(bottom, top + 1), area)
