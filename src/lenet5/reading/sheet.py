"""A sheet of paper on a darker ground: what lies around the sheet becomes paper, so that its edges are no strokes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.ink import otsu, shrunk

__all__ = ["without_ground"]

Floats = NDArray[np.float32]

_WORKING: Final = 256  # pixels of the longer side at which a sheet is looked for
_ROOM: Final = 100  # pixels of the shorter side: smaller pictures are of digits, not of sheets
_LEAST: Final = 0.12  # of the picture has a sheet,
_MOST: Final = 0.95  # and the ground the rest;
_SOLID: Final = 0.93  # of its convex hull;
_STRAIGHT: Final = 0.03  # of its outline's length: it differs no more from straight sides,
_SIDES: Final = 6  # of which there are no more, as where a corner or two are beyond the picture,
_SQUARE: Final = 0.93  # and which hold so much of it: a round outline is no sheet's
_EDGES: Final = 2  # of its sides, at least, are in the picture;
_WRITTEN: Final = 0.0005  # of a sheet is dark: nothing is to be read on a bare one, which may be a stroke in chalk
_ON_BORDER: Final = 0.5  # of the picture's border: more has only what is lit of a sheet that goes beyond the picture
_CORNERS: Final = 3  # of the picture's four are on the ground
_DARKER: Final = 0.2  # the ground is at least, in the middle,
_LIGHT: Final = 0.85  # of the sheet is as light as paper, at least: a 0 in chalk is no sheet
_BRIGHT: Final = 0.1  # and no more of it is as light as the sheet
_EDGE: Final = 0.015  # of the picture's longer side: the sheet's edge, which goes, too


def without_ground(grey: Floats) -> Floats:
    """Grey levels (H, W) 0..1 with paper all around the largest sheet on darker ground; as they are without one."""
    if min(grey.shape) < _ROOM:
        return grey
    small = shrunk(grey, _WORKING)
    hull = _sheet(np.asarray(cv2.GaussianBlur(small, (0, 0), 1.5), np.float32))
    if hull is None:
        return grey
    inside = cv2.fillConvexPoly(np.zeros(small.shape, np.uint8), hull, 1)
    edge = 2 * max(2, round(_EDGE * _WORKING)) + 1
    inside = cv2.erode(inside, np.ones((edge, edge), np.uint8), borderValue=1)
    if (small[inside > 0] < otsu(small)).mean() < _WRITTEN:
        return grey
    paper = _paper(small, inside.astype(np.float32))
    full = grey.shape[::-1]
    kept = cv2.resize(inside, full, interpolation=cv2.INTER_NEAREST) > 0
    return np.where(kept, grey, cv2.resize(paper, full, interpolation=cv2.INTER_LINEAR))


def _sheet(small: Floats) -> NDArray[np.int32] | None:
    """The corners (n, 1, 2) of the convex outline of a sheet in a blurred picture (H, W); None without one."""
    light = small > otsu(small)
    outlines, _ = cv2.findContours(light.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = np.asarray(cv2.convexHull(outline), np.int32)
    area, whole = cv2.contourArea(outline), cv2.contourArea(hull)
    corners = np.asarray(cv2.approxPolyDP(hull, _STRAIGHT * cv2.arcLength(hull, True), True), np.int32)
    if not _LEAST * small.size <= area <= _MOST * small.size or area < _SOLID * whole:
        return None
    if len(corners) > _SIDES or cv2.contourArea(corners) < _SQUARE * whole or _own_edges(corners, small.shape) < _EDGES:
        return None
    inside = cv2.fillConvexPoly(np.zeros(small.shape, np.uint8), hull, 1) > 0
    border = np.concatenate([inside[0], inside[-1], inside[1:-1, 0], inside[1:-1, -1]])
    beyond = np.count_nonzero(~inside[[0, 0, -1, -1], [0, -1, 0, -1]])
    if (
        border.mean() > _ON_BORDER
        or beyond < _CORNERS
        or light[~inside].mean() > _BRIGHT
        or light[inside].mean() < _LIGHT
    ):
        return None
    return hull if np.median(small[inside]) - np.median(small[~inside]) >= _DARKER else None


def _own_edges(corners: NDArray[np.int32], shape: tuple[int, ...]) -> int:
    """How many sides of an outline (n, 1, 2) are not along the picture's border: where light ends across it, one is."""
    x, y = corners[:, 0].T
    near = round(_EDGE * _WORKING)
    borders = np.array([x <= near, y <= near, x >= shape[1] - 1 - near, y >= shape[0] - 1 - near])
    return int(np.count_nonzero(~(borders & np.roll(borders, 1, axis=1)).any(axis=0)))


def _paper(small: Floats, inside: Floats) -> Floats:
    """How light paper would be all over a picture (H, W), from where it is ``inside`` the sheet."""
    side = max(small.shape) // 8 | 1
    light = cv2.dilate(small * inside, np.ones((side, side), np.uint8))
    known = cv2.dilate(inside, np.ones((side, side), np.uint8))
    spread = max(small.shape) / 4
    total, weight = (cv2.GaussianBlur(part, (0, 0), spread) for part in (light * known, known))
    return np.asarray(np.where(known > 0, light, total / np.maximum(weight, 1e-3)), np.float32)
