"""Connected components of a mask: where each begins and ends, and how much ink it has."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Components", "components"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Components:
    """``labels`` (H, W) int32 has k + 1 in component k and 0 outside; edges of the boxes and areas, (N,) int each."""

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
    """The components of a mask (H, W), pixels that meet at a corner being connected."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    left, top, width, height, area = np.asarray(stats[1:], np.int64).T
    return Components(np.asarray(labels, np.int32), left, top, left + width, top + height, area)
