"""Ruled lines, squared paper, the lines of forms and filled shapes, told from strokes in a mask of ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components, components
from lenet5.reading.ink import ROOM
from lenet5.reading.straight import runs, thin

__all__ = [
    "Strokes",
    "are_filled",
    "cut_off",
    "frames",
    "lengths",
    "strokes",
    "without_box",
    "without_hem",
    "without_rules",
]

Mask = NDArray[np.bool_]

_STAIN: Final = 1.6  # times as long as its widest stroke: of MNIST's digits one in 2,000 is shorter, of stains most
_FAT: Final = 0.22  # of its longer side: 99.7% of MNIST's digits are thinner, and a stain is not;
_BROADEST: Final = 0.65  # of a digit's height: of MNIST's digits one in 10,000 has a broader stroke
_RIM: Final = 8  # a frame's ink lies within a part so large of its sides' lengths from its edges
_LEAST: Final = 12  # pixels of its longer side: what is smaller may be a bold digit
_ALONG: Final = 0.5  # of the longer side of what the border cuts off
_SIDE: Final = 0.65  # of the picture's width or height: a box around its one digit has no shorter sides,
_SLIGHT: Final = 0.1  # of the picture's shorter side: and no thicker ones,
_HEM: Final = 0.13  # of the same: lines along the border are no thicker, and no farther from it;
_SMALLEST: Final = 40  # pixels of the shorter side of a picture with such lines;
_OUTSIDE: Final = 0.3  # of the way into the picture: and no farther from its border;
_NEAR: Final = 0.06  # of the picture's longer side: their ends come so near to one another or to the border
_INSIDE: Final = 0.25  # of the picture's height: what is in the box is not lower
_ON_RIM: Final = 0.85  # of a frame's ink, at least


def without_rules(mask: Mask, length: int, height: int, thickness: int) -> Mask:
    """The mask (H, W) without level runs of ``length`` or more and upright ones of ``height``, ``thickness`` at most.

    Where a stroke crosses a rule, the ink there is thicker than the rule and stays; where rules cross, it goes.
    """
    level, upright = runs(mask, length, 1), runs(mask, height, 0)
    rules = (level & thin(mask, thickness, 0)) | (upright & thin(mask, thickness, 1)) | (level & upright)
    return np.asarray(mask & ~rules)


def without_box(mask: Mask) -> Mask:
    """The mask (H, W) of a picture of one digit without the sides of a box around it; as it is where there is none.

    Two sides at least are seen, straight and thin, that end at one another or at the picture's border; as with rules,
    the ink of strokes that cross them stays.
    """
    if min(mask.shape) < ROOM:
        return mask
    thickness = max(2, round(_SLIGHT * min(mask.shape)))
    level = _sides(mask, thickness)
    upright = [_Side(side.ink.T, side.place, side.start, side.stop) for side in _sides(mask.T, thickness)]
    near = _NEAR * max(mask.shape) + 2
    level, upright = (
        [side for side in sides if _ends_well(side, others, mask.shape[axis], near)]
        for sides, others, axis in ((level, upright, 1), (upright, level, 0))
    )
    if len(level) + len(upright) < 2:
        return mask
    rows, columns = (np.any([side.ink for side in sides] or [mask & False], axis=0) for sides in (level, upright))
    gone = (rows & thin(mask, thickness, 0)) | (columns & thin(mask, thickness, 1)) | (rows & columns)
    left = components(np.asarray(mask & ~gone))
    inside = (left.height >= _INSIDE * mask.shape[0]) & (left.area > thickness * thickness)
    return np.asarray(mask & ~gone) if inside.any() else mask


def without_hem(mask: Mask) -> Mask:
    """The mask (H, W) of a picture of one digit without straight lines from border to border along its border.

    They may be one side of a box, or thick, and a stroke that does not cross them ends there; as it is without them,
    or where it is so small that it may be cropped to a letter's stem.
    """
    if min(mask.shape) < _SMALLEST:
        return mask
    thickness = max(2, round(_HEM * min(mask.shape)))
    gone = np.zeros_like(mask)
    for own, hem in ((mask, gone), (mask.T, gone.T)):
        height, width = own.shape
        for side in _sides(own, thickness):
            if min(side.place, height - side.place) <= _HEM * height and side.start <= 2 and side.stop >= width - 2:
                hem |= side.ink & thin(own, thickness, 0)
    left = mask & ~gone
    return np.asarray(left) if gone.any() and left.any() else mask


@dataclass(frozen=True)
class _Side:
    """A long straight line: its ink (H, W), its place across and where along it starts and stops."""

    ink: Mask
    place: float
    start: int
    stop: int


def _sides(mask: Mask, thickness: int) -> list[_Side]:
    """The level lines of a mask (H, W) that may be sides of a box."""
    height, width = mask.shape
    if (mask[:-2] | mask[1:-1] | mask[2:]).sum(axis=1).max() < round(_SIDE * width):
        return []  # a run may step aside by a pixel: which costs little to see
    level = components(runs(mask, round(_SIDE * width), 1) & mask)
    found = []
    for k in range(len(level)):
        place = (level.top[k] + level.bottom[k]) / 2
        if level.width[k] < _SIDE * width or level.area[k] > thickness * level.width[k]:
            continue
        if min(place, height - place) <= _OUTSIDE * height:
            found.append(_Side(level.labels == k + 1, float(place), int(level.left[k]), int(level.right[k])))
    return found


def _ends_well(side: _Side, others: list[_Side], length: int, near: float) -> bool:
    """Whether both ends of a side are near the picture's border or a side of the other direction, as corners are."""
    corners = [other.place for other in others if other.start - near <= side.place <= other.stop + near]
    return (side.start <= near or any(abs(side.start - place) <= near for place in corners)) and (
        side.stop >= length - near or any(abs(side.stop - place) <= near for place in corners)
    )


def frames(found: Components) -> Mask:
    """Which components are drawn boxes: nearly all of their ink along three straight edges of their own box."""
    result = np.zeros(len(found), bool)
    side = np.minimum(found.width, found.height)
    for k in np.flatnonzero((side >= 16) & (found.area < 0.4 * found.width * found.height)):
        box = slice(found.top[k], found.bottom[k]), slice(found.left[k], found.right[k])
        own = found.labels[box] == k + 1
        rim_y, rim_x = own.shape[0] // _RIM, own.shape[1] // _RIM
        inside = own[rim_y:-rim_y, rim_x:-rim_x].sum()
        if own.sum() - inside > _ON_RIM * own.sum() and _straight(own):
            result[k] = True
    return result


@dataclass(frozen=True)
class Strokes:
    """Of each component the greatest width of its strokes, ``breadth``, and the mean one, ``thickness``; of each (N,),
    0 where not asked for or too small to tell."""

    breadth: NDArray[np.float64]
    thickness: NDArray[np.float64]


def strokes(found: Components, which: Mask) -> Strokes:
    """The widths of the strokes of ``which`` components, (N,).

    What the picture's border cuts off is taken to go on beyond it as it is there; not what goes from border to
    border, as where a picture was cropped to its ink.
    """
    breadth, thickness = np.zeros(len(found)), np.zeros(len(found))
    height, width = found.labels.shape
    for k in np.flatnonzero(which & (np.maximum(found.width, found.height) >= _LEAST)):
        left, top, right, bottom = (int(edge[k]) for edge in (found.left, found.top, found.right, found.bottom))
        own = (found.labels[top:bottom, left:right] == k + 1).astype(np.uint8)
        ends = (top == 0, bottom == height, left == 0, right == width)
        if any(ends) and not (all(ends[:2]) or all(ends[2:])):
            up, down, before, after = (end * (max(own.shape) // 2) for end in ends)
            own = np.asarray(cv2.copyMakeBorder(own, up, down, before, after, cv2.BORDER_REPLICATE), np.uint8)
        own = np.asarray(cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), np.uint8)
        breadth[k] = 2 * float(cv2.distanceTransform(own, cv2.DIST_L2, 5).max())
        outline = np.count_nonzero(own[1:] != own[:-1]) + np.count_nonzero(own[:, 1:] != own[:, :-1])
        thickness[k] = 2 * float(own.sum()) / outline
    return Strokes(breadth, thickness)


def lengths(found: Components, widths: Strokes) -> NDArray[np.float64]:
    """How long components are for the greatest ``widths`` of their strokes, area / breadth²: (N,), ∞ where that is 0.

    Dots and squares have about 1.
    """
    length = np.full(len(found), np.inf)
    return np.asarray(np.divide(found.area, np.square(widths.breadth), out=length, where=widths.breadth > 0))


def are_filled(found: Components, widths: Strokes, height: float) -> Mask:
    """Which components with these ``widths`` are no strokes of digits so high, but filled shapes."""
    fat = widths.thickness > _FAT * np.maximum(found.width, found.height)
    return np.asarray((lengths(found, widths) < _STAIN) | (widths.breadth > _BROADEST * height) | fat)


def cut_off(found: Components) -> Mask:
    """Which components lie along the picture's border with more than half of their longer side, as shadows do."""
    edges = (found.labels[0], found.labels[-1], found.labels[:, 0], found.labels[:, -1])
    along = np.max([np.bincount(edge, minlength=len(found) + 1)[1:] for edge in edges], axis=0)
    return np.asarray(along > _ALONG * np.maximum(found.width, found.height))


def _straight(own: Mask) -> bool:
    """Whether at least three sides of a shape have a straight line of ink over most of their length."""
    rim_y, rim_x = max(2, own.shape[0] // _RIM), max(2, own.shape[1] // _RIM)
    sides = (own[:rim_y].any(axis=0), own[-rim_y:].any(axis=0), own[:, :rim_x].any(axis=1), own[:, -rim_x:].any(axis=1))
    return sum(float(side.mean()) > 0.9 for side in sides) >= 3
