"""Key points of two sheets, and the homography on which most of their matches agree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["INLIER", "Features", "View", "binary_hypotheses", "is_view", "scale_free_hypotheses", "through"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

INLIER: Final = 4.0
"""Pixels of a view: matches that agree with a homography lie no farther from it."""

_FEATURES: Final = 2000  # the strongest
_RATIO: Final = 0.85  # of the distance to the second nearest feature: a match that is nearer is distinct
_MATCHES: Final = 8  # that agree are needed for a homography


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
    """A sheet of moderate size: ``levels`` (H, W) uint8, evenly lit, and its features, computed once on first use.

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


def binary_hypotheses(scan: View, reference: View) -> list[Matrix]:
    """The matrix (3, 3) that may take pixels of the reference to pixels of the scan by ORB features, if there is one.

    >>> noise = View(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8))
    >>> [bool(np.allclose(matrix, np.eye(3), atol=1e-3)) for matrix in binary_hypotheses(noise, noise)]
    [True]
    """
    return _homographies(scan.binary, reference.binary)


def scale_free_hypotheses(scan: View, reference: View) -> list[Matrix]:
    """The same by SIFT features.

    >>> blank = View(np.full((200, 200), 255, np.uint8))
    >>> scale_free_hypotheses(blank, blank)
    []
    """
    return _homographies(scan.scale_free, reference.scale_free)


def _homographies(features: Features, reference: Features) -> list[Matrix]:
    """The homography on which most matching features agree; none if too few do or it is no view of a sheet."""
    if min(len(features.points), len(reference.points)) < _MATCHES:
        return []
    best, distance, second = _two_nearest(reference.descriptors, features.descriptors)
    distinct = distance < _RATIO * second
    if distinct.sum() < _MATCHES:
        return []
    source, target = reference.points[distinct], features.points[best[distinct]]
    matrix, agree = cv2.findHomography(source, target, cv2.USAC_MAGSAC, INLIER, maxIters=2000, confidence=0.999)
    if matrix is None or int(agree.sum()) < _MATCHES or not is_view(np.asarray(matrix, np.float64), source):
        return []
    return [np.asarray(matrix, np.float64)]


def _two_nearest(descriptors: NDArray[Any], others: NDArray[Any]) -> tuple[NDArray[np.int64], Floats, Floats]:
    """For each descriptor: the index of the nearest of the others, its distance, and that of the second nearest."""
    if descriptors.dtype == np.uint8:
        distance, index = cv2.batchDistance(descriptors, others, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
        return index[:, 0].astype(np.int64), distance[:, 0].astype(np.float32), distance[:, 1].astype(np.float32)
    likeness = np.asarray(descriptors @ others.T, np.float32)
    best, rows = likeness.argmax(axis=1), np.arange(len(likeness))
    first = likeness[rows, best].copy()
    likeness[rows, best] = -1
    return best, np.sqrt(np.maximum(1 - first, 0)), np.sqrt(np.maximum(1 - likeness.max(axis=1), 0))


def _features(detected: tuple[Any, Any], length: int, dtype: type) -> Features:
    """The result of OpenCV's detectors, whose descriptors are None where nothing is detected."""
    points, descriptors = detected
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, length), dtype))
    return Features(np.array([point.pt for point in points], np.float32), descriptors)


def is_view(matrix: Matrix, points: Floats) -> bool:
    """Whether a matrix may be a camera's view of a sheet: not mirrored, not folded, not seen from its edge.

    >>> corners = np.array([[0, 0], [100, 100]], np.float32)
    >>> is_view(np.eye(3), corners), is_view(np.diag([-1.0, 1, 1]), corners)
    (True, False)
    """
    low, high = points.min(axis=0), points.max(axis=0)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float64)
    depth = corners @ matrix[2, :2] + matrix[2, 2]
    if not (np.isfinite(matrix).all() and (depth > 0).all() and depth.max() < 3 * depth.min()):
        return False
    images = through(matrix, corners)
    sides = np.roll(images, -1, axis=0) - images
    turns = [float(a[0] * b[1] - a[1] * b[0]) for a, b in zip(sides, np.roll(sides, -1, axis=0), strict=True)]
    lengths = np.hypot(*sides.T)
    return bool(min(turns) > 0 and lengths.min() > 20 and lengths[0] / lengths[2] < 3 and lengths[2] / lengths[0] < 3)


def through(matrix: NDArray[Any], points: NDArray[Any]) -> Matrix:
    """Points (N, 2) through a homography.

    >>> through(np.diag([2.0, 2.0, 1.0]), np.array([[1, 3]])).tolist()
    [[2.0, 6.0]]
    """
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return np.asarray(moved[:, :2] / np.where(np.abs(moved[:, 2:]) < 1e-9, 1e-9, moved[:, 2:]))
