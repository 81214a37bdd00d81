"""Registration of a scan on the blank sheet: a homography, refined on patches of print.

Everything about a form is in one frame: the blank sheet with its longer side FRAME pixels long, about 200 dpi of an A4
sheet. Coarse steps use WORK pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.forms.features import INLIER, View, binary_hypotheses, is_view, scale_free_hypotheses, through
from lenet5.forms.hypotheses import outline_hypotheses
from lenet5.forms.paper import flattened

__all__ = ["FRAME", "LEAST_QUALITY", "Reference", "Registration", "Scan", "register", "warped"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

FRAME: Final = 2400
"""Pixels: the longer side of the frame in which fields are cut out."""

WORK: Final = 1200
"""Pixels: the longer side at which features are found and coarse patches compared."""

LEAST_QUALITY: Final = 0.7
"""A sheet of the form has at least this quality.

Up to 30% of its print may be covered, torn off or out of focus. A form that shares less than 70% of the print is
rejected. results/forms.json has the lowest quality of drawn sheets of a form and the highest of others.
"""

_SURE: Final = 0.9  # quality: nearly every drawn sheet of the form has more, and the search ends
_COARSE: Final = WORK / FRAME
_PATCHES: Final = 140  # of print, spread over the sheet
_HALF: Final = 14  # pixels at WORK from the middle of a patch to its side
_REACHES: Final = (10, 5)  # pixels at WORK: search distance of a patch in the first round and in the second
_FINE_REACH: Final = 4  # pixels of the frame: the same in the last round
_FEWEST: Final = 6  # patches for a homography, which any four points determine
_ALIKE: Final = 0.5  # correlation with the scan above which a patch counts as seen
_NEAR: Final = 3.0  # pixels of the frame: a patch that is farther from its place does not count
_SPREAD: Final = 0.12  # of the frame: standard deviation of the weights of residuals around a field
_PRIOR: Final = 1.0  # weight of the homography itself: that of so many patches without a residual


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan prepared for registration: evenly lit ``levels`` (H, W) uint8, and its ``view``, ``scale`` times as large.

    >>> scan = Scan.of(np.full((2 * WORK, WORK), 200, np.uint8))
    >>> scan.scale, scan.view.levels.shape == (WORK, WORK // 2)
    (0.5, True)
    """

    levels: Bytes
    view: View
    scale: float

    @classmethod
    def of(cls, grey: Bytes) -> Scan:
        """The scan of grey levels (H, W) uint8."""
        levels = flattened(grey)
        scale = min(1.0, WORK / max(grey.shape))
        return cls(levels, View(_reduced(levels, scale)), scale)


@dataclass(frozen=True, eq=False)
class Reference:
    """A blank sheet prepared for registration; see ``Reference.of``.

    ``levels`` (H, W) uint8 are its evenly lit grey levels in the frame, ``view`` the same at WORK; ``patches`` (P, 2)
    are the middles of patches of print in the frame.

    >>> width, height = Reference.of(np.full((500, 400), 255, np.uint8)).size
    >>> height == FRAME, width / height
    (True, 0.8)
    """

    levels: Bytes
    view: View
    patches: Floats

    @classmethod
    def of(cls, blank: Bytes) -> Reference:
        """The reference of a blank sheet's grey levels (H, W) uint8."""
        height, width = blank.shape
        scale = FRAME / max(height, width)
        size = (round(width * scale), round(height * scale))
        frame = cv2.resize(blank, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        levels = flattened(np.asarray(frame, np.uint8))
        view = View(_reduced(levels, _COARSE))
        return cls(levels, view, _patches_of(view.levels) / np.float32(_COARSE))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frame."""
        return self.levels.shape[1], self.levels.shape[0]


@dataclass(frozen=True, eq=False)
class Registration:
    """How a scan lies on a reference.

    ``matrix`` (3, 3) takes pixels of the frame to pixels of the scan. ``quality`` in 0..1 is the proportion of the
    reference's patches of print that are seen in their place. ``seen`` (S, 2) are the middles of these patches, and
    ``residuals`` (S, 2) the displacements of the scan's print from them, both in pixels of the frame.

    >>> seen, residuals = np.zeros((1, 2), np.float32), np.array([[4, 0]], np.float32)
    >>> registration = Registration(np.eye(3), 0.9, seen, residuals)
    >>> registration.local((0.0, 0.0))[:2, 2].tolist()  # half of the residual, as there is only one
    [2.0, 0.0]
    """

    matrix: Matrix
    quality: float
    seen: Floats
    residuals: Floats

    def local(self, middle: tuple[float, float]) -> Matrix:
        """The matrix near a point of the frame, corrected by the print around it where paper is not flat."""
        if len(self.seen) == 0:
            return self.matrix
        squared_distance = np.square(self.seen - np.array(middle, np.float32)).sum(axis=1) / (_SPREAD * FRAME) ** 2
        weights = np.exp(-0.5 * squared_distance)
        shift = (weights[:, None] * self.residuals).sum(axis=0) / (weights.sum() + _PRIOR)
        shifted: Matrix = self.matrix @ np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
        return shifted


_NOWHERE: Final = Registration(np.eye(3), 0.0, np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))


def register(scan: Scan, references: Sequence[Reference]) -> tuple[int, Registration]:
    """The index of the reference that fits a scan best, and the registration on it; its quality is 0 where none fits.

    Fast features are tried on all references first, then better ones, and last the outlines of sheets with hardly any
    features. The search ends as soon as one fits surely.

    >>> _, registration = register(Scan.of(np.full((50, 40), 255, np.uint8)), [])
    >>> registration.quality, registration.matrix.tolist()  # there is none
    (0.0, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    best, nearest = _NOWHERE, 0
    for hypotheses in (binary_hypotheses, scale_free_hypotheses, outline_hypotheses):
        for k, reference in enumerate(references):
            for matrix in hypotheses(scan.view, reference.view):
                refined = _refined(scan, reference, matrix)
                if refined.quality > best.quality:
                    best, nearest = refined, k
                if refined.quality >= _SURE:
                    break
        if best.quality >= _SURE:
            break
    return nearest, best


def warped(scan: Bytes, matrix: Matrix, size: tuple[int, int]) -> Bytes:
    """A scan resampled to ``size`` (width, height) by ``matrix``, from pixels of the result to those of the scan.

    Beyond the scan it is white.

    >>> scan = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> shift = np.array([[1.0, 0, 2], [0, 1, 1], [0, 0, 1]])
    >>> warped(scan, shift, (3, 2)).tolist()
    [[6, 7, 255], [10, 11, 255]]
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpPerspective(scan, matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=255), np.uint8
    )


def _reduced(levels: Bytes, scale: float) -> Bytes:
    size = (max(1, round(levels.shape[1] * scale)), max(1, round(levels.shape[0] * scale)))
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _patches_of(coarse_levels: Bytes) -> Floats:
    """Middles (P, 2) of patches with print in two directions, the strongest of each square of a grid first."""
    strength = cv2.cornerMinEigenVal(cv2.GaussianBlur(coarse_levels, (0, 0), 1.0), 7)
    margin = _HALF + max(_REACHES)
    strength[:margin], strength[-margin:], strength[:, :margin], strength[:, -margin:] = 0, 0, 0, 0
    threshold = 0.02 * float(np.quantile(strength, 0.999))
    side = max(2 * _HALF, round(math.sqrt(strength.size / _PATCHES / 2)))
    best = []
    for top in range(0, strength.shape[0], side):
        for left in range(0, strength.shape[1], side):
            square = strength[top : top + side, left : left + side]
            y, x = np.unravel_index(int(np.argmax(square)), square.shape)
            if square[y, x] > max(threshold, 1e-5):
                best.append((float(square[y, x]), left + int(x), top + int(y)))
    best.sort(reverse=True)
    return np.array([(x, y) for _, x, y in best[:_PATCHES]], np.float32).reshape(-1, 2)


def _refined(scan: Scan, reference: Reference, matrix: Matrix) -> Registration:
    """A coarse hypothesis, refined on patches at WORK and then in the frame."""
    if len(reference.patches) < _FEWEST:
        return _NOWHERE
    size = (reference.view.levels.shape[1], reference.view.levels.shape[0])
    places = reference.patches * np.float32(_COARSE)
    for reach in _REACHES:
        view = warped(scan.view.levels, matrix, size)
        shifts, correlation = _compared(view, reference.view.levels, places, _HALF, reach)
        better = _fitted(matrix, places, shifts, correlation, INLIER / 2)
        if better is None:
            return _NOWHERE
        matrix = better
    matrix = np.diag([1 / scan.scale, 1 / scan.scale, 1]) @ matrix @ np.diag([_COARSE, _COARSE, 1])
    view = warped(scan.levels, matrix, reference.size)
    shifts, correlation = _compared(view, reference.levels, reference.patches, 2 * _HALF, _FINE_REACH)
    better = _fitted(matrix, reference.patches, shifts, correlation, _NEAR / 2)
    if better is None:
        return _NOWHERE
    residuals = through(np.linalg.inv(better), through(matrix, reference.patches + shifts)) - reference.patches
    seen = (correlation > _ALIKE) & (np.hypot(*residuals.T) < _NEAR)
    return Registration(better, float(seen.mean()), reference.patches[seen], residuals[seen].astype(np.float32))


def _compared(view: Bytes, reference: Bytes, places: Floats, half: int, reach: int) -> tuple[Floats, Floats]:
    """The shift (P, 2) of each patch of the reference in a view of the scan, and its correlation there (P,)."""
    shifts, correlation = np.zeros((len(places), 2), np.float32), np.zeros(len(places), np.float32)
    for k, (x, y) in enumerate(np.round(places).astype(int).tolist()):
        patch = reference[y - half : y + half + 1, x - half : x + half + 1]
        around = view[y - half - reach : y + half + reach + 1, x - half - reach : x + half + reach + 1]
        if around.shape != (2 * (half + reach) + 1,) * 2 or patch.shape != (2 * half + 1,) * 2:
            continue
        scores = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
        _, correlation[k], _, (column, row) = cv2.minMaxLoc(scores)
        shifts[k] = (
            column + _vertex(scores[row, max(column - 1, 0) : column + 2]) - reach,
            row + _vertex(scores[max(row - 1, 0) : row + 2, column]) - reach,
        )
    return shifts, correlation


def _vertex(values: NDArray[Any]) -> float:
    """The maximum of the parabola through three values, as an offset from the middle one; 0 at a border."""
    if len(values) < 3:
        return 0.0
    before, middle, after = (float(value) for value in values)
    curvature = before - 2 * middle + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0


def _fitted(matrix: Matrix, places: Floats, shifts: Floats, correlation: Floats, inlier: float) -> Matrix | None:
    """The matrix, corrected so that most patches are in their places; None if too few agree."""
    alike = correlation > _ALIKE
    if alike.sum() < _FEWEST:
        return None
    source, target = places[alike], through(matrix, places[alike] + shifts[alike])
    step = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    better, agree = cv2.findHomography(source, target.astype(np.float32), cv2.USAC_MAGSAC, inlier * max(step, 1e-3))
    if better is None or agree.sum() < _FEWEST or not is_view(np.asarray(better), places):
        return None
    inside = agree.ravel() > 0
    exact, _ = cv2.findHomography(source[inside], target[inside].astype(np.float32), 0)
    return np.asarray(exact if exact is not None else better, np.float64)
