"""Inks → proposals: chains of marks that may be one line of writing. A digit is a line of one.

Marks are connected ink. Neighbours of about one height, side by side, are in one chain, however far the cells of a form
set them apart. Printed lines are taken out; a mark that was part of one is proposed with it as well, by itself: it may
be a 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components, bridged, components
from lenet5.reading.ink import Ink
from lenet5.reading.line_image import LOW, Line, line_image, slope_of, usual_height
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.straight import without_lines

__all__ = ["REACH", "Proposal", "proposals_in", "proposals_of"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

REACH: Final = 3.5
"""Heights: marks farther apart are in different lines."""

_LEAST: Final = 6  # pixels: no digit is lower

_OVERLAP: Final = 0.4  # of the lower one's height that neighbours in a line share, at least
_HOLLOW: Final = 0.4  # of a frame's box is ink, at most,
_HELD: Final = 0.4  # and of its height has what it holds, at least
_INSIDE: Final = 0.08  # of a frame's height is between it and what it holds, at least
_ALIKE: Final = 0.4  # of the taller one's height has its neighbour in a line, at least
_NEXT: Final = 8  # neighbours looked at to the right of a mark
_TALL: Final = 2.0  # medians of a chain's heights: what is taller joins several lines, and is taken out of it
_LONGEST: Final = 12.0  # heights: a mark so long is no digits that touch
_LONGEST_DASH: Final = 1.2  # heights
_MOST: Final = 3000  # marks of one ink, the tallest first
_MOST_CHAINS: Final = 400  # of one ink
_FULL: Final = 0.6  # of an ink picture: with more of it the ink is the ground
_ALONE: Final = 40  # marks: in a picture with fewer, parts of a stroke above one another are put together
_SAME: Final = 0.9  # intersection over union of two chains that are the same
_LARGEST: Final = 8  # marks of a picture seen coarsely are proposed by themselves, whatever stands beside them
_MOST_FRAMES: Final = 100  # of one ink, the widest first
_CELLS_APART: Final = 0.5  # heights: cells of one row are no farther apart
_ON: Final = 0.3  # of its height a mark may stand above a rule that it belongs to
_BROKEN: Final = 0.15  # of the longer side of what was put together: parts of one digit are no farther apart
_WIDE: Final = 1.4  # heights: no digit is wider
_STACKED: Final = 0.15  # of the height of both: parts farther apart are two marks


@dataclass(frozen=True)
class Proposal:
    """A chain of ``marks``, some ``tall`` and others ``low``, of an ink without printed lines, or with them.

    ``lined`` (h, w) is where printed lines were taken out.
    """

    ink: Ink
    marks: Components
    tall: Indices
    low: Indices
    lined: Mask | None

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the tall marks in the picture."""
        marks, tall, scale = self.marks, self.tall, self.ink.scale
        left, top, right, bottom = (getattr(marks, side)[tall] for side in ("left", "top", "right", "bottom"))
        return left.min() / scale, top.min() / scale, right.max() / scale, bottom.max() / scale

    @property
    def height(self) -> float:
        """The usual height of the tall marks, in pixels of the ink."""
        return float(np.median(self.marks.height[self.tall]))

    def line(self) -> Line:
        """Its image at the standard height, taken from the picture's own detail."""
        ink, marks = self.ink, self.marks
        members = np.concatenate([self.tall, self.low])
        left, top = int(marks.left[members].min()), int(marks.top[members].min())
        right, bottom = int(marks.right[members].max()), int(marks.bottom[members].max())
        edge = 2
        rows = slice(max(top - edge, 0), min(bottom + edge, ink.mask.shape[0]))
        columns = slice(max(left - edge, 0), min(right + edge, ink.mask.shape[1]))
        factor = HEIGHT / self.height if ink.scale < 1 and self.height < HEIGHT else 1.0
        factor = min(factor, 1 / ink.scale)
        contrast, own = ink.crop((rows, columns), factor), marks.labels[rows, columns]
        if factor > 1:
            own = np.asarray(cv2.resize(own, contrast.shape[::-1], interpolation=cv2.INTER_NEAREST), np.int32)
        inked = ink.contrast[rows, columns][np.isin(marks.labels[rows, columns], members + 1)]
        full = float(np.quantile(inked, 0.6)) if inked.size else 1.0
        low = min(0.15 * full + 2 * ink.noise, 0.5 * full)
        level = np.clip((contrast - np.float32(low)) / np.float32(full - low), 0, 1)

        def moved(edges: NDArray[np.int64], start: int, size: int, up: bool) -> NDArray[np.int64]:
            placed = (edges - start) * factor
            return np.asarray(np.clip(np.ceil(placed) if up else np.floor(placed), 0, size), np.int64)

        high, wide = own.shape
        near = Components(
            own,
            moved(marks.left, columns.start, wide, False),
            moved(marks.top, rows.start, high, False),
            moved(marks.right, columns.start, wide, True),
            moved(marks.bottom, rows.start, high, True),
            marks.area,
        )
        line = line_image(level.astype(np.float32), near, self.tall, self.low, ink.scale * factor)
        x, y = columns.start / ink.scale, rows.start / ink.scale
        return _without_empty_rows(replace(line, left=line.left + x, top=line.top + y))


def _without_empty_rows(line: Line) -> Line:
    """A sloping line cut to the rows that hold ink, where the box that it was taken from is much higher."""
    inked = np.flatnonzero(line.level.max(axis=1) > 0)
    if len(inked) == 0 or line.level.shape[0] - (inked[-1] - inked[0]) <= HEIGHT:
        return line
    first, last = max(int(inked[0]) - 2, 0), int(inked[-1]) + 3
    return replace(line, level=line.level[first:last].copy(), top=line.top + first / line.scale)


def proposals_in(inks: Sequence[Ink], reach: float = REACH) -> list[Proposal]:
    """The chains of all inks; of those that are the same to two inks the first."""
    every = [proposal for ink in inks for proposal in proposals_of(ink, reach)]
    if len(every) < 2:
        return every
    edges = np.array([proposal.edges for proposal in every])
    marks = np.array([len(proposal.tall) for proposal in every])
    dark = np.array([proposal.ink.dark for proposal in every])
    areas = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    kept: list[int] = []
    for k in range(len(every)):
        shared = np.minimum(edges[kept, 2:], edges[k, 2:]) - np.maximum(edges[kept, :2], edges[k, :2])
        both = np.maximum(shared, 0).prod(axis=1)
        alike = (both >= _SAME * (areas[kept] + areas[k] - both)) & (marks[kept] == marks[k]) & (dark[kept] == dark[k])
        if not alike.any():
            kept.append(k)
    return [every[k] for k in kept]


def proposals_of(ink: Ink, reach: float = REACH) -> list[Proposal]:
    """The chains of one ink, from its marks without printed lines and, by themselves, the marks that were some."""
    if ink.cover > _FULL:
        return []
    marks = _marks_of(ink.mask, ink)
    if len(marks) == 0:
        return []
    tall = marks.height >= _LEAST
    height = usual_height(marks.height[tall], marks.area[tall]) if tall.any() else 0.0
    if not height:
        return []
    bare = without_lines(ink.mask, _writing_height(marks, height))
    if bare is None:
        return list(_chained(ink, marks, None, reach))
    lined = ink.mask & ~bare
    touched = np.unique(marks.labels[lined])
    touching = np.zeros(len(marks) + 1, np.bool_)
    touching[touched] = True
    touching = touching[1:] & (marks.height >= _LEAST) & (marks.width <= 1.5 * marks.height)
    touching &= (marks.height < 0.98 * ink.mask.shape[0]) | (marks.width > 0.1 * marks.height)
    whole = [
        Proposal(ink, marks, np.array([k]), np.zeros(0, np.int64), None) for k in np.flatnonzero(touching)[:_ALONE]
    ]
    return [*_chained(ink, _marks_of(bare, ink), lined, reach), *whole]


def _marks_of(mask: Mask, ink: Ink) -> Components:
    """The connected marks of a mask; through a large window, across the grain of chalk or crayon."""
    return bridged(mask, 2) if _is_coarse(ink) and min(mask.shape) > 64 else components(mask)


def _is_coarse(ink: Ink) -> bool:
    """Whether an ink is seen through a large window, in which writing that fills much of the picture is whole."""
    return bool(ink.window > min(ink.mask.shape) // 4)


def _writing_height(marks: Components, usual: float) -> float:
    """How tall writing is: frames and rules, which are long and hold little ink, aside."""
    dense = (marks.area > 0.08 * marks.width * marks.height) & (marks.height >= _LEAST)
    dense &= marks.width < _LONGEST * marks.height
    if not dense.any():
        return usual
    return usual_height(marks.height[dense], marks.area[dense])


def _chained(ink: Ink, marks: Components, lined: Mask | None, reach: float) -> Iterator[Proposal]:
    """The chains of these marks, the tallest first, as far as the budget goes."""
    could_be = (marks.height >= _LEAST) & (marks.width < _LONGEST * marks.height)
    could_be &= marks.height >= 0.04 * ink.window
    candidates = np.flatnonzero(could_be)
    if len(candidates) > _MOST:
        candidates = np.sort(candidates[np.argsort(-marks.height[candidates], kind="stable")[:_MOST]])
    around = _enclose(marks, candidates)
    groups = [part for group in _groups(marks, candidates[~around], reach) for part in _level(marks, group, reach)]
    groups += [candidates[k : k + 1] for k in np.flatnonzero(around)]
    if _is_coarse(ink):
        largest = candidates[np.argsort(-marks.height[candidates], kind="stable")[:_LARGEST]]
        groups += [np.array([k]) for k in largest]
    if lined is not None:
        groups += _framed(lined, marks, candidates[~around], reach)
    if reach > REACH and len(groups) > 1:
        groups.append(_beside_the_largest(marks, groups))
    if len(candidates) <= _ALONE:
        groups += _stacked(marks, candidates)
    groups = list({tuple(group.tolist()): group for group in groups}.values())
    groups.sort(key=lambda group: -float(np.median(marks.height[group])))
    others = np.flatnonzero(marks.area >= 3)
    for group in groups[:_MOST_CHAINS]:
        height = float(np.median(marks.height[group]))
        tall = group[marks.height[group] >= LOW * usual_height(marks.height[group], marks.area[group])]
        low = others[(marks.height[others] < LOW * height) & (marks.width[others] < _LONGEST_DASH * height)]
        low = low[_near(marks, tall, low, height)]
        yield Proposal(ink, marks, tall, low, lined)
    if len(marks) <= _ALONE and (broken := _in_one(marks, np.delete(np.arange(len(marks)), candidates[around]))):
        yield Proposal(ink, broken, np.zeros(1, np.int64), np.zeros(0, np.int64), lined)


def _in_one(marks: Components, which: Indices) -> Components | None:
    """The largest of the chosen marks and all that is near it as one mark, which a digit in broken strokes is.

    None if it is alone, or wider than a digit.
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


def _enclose(marks: Components, which: Indices) -> Mask:
    """Which of the chosen marks (N,) are hollow and have another, not much lower, inside their box, as a frame has."""
    left, top, right, bottom = (getattr(marks, side)[which] for side in ("left", "top", "right", "bottom"))
    hollow = marks.area[which] < _HOLLOW * (right - left) * (bottom - top)
    result = np.zeros(len(which), np.bool_)
    for k in np.flatnonzero(hollow & (right - left > 0.5 * (bottom - top))):
        inside = (left > left[k]) & (right < right[k]) & (top > top[k]) & (bottom < bottom[k])
        result[k] = bool((inside & (bottom - top >= _HELD * (bottom[k] - top[k]))).any())
    return result


def _near(marks: Components, tall: Indices, low: Indices, height: float) -> Mask:
    """Which low marks are in reach of the box of the tall ones; what of them is in the line is told there."""
    left, right = marks.left[tall].min() - height, marks.right[tall].max() + height
    top, bottom = marks.top[tall].min() - height, marks.bottom[tall].max() + height
    inside = (marks.left[low] >= left) & (marks.right[low] <= right)
    return np.asarray(inside & (marks.top[low] >= top) & (marks.bottom[low] <= bottom))


def _groups(marks: Components, which: Indices, reach: float) -> list[Indices]:
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


def _framed(lined: Mask, marks: Components, which: Indices, reach: float) -> list[Indices]:
    """The groups of what stands in a row of cells, in a frame or on a rule, without what stands beside it.

    A row of cells that are apart is one. Where all marks are in one of them, they are in groups already.
    """
    frames = components(cv2.dilate(lined.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_))
    wide = np.flatnonzero(frames.width >= _LEAST)
    wide = np.sort(wide[np.argsort(-frames.width[wide], kind="stable")[:_MOST_FRAMES]])
    x = (marks.left[which] + marks.right[which]) / 2
    slack = _ON * marks.height[which]
    chains = []
    for row in _groups(frames, wide, _CELLS_APART):
        left, top = frames.left[row].min(), frames.top[row].min()
        right, bottom = frames.right[row].max(), frames.bottom[row].max()
        inside = (x >= left) & (x < right)
        inside &= (marks.bottom[which] >= top - slack) & (marks.top[which] <= bottom - slack)
        if inside.any() and not inside.all():
            chains += [part for group in _groups(marks, which[inside], reach) for part in _level(marks, group, reach)]
    return chains


def _beside_the_largest(marks: Components, groups: list[Indices]) -> Indices:
    """The group with the most ink, and what shares at least half of its height with it."""
    largest = max(groups, key=lambda group: int(marks.area[group].sum()))
    top, bottom = np.quantile(marks.top[largest], 0.2), np.quantile(marks.bottom[largest], 0.8)
    every = np.concatenate(groups)
    shared = np.minimum(marks.bottom[every], bottom) - np.maximum(marks.top[every], top)
    beside = every[shared >= 0.5 * np.minimum(marks.height[every], bottom - top)]
    return np.asarray(np.union1d(largest, beside), np.int64)


def _level(marks: Components, group: Indices, reach: float) -> list[Indices]:
    """A group as it is if it lies along a line, else without what is far taller than the rest of it, apart."""
    heights = marks.height[group]
    usual = float(np.median(heights))
    x, y = (marks.left[group] + marks.right[group]) / 2, (marks.top[group] + marks.bottom[group]) / 2
    away = y - slope_of(x, y, usual) * x
    if len(group) < 3 or np.ptp(away) <= usual:
        return [group]
    tall = heights > _TALL * usual
    if not tall.any():
        return [group]
    return [*_groups(marks, group[~tall], reach), *_groups(marks, group[tall], reach)]


def _stacked(marks: Components, which: Indices) -> list[Indices]:
    """Pairs of marks above one another, as close as parts of a broken stroke are."""
    pairs = []
    for k, upper in enumerate(which):
        for lower in which[k + 1 :]:
            a, b = (int(upper), int(lower)) if marks.top[upper] <= marks.top[lower] else (int(lower), int(upper))
            shared = min(marks.right[a], marks.right[b]) - max(marks.left[a], marks.left[b])
            apart = marks.top[b] - marks.bottom[a]
            both = max(marks.bottom[a], marks.bottom[b]) - marks.top[a]
            if shared > 0 and -_STACKED * both <= apart <= _STACKED * both:
                pairs.append(np.array([a, b]))
    return pairs[:_ALONE]
