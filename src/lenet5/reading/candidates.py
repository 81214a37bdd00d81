"""Pieces → what may be one character: runs of neighbouring pieces, as the network will see them."""

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

_MOST: Final = 8  # pieces in a character
_WIDEST: Final = 1.5  # of the digits' height
_GAP: Final = 0.35  # of the height: pieces farther apart are two marks

_CROSS: Final = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Candidates:
    """Runs of pieces ``first`` to ``last`` (exclusive), (N,) each, their (N, 4) boxes and (N, 28, 28) uint8 images.

    Boxes are left, top, right, bottom in the line's pixels; ``marks`` are the connected marks that each consists of,
    nothing where a cut parts it from its neighbours.

    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> candidates = runs(whole_marks(level))
    >>> candidates.images.shape, candidates.marks
    ((3, 28, 28), ((0,), (0, 1), (1,)))
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    boxes: NDArray[np.int64]
    images: NDArray[np.uint8]
    marks: tuple[tuple[int, ...], ...]


def runs(pieces: Pieces, seen: Candidates | None = None) -> Candidates:
    """Every run of neighbouring pieces that has the size of a character.

    The images of whole marks are taken from candidates of the same line ``seen`` before it was cut.

    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> candidates = runs(whole_marks(level))
    >>> list(zip(candidates.first.tolist(), candidates.last.tolist()))  # each stroke, and both together
    [(0, 1), (0, 2), (1, 2)]
    """
    ready = {} if seen is None else dict(zip(seen.marks, seen.images, strict=True))
    spans: list[tuple[int, int]] = []
    boxes: list[tuple[int, int, int, int]] = []
    marks: list[tuple[int, ...]] = []
    images: list[NDArray[np.uint8]] = []
    edges = np.stack([pieces.left, pieces.top, pieces.right, pieces.bottom], axis=1).tolist()
    parts = np.bincount(pieces.mark)
    for first in range(len(pieces)):
        left, top, right, bottom = edges[first]
        for last in range(first + 1, min(first + _MOST, len(pieces)) + 1):
            edge = edges[last - 1]
            if edge[0] > right + _GAP * HEIGHT:
                break
            left, top, right, bottom = min(left, edge[0]), min(top, edge[1]), max(right, edge[2]), max(bottom, edge[3])
            if right - left > _WIDEST * HEIGHT:
                break
            whole = tuple(dict.fromkeys(pieces.mark[first:last].tolist()))
            whole = whole if sum(parts[k] for k in whole) == last - first else ()
            spans.append((first, last))
            boxes.append((left, top, right, bottom))
            marks.append(whole)
            images.append(ready[whole] if whole in ready else _image(pieces, first, last, boxes[-1]))
    ends = np.array(spans, np.int64).reshape(-1, 2)
    stacked = np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    return Candidates(ends[:, 0], ends[:, 1], np.array(boxes, np.int64).reshape(-1, 4), stacked, tuple(marks))


def _image(pieces: Pieces, first: int, last: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The ink of these pieces alone, with its soft rim, in MNIST's form."""
    left, top, right, bottom = box
    labels = pieces.labels[top:bottom, left:right]
    inside = (labels > first) & (labels <= last)
    near = cv2.dilate(inside.view(np.uint8), _CROSS).view(np.bool_)
    near &= inside | (labels == 0)
    return normalise(pieces.level[top:bottom, left:right] * near)
