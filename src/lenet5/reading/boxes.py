"""Which segments are sides of boxes and cells, also where writing hides parts of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.segments import SHORTEST, SLOPE, Segments

__all__ = ["REGULAR", "with_boxes"]

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_CORNER: Final = 3  # pixels: the sides of a box begin and end alike
_WIDEST: Final = 12  # times as wide as high, or as high as wide, is a box at most
_REACH: Final = 12  # pixels outwards are looked at for a side's edge
_LEVEL: Final = 0.6  # of which lies on one line, where nothing crosses it
_SEEN: Final = 0.6  # of the side of a cell: writing may hide the rest
_ALL_ALONG: Final = 48  # samples between the ends of two sides
_LEADS: Final = 0.95  # of them are ink
REGULAR: Final = 0.1  # of their pitch: teeth stand no farther from where they should


def with_boxes(level: Segments, upright: Segments, mask: Mask) -> tuple[Segments, Segments, tuple[Mask, Mask]]:
    """Level and upright segments of a mask (H, W) with the hidden sides of boxes, and which of each are such sides.

    ``upright`` are segments of the turned mask.

    >>> from lenet5.reading.segments import segments_of
    >>> mask = np.zeros((60, 100), np.bool_)
    >>> mask[10:12, 10:90] = mask[48:50, 10:90] = mask[10:50, 10:12] = mask[10:50, 88:90] = True  # a box
    >>> segments = segments_of(mask, 4), segments_of(np.ascontiguousarray(mask.T), 4)
    >>> [sides.all() for sides in with_boxes(*segments, mask)[2]]
    [np.True_, np.True_]
    """
    turned = np.ascontiguousarray(mask.T)
    boxes = np.zeros(len(level.left), np.bool_), np.zeros(len(upright.left), np.bool_)
    for _ in range(2):  # the sides of its neighbours, which begin or end as a box's own do, complete further boxes
        (boxed, uprights), (stood, levels) = _boxes(level, mask), _boxes(upright, turned)
        if not len(uprights) and not len(levels):
            break
        level, boxed = _alike(*_completed(level, boxes[0] | boxed, levels), mask)
        upright, stood = _alike(*_completed(upright, boxes[1] | stood, uprights), turned)
        boxes = boxed, stood
    return level, upright, boxes


def _boxes(segments: Segments, mask: Mask) -> tuple[Mask, NDArray[np.float64]]:
    """Which segments are opposite sides of a box, and the two others of each: (N, 5), two points (x, y), thickness.

    Two opposite sides begin and end alike, and ink leads straight from end to end at both: writing may hide parts of
    the other two.
    """
    apart = np.subtract.outer(segments.start, segments.start).T
    slack = _CORNER + SLOPE * apart
    alike = (apart >= SHORTEST) & (apart <= _WIDEST * np.maximum(segments.length, 1)[:, None])
    for ends in (segments.left, segments.right):
        alike &= np.abs(np.subtract.outer(ends, ends)) <= slack
    first, second = np.nonzero(alike)
    rows = np.rint(np.linspace(segments.start[first], segments.start[second], _ALL_ALONG)).astype(np.int64)
    others = np.rint(np.linspace(segments.end[first], segments.end[second], _ALL_ALONG)).astype(np.int64)
    leads = np.ones(len(first), np.bool_)
    for ends, along, inwards in ((segments.left, rows, 1), (segments.right - 1, others, -1)):
        columns = np.rint(np.linspace(ends[first], ends[second], _ALL_ALONG)).astype(np.int64)
        y = np.clip(along, 0, mask.shape[0] - 1)
        inked = [mask[y, np.clip(columns + inwards * k, 0, mask.shape[1] - 1)] for k in (-1, 0, 1)]
        leads &= np.any(inked, axis=0).mean(axis=0) >= _LEADS
        outwards = columns[None] - inwards * np.arange(_REACH, -2, -1)[:, None, None]
        beyond = mask[y[None], np.clip(outwards, 0, mask.shape[1] - 1)].argmax(axis=0)
        leads &= _is_level(columns + inwards * beyond)  # the edge of a curve is not
    first, second = first[leads], second[leads]
    nearest = np.unique(first, return_index=True)[1] if len(first) else np.zeros(0, np.int64)
    first, second = first[nearest], second[nearest]
    sides = np.zeros(len(segments.left), np.bool_)
    sides[first] = sides[second] = True
    pen = (segments.thickness[first] + segments.thickness[second]) / 2
    return sides, np.concatenate(
        [
            np.stack(
                [segments.start[first], segments.left[first], segments.start[second], segments.left[second], pen],
                axis=1,
            ),
            np.stack(
                [segments.end[first], segments.right[first] - 1, segments.end[second], segments.right[second] - 1, pen],
                axis=1,
            ),
        ]
    )


def _is_level(edge: Ints) -> Mask:
    """(N,): whether most of an edge (S, N) lies on one line, through the middles of its halves."""
    half = len(edge) // 2
    first, last = np.median(edge[:half], axis=0), np.median(edge[half:], axis=0)
    along = (np.arange(len(edge)) - (half - 1) / 2)[:, None] / half
    return np.asarray((np.abs(edge - first - along * (last - first)) <= 1).mean(axis=0) >= _LEVEL)


def _completed(segments: Segments, boxed: Mask, sides: NDArray[np.float64]) -> tuple[Segments, Mask]:
    """Segments with those ``sides`` of boxes that are not among them, hidden all along; which are of boxes."""
    x0, y0, x1, y1, pen = sides.T
    there = np.zeros(len(sides), np.bool_)
    if len(segments.left):
        slack = _CORNER + pen[:, None]
        same = (np.abs(segments.start - y0[:, None]) <= slack) & (np.abs(segments.end - y1[:, None]) <= slack)
        same &= (segments.left <= x0[:, None] + slack) & (segments.right >= x1[:, None] - slack)
        there, boxed = same.any(axis=1), boxed | same.any(axis=0)
    own = sides[~there]
    edges = np.rint(own[:, :4]).astype(np.int64)
    numbers = len(segments.left) + np.arange(len(own))
    completed = Segments(
        segments.labels,
        np.concatenate([segments.left, edges[:, 0]]),
        np.concatenate([segments.right, edges[:, 2] + 1]),
        np.concatenate([segments.start, edges[:, 1]]),
        np.concatenate([segments.end, edges[:, 3]]),
        np.concatenate([segments.thickness, own[:, 4]]),
        np.concatenate([segments.gaps, np.column_stack([numbers, edges])]),
    )
    return completed, np.concatenate([boxed, np.ones(len(own), np.bool_)])


def _alike(segments: Segments, boxed: Mask, mask: Mask) -> tuple[Segments, Mask]:
    """Sides of cells beside a box: they begin or end as its nearest side does, as thick, and most of each is seen.

    A box's width away there is another such side. Where ink hides the rest of one, it is made as long as the nearest.
    Gives the segments, and which of them are sides of boxes or cells.
    """
    known, others = np.flatnonzero(boxed), np.flatnonzero(~boxed)
    if len(known) == 0:
        return segments, boxed
    middle = (segments.start + segments.end) / 2
    apart = np.abs(np.subtract.outer(middle[others], middle[known]))
    own = known[np.argmin(apart, axis=1)]
    apart, length = apart.min(axis=1), segments.length[own]
    slack = _CORNER + SLOPE * apart
    before, after = segments.left[others] - segments.left[own], segments.right[own] - segments.right[others]
    like = (np.minimum(np.abs(before), np.abs(after)) <= slack) & (np.minimum(before, after) >= -slack)
    like &= (segments.length[others] >= _SEEN * length) & (apart <= _WIDEST * length)
    like &= np.abs(segments.thickness[others] - segments.thickness[own]) <= 1 + 0.3 * segments.thickness[own]
    like &= _has_partner(middle, known, others, like & (np.maximum(np.abs(before), np.abs(after)) <= slack))
    left, right = segments.left.copy(), segments.right.copy()
    starts = np.abs(before) <= np.abs(after)
    longer = np.minimum(left[others] + length, mask.shape[1]), np.maximum(right[others] - length, 0)
    right[others] = np.where(like & starts, np.maximum(right[others], longer[0]), right[others])
    left[others] = np.where(like & ~starts, np.minimum(left[others], longer[1]), left[others])
    gaps = []
    for k in others[like].tolist():
        x = np.arange(max(left[k], 0), min(right[k], mask.shape[1]))
        x = x[(x < segments.left[k]) | (x >= segments.right[k])]
        slope = (segments.end[k] - segments.start[k]) / max(segments.length[k] - 1, 1)
        y = np.clip(np.rint(segments.start[k] + slope * (x - segments.left[k])), 0, mask.shape[0] - 1).astype(np.int64)
        if len(x) and mask[y, x].mean() >= _LEADS:
            gaps.append((k, x[0], y[0], x[-1], y[-1]))
        else:
            left[k], right[k] = segments.left[k], segments.right[k]
    boxed = boxed.copy()
    boxed[others[like]] = True
    between = np.concatenate([segments.gaps, np.array(gaps, np.int64).reshape(-1, 5)])
    return Segments(segments.labels, left, right, segments.start, segments.end, segments.thickness, between), boxed


def _has_partner(middle: NDArray[np.float64], known: Ints, others: Ints, sure: Mask) -> Mask:
    """Which of the other segments have a known or ``sure`` one as far from them as two known ones are usually apart."""
    steps = np.diff(np.sort(middle[known]))
    wide = steps[steps >= SHORTEST]
    if len(wide) == 0:
        return np.zeros(len(others), np.bool_)
    width = float(np.median(wide))
    partners = np.concatenate([middle[known], middle[others[sure]]])
    apart = np.abs(np.abs(np.subtract.outer(middle[others], partners)) - width)
    return np.asarray((apart <= _CORNER + REGULAR / 2 * width).any(axis=1))
