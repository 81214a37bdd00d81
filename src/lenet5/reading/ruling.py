"""Ruled and squared paper: its lines are followed across the picture and taken out, whatever was written over them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.ink import Ink
from lenet5.reading.straight import thin

__all__ = ["without_ruling"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_PAPER: Final = 100  # pixels of the shorter side: smaller pictures show no ruled paper, whose rules have
_THICK: Final = 0.012  # of the picture's longer side for thickness at most;
_ACROSS: Final = 0.6  # of the picture's width or height: they are longer than this
_AT_BORDER: Final = 0.03  # if they come so near to its border,
_THROUGH: Final = 0.85  # or else than this;
_RUN: Final = 0.06  # they are told from level pieces longer than this,
_SEEN: Final = 0.25  # where ink has this level there may be a line;
_FAINT: Final = 3  # pixels of gaps in them, where they are faint, to be filled on either side;
_STRAIGHT: Final = 0.004  # of the picture's width: so far they are from a straight line, beside their thickness,
_INKED: Final = 0.6  # of their length is in such pieces, at least,
_DRAWN: Final = 0.8  # and so much of it is ink, as it is in print or under a stroke;
_COVERED: Final = 0.3  # or so much beside others, if their slopes
_PARALLEL: Final = 0.02  # differ by no more than this,
_SLOPE: Final = 0.08  # and they rise by no more than this part of their length
_LONG: Final = 0.15  # of the picture's width: so long a piece tells its own slope
_MOST: Final = 600  # pieces looked at, the longest first
_AS_THICK: Final = 1.5  # times as thick as level ones are upright ones at most
_BENT: Final = 0.05  # of the picture's width: over so much a rule is followed where it is bent


def without_ruling(ink: Ink, fewest: int = 2) -> Mask:
    """The mask (H, W) of a picture's ink without what it is ruled with: thin straight lines over most of its width or
    height.

    They may slope a little, as in a photo taken aslant, and be faint: they are told from pieces as short as a
    slope leaves level, and from fainter ink than is sure. One line is no ruling, and upright ones alone may be 1s:
    as many level ones as ``fewest`` there must be. The mask itself where nothing goes.
    """
    mask = ink.mask
    if min(mask.shape) < _PAPER:
        return mask
    thickness = max(2, round(_THICK * max(mask.shape)))
    seen = mask | (ink.level > _SEEN)
    level = _rules(seen, thickness)
    if len(level) < fewest:
        return mask
    upright = _rules(np.ascontiguousarray(seen.T), thickness)
    if level:
        pen = max(rule.thickness for rule in level)
        upright = [rule for rule in upright if rule.thickness <= _AS_THICK * pen + 1]  # others are strokes
    if not level and not upright:
        return mask
    across, along = np.zeros_like(mask), np.zeros_like(mask)
    if upright:  # these go first: where they cross, level ones are thick
        across = np.ascontiguousarray(_lying_in(np.ascontiguousarray(mask.T), upright).T)
    if level:
        along = _lying_in(np.asarray(mask & ~across), level)
    thickness = math.ceil(max(rule.thickness for rule in level + upright))
    return _mended(np.asarray(mask & ~across & ~along), along, across, thickness)


@dataclass(frozen=True)
class _Rule:
    """A line from left to right: how many rows it falls in each column, as a whole, and the row of its middle in each
    of them (W,); and how many pixels thick it is."""

    slope: float
    rows: Floats
    thickness: float


def _rules(mask: Mask, thickness: int) -> list[_Rule]:
    """The level lines that a mask (H, W) is ruled with, of this thickness at most."""
    width = mask.shape[1]
    pieces = _pieces(mask, thickness)
    if np.count_nonzero(pieces) < _ACROSS * width:
        return []
    found = components(pieces)
    flat = np.flatnonzero(found.height <= _SLOPE * found.width + 2 * thickness)
    flat = flat[np.argsort(-found.width[flat], kind="stable")[:_MOST]]
    if len(flat) == 0:
        return []
    left, right = found.left[flat], found.right[flat]
    pixels = _Pixels.of(found.labels)
    x, y, slope = _straight_lines(pixels, flat + 1)
    pen = float(np.median(found.area[flat] / found.width[flat]))
    if (closer := math.ceil(2 * pen) + 1) < thickness:
        return _rules(mask, closer)  # strokes thicker than these lines are no parts of them
    long = right - left >= _LONG * width
    slope = np.where(long, slope, np.median(slope[long]) if long.any() else 0.0)
    near = pen + 1 + _STRAIGHT * width
    waiting = np.ones(len(flat), bool)
    rules: list[_Rule] = []
    doubtful: list[_Rule] = []
    for seed in range(len(flat)):
        if not waiting[seed]:
            continue
        line = x[seed], y[seed], slope[seed]
        for _ in range(4):
            chain = waiting & (np.abs(y - line[1] - line[2] * (x - line[0])) <= near)
            chain[seed] = True
            line = _fitted(x[chain], y[chain], (right - left)[chain], line[2], width)
        waiting &= ~chain
        inked = np.zeros(width, bool)
        for first, last in zip(left[chain], right[chain], strict=True):
            inked[first:last] = True
        if abs(line[2]) > _SLOPE or not _is_long(inked, _COVERED):
            continue
        rule = _Rule(line[2], _followed(*pixels.own(flat[chain] + 1), line, width), pen)
        if _is_drawn(mask, rule, inked):
            (rules if _is_long(inked, _INKED) else doubtful).append(rule)
    usual = np.median([rule.slope for rule in rules]) if len(rules) > 1 else np.inf
    return rules + [rule for rule in doubtful if abs(rule.slope - usual) <= _PARALLEL]


def _pieces(mask: Mask, thickness: int) -> Mask:
    """What is thin and lies in level runs, which may have small gaps, be crossed, and step aside by a pixel.

    In parts of a good length: where a stroke runs into a line, that part is not told.
    """
    length = min(max(4 * thickness, round(_RUN * mask.shape[1])), mask.shape[1])
    ink = mask.view(np.uint8)
    joined = cv2.dilate(ink, np.ones((3, 2 * _FAINT + 1), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    told = runs.view(np.bool_) & mask & thin(mask, thickness, 0)
    joined = cv2.morphologyEx(told.view(np.uint8), cv2.MORPH_CLOSE, np.ones((1, thickness + 3), np.uint8))
    joined[:, :: math.ceil(_LONG * mask.shape[1]) + 2] = 0
    return joined.view(np.bool_)


@dataclass(frozen=True)
class _Pixels:
    """The rows, columns and components of what is labelled, (N,) each, one component after the other."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    labels: NDArray[np.int32]

    @staticmethod
    def of(labels: NDArray[np.int32]) -> _Pixels:
        """All of labels (H, W), 0 being none."""
        rows, columns = np.nonzero(labels)
        order = np.argsort(labels[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        return _Pixels(rows, columns, labels[rows, columns])

    def own(self, which: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of these components."""
        first, last = (np.searchsorted(self.labels, which, side) for side in ("left", "right"))
        chosen = np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)])
        return self.rows[chosen], self.columns[chosen]


def _straight_lines(pixels: _Pixels, which: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Of each of these components the middle's column and row, and how many rows it falls in each column: (N,)."""
    columns, rows = pixels.columns, pixels.rows
    n, x, y, xx, xy = (
        np.bincount(pixels.labels, weights)[which]
        for weights in (None, columns, rows, columns * columns, columns * rows)
    )
    column, row = x / n, y / n
    return column, row, (xy / n - column * row) / np.maximum(xx / n - column * column, 1e-6)


def _fitted(x: Floats, y: Floats, weight: Floats, slope: float, width: int) -> tuple[float, float, float]:
    """A point, and the slope, of the line through the middles of pieces; the ``slope`` stays where they are close."""
    middle, row = float(np.average(x, weights=weight)), float(np.average(y, weights=weight))
    spread = float(np.average((x - middle) ** 2, weights=weight))
    if spread > (_LONG * width) ** 2 / 4:
        slope = float(np.average((x - middle) * (y - row), weights=weight)) / spread
    return middle, row, slope


def _is_long(inked: Mask, least: float) -> bool:
    """Whether a line with pieces in these of the picture's columns (W,), at ``least`` so many, is as long as a rule."""
    width, where = len(inked), np.flatnonzero(inked)
    first, last = int(where[0]), int(where[-1]) + 1
    goes_on = first <= _AT_BORDER * width or last >= width - _AT_BORDER * width
    long = last - first >= (_ACROSS if goes_on else _THROUGH) * width
    return bool(long and len(where) >= least * (last - first))


def _is_drawn(mask: Mask, rule: _Rule, inked: Mask) -> bool:
    """Whether there is ink all along a rule from first piece to last: along the feet of letters there is less."""
    where = np.flatnonzero(inked)
    columns = np.arange(where[0], where[-1] + 1)
    rows = np.clip(np.round(rule.rows[columns]).astype(int) + np.arange(-1, 2)[:, None], 0, mask.shape[0] - 1)
    return bool(mask[rows, columns].any(axis=0).mean() >= _DRAWN)


def _followed(
    rows: NDArray[np.int64], columns: NDArray[np.int64], line: tuple[float, float, float], width: int
) -> Floats:
    """The rows (W,) of a rule with these pixels (N,), along the line that fits them and then as it is bent."""
    straight = line[1] + line[2] * (np.arange(width) - line[0])
    ink = np.bincount(columns, minlength=width).astype(np.float64)
    apart = np.bincount(columns, rows - straight[columns], minlength=width)
    over = np.ones(2 * round(_BENT * width / 2) + 1)
    bent, known = (np.convolve(part, over, mode="same") for part in (apart, ink))
    where = np.flatnonzero(known > 0.5)
    return np.asarray(straight + np.interp(np.arange(width), where, bent[where] / known[where]))


def _lying_in(mask: Mask, rules: list[_Rule]) -> Mask:
    """What of a mask (H, W) is the rules' ink: where a stroke crosses one the ink is thicker, and not theirs."""
    height, width = mask.shape
    band = np.zeros((height + 2, width), bool)  # a row more on either side takes what is beyond the picture
    for rule in rules:
        reach = rule.thickness / 2 + 1
        for row in range(math.floor(-reach), math.ceil(reach) + 1):
            band[np.clip(np.round(rule.rows).astype(int) + row + 1, 0, height + 1), np.arange(width)] = True
    return band[1:-1] & mask & thin(mask, math.ceil(1.5 * max(rule.thickness for rule in rules)) + 1, 0)


def _mended(kept: Mask, level: Mask, upright: Mask, thickness: int) -> Mask:
    """What was kept of a mask, with what of level rules has ink above and below, and of upright ones on both sides.

    A stroke goes on there.
    """
    turned = np.ascontiguousarray(kept.T)
    return np.asarray(kept | (level & _between(kept, thickness)) | (upright & _between(turned, thickness).T))


def _between(mask: Mask, thickness: int) -> Mask:
    """Where a mask (H, W) has ink a little above and a little below; what is in the same row says nothing."""
    reach = thickness + 2
    below = np.ones((reach + 1, 2 * thickness + 1), np.uint8)
    below[0] = 0
    ink = mask.view(np.uint8)
    ends = ((below, 0), (below[::-1].copy(), reach))
    near = [cv2.dilate(ink, kernel, anchor=(thickness, end)) > 0 for kernel, end in ends]
    return np.asarray(near[0] & near[1])
