"""A field of a scan → the writing in it: the blank sheet's print is removed, strokes that cross it remain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.forms.registration import Matrix, Reference, Registration, Scan, warped

__all__ = ["Cut", "cut_out", "written"]

Bytes = NDArray[np.uint8]
Edges = tuple[float, float, float, float]

_MARGIN: Final = 0.3  # of a field's height around it: writing does not keep to boxes
_FINEST: Final = 2.0  # pixels of a cut for each pixel of the frame, at most
_SEARCH: Final = 3  # pixels of the frame: search distance for the field's print
_SEEN: Final = 0.4  # correlation with print above which the field is moved onto it
_TOLERANCE: Final = 2.0  # pixels of the frame by which print in a scan is thicker or displaced, at most
_PRINT: Final = 1.2  # darkness of print at a point, in medians of the field, at most
_DARKER: Final = 5.0  # that median, in darknesses of the blank sheet, at most: grey is black in a fax
_SOLID: Final = 150  # of 255: darker print hides writing over it
_DARK: Final = 40  # of 255: ink
_DIRECTIONS: Final = 8  # in which strokes are continued over print
_INSIDE: Final = 0.5  # of a mark's ink: with less in the field's box the mark is not the field's
_SPECK: Final = 0.04  # of the field's height: marks smaller than its square are dust


@dataclass(frozen=True, eq=False)
class Cut:
    """A field cut out of a scan: its grey levels ``seen`` and the writing's ``ink``, 255 for full, both (h, w) uint8,
    and the field's ``box`` in them: left, top, right, bottom in pixels.

    >>> cut = Cut(np.full((40, 90), 255, np.uint8), np.zeros((40, 90), np.uint8), (5.0, 5.0, 85.0, 35.0))
    >>> bool(cut.ink.any())  # an empty field
    False
    """

    seen: Bytes
    ink: Bytes
    box: Edges


def cut_out(scan: Scan, reference: Reference, registration: Registration, box: Edges) -> Cut:
    """A field, ``box`` in fractions of the sheet, with a margin around it.

    >>> blank = np.full((400, 300), 255, np.uint8)
    >>> scan, reference = Scan.of(blank), Reference.of(blank)
    >>> registration = Registration(np.eye(3) * [0.2, 0.2, 1], 1.0, np.zeros((0, 2)), np.zeros((0, 2)))
    >>> cut = cut_out(scan, reference, registration, (0.3, 0.4, 0.7, 0.45))
    >>> bool(cut.ink.any())  # nothing is written there
    False
    """
    width, height = reference.size
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    margin = _MARGIN * (bottom - top)
    matrix = registration.local(((left + right) / 2, (top + bottom) / 2))
    zoom = float(np.clip(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))), 1.0, _FINEST))
    corner = np.floor([left - margin, top - margin])
    size = (round((right + margin - corner[0]) * zoom), round((bottom + margin - corner[1]) * zoom))
    place = np.array([[1 / zoom, 0, corner[0]], [0, 1 / zoom, corner[1]], [0, 0, 1]])
    printed = warped(reference.levels, place, size)
    seen = _aligned(scan, matrix @ place, printed, size, zoom)
    x, y = corner.tolist()
    edges = ((left - x) * zoom, (top - y) * zoom, (right - x) * zoom, (bottom - y) * zoom)
    return Cut(seen, _of_the_field(written(seen, printed, zoom), edges), edges)


def written(seen: Bytes, printed: Bytes, zoom: float = 1.0) -> Bytes:
    """The ink (h, w) uint8, 255 for full, that is ``seen`` but not ``printed``; both are grey levels (h, w).

    A pixel of the frame has ``zoom`` pixels. Light print is subtracted; strokes are continued across solid print, which
    hides them.

    >>> printed = np.full((40, 60), 255, np.uint8)
    >>> printed[30:32] = 150  # a grey rule
    >>> seen = printed.copy()
    >>> seen[5:25, 20:23] = 20  # a stroke above it
    >>> ink = written(seen, printed)
    >>> bool(ink[30:32].any()), int(ink[15, 21])
    (False, 235)
    """
    reach = 2 * round(_TOLERANCE * zoom) + 1
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    seen_ink = (255 - seen).astype(np.float32)
    print_ink = cv2.dilate(255 - printed, near).astype(np.float32) * np.float32(_PRINT * _gain(seen, printed))
    solid = print_ink > _SOLID
    difference = np.clip((seen_ink - print_ink) / np.maximum(1 - print_ink / 255, 0.25), 0, 255)
    ink = np.where(solid, 0, difference).astype(np.uint8)
    if solid.any():
        continued = _continued(ink > _DARK, solid, zoom) & (seen_ink > _DARK)
        ink[continued] = seen_ink[continued].astype(np.uint8)
    return ink


def _gain(seen: Bytes, printed: Bytes) -> float:
    """The median ratio of the darkness of print in a scan to that on the blank sheet; at least 1."""
    core = printed < 255 - _DARK
    if not core.any():
        return 1.0
    near = cv2.erode(seen, np.ones((3, 3), np.uint8))[core].astype(np.float32)
    ratio = float(np.median((255 - near) / (255 - printed[core].astype(np.float32))))
    return float(np.clip(ratio, 1.0, _DARKER))


def _continued(ink: NDArray[np.bool_], solid: NDArray[np.bool_], zoom: float) -> NDArray[np.bool_]:
    """Where solid print lies between ink on both sides in one of several directions, no wider than lines are thick."""
    thickest = 2 * float(cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 3).max())
    reach = int(min(thickest, 12 * zoom)) + 3
    marks, continued = ink.astype(np.uint8), np.zeros(ink.shape, np.uint8)
    for k in range(_DIRECTIONS):
        angle = np.pi * k / _DIRECTIONS
        half = np.array([np.cos(angle), np.sin(angle)]) * reach / 2
        line = np.zeros((reach + 1, reach + 1), np.uint8)
        first, last = (np.round(reach / 2 + sign * half).astype(int).tolist() for sign in (-1, 1))
        cv2.line(line, tuple(first), tuple(last), 1)
        closed = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, line, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        continued |= np.asarray(closed, np.uint8)
    return (continued > 0) & solid


def _aligned(scan: Scan, matrix: Matrix, printed: Bytes, size: tuple[int, int], zoom: float) -> Bytes:
    """The field as seen, moved by a few pixels so that its print is in place."""
    search = round(_SEARCH * zoom)
    shift = np.array([[1, 0, -search], [0, 1, -search], [0, 0, 1]])
    around = warped(scan.levels, matrix @ shift, (size[0] + 2 * search, size[1] + 2 * search))
    x = y = search
    if int(printed.min()) < 255 - _DARK:
        scores = cv2.matchTemplate(around, printed, cv2.TM_CCOEFF_NORMED)
        _, best, _, (column, row) = cv2.minMaxLoc(scores)
        if best > max(_SEEN, float(scores[search, search]) + 0.02):
            x, y = column, row
    return np.ascontiguousarray(around[y : y + size[1], x : x + size[0]])


def _of_the_field(ink: Bytes, box: Edges) -> Bytes:
    """The ink without dust and marks that lie mostly outside the field's box."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > _DARK).astype(np.uint8), connectivity=8)
    if count == 1:
        return np.zeros_like(ink)
    left, top, right, bottom = (round(edge) for edge in box)
    inside = np.bincount(labels[max(top, 0) : bottom, max(left, 0) : right].ravel(), minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    speck = (_SPECK * (bottom - top)) ** 2
    is_writing = (inside > _INSIDE * area) & (area > speck)
    is_writing[0] = False
    near = cv2.dilate(is_writing[labels].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(near, ink, 0).astype(np.uint8)
