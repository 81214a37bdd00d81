"""Ruled lines, squared paper, the lines of forms and filled shapes, told from strokes in a mask of ink."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components

__all__ = ["STAIN", "cut_off", "frames", "lengths", "without_rules"]

Mask = NDArray[np.bool_]

STAIN: Final = 1.6
"""Times as long as its widest stroke: of MNIST's digits one in 2,000 is shorter, of stains nine in ten."""

_RIM: Final = 8  # a frame's ink lies within a part so large of its sides' lengths from its edges
_LEAST: Final = 12  # pixels of its longer side: what is smaller may be a bold digit
_ALONG: Final = 0.5  # of the longer side of what the border cuts off
_ON_RIM: Final = 0.85  # of a frame's ink, at least


def without_rules(mask: Mask, length: int, height: int, thickness: int) -> Mask:
    """The mask (H, W) without level runs of ``length`` or more and upright ones of ``height``, ``thickness`` at most.

    Where a stroke crosses a rule, the ink there is thicker than the rule and stays; where rules cross, it goes.
    """
    level = _runs(mask, length)
    upright = np.ascontiguousarray(_runs(np.ascontiguousarray(mask.T), height).T)
    rules = (level & _thin(mask, thickness, 0)) | (upright & _thin(mask, thickness, 1)) | (level & upright)
    return np.asarray(mask & ~rules)


def _runs(mask: Mask, length: int) -> Mask:
    """What lies in long level runs, which may step up or down by a pixel now and then."""
    if length > mask.shape[1]:
        return np.zeros_like(mask)
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((3, 1), np.uint8))
    return np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)) > 0)


def _thin(mask: Mask, thickness: int, axis: int) -> Mask:
    """Where ink has at most this many pixels along the axis."""
    if thickness + 1 > mask.shape[axis]:
        return np.ones_like(mask)
    across = np.ones((thickness + 1, 1) if axis == 0 else (1, thickness + 1), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, across) == 0)


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


def lengths(found: Components, which: Mask) -> NDArray[np.float64]:
    """How long the strokes of ``which`` components are for their greatest width, area / width²: (N,).

    Dots and squares have about 1; ∞ where a component is not asked for or too small to tell.
    """
    result = np.full(len(found), np.inf)
    for k in np.flatnonzero(which & (np.maximum(found.width, found.height) >= _LEAST)):
        box = slice(found.top[k], found.bottom[k]), slice(found.left[k], found.right[k])
        own = np.pad(found.labels[box] == k + 1, 1).astype(np.uint8)
        widest = 2 * float(cv2.distanceTransform(own, cv2.DIST_L2, 5).max())
        result[k] = found.area[k] / (widest * widest)
    return result


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
