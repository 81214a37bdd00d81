"""Line of ink → pieces: over-segmentation by cuts that cross little ink (section V of the paper).

A line of writing is brought upright and to a standard height. Each connected component is a piece; where a
vertical path from top to bottom, free to bend, crosses little ink, the component is cut along it. There are more
cuts than digits: which pieces belong together is for the network to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lenet5.reading.components import components

__all__ = ["HEIGHT", "Cut", "Pieces", "cut", "sheared", "whole_marks"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

HEIGHT: Final = 48
"""Pixels to which the digits' height is brought before a line is cut."""

_HAIRLINE: Final = 0.4  # of a line's ink is whole squares of 2×2 pixels: with less its strokes are hairlines
_SURE: Final = 0.5  # ink levels from here on are ink
_LEAST: Final = 6  # pixels: less is no mark
_APART: Final = 0.14  # of the height: cuts do not come closer to each other or to the end of a component
_BEND: Final = 0.25  # what a step sideways costs, in pixels of ink
_STIFF: Final = 1.5  # the same for the path through a waist, which must not turn aside into the digits' own white
_WAIST: Final = 0.75  # of the lower of its sides: where a component is no taller it has a waist
_DEAREST: Final = 0.75  # of the height: a cut through more ink than this is none
_NARROW: Final = 0.4  # of the height: components no wider than this are not cut
_SLANTS: Final = np.arange(-0.3, 0.75, 0.1)  # pixels to the right for each pixel upwards: no writing slants more
_FLATTER: Final = 0.2  # a slant must sharpen the columns' profile by this much of it


@dataclass(frozen=True)
class Cut:
    """A cut between two neighbouring pieces of one component, through so many pixels of full ``ink``."""

    left: int
    right: int
    ink: float


@dataclass(frozen=True)
class Pieces:
    """A line in pieces, ordered from left to right.

    ``level`` (h, w) float32 ink, upright, digits about HEIGHT pixels tall; ``labels`` (h, w) int32,
    k + 1 in piece k, 0 outside; the edges of each piece's box and its area, (N,) int; of each, ``mark`` (N,), the
    connected mark that it is or is cut from; ``cuts`` what was parted by them; ``slant`` the pixels to the right for
    each pixel upwards that were taken out.

    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> pieces = whole_marks(level)
    >>> len(pieces), pieces.left.tolist(), pieces.right.tolist(), pieces.area.tolist()
    (2, [5, 15], [8, 18], [144, 144])
    """

    level: Floats
    labels: NDArray[np.int32]
    left: NDArray[np.int64]
    top: NDArray[np.int64]
    right: NDArray[np.int64]
    bottom: NDArray[np.int64]
    area: NDArray[np.int64]
    mark: NDArray[np.int64]
    cuts: tuple[Cut, ...]
    slant: float

    def __len__(self) -> int:
        return len(self.area)

    def columns(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Where pixels of ``level`` were in the slanted line."""
        return np.asarray(columns - _start(self.slant, self.level.shape[0]) - self.slant * rows, np.float64)


def whole_marks(level: Floats, slanted: bool = True) -> Pieces:
    """The connected marks of one line of ink (h, w) float32 in 0..1 whose digits are about HEIGHT pixels tall.

    A line that is not ``slanted`` is taken as it is.

    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> whole_marks(level).left.tolist()
    [5, 15]
    """
    level = _thick_enough(level)
    slant = _slant(level) if slanted else 0.0
    upright = sheared(level, slant)
    found = components(upright > _SURE)
    named = np.where(found.area >= _LEAST, np.cumsum(found.area >= _LEAST), 0).astype(np.int32)
    labels = np.concatenate([[np.int32(0)], named])[found.labels]
    pieces = _ordered(upright, labels, np.arange(named.max(initial=0)), [], slant)
    return replace(pieces, mark=np.arange(len(pieces)))


def cut(whole: Pieces, which: Mask | None = None) -> Pieces:
    """The pieces of a line's marks, of ``which`` (N,) alone if it is given, cut wherever digits may touch.

    >>> level = np.zeros((48, 60), np.float32)
    >>> level[:, 5:8] = level[:, 50:53] = level[22:25, 5:53] = 1  # two strokes and a thin bridge
    >>> pieces = cut(whole_marks(level))
    >>> len(pieces) > 2, set(pieces.mark.tolist()), round(pieces.cuts[0].ink, 1)
    (True, {0}, 3.0)
    """
    result = np.zeros_like(whole.labels)
    made: list[int] = []
    cuts = []
    for k, ways in enumerate(_ways(whole, np.ones(len(whole), np.bool_) if which is None else which)):
        rows, columns = slice(whole.top[k], whole.bottom[k]), slice(whole.left[k], whole.right[k])
        own = whole.labels[rows, columns] == k + 1
        part = np.zeros(own.shape, np.int32)
        for way in ways:
            part += np.arange(columns.start, columns.stop) > way.path[rows, None]
        before: int | None = None
        for value, size in enumerate(np.bincount(part[own], minlength=len(ways) + 1)):
            if size < _LEAST:
                continue
            made.append(k)
            result[rows, columns][own & (part == value)] = len(made)
            if before is not None:
                cuts.append(Cut(before, len(made) - 1, ways[value - 1].ink))
            before = len(made) - 1
    return _ordered(whole.level, result, np.array(made, np.int64), cuts, whole.slant)


def _thick_enough(level: Floats) -> Floats:
    """The line, its strokes made broader where they are hairlines, which any resampling would break up."""
    mask = (level > _SURE).astype(np.uint8)
    inside = cv2.erode(mask, np.ones((2, 2), np.uint8), borderValue=0)
    if inside.sum() > _HAIRLINE * mask.sum():
        return level
    return np.asarray(cv2.dilate(level, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))), np.float32)


@dataclass(frozen=True)
class _Way:
    """A way from top to bottom: the column at which it passes each row, (h,), and the ink that it crosses."""

    path: NDArray[np.int64]
    ink: float


def _ways(whole: Pieces, which: Mask) -> list[list[_Way]]:
    """For each mark the ways along which it may be cut, from left to right: none but for ``which`` (N,)."""
    which = which & (whole.right - whole.left > _NARROW * HEIGHT)
    if not which.any():
        return [[] for _ in which]
    free, stiff = _crossings(whole.level, (_BEND, _STIFF))
    columns: list[list[tuple[_Crossings, int]]] = [[] for _ in which]
    for k in np.flatnonzero(which):
        box = slice(whole.top[k], whole.bottom[k]), slice(whole.left[k], whole.right[k])
        valleys = _valleys(free.ink[box[1]])
        waists = _waists(whole.labels[box] == k + 1)
        waists = [at for at in waists if all(abs(at - v) >= 0.5 * _APART * HEIGHT for v in valleys)]
        start = int(whole.left[k])
        here = [(free, start + at) for at in valleys] + [(stiff, start + at) for at in waists]
        columns[k] = sorted(here, key=lambda item: item[1])
    paths = {
        kind: kind.paths([at for here in columns for other, at in here if other is kind]) for kind in (free, stiff)
    }
    return [[_Way(paths[kind][at], float(kind.ink[at])) for kind, at in here] for here in columns]


def _ordered(
    level: Floats, labels: NDArray[np.int32], mark: NDArray[np.int64], cuts: list[Cut], slant: float
) -> Pieces:
    """Pieces numbered by the middle of their boxes, from left to right."""
    count = len(mark)
    left, top = np.full(count + 1, max(labels.shape)), np.full(count + 1, max(labels.shape))
    right, bottom = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    rows, columns = np.nonzero(labels)
    own = labels[rows, columns]
    np.minimum.at(left, own, columns)
    np.minimum.at(top, own, rows)
    np.maximum.at(right, own, columns + 1)
    np.maximum.at(bottom, own, rows + 1)
    area = np.bincount(own, minlength=count + 1)
    order = 1 + np.argsort((left + right)[1:], kind="stable")
    place = np.zeros(count + 1, np.int32)
    place[order] = np.arange(1, count + 1)
    left, top, right, bottom, area = (edge[order] for edge in (left, top, right, bottom, area))
    renamed = tuple(Cut(int(place[c.left + 1]) - 1, int(place[c.right + 1]) - 1, c.ink) for c in cuts)
    return Pieces(level, place[labels], left, top, right, bottom, area, mark[order - 1], renamed, slant)


def _slant(level: Floats) -> float:
    """The slant whose removal gathers the ink of the columns best: the largest sum of squares of their profile."""
    sharpness = np.array([np.square(sheared(level, float(slant)).sum(axis=0)).sum() for slant in _SLANTS], np.float64)
    return float(_SLANTS[np.argmax(sharpness * (1 - _FLATTER * np.abs(_SLANTS)))])


def sheared(level: Floats, slant: float) -> Floats:
    """The line with this slant to the right taken out, as wide as it then is.

    >>> slanted = np.eye(10, dtype=np.float32)[::-1].copy()  # one pixel to the right for each upwards
    >>> float(sheared(slanted, 1.0).sum(axis=0).max())  # all ink is in one column
    10.0
    """
    if abs(slant) < 1e-6:
        return level
    height, width = level.shape
    extra = math.ceil(abs(slant) * height)
    matrix = np.array([[1, slant, _start(slant, height)], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(level, matrix, (width + extra, height), flags=cv2.INTER_LINEAR), np.float32)


def _start(slant: float, height: int) -> float:
    """How far the first row moves when a slant is taken out of a line so high."""
    return 0.0 if slant > 0 else abs(slant) * (height - 1)


class _Crossings:
    """The cheapest paths from top to bottom through each column's middle, and the ``ink`` (w,) that they cross.

    A step sideways costs as much as ``bend`` pixels of ink; ``down`` and ``up``, (h, w), are the costs of the
    cheapest paths from the first and the last row to each pixel.
    """

    def __init__(self, level: Floats, bend: float, down: Floats, up: Floats) -> None:
        self._bend, self._down, self._up = np.float32(bend), down, up
        self._middle = level.shape[0] // 2
        self.ink = np.asarray(down[self._middle] + up[self._middle] - level[self._middle], np.float32)

    def paths(self, columns: list[int]) -> dict[int, NDArray[np.int64]]:
        """For each column the columns (h,) in which the cheapest path through its middle crosses the rows."""
        height = len(self._down)
        result = np.empty((height, len(columns)), np.int64)
        result[self._middle] = columns
        for table, step in ((self._down, -1), (self._up, 1)):
            edged = np.pad(table + self._bend, ((0, 0), (1, 1)), constant_values=np.inf)
            x, row = result[self._middle], self._middle
            while 0 <= row + step < height:
                row += step
                near = edged[row][x + np.arange(3)[:, None]]  # to the left, straight on, to the right
                near[1] -= self._bend
                result[row] = x = x + near.argmin(axis=0) - 1
        return dict(zip(columns, result.T, strict=True))


def _crossings(level: Floats, bends: tuple[float, ...]) -> list[_Crossings]:
    """Of a line (h, w) the crossings for each of these costs of a step sideways."""
    sideways = np.array(bends, np.float32)[:, None, None]
    least = np.repeat(np.stack([level, level[::-1]], axis=1)[:, None], len(bends), axis=1)  # (h, bends, 2, w)
    for row in range(1, len(level)):
        before = least[row - 1]
        aside, best = before + sideways, before.copy()
        np.minimum(best[..., 1:], aside[..., :-1], out=best[..., 1:])
        np.minimum(best[..., :-1], aside[..., 1:], out=best[..., :-1])
        least[row] += best
    return [_Crossings(level, bend, least[:, k, 0], least[::-1, k, 1]) for k, bend in enumerate(bends)]


def _valleys(ink: Floats) -> list[int]:
    """Columns (of a component's) where a path crosses little ink: the cheapest, then others apart from it."""
    apart = _APART * HEIGHT
    first, last = math.ceil(apart), math.floor(len(ink) - apart)
    chosen: list[int] = []
    cost = ink[first : max(first, last)]
    valley = np.ones(len(cost), bool)
    valley[1:] &= cost[1:] <= cost[:-1]
    valley[:-1] &= cost[:-1] <= cost[1:]
    for k in np.argsort(cost, kind="stable"):
        if cost[k] > _DEAREST * HEIGHT:
            break
        if valley[k] and all(abs(first + k - other) >= apart for other in chosen):
            chosen.append(first + int(k))
    return sorted(chosen)


def _waists(own: Mask) -> list[int]:
    """Columns where a component is lower than on both sides: where round digits lean on each other."""
    height, width = own.shape
    extent = (height - own.argmax(axis=0) - own[::-1].argmax(axis=0)).astype(np.float32)
    extent = np.convolve(np.pad(extent, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    reach, apart = round(0.5 * HEIGHT), round(_APART * HEIGHT)
    highest = sliding_window_view(np.pad(extent, reach), reach).max(axis=-1)
    beside = np.minimum(highest[: len(extent)], highest[reach + 1 :])
    chosen: list[int] = []
    for k in np.argsort(extent[apart : width - apart], kind="stable") + apart:
        if extent[k] <= _WAIST * beside[k] and all(abs(k - other) >= 2 * apart for other in chosen):
            chosen.append(int(k))
    return sorted(chosen)
