"""Picture → lines of ink: what could be digits, grouped into lines of writing in reading order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Box
from lenet5.reading.cells import without_cells
from lenet5.reading.components import Components, components
from lenet5.reading.ink import Ink, evened, ink_within, shrunk
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.rules import are_filled, cut_off, frames, lengths, strokes, without_rules
from lenet5.reading.ruling import without_ruling

__all__ = ["Line", "find_lines"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

_LONGEST: Final = 1600  # pixels of the longer side at which a picture is first looked at
_LEAST_HEIGHT: Final = 36  # pixels: smaller digits in a picture that was scaled down are looked at so large
_SMALL: Final = 0.4  # of the digits' height: what is lower is a dot, a dash or a speck,
_LONGEST_DASH: Final = 1.2  # if it is no longer than this
_TALL: Final = 2.2  # of the digits' height: what is taller is a drawing or belongs to several lines
_TALL_ALONE: Final = 3.0  # the same where there is one line
_TALLEST: Final = 1.75  # times as tall as the middle one of its marks a digit of a line is taken to be at most
_REACH: Final = 3.5  # of the digits' height: marks farther apart are in different lines
_OVERLAP: Final = 0.4  # of the lower one's height: neighbours in a line share at least that
_THICKEST: Final = 3.0  # of its marks' height: what spreads farther from its middle is no line
_MOST: Final = 4000  # marks looked at, the tallest first
_FULLEST: Final = 0.4  # of a picture's pixels: with more ink it shows a pattern, no writing,
_FINE: Final = 0.12  # if its strokes are no broader than this part of its shorter side
_SHADE: Final = 0.25  # what has this ink level is neither paper nor noise:
_SHADES: Final = 0.05  # with so much of it beside the ink, in parts of that,
_CUT_OFF: Final = 0.1  # and ink on so much of its border a picture shows things, no writing
_LONGEST_MARK: Final = 12  # times as long as high: what is longer is a rule; ten digits that touch are not
_BLOT: Final = 1.2  # times as long as its widest stroke: no digit is shorter
_STRANGE: Final = 0.5  # of the marks in a line are stains or cut off by the border: it is no line
_IN_CELLS: Final = 0.5  # of a line's marks are in cells, if it is written into them
_FEWEST_PIXELS: Final = 6  # height of a digit at least


@dataclass(frozen=True)
class Line:
    """One line of writing: ``level`` (h, w) float32 ink in 0..1, its digits about HEIGHT tall.

    A pixel of ``level`` lies in the picture at ``left`` + column / ``scale`` and ``top`` + row / ``scale``
    + ``tilt`` · column / ``scale``. ``in_cells`` is whether it was written into the boxes of a form.
    """

    level: Floats
    left: float
    top: float
    scale: float
    tilt: float
    in_cells: bool = False

    @property
    def height(self) -> float:
        """How tall the digits are in the picture, in its pixels."""
        return HEIGHT / self.scale

    def box(self, rows: NDArray[np.floating], columns: NDArray[np.floating]) -> Box:
        """The box in the picture of pixels of ``level`` at these rows and columns."""
        x = self.left + np.array([columns.min(), columns.max() + 1]) / self.scale
        y = self.top + (rows + self.tilt * columns) / self.scale
        low, high = float(y.min()), float(y.max()) + 1 / self.scale
        return Box(max(int(x[0]), 0), max(int(low), 0), int(np.ceil(x[1])), int(np.ceil(high)))


def find_lines(grey: Floats, single: bool = False, known: bool = False) -> list[Line]:
    """The lines of writing in grey levels (H, W) 0..1, from top to bottom and left to right; maybe none.

    Where there is a ``single`` line, all that stands beside the largest group is in it. Where it is ``known`` that
    there is writing, nothing is taken for stains, shadows, patterns or scenes.
    """
    if min(grey.shape) < _FEWEST_PIXELS:
        return []
    small = shrunk(grey, _LONGEST)
    scale = max(small.shape) / max(grey.shape)
    light = evened(small)
    flat = light.likelier
    ink = ink_within(flat, max(max(small.shape) // 8, 15))
    if ink is None:
        return []
    plain = without_ruling(ink)
    ruled, height = plain is not ink.mask, _digit_height(components(plain))
    if height is None:
        return []
    marks = 0.0  # how high what has cells is at full size
    if emptied := without_cells(replace(ink, mask=plain), height):
        marks = height / scale
        height = _digit_height(components(emptied.mask)) or height
    if height < _LEAST_HEIGHT and scale < 1:
        larger = min(1.0, scale * _LEAST_HEIGHT / height)
        height *= larger / scale
        scale = larger
        flat = light.at(shrunk(grey, round(scale * max(grey.shape)))).likelier
    ink = ink_within(flat, max(round(height), 9))
    if ink is not None and ruled:
        ink = replace(ink, mask=without_ruling(ink))
    if ink is None or (not known and (_is_pattern(ink.mask) or _is_scene(ink))):
        return []
    cells = np.zeros((0, 4), np.int64)
    if marks and (emptied := without_cells(ink, marks * scale)):
        ink, cells = replace(ink, mask=emptied.mask), emptied.cells
    return _lines(ink, height, scale, cells, single, known)


def _is_pattern(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask (H, W) holds more ink, in strokes finer, than writing does."""
    if mask.mean() <= _FULLEST:
        return False
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return bool(2 * mask.sum() < _FINE * min(mask.shape) * max(outline, 1))


def _is_scene(ink: Ink) -> bool:
    """Whether a picture is full of shades that are neither paper nor pen, and its ink goes on beyond its border."""
    edges = (ink.mask[0], ink.mask[-1], ink.mask[:, 0], ink.mask[:, -1])
    if np.concatenate(edges).mean() <= _CUT_OFF:
        return False
    rim = cv2.dilate(ink.mask.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    shades = np.count_nonzero((ink.level > _SHADE) & ~rim)
    return bool(shades > _SHADES * np.count_nonzero(ink.mask))


def _digit_height(found: Components) -> float | None:
    """The height that half of the ink's marks reach, weighed by their area; None where nothing is tall enough."""
    marks = (found.height >= _FEWEST_PIXELS) & (found.width < _LONGEST_MARK * found.height) & ~frames(found)
    if not marks.any():
        return None
    heights, weight = found.height[marks], found.area[marks]
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])


def _lines(ink: Ink, height: float, scale: float, cells: NDArray[np.int64], single: bool, known: bool) -> list[Line]:
    """The lines of an ink picture whose digits are about so tall, ``scale`` times as large as the picture.

    Where they are not ``known`` to be writing, stains and shadows are none. ``cells`` (N, 4) are those of forms.
    """
    mask = without_rules(ink.mask, round(2 * height), round(1.3 * height), max(2, round(0.1 * height)))
    found = components(mask)
    height = _digit_height(found) or height
    size = np.maximum(found.width, found.height)
    main = (
        (found.height <= (_TALL_ALONE if single else _TALL) * height)
        & (size >= _SMALL * height)
        & (found.height >= 0.25 * height)
    )
    main &= (size >= _FEWEST_PIXELS) & ~frames(found)
    widths = strokes(found, main)
    main &= lengths(found, widths) >= _BLOT
    chosen = np.flatnonzero(main)
    if len(chosen) > _MOST:
        chosen = np.sort(chosen[np.argsort(-found.height[chosen], kind="stable")[:_MOST]])
    groups = _groups(found, chosen, height)
    if single and groups:
        groups = [_beside_the_largest(found, groups)]
    if not known:
        strange = are_filled(found, widths, height) | cut_off(found)
        groups = [g for g in groups if (single or _is_level(found, g)) and strange[g].mean() < _STRANGE]
    low = (found.height < _SMALL * height) & (found.width < _LONGEST_DASH * height)
    rest = np.flatnonzero(~main & low & (found.area >= 3))
    return [
        replace(_line(ink, found, group, rest, scale), in_cells=_lie_in(found, group, cells))
        for group in _in_reading_order(found, groups, height)
    ]


def _lie_in(found: Components, group: Indices, cells: NDArray[np.int64]) -> bool:
    """Whether most of a group's marks have their middles in cells (N, 4)."""
    x, y = (found.left[group] + found.right[group]) / 2, (found.top[group] + found.bottom[group]) / 2
    left, top, right, bottom = cells.T[:, :, None]
    within = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return bool(within.any(axis=0).mean() > _IN_CELLS)


def _groups(found: Components, chosen: Indices, height: float) -> list[Indices]:
    """The chosen components in groups: neighbours side by side, not far apart, share a group."""
    order = chosen[np.argsort(found.left[chosen], kind="stable")]
    left, right = found.left[order], found.right[order]
    top, bottom, tall = found.top[order], found.bottom[order], found.height[order]
    parent = np.arange(len(order))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = int(parent[k])
        return k

    for k in range(len(order)):
        end = int(np.searchsorted(left, right[k] + _REACH * height, side="right"))
        near = np.arange(k + 1, end)
        shared = np.minimum(bottom[near], bottom[k]) - np.maximum(top[near], top[k])
        beside = near[shared >= _OVERLAP * np.minimum(tall[near], tall[k])]
        for other in beside[:8]:
            parent[root(int(other))] = root(k)
    roots = np.array([root(k) for k in range(len(order))], np.int64)
    return [order[roots == r] for r in np.unique(roots)]


def _is_level(found: Components, group: Indices) -> bool:
    """Whether a group lies along a line, as writing does, and is no cloud of specks or texture."""
    x, y = (found.left[group] + found.right[group]) / 2, (found.top[group] + found.bottom[group]) / 2
    tall = float(np.median(found.height[group]))
    low, high = np.quantile(y - _tilt(x, y, tall) * x, [0.05, 0.95])
    return bool(high - low <= _THICKEST * tall)


def _beside_the_largest(found: Components, groups: list[Indices]) -> Indices:
    """The group with the most ink, and what shares at least half of its height with it."""
    largest = max(groups, key=lambda group: int(found.area[group].sum()))
    top, bottom = np.quantile(found.top[largest], 0.2), np.quantile(found.bottom[largest], 0.8)
    every = np.concatenate(groups)
    shared = np.minimum(found.bottom[every], bottom) - np.maximum(found.top[every], top)
    beside = every[shared >= 0.5 * np.minimum(found.height[every], bottom - top)]
    return np.asarray(np.union1d(largest, beside), np.int64)


def _in_reading_order(found: Components, groups: list[Indices], height: float) -> list[Indices]:
    """Groups from top to bottom, those that are about as high up from left to right."""

    def middle(group: Indices) -> float:
        return float(np.median(found.top[group]) + np.median(found.bottom[group])) / 2

    rows: list[list[Indices]] = []
    for group in sorted(groups, key=middle):
        if not rows or middle(group) - middle(rows[-1][0]) > 0.5 * height:
            rows.append([])
        rows[-1].append(group)
    return [group for row in rows for group in sorted(row, key=lambda group: int(found.left[group].min()))]


def _line(ink: Ink, found: Components, group: Indices, rest: Indices, scale: float) -> Line:
    """A group with the small marks beside it, cut out, its slope taken out, and brought to the standard height."""
    heights = found.height[group]
    tall = min(float(np.median(heights[heights >= 0.6 * heights.max()])), _TALLEST * float(np.median(heights)))
    middle_x = (found.left[group] + found.right[group]) / 2
    middle_y = (found.top[group] + found.bottom[group]) / 2
    tilt = _tilt(middle_x, middle_y, tall)
    start, end = int(found.left[group].min()), int(found.right[group].max())
    x, y = (found.left[rest] + found.right[rest]) / 2, (found.top[rest] + found.bottom[rest]) / 2
    baseline = float(np.median(middle_y - tilt * middle_x))
    beside = (x > start - 0.5 * tall) & (x < end + tall) & (np.abs(y - tilt * x - baseline) < 0.85 * tall)
    members = np.concatenate([group, rest[beside]])
    left, top = int(found.left[members].min()), int(found.top[members].min())
    right, bottom = int(found.right[members].max()), int(found.bottom[members].max())
    box = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    own = np.zeros(len(found) + 1, np.uint8)
    own[members + 1] = 1
    near = cv2.dilate(own[found.labels[box]], np.ones((3, 3), np.uint8))
    level = np.where(near > 0, ink.level[box], np.float32(0))
    factor = HEIGHT / tall
    shape = (max(1, round(level.shape[1] * factor)), max(1, round(level.shape[0] * factor)))
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    level = np.clip(cv2.resize(level, shape, interpolation=kind), 0, 1)
    rise, margin = tilt * level.shape[1], 2
    size = (level.shape[1] + 2 * margin, int(np.ceil(level.shape[0] + abs(rise))) + 2 * margin)
    lift = margin + max(rise, 0.0)
    matrix = np.array([[1, 0, margin], [-tilt, 1, lift]])
    level = cv2.warpAffine(np.asarray(level, np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    whole = factor * scale
    x0, y0 = box[1].start / scale - margin / whole, box[0].start / scale - (lift + tilt * margin) / whole
    return Line(np.asarray(level, np.float32), x0, y0, whole, tilt)


def _tilt(x: NDArray[np.floating], y: NDArray[np.floating], tall: float) -> float:
    """The slope of a line through the middles of its marks, 0 if they are too few to tell."""
    if len(x) < 3 or np.ptp(x) < 3 * tall:
        return 0.0
    slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i in range(len(x)) for j in range(i + 1, min(i + 12, len(x)))
              if abs(x[j] - x[i]) > tall]  # fmt: skip
    slope = float(np.median(slopes)) if slopes else 0.0
    return slope if abs(slope) > 0.02 else 0.0
