"""Marks of one line → the line as the lattice takes it: level, and at the standard height.

Training makes its lines with the same function, so that the network learns from what it will be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components
from lenet5.reading.pieces import HEIGHT
from lenet5.result import Box

__all__ = ["LOW", "Line", "line_image", "slope_of", "usual_height"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

LOW: Final = 0.4
"""Of the digits' height: what is lower is a dot, a dash or a speck."""

_TALLEST: Final = (
    1.75  # medians of the marks' heights: the cap on the digits' height, for lines with strokes far taller
)
_MARGIN: Final = 2  # pixels around the line, so that strokes keep their soft rim
_NEIGHBOURS: Final = 12  # marks: slopes are taken between marks no farther apart
_LEAST_SLOPE: Final = 0.02  # less than that is chance


@dataclass(frozen=True)
class Line:
    """One line of writing: ``level`` (h, w) float32 ink in 0..1, its digits about HEIGHT tall.

    A pixel of ``level`` lies in the picture at ``left`` + column / ``scale`` and ``top`` + row / ``scale``
    + ``slope`` · column / ``scale``.

    >>> line = Line(np.zeros((52, 100), np.float32), left=10, top=20, scale=2.0, slope=0.0)
    >>> line.height, line.box(np.array([2, 49]), np.array([4, 23]))
    (24.0, Box(left=12, top=21, right=22, bottom=45))
    """

    level: Floats
    left: float
    top: float
    scale: float
    slope: float

    @property
    def height(self) -> float:
        """How tall the digits are in the picture, in its pixels."""
        return HEIGHT / self.scale

    def box(self, rows: NDArray[np.floating], columns: NDArray[np.floating]) -> Box:
        """The box in the picture of pixels of ``level`` at these rows and columns."""
        x = self.left + np.array([columns.min(), columns.max() + 1]) / self.scale
        y = self.top + (rows + self.slope * columns) / self.scale
        low, high = float(y.min()), float(y.max()) + 1 / self.scale
        return Box(max(int(x[0]), 0), max(int(low), 0), int(np.ceil(x[1])), int(np.ceil(high)))


def usual_height(heights: NDArray[np.number], areas: NDArray[np.number]) -> float:
    """The height that half of the marks' ink reaches: the median of heights (N,), weighed by areas (N,).

    >>> usual_height(np.array([3, 20, 22]), np.array([5, 60, 70]))  # a dot and two digits
    22.0
    """
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)])


def line_image(level: Floats, marks: Components, tall: Indices, low: Indices, scale: float) -> Line:
    """The line of the ``tall`` marks of an ink picture ``level`` (H, W), with those of the ``low`` ones beside them.

    Its slope is taken out. The ink picture is ``scale`` times as large as the picture.

    >>> from lenet5.reading.components import components
    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:34, [10, 11, 40, 41]] = True  # two strokes, 24 pixels tall
    >>> line = line_image(mask.astype(np.float32), components(mask), np.arange(2), np.zeros(0, np.int64), scale=1.0)
    >>> line.scale, line.height, line.slope
    (2.0, 24.0, 0.0)
    """
    heights = marks.height[tall]
    height = min(float(np.median(heights[heights >= 0.6 * heights.max()])), _TALLEST * float(np.median(heights)))
    x, y = (marks.left[tall] + marks.right[tall]) / 2, (marks.top[tall] + marks.bottom[tall]) / 2
    slope = slope_of(x, y, height)
    members = np.concatenate([tall, low[_are_beside(marks, tall, low, float(np.median(y - slope * x)), slope, height)]])
    left, top = int(marks.left[members].min()), int(marks.top[members].min())
    right, bottom = int(marks.right[members].max()), int(marks.bottom[members].max())
    box = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    lookup = np.zeros(len(marks) + 1, np.uint8)
    lookup[members + 1] = 1
    near = cv2.dilate(lookup[marks.labels[box]], np.ones((3, 3), np.uint8))
    ink, factor = np.where(near > 0, level[box], np.float32(0)), HEIGHT / height
    shape = (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor)))
    ink = np.clip(cv2.resize(ink, shape, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), 0, 1)
    rise = slope * ink.shape[1]
    size = (ink.shape[1] + 2 * _MARGIN, int(np.ceil(ink.shape[0] + abs(rise))) + 2 * _MARGIN)
    lift = _MARGIN + max(rise, 0.0)
    ink = cv2.warpAffine(np.asarray(ink, np.float32), np.array([[1, 0, _MARGIN], [-slope, 1, lift]]), size)
    whole = factor * scale
    x0, y0 = box[1].start / scale - _MARGIN / whole, box[0].start / scale - (lift + slope * _MARGIN) / whole
    return Line(np.asarray(ink, np.float32), x0, y0, whole, slope)


def _are_beside(
    marks: Components, tall: Indices, low: Indices, middle: float, slope: float, height: float
) -> NDArray[np.bool_]:
    """Which of the low marks (N,) stand in the line, or no farther from its ends than a separator does."""
    x, y = (marks.left[low] + marks.right[low]) / 2, (marks.top[low] + marks.bottom[low]) / 2
    start, end = int(marks.left[tall].min()), int(marks.right[tall].max())
    return np.asarray(
        (x > start - 0.5 * height) & (x < end + height) & (np.abs(y - slope * x - middle) < 0.85 * height)
    )


def slope_of(x: NDArray[np.floating], y: NDArray[np.floating], height: float) -> float:
    """The slope of a line through the middles of its marks (N,), 0 where they are too few to tell.

    >>> x = np.array([0.0, 40, 80, 120])
    >>> round(slope_of(x, 5 + 0.1 * x, height=20), 3)
    0.1
    """
    if len(x) < 3 or np.ptp(x) < 3 * height:
        return 0.0
    steps = [(x[k:] - x[:-k], y[k:] - y[:-k]) for k in range(1, min(_NEIGHBOURS, len(x)))]
    across, down = (np.concatenate(values) for values in zip(*steps, strict=True))
    far = np.abs(across) > height
    if not far.any():
        return 0.0
    slope = float(np.median(down[far] / across[far]))
    return slope if abs(slope) > _LEAST_SLOPE else 0.0
