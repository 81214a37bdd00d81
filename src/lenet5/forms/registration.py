"""A scan → where it lies on the blank sheet: features and a homography, refined on patches of print.

All of a form happens in one frame: the blank sheet with its longer side FRAME pixels long, about 200 dpi of an A4
sheet. Coarse steps see it at WORK pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

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

Up to 30% of its print may be covered, torn off or out of focus, and a form that shares less than 70% of its print is
told apart. results/forms.json has the lowest quality of drawn sheets of a form and the highest of others.
"""

_SURE: Final = 0.9  # quality of nearly every drawn sheet of the form: above it nothing better is looked for
_COARSE: Final = WORK / FRAME
_FEATURES: Final = 2000  # the strongest
_RATIO: Final = 0.85  # of the distance to the second nearest feature: below it a match is one of its own
_MATCHES: Final = 8  # matches that agree are needed for a homography
_APART: Final = 4.0  # pixels at WORK: matches that agree lie no farther off
_PATCHES: Final = 140  # of print, spread over the sheet
_HALF: Final = 14  # pixels at WORK from the middle of a patch to its side
_REACHES: Final = (10, 5)  # pixels at WORK: how far a patch is looked for, in the first round and in the second
_FINE_REACH: Final = 4  # pixels of the frame, in the last round
_FEWEST: Final = 6  # patches that are seen: four points give any homography
_ALIKE: Final = 0.5  # correlation of a patch with its place, above which it counts as seen there
_NEAR: Final = 3.0  # pixels of the frame: a patch that is farther from its place is not there
_SPREAD: Final = 0.12  # of the frame: residuals of patches so near correct a field
_PRIOR: Final = 1.0  # patches without any residual, as which the homography counts there


@dataclass(frozen=True, eq=False)
class Features:
    """Key points (N, 2) in pixels of a picture and their descriptors (N, D): uint8 bits, or float32 of length 1.

    >>> Features(np.zeros((3, 2), np.float32), np.zeros((3, 32), np.uint8)).descriptors.shape
    (3, 32)
    """

    points: Floats
    descriptors: NDArray[Any]


@dataclass(frozen=True, eq=False)
class View:
    """A sheet at WORK: ``levels`` (H, W) uint8, its light taken out, and its features, found once when asked for.

    >>> levels = np.full((200, 200), 255, np.uint8)
    >>> levels[60:140, 60:140] = 0  # the corners of a square are key points
    >>> len(View(levels).binary.points) > 0, len(View(np.full((200, 200), 255, np.uint8)).binary.points)
    (True, 0)
    """

    levels: Bytes

    @cached_property
    def binary(self) -> Features:
        """ORB features (Rublee 2011): twenty times as fast as SIFT's, and enough for most scans."""
        return _features(cv2.ORB.create(_FEATURES, 1.25, 8).detectAndCompute(self.levels, None), 32, np.uint8)

    @cached_property
    def scale_free(self) -> Features:
        """SIFT features (Lowe 2004), descriptors as RootSIFT."""
        features = _features(cv2.SIFT.create(_FEATURES).detectAndCompute(self.levels, None), 128, np.float32)
        sums = np.maximum(features.descriptors.sum(axis=1, keepdims=True), 1e-6)
        return Features(features.points, np.sqrt(features.descriptors / sums))


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan made ready for registration: ``levels`` (H, W) uint8 with its light taken out, and its ``view``, ``scale``
    times as large.

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
    """A blank sheet made ready for registration; see ``Reference.of``.

    ``levels`` (H, W) uint8 are its grey levels in the frame with the light taken out, ``view`` the same at WORK;
    ``patches`` (P, 2) are the middles of patches of print in the frame.

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
    reference's patches of print that are seen in their place. ``seen`` (S, 2) are the middles of these patches in the
    frame, ``residuals`` (S, 2) how far the scan's print is from them, in pixels of the frame.

    >>> seen, residuals = np.zeros((1, 2), np.float32), np.array([[4, 0]], np.float32)
    >>> lies = Registration(np.eye(3), 0.9, seen, residuals)
    >>> lies.local((0.0, 0.0))[:2, 2].tolist()  # half of what the one patch says, as it is only one
    [2.0, 0.0]
    """

    matrix: Matrix
    quality: float
    seen: Floats
    residuals: Floats

    def local(self, middle: tuple[float, float]) -> Matrix:
        """The matrix near a point of the frame: paper that is not flat is corrected by what is printed around it."""
        if len(self.seen) == 0:
            return self.matrix
        apart = np.square(self.seen - np.array(middle, np.float32)).sum(axis=1) / (_SPREAD * FRAME) ** 2
        weights = np.exp(-0.5 * apart)
        shift = (weights[:, None] * self.residuals).sum(axis=0) / (weights.sum() + _PRIOR)
        moved: Matrix = self.matrix @ np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
        return moved


_NOWHERE: Final = Registration(np.eye(3), 0.0, np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))


def register(scan: Scan, references: Sequence[Reference]) -> tuple[int, Registration]:
    """Which reference a scan lies on best, and how; of quality 0 where nothing agrees.

    Quick features are tried with all references first; only where none is surely in its place, better ones, and last
    the outlines of sheets with hardly any features.

    >>> _, registration = register(Scan.of(np.full((50, 40), 255, np.uint8)), [])
    >>> registration.quality, registration.matrix.tolist()  # it lies on none
    (0.0, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    best, nearest = _NOWHERE, 0
    for way in (_by_binary, _by_scale_free, _by_outline):
        for k, reference in enumerate(references):
            for matrix in way(scan.view, reference.view):
                refined = _refined(scan, reference, matrix)
                if refined.quality > best.quality:
                    best, nearest = refined, k
                if refined.quality >= _SURE:
                    break
        if best.quality >= _SURE:
            break
    return nearest, best


def warped(scan: Bytes, matrix: Matrix, size: tuple[int, int]) -> Bytes:
    """The part of a scan that ``matrix`` takes pixels of a picture of ``size`` (width, height) to; white beyond it.

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
    least = 0.02 * float(np.quantile(strength, 0.999))
    side = max(2 * _HALF, round(math.sqrt(strength.size / _PATCHES / 2)))
    best = []
    for top in range(0, strength.shape[0], side):
        for left in range(0, strength.shape[1], side):
            square = strength[top : top + side, left : left + side]
            y, x = np.unravel_index(int(np.argmax(square)), square.shape)
            if square[y, x] > max(least, 1e-5):
                best.append((float(square[y, x]), left + int(x), top + int(y)))
    best.sort(reverse=True)
    return np.array([(x, y) for _, x, y in best[:_PATCHES]], np.float32).reshape(-1, 2)


def _by_binary(scan: View, reference: View) -> Iterator[Matrix]:
    """The matrix that may take the coarse frame to the coarse scan by ORB features, if there is one."""
    matched = _matched(scan.binary, reference.binary)
    if matched is not None:
        yield matched


def _by_scale_free(scan: View, reference: View) -> Iterator[Matrix]:
    """The same by SIFT features."""
    matched = _matched(scan.scale_free, reference.scale_free)
    if matched is not None:
        yield matched


def _by_outline(scan: View, reference: View) -> Iterator[Matrix]:
    """The same by the outlines of sheet and print."""
    return outline_hypotheses(scan.levels, reference.levels)


def _matched(features: Features, reference: Features) -> Matrix | None:
    """The homography that most matching features agree on; None if too few do or it is no view of a sheet."""
    if min(len(features.points), len(reference.points)) < _MATCHES:
        return None
    best, apart, second = _two_nearest(reference.descriptors, features.descriptors)
    distinct = apart < _RATIO * second
    if distinct.sum() < _MATCHES:
        return None
    source, target = reference.points[distinct], features.points[best[distinct]]
    matrix, agree = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _APART, maxIters=2000, confidence=0.999)
    if matrix is None or int(agree.sum()) < _MATCHES or not _is_view(np.asarray(matrix, np.float64), source):
        return None
    return np.asarray(matrix, np.float64)


def _two_nearest(descriptors: NDArray[Any], others: NDArray[Any]) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Of each descriptor the nearest of the others, the distance to it and that to the second nearest."""
    if descriptors.dtype == np.uint8:
        apart, index = cv2.batchDistance(descriptors, others, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
        return index[:, 0].astype(np.int64), apart[:, 0].astype(np.float32), apart[:, 1].astype(np.float32)
    likeness = np.asarray(descriptors @ others.T, np.float32)
    best, rows = likeness.argmax(axis=1), np.arange(len(likeness))
    first = likeness[rows, best].copy()
    likeness[rows, best] = -1
    return best, np.sqrt(np.maximum(1 - first, 0)), np.sqrt(np.maximum(1 - likeness.max(axis=1), 0))


def _features(found: tuple[Any, Any], length: int, kind: type) -> Features:
    """What OpenCV's detectors give, also where they find nothing."""
    points, descriptors = found
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, length), kind))
    return Features(np.array([point.pt for point in points], np.float32), descriptors)


def _is_view(matrix: Matrix, points: Floats) -> bool:
    """Whether a matrix may be a camera's view of a sheet: not mirrored, not folded, not seen from its edge."""
    low, high = points.min(axis=0), points.max(axis=0)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float64)
    depth = corners @ matrix[2, :2] + matrix[2, 2]
    if not (np.isfinite(matrix).all() and (depth > 0).all() and depth.max() < 3 * depth.min()):
        return False
    seen = _moved(matrix, corners)
    sides = np.roll(seen, -1, axis=0) - seen
    turns = [float(a[0] * b[1] - a[1] * b[0]) for a, b in zip(sides, np.roll(sides, -1, axis=0), strict=True)]
    lengths = np.hypot(*sides.T)
    return bool(min(turns) > 0 and lengths.min() > 20 and lengths[0] / lengths[2] < 3 and lengths[2] / lengths[0] < 3)


def _refined(scan: Scan, reference: Reference, matrix: Matrix) -> Registration:
    """A coarse hypothesis, refined on patches at WORK and then in the frame."""
    if len(reference.patches) < _FEWEST:
        return _NOWHERE
    size = (reference.view.levels.shape[1], reference.view.levels.shape[0])
    places = reference.patches * np.float32(_COARSE)
    for reach in _REACHES:
        view = warped(scan.view.levels, matrix, size)
        shifts, likeness = _compared(view, reference.view.levels, places, _HALF, reach)
        better = _fitted(matrix, places, shifts, likeness, _APART / 2)
        if better is None:
            return _NOWHERE
        matrix = better
    matrix = np.diag([1 / scan.scale, 1 / scan.scale, 1]) @ matrix @ np.diag([_COARSE, _COARSE, 1])
    view = warped(scan.levels, matrix, reference.size)
    shifts, likeness = _compared(view, reference.levels, reference.patches, 2 * _HALF, _FINE_REACH)
    better = _fitted(matrix, reference.patches, shifts, likeness, _NEAR / 2)
    if better is None:
        return _NOWHERE
    after = _moved(np.linalg.inv(better), _moved(matrix, reference.patches + shifts)) - reference.patches
    there = (likeness > _ALIKE) & (np.hypot(*after.T) < _NEAR)
    return Registration(better, float(there.mean()), reference.patches[there], after[there].astype(np.float32))


def _compared(view: Bytes, reference: Bytes, places: Floats, half: int, reach: int) -> tuple[Floats, Floats]:
    """Where each patch of the reference is in a view of the scan, (P, 2) from its place, and how alike it is (P,)."""
    shifts, likeness = np.zeros((len(places), 2), np.float32), np.zeros(len(places), np.float32)
    for k, (x, y) in enumerate(np.round(places).astype(int).tolist()):
        patch = reference[y - half : y + half + 1, x - half : x + half + 1]
        around = view[y - half - reach : y + half + reach + 1, x - half - reach : x + half + reach + 1]
        if around.shape != (2 * (half + reach) + 1,) * 2 or patch.shape != (2 * half + 1,) * 2:
            continue
        scores = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
        _, likeness[k], _, (column, row) = cv2.minMaxLoc(scores)
        shifts[k] = (
            column + _vertex(scores[row, max(column - 1, 0) : column + 2]) - reach,
            row + _vertex(scores[max(row - 1, 0) : row + 2, column]) - reach,
        )
    return shifts, likeness


def _vertex(three: NDArray[Any]) -> float:
    """Where the parabola through three values has its top, from the middle one; 0 at a border."""
    if len(three) < 3:
        return 0.0
    left, middle, right = (float(value) for value in three)
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0


def _fitted(matrix: Matrix, places: Floats, shifts: Floats, likeness: Floats, apart: float) -> Matrix | None:
    """The matrix that takes the places to where the patches are, as most agree; None if too few do."""
    alike = likeness > _ALIKE
    if alike.sum() < _FEWEST:
        return None
    source, target = places[alike], _moved(matrix, places[alike] + shifts[alike])
    step = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    better, agree = cv2.findHomography(source, target.astype(np.float32), cv2.USAC_MAGSAC, apart * max(step, 1e-3))
    if better is None or agree.sum() < _FEWEST or not _is_view(np.asarray(better), places):
        return None
    inside = agree.ravel() > 0
    exact, _ = cv2.findHomography(source[inside], target[inside].astype(np.float32), 0)
    return np.asarray(exact if exact is not None else better, np.float64)


def _moved(matrix: NDArray[Any], points: NDArray[Any]) -> Matrix:
    """Points (N, 2) through a homography."""
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])
