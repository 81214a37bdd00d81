"""The light on a sheet: what the paper is at each place, taken out of a scan."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["flattened"]

Bytes = NDArray[np.uint8]

_SMALL: Final = 150  # pixels: the longer side at which the light is seen
_REACH: Final = 9  # pixels of these: print is narrower, paper shows between


def flattened(levels: Bytes) -> Bytes:
    """Grey levels (H, W) uint8 divided by the paper's around: paper is 255 in light and in shadow.

    >>> half_in_shadow = np.repeat(np.array([[90, 240]], np.uint8), 200, axis=1).repeat(50, axis=0)
    >>> flattened(half_in_shadow)[25, [20, 380]].tolist()
    [255, 255]
    """
    height, width = levels.shape
    scale = min(1.0, _SMALL / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(
        small, cv2.MORPH_CLOSE, np.ones((_REACH, _REACH), np.uint8), borderType=cv2.BORDER_REPLICATE
    )
    paper = cv2.resize(cv2.GaussianBlur(closed, (0, 0), _REACH / 3), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(levels, np.maximum(paper, 1), scale=255), np.uint8)
