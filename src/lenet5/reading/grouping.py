"""Marks of one ink → groups that may be one line, or one digit: by their boxes alone.

``marks`` are the connected components of an ink, ``which`` (N,) the numbers of those that are grouped; a group is an
array of such numbers.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components, components
from lenet5.reading.line_image import slope_of

__all__ = [
    "FEW",
    "LEAST_HEIGHT",
    "beside_the_largest",
    "enclosing",
    "in_frames",
    "joined",
    "rows_of",
    "stacked_pairs",
    "within_reach",
]

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

LEAST_HEIGHT: Final = 6
"""Pixels: no digit is lower."""

FEW: Final = 40
"""Marks: in a picture with fewer, parts of a stroke above one another are put together."""

_OVERLAP: Final = 0.4  # of the lower one's height that neighbours in a line share, at least
_ALIKE: Final = 0.4  # of the taller one's height has its neighbour in a line, at least
_INSIDE: Final = 0.08  # of a frame's height is between it and what it holds, at least
_NEXT: Final = 8  # neighbours looked at to the right of a mark
_TALL: Final = 2.0  # medians of a chain's heights: what is taller joins several lines, and is taken out of it
_HOLLOW: Final = 0.4  # of a frame's box is ink, at most,
_HELD: Final = 0.4  # and of its height has what it holds, at least
_MOST_FRAMES: Final = 100  # of one ink, the widest first
_CELLS_APART: Final = 0.5  # heights: cells of one row are no farther apart
_ON: Final = 0.3  # of its height a mark may stand above a rule that it belongs to
_BROKEN: Final = 0.15  # of the longer side of what was put together: parts of one digit are no farther apart
_WIDE: Final = 1.4  # heights: no digit is wider
_STACKED: Final = 0.15  # of the height of both: parts farther apart are two marks


def rows_of(marks: Components, which: Indices, reach: float) -> list[Indices]:
    """The chosen marks in rows: neighbours side by side, what is far taller than the rest of a row apart.

    Neighbours are about as tall as each other and at most ``reach`` heights apart.

    >>> mask = np.zeros((20, 60), np.bool_)
    >>> mask[5:15, [5, 12, 55]] = True  # three strokes, the last one far away
    >>> [row.tolist() for row in rows_of(components(mask), np.arange(3), reach=3.5)]
    [[0, 1], [2]]
    """
    groups = _side_by_side(marks, which, reach)
    return [part for group in groups for part in _without_taller(marks, group, reach)]


def _side_by_side(marks: Components, which: Indices, reach: float) -> list[Indices]:
    """The chosen marks in groups: neighbours side by side, about as tall, in reach of each other share a group."""
    order = which[np.argsort(marks.left[which], kind="stable")]
    left, right = marks.left[order], marks.right[order]
    top, bottom, tall = marks.top[order], marks.bottom[order], marks.height[order]
    parent = list(range(len(order)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    ends = np.searchsorted(left, right + reach * tall / _ALIKE, side="right")
    for k in range(len(order)):
        near = slice(k + 1, int(ends[k]))
        lower = np.minimum(tall[near], tall[k])
        taller = np.maximum(tall[near], tall[k])
        shared = np.minimum(bottom[near], bottom[k]) - np.maximum(top[near], top[k])
        beside = (shared >= _OVERLAP * lower) & (lower >= _ALIKE * taller)
        beside &= left[near] <= right[k] + reach * taller
        slack = _INSIDE * taller
        within = (right[near] <= right[k]) & (top[near] > top[k] + slack) & (bottom[near] < bottom[k] - slack)
        beside &= ~within
        for other in np.flatnonzero(beside)[:_NEXT].tolist():
            parent[root(k + 1 + other)] = root(k)
    roots = np.array([root(k) for k in range(len(order))], np.int64)
    by_root = np.argsort(roots, kind="stable")
    bounds = np.flatnonzero(np.diff(roots[by_root])) + 1
    return [order[part] for part in np.split(by_root, bounds)] if len(order) else []


def _without_taller(marks: Components, group: Indices, reach: float) -> list[Indices]:
    """A group as it is if it lies along a line, else without what is far taller than the rest of it, apart."""
    heights = marks.height[group]
    usual = float(np.median(heights))
    x, y = (marks.left[group] + marks.right[group]) / 2, (marks.top[group] + marks.bottom[group]) / 2
    away = y - slope_of(x, y, usual) * x
    tall = heights > _TALL * usual
    if np.ptp(away) <= usual or not tall.any():
        return [group]
    return [*_side_by_side(marks, group[~tall], reach), *_side_by_side(marks, group[tall], reach)]


def in_frames(lined: Mask, marks: Components, which: Indices, reach: float) -> list[Indices]:
    """The groups of what stands in a row of cells, in a frame or on a rule, without what stands beside it.

    A row of cells that are apart is one. Where all marks are in one of them, they are in groups already.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:25, [10, 50]] = True  # a stroke over a rule, and one beside it
    >>> lined = np.zeros((40, 60), np.bool_)
    >>> lined[27:29, 2:30] = True
    >>> [group.tolist() for group in in_frames(lined, components(mask), np.arange(2), reach=3.5)]
    [[0]]
    """
    frames = components(cv2.dilate(lined.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_))
    wide = np.flatnonzero(frames.width >= LEAST_HEIGHT)
    wide = np.sort(wide[np.argsort(-frames.width[wide], kind="stable")[:_MOST_FRAMES]])
    x = (marks.left[which] + marks.right[which]) / 2
    slack = _ON * marks.height[which]
    chains = []
    for row in _side_by_side(frames, wide, _CELLS_APART):
        left, top = frames.left[row].min(), frames.top[row].min()
        right, bottom = frames.right[row].max(), frames.bottom[row].max()
        inside = (x >= left) & (x < right)
        inside &= (marks.bottom[which] >= top - slack) & (marks.top[which] <= bottom - slack)
        if inside.any() and not inside.all():
            chains += rows_of(marks, which[inside], reach)
    return chains


def beside_the_largest(marks: Components, groups: list[Indices]) -> Indices:
    """The group with the most ink, and what shares at least half of its height with it.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:25, 10:14] = mask[12:24, 40] = mask[35:39, 20] = True  # a bold stroke, one beside it, one below
    >>> beside_the_largest(components(mask), [np.array([0]), np.array([1]), np.array([2])]).tolist()
    [0, 1]
    """
    largest = max(groups, key=lambda group: int(marks.area[group].sum()))
    top, bottom = np.quantile(marks.top[largest], 0.2), np.quantile(marks.bottom[largest], 0.8)
    every = np.concatenate(groups)
    shared = np.minimum(marks.bottom[every], bottom) - np.maximum(marks.top[every], top)
    beside = every[shared >= 0.5 * np.minimum(marks.height[every], bottom - top)]
    return np.asarray(np.union1d(largest, beside), np.int64)


def stacked_pairs(marks: Components, which: Indices) -> list[Indices]:
    """Pairs of marks above one another, as close as parts of a broken stroke are.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[5:15, 10:14] = mask[17:30, 10:14] = True  # a stroke with a gap
    >>> [pair.tolist() for pair in stacked_pairs(components(mask), np.arange(2))]
    [[0, 1]]
    """
    pairs = []
    for k, upper in enumerate(which):
        for lower in which[k + 1 :]:
            a, b = (int(upper), int(lower)) if marks.top[upper] <= marks.top[lower] else (int(lower), int(upper))
            shared = min(marks.right[a], marks.right[b]) - max(marks.left[a], marks.left[b])
            apart = marks.top[b] - marks.bottom[a]
            both = max(marks.bottom[a], marks.bottom[b]) - marks.top[a]
            if shared > 0 and -_STACKED * both <= apart <= _STACKED * both:
                pairs.append(np.array([a, b]))
    return pairs[:FEW]


def enclosing(marks: Components, which: Indices) -> Mask:
    """Which of the chosen marks (N,) are hollow and have another, not much lower, inside their box, as a frame has.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[2:38, 5:55] = True
    >>> mask[4:36, 7:53] = False
    >>> mask[12:30, 28:32] = True  # a frame round a stroke
    >>> enclosing(components(mask), np.arange(2)).tolist()
    [True, False]
    """
    left, top, right, bottom = (getattr(marks, side)[which] for side in ("left", "top", "right", "bottom"))
    hollow = marks.area[which] < _HOLLOW * (right - left) * (bottom - top)
    result = np.zeros(len(which), np.bool_)
    for k in np.flatnonzero(hollow & (right - left > 0.5 * (bottom - top))):
        inside = (left > left[k]) & (right < right[k]) & (top > top[k]) & (bottom < bottom[k])
        result[k] = bool((inside & (bottom - top >= _HELD * (bottom[k] - top[k]))).any())
    return result


def within_reach(marks: Components, tall: Indices, low: Indices, height: float) -> Mask:
    """Which low marks are in reach of the box of the tall ones; what of them is in the line is told there.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:20, 10] = mask[20, 14] = mask[20, 50] = True  # a stroke, a dot beside it, one far away
    >>> within_reach(components(mask), np.array([0]), np.array([1, 2]), height=10).tolist()
    [True, False]
    """
    left, right = marks.left[tall].min() - height, marks.right[tall].max() + height
    top, bottom = marks.top[tall].min() - height, marks.bottom[tall].max() + height
    inside = (marks.left[low] >= left) & (marks.right[low] <= right)
    return np.asarray(inside & (marks.top[low] >= top) & (marks.bottom[low] <= bottom))


def joined(marks: Components, which: Indices) -> Components | None:
    """The largest of the chosen marks and all that is near it as one mark, which a digit in broken strokes is.

    None if it is alone, or wider than a digit.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[5:15, 10:14] = mask[16:30, 10:14] = mask[5:30, 50] = True  # a stroke with a gap, and one far away
    >>> mark = joined(components(mask), np.arange(3))
    >>> int(mark.top[0]), int(mark.bottom[0]), int(mark.right[0])
    (5, 30, 14)
    """
    edges = np.stack([marks.left, marks.top, marks.right, marks.bottom])[:, which]
    if len(which) < 2:
        return None
    taken = np.arange(len(which)) == marks.area[which].argmax()
    while True:
        box = edges[:2, taken].min(axis=1), edges[2:, taken].max(axis=1)
        across = np.maximum(edges[:2] - box[1][:, None], box[0][:, None] - edges[2:])
        near = (across <= _BROKEN * max(box[1] - box[0])).all(axis=0)
        if (near == taken).all():
            break
        taken = near
    if taken.sum() < 2 or box[1][0] - box[0][0] > _WIDE * (box[1][1] - box[0][1]):
        return None
    labels = np.isin(marks.labels, which[taken] + 1).astype(np.int32)
    left, top, right, bottom = (np.array([side]) for side in (*box[0], *box[1]))
    return Components(labels, left, top, right, bottom, np.array([marks.area[which[taken]].sum()]))
