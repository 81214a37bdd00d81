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
from lenet5.reading.grouping import (
    FEW,
    LEAST_HEIGHT,
    beside_the_largest,
    enclosing,
    in_frames,
    joined,
    rows_of,
    stacked_pairs,
    within_reach,
)
from lenet5.reading.ink import Ink
from lenet5.reading.line_image import LOW, Line, line_image, usual_height
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.straight import without_lines

__all__ = ["REACH", "Proposal", "proposals_in", "proposals_of"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

REACH: Final = 3.5
"""Heights: marks farther apart are in different lines."""

_LONGEST: Final = 12.0  # heights: a mark so long is no digits that touch
_LONGEST_DASH: Final = 1.2  # heights
_MOST: Final = 3000  # marks of one ink, the tallest first
_MOST_CHAINS: Final = 400  # of one ink
_FULL: Final = 0.6  # of an ink picture: with more of it the ink is the ground
_SAME: Final = 0.9  # intersection over union of two chains that are the same
_LARGEST: Final = 8  # marks of a picture seen coarsely are proposed by themselves, whatever stands beside them


@dataclass(frozen=True)
class Proposal:
    """A chain of ``marks``, some ``tall`` and others ``low``, of an ink without printed lines, or with them.

    ``lined`` (h, w) is where printed lines were taken out.

    >>> from lenet5.reading.ink import inks_of
    >>> grey = np.ones((60, 80), np.float32)
    >>> grey[20:45, 30:34] = 0  # a stroke
    >>> (proposal,) = proposals_of(inks_of(grey)[0])
    >>> [float(edge) for edge in proposal.edges], proposal.height
    ([30.0, 20.0, 34.0, 45.0], 25.0)
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
        factor = min(max(HEIGHT / self.height, 1.0), 1 / ink.scale)
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
    """The chains of all inks; of those that are the same to two inks the first.

    >>> from lenet5.reading.ink import inks_of
    >>> grey = np.ones((60, 80), np.float32)
    >>> grey[20:45, 30:34] = 0  # a stroke
    >>> inks = inks_of(grey)
    >>> len(proposals_in(inks)) == len(proposals_in(inks + inks)) == 1  # what two inks show alike is proposed once
    True
    """
    every = [proposal for ink in inks for proposal in proposals_of(ink, reach)]
    if not every:
        return []
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
    """The chains of one ink, from its marks without printed lines and, by themselves, the marks that were some.

    >>> from lenet5.reading.ink import inks_of
    >>> grey = np.ones((60, 300), np.float32)
    >>> grey[20:45, [30, 31, 32, 60, 61, 62]] = 0  # two strokes side by side
    >>> [proposal.tall.tolist() for proposal in proposals_of(inks_of(grey)[0])]  # together, and each by itself
    [[0, 1], [0], [1]]
    """
    if ink.cover > _FULL:
        return []
    marks = _marks_of(ink.mask, ink)
    if len(marks) == 0:
        return []
    tall = marks.height >= LEAST_HEIGHT
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
    touching = touching[1:] & (marks.height >= LEAST_HEIGHT) & (marks.width <= 1.5 * marks.height)
    touching &= (marks.height < 0.98 * ink.mask.shape[0]) | (marks.width > 0.1 * marks.height)
    whole = [Proposal(ink, marks, np.array([k]), np.zeros(0, np.int64), None) for k in np.flatnonzero(touching)[:FEW]]
    return [*_chained(ink, _marks_of(bare, ink), lined, reach), *whole]


def _marks_of(mask: Mask, ink: Ink) -> Components:
    """The connected marks of a mask; through a large window, across the grain of chalk or crayon."""
    return bridged(mask, 2) if _is_coarse(ink) and min(mask.shape) > 64 else components(mask)


def _is_coarse(ink: Ink) -> bool:
    """Whether an ink is seen through a large window, in which writing that fills much of the picture is whole."""
    return bool(ink.window > min(ink.mask.shape) // 4)


def _writing_height(marks: Components, usual: float) -> float:
    """How tall writing is: frames and rules, which are long and hold little ink, aside."""
    dense = (marks.area > 0.08 * marks.width * marks.height) & (marks.height >= LEAST_HEIGHT)
    dense &= marks.width < _LONGEST * marks.height
    if not dense.any():
        return usual
    return usual_height(marks.height[dense], marks.area[dense])


def _chained(ink: Ink, marks: Components, lined: Mask | None, reach: float) -> Iterator[Proposal]:
    """The chains of these marks, the tallest first, as far as the budget goes."""
    could_be = (marks.height >= LEAST_HEIGHT) & (marks.width < _LONGEST * marks.height)
    could_be &= marks.height >= 0.04 * ink.window
    candidates = np.flatnonzero(could_be)
    if len(candidates) > _MOST:
        candidates = np.sort(candidates[np.argsort(-marks.height[candidates], kind="stable")[:_MOST]])
    around = enclosing(marks, candidates)
    groups = rows_of(marks, candidates[~around], reach)
    groups += [candidates[k : k + 1] for k in np.flatnonzero(around)]
    if _is_coarse(ink):
        largest = candidates[np.argsort(-marks.height[candidates], kind="stable")[:_LARGEST]]
        groups += [np.array([k]) for k in largest]
    if lined is not None:
        groups += in_frames(lined, marks, candidates[~around], reach)
    if reach > REACH and len(groups) > 1:
        groups.append(beside_the_largest(marks, groups))
    if len(candidates) <= FEW:
        groups += stacked_pairs(marks, candidates)
    groups = list({tuple(group.tolist()): group for group in groups}.values())
    groups.sort(key=lambda group: -float(np.median(marks.height[group])))
    others = np.flatnonzero(marks.area >= 3)
    for group in groups[:_MOST_CHAINS]:
        height = float(np.median(marks.height[group]))
        tall = group[marks.height[group] >= LOW * usual_height(marks.height[group], marks.area[group])]
        low = others[(marks.height[others] < LOW * height) & (marks.width[others] < _LONGEST_DASH * height)]
        low = low[within_reach(marks, tall, low, height)]
        yield Proposal(ink, marks, tall, low, lined)
    if len(marks) <= FEW and (broken := joined(marks, np.delete(np.arange(len(marks)), candidates[around]))):
        yield Proposal(ink, broken, np.zeros(1, np.int64), np.zeros(0, np.int64), lined)
