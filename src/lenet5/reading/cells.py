"""Boxes of forms and tables: their sides are told by where they end, at one another, and taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components, components
from lenet5.reading.ink import Ink
from lenet5.reading.straight import runs, thin

__all__ = ["Emptied", "without_cells"]

Mask = NDArray[np.bool_]

_LEAST: Final = 8  # pixels of a side at least
_RUN: Final = 0.55  # of the marks' height: pieces of sides are longer,
_THICK: Final = 0.2  # and no thicker than this part of it
_FAINT: Final = 0.25  # ink levels of sides, at least;
_COVERED: Final = 0.5  # of the marks' height at most of a side lies under a stroke,
_SEEN: Final = 0.5  # so that of it so much is seen,
_SPANNED: Final = 0.65  # and of the level lines between two so much: of the tops of round digits that touch it is less;
_UNLIKE: Final = 0.35  # of the thickness of level lines: upright sides differ by no more
_AT_LEAST: Final = 1.6  # than that, or by so many pixels;
_LEANING: Final = 0.05  # pixels sideways for each of its height;
_WIDEST: Final = 4.0  # of its height: a cell is no wider,
_NARROWEST: Final = 0.3  # and no narrower
_INSIDE: Final = 0.02  # of a cell that holds something is ink


@dataclass(frozen=True)
class Emptied:
    """A ``mask`` (H, W) without the sides of cells, and where the ``cells`` were, (N, 4): left, top, right, bottom."""

    mask: Mask
    cells: NDArray[np.int64]


def without_cells(ink: Ink, height: float) -> Emptied | None:
    """The mask (H, W) of ink whose marks are about so high without the sides of cells, if one has something in it.

    A side is straight and thin and goes from a level line to another; two of them beside one another, and the level
    lines between, are a cell's: they may be fainter than ink is sure. Where a stroke crosses a side the ink is thicker
    and stays. None without cells.
    """
    mask, seen = ink.mask, ink.mask | (ink.level > _FAINT)
    if _sides(_halved(seen), height / 2) is None or (sides := _sides(seen, height)) is None:
        return None
    pen, double = math.ceil(sides.pen), math.ceil(sides.double)
    upright = cv2.dilate(sides.upright.view(np.uint8), np.ones((1, 3), np.uint8)).view(np.bool_)
    level = cv2.dilate(sides.level.view(np.uint8), np.ones((3, 1), np.uint8)).view(np.bool_)
    gone = (upright & thin(mask, double + 2, 1)) | (level & thin(mask, pen + 2, 0))
    for left, top, right, bottom in sides.cells:
        for x in (left, right):
            for y in (top, bottom):
                _around(gone, x, y, pen)[:] = True
    return Emptied(np.asarray(mask & ~gone), np.array(sides.cells, np.int64))


@dataclass(frozen=True)
class _Sides:
    """Where ``upright`` and ``level`` sides of ``cells`` are, (H, W) each, and how many pixels thick: ``double`` what
    is between cells, ``pen`` the others."""

    upright: Mask
    level: Mask
    cells: list[tuple[int, int, int, int]]
    pen: float
    double: float


def _sides(mask: Mask, height: float) -> _Sides | None:
    """The sides of the cells of a mask whose marks are about so high; None if there is nothing in any."""
    length = max(_LEAST, round(_RUN * height))
    level, upright = _straight(mask, length, 1, height), _straight(mask, length, 0, height)
    if not level.any() or not upright.any():
        return None
    covered = max(1, round(_COVERED * height))
    found, lines = (
        components(cv2.morphologyEx(part.view(np.uint8), cv2.MORPH_CLOSE, np.ones(gap, np.uint8)).view(np.bool_))
        for part, gap in ((upright, (covered, 1)), (level, (1, covered)))
    )
    if len(lines) == 0 or len(found) == 0:
        return None  # a closing by an even window is a pixel aside: what is on the border alone is lost
    thickness = np.bincount(lines.labels[level], minlength=len(lines) + 1)[1:] / lines.width
    pen = float(np.median(np.repeat(thickness, lines.width)))
    near = math.ceil(pen) + 2
    between, breadths = [], []
    for which in np.flatnonzero((found.height >= length) & (found.width <= 3 * pen + 2 + _LEANING * found.height)):
        k = int(which)
        x, top, bottom = (int(found.left[k]) + int(found.right[k])) // 2, int(found.top[k]), int(found.bottom[k]) - 1
        own = upright[top : bottom + 1, found.left[k] : found.right[k]]
        rows = int(np.count_nonzero(own.any(axis=1)))
        if rows >= _SEEN * len(own) and all(_around(level, x, y, near).any() for y in (top, bottom)):
            between.append((x, top, bottom, k))
            breadths.append(int(np.count_nonzero(own)) / rows)
    if not between:
        return None
    double = float(np.median(breadths))  # where the sides of neighbours lie close together
    if not any(_is_near(breadth, pen) for breadth in breadths):
        return None  # strokes between two lines
    between = [side for side, breadth in zip(between, breadths, strict=True) if _is_near(breadth, pen, double)]
    between.sort()
    cells: list[tuple[int, int, int, int]] = []
    chosen: set[int] = set()
    holds = False
    for number, (left, top, bottom, k) in enumerate(between, start=1):
        for right, other_top, other_bottom, other in between[number:]:
            if right - left > _WIDEST * (bottom - top):
                break
            alike = abs(top - other_top) <= 2 * near and abs(bottom - other_bottom) <= 2 * near
            if not alike or right - left < _NARROWEST * (bottom - top):
                continue
            parts = (level[max(y - near, 0) : y + near + 1, left : right + 1] for y in (top, bottom))
            if all(part.any(axis=0).mean() >= _SPANNED for part in parts):
                cells.append((left, (top + other_top) // 2, right, (bottom + other_bottom) // 2))
                chosen |= {k, other}
                inside = mask[top + near : bottom - near + 1, left + near : right - near + 1]
                holds = holds or (inside.size > 0 and float(inside.mean()) >= _INSIDE)
                break
    if not holds:
        return None
    corners = [(x, y) for left, top, right, bottom in cells for x in (left, right) for y in (top, bottom)]
    ending = np.unique(np.concatenate([_around(lines.labels, x, y, near).ravel() for x, y in corners]))
    return _Sides(
        _which(found, list(chosen)), _which(lines, [int(k) - 1 for k in ending if k]), cells, pen, max(pen, double)
    )


def _is_near(breadth: float, *usual: float) -> bool:
    """Whether a line is about as thick as one of these."""
    return any(abs(breadth - one) <= max(_AT_LEAST, _UNLIKE * one) for one in usual)


def _straight(mask: Mask, length: int, axis: int, height: float) -> Mask:
    """What lies in thin runs of this length along the axis."""
    return runs(mask, length, axis) & mask & thin(mask, max(2, round(_THICK * height)), 1 - axis)


def _around(pixels: NDArray[Any], x: int, y: int, near: int) -> NDArray[Any]:
    """What is so near to a pixel."""
    return pixels[max(y - near, 0) : y + near + 1, max(x - near, 0) : x + near + 1]


def _which(found: Components, chosen: list[int]) -> Mask:
    """Where these components are."""
    own = np.zeros(len(found) + 1, np.bool_)
    own[np.array(chosen, np.int64) + 1] = True
    return np.asarray(own[found.labels])


def _halved(mask: Mask) -> Mask:
    """A mask half as large that has ink wherever there is any."""
    even = mask[: mask.shape[0] // 2 * 2, : mask.shape[1] // 2 * 2]
    return np.asarray(even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2])
