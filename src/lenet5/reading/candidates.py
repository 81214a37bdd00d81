"""Pieces → what may be one digit: runs of neighbouring pieces, as the network will see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.normalise import normalise
from lenet5.paper import SIDE
from lenet5.reading.pieces import HEIGHT, Pieces

__all__ = ["Candidates", "runs"]

_MOST: Final = 8  # pieces in a digit
_WIDEST: Final = 1.5  # of the digits' height
_GAP: Final = 0.35  # of the height: pieces farther apart are two marks
_SMALLEST: Final = 0.25  # of the height: what is smaller both ways is no digit

_CROSS: Final = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Candidates:
    """Runs of pieces ``first`` to ``last`` (exclusive), (N,) each, their (N, 4) boxes and (N, 28, 28) uint8 images.

    Boxes are left, top, right, bottom in the line's pixels.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    boxes: NDArray[np.int64]
    images: NDArray[np.uint8]


def runs(pieces: Pieces) -> Candidates:
    """Every run of neighbouring pieces that has the size of a digit."""
    found: list[tuple[int, int]] = []
    boxes: list[tuple[int, int, int, int]] = []
    images: list[NDArray[np.uint8]] = []
    edges = np.stack([pieces.left, pieces.top, pieces.right, pieces.bottom], axis=1).tolist()
    for first in range(len(pieces)):
        left, top, right, bottom = edges[first]
        for last in range(first + 1, min(first + _MOST, len(pieces)) + 1):
            own = edges[last - 1]
            if own[0] > right + _GAP * HEIGHT:
                break
            left, top, right, bottom = min(left, own[0]), min(top, own[1]), max(right, own[2]), max(bottom, own[3])
            if right - left > _WIDEST * HEIGHT:
                break
            if max(right - left, bottom - top) < _SMALLEST * HEIGHT:
                continue
            found.append((first, last))
            boxes.append((left, top, right, bottom))
            images.append(_image(pieces, first, last, boxes[-1]))
    ends = np.array(found, np.int64).reshape(-1, 2)
    stacked = np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    return Candidates(ends[:, 0], ends[:, 1], np.array(boxes, np.int64).reshape(-1, 4), stacked)


def _image(pieces: Pieces, first: int, last: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The ink of these pieces alone, with its soft rim, in MNIST's form."""
    left, top, right, bottom = box
    labels = pieces.labels[top:bottom, left:right]
    own = (labels > first) & (labels <= last)
    near = cv2.dilate(own.view(np.uint8), _CROSS).view(np.bool_)
    near &= own | (labels == 0)
    return normalise(pieces.level[top:bottom, left:right] * near)
