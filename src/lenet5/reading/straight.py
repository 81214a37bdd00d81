"""Level and upright runs of ink in a mask, and where ink is thin: what straight lines are told by."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["runs", "thin"]

Mask = NDArray[np.bool_]


def runs(mask: Mask, length: int, axis: int) -> Mask:
    """What lies in runs of this length along an axis of a mask (H, W), which may step aside by a pixel now and then.

    With what is a pixel beside it.
    """
    if length > mask.shape[axis]:
        return np.zeros_like(mask)
    aside, along = ((3, 1), (1, length)) if axis == 1 else ((1, 3), (length, 1))
    joined = cv2.dilate(mask.view(np.uint8), np.ones(aside, np.uint8))
    return np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones(along, np.uint8)).view(np.bool_))


def thin(mask: Mask, thickness: int, axis: int) -> Mask:
    """Where in a mask (H, W) ink has at most this many pixels along the axis, and where there is none."""
    if thickness + 1 > mask.shape[axis]:
        return np.ones_like(mask)
    across = np.ones((thickness + 1, 1) if axis == 0 else (1, thickness + 1), np.uint8)
    ink = mask.astype(np.uint8)
    return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, across, borderType=cv2.BORDER_CONSTANT, borderValue=0) == 0)
