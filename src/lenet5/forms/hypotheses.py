"""Hypotheses for a sheet with hardly any features: its print's outline on the scan's, or the whole sheet on the scan.

Each is tried four ways up. The distance of the blank sheet's print to the nearest print of the scan is minimised
(Gauss–Newton), and the best come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.forms.features import View, through

__all__ = ["outline_hypotheses"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

_PRINT: Final = 160  # of 255: print is darker
_POINTS: Final = 1500  # of print are compared
_FARTHEST: Final = 40.0  # pixels: the cap on a distance
_STEPS: Final = 30  # of Gauss–Newton
_REACHES: Final = (40.0, 15.0, 6.0)  # pixels, by round: points that are farther from print do not count
_BEST: Final = 3  # hypotheses are given
_LEAST: Final = 50  # pixels of print


def outline_hypotheses(scan: View, reference: View) -> Iterator[Floats]:
    """Matrices (3, 3) that may take pixels of the reference to pixels of the scan, the best first.

    >>> sheet = np.full((200, 150), 255, np.uint8)
    >>> sheet[40:60, 30:120] = sheet[100:105, 30:90] = 0
    >>> matrix = next(outline_hypotheses(View(sheet), View(sheet)))
    >>> np.abs(matrix[:2, 2]).round(1).tolist()  # it lies on itself
    [0.0, 0.0]
    """
    points, marks = _print_of(reference.levels), scan.levels < _PRINT
    if len(points) < _LEAST or int(marks.sum()) < _LEAST:
        return
    marks[:2], marks[-2:], marks[:, :2], marks[:, -2:] = False, False, False, False
    nearest = np.asarray(cv2.distanceTransform((~marks).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    distance = np.minimum(nearest, np.float32(_FARTHEST))
    slopes = np.stack([cv2.Sobel(distance, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))], axis=-1)
    slopes = np.asarray(slopes, np.float32)
    fitted: list[tuple[float, int, Floats]] = []
    for matrix in _starts(scan.levels, reference.levels, points, marks):
        moved = _moved_onto(matrix, points, distance, slopes)
        fitted.append((float(_distances(moved, points, distance).mean()), len(fitted), moved))
    for _, _, matrix in sorted(fitted)[:_BEST]:
        yield matrix


def _print_of(levels: Bytes) -> Floats:
    """Points (N, 2) of print, evenly sampled."""
    y, x = np.nonzero(levels < _PRINT)
    step = max(1, len(x) // _POINTS)
    return np.stack([x[::step], y[::step]], axis=1).astype(np.float64)


def _starts(scan: Bytes, reference: Bytes, points: Floats, marks: NDArray[np.bool_]) -> Iterator[Floats]:
    """The sheet on the scan, and the print's outline on its outline, each four ways up."""
    height, width = reference.shape
    sheet = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    height, width = scan.shape
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    outline = cv2.boxPoints(cv2.minAreaRect(points.astype(np.float32)))
    rows, columns = np.nonzero(marks)
    outline_of_scan = cv2.boxPoints(cv2.minAreaRect(np.stack([columns, rows], axis=1).astype(np.float32)))
    for source, target in ((sheet, page), (outline, outline_of_scan)):
        for turn in range(4):
            matrix = cv2.getPerspectiveTransform(source, np.roll(target, turn, axis=0).astype(np.float32))
            sides = np.linalg.svd(matrix[:2, :2], compute_uv=False)
            if sides[0] < 1.6 * sides[1]:  # a sheet is not stretched
                yield np.asarray(matrix, np.float64)


def _moved_onto(matrix: Floats, points: Floats, distance: NDArray[np.floating], slopes: NDArray[np.floating]) -> Floats:
    """The matrix, improved by affine steps until the points lie on the scan's print: a local minimum."""
    for reach in _REACHES:
        for _ in range(_STEPS // len(_REACHES)):
            images = through(matrix, points)
            x, y, inside = _pixels(images, distance.shape)
            counted = inside & (distance[y, x] < reach)
            if counted.sum() < _LEAST:
                break
            slope, residual = slopes[y[counted], x[counted]], distance[y, x][counted]
            middle = images[counted].mean(axis=0)
            offset = images[counted] - middle
            rows = np.concatenate([slope, slope[:, :1] * offset, slope[:, 1:] * offset], axis=1)
            step, *_ = np.linalg.lstsq(np.vstack([rows, np.diag([1e-3, 1e-3, *[3.0] * 4])]),
                                       np.concatenate([-residual, np.zeros(6)]), rcond=None)  # fmt: skip
            change = np.eye(3)
            change[:2, :2] += [step[2:4], step[4:6]]
            change[:2, 2] = step[:2] + middle - change[:2, :2] @ middle
            matrix = change @ matrix
    return matrix


def _distances(matrix: Floats, points: Floats, distance: NDArray[np.floating]) -> Floats:
    """The distance of each point to the scan's print, _FARTHEST outside of the scan."""
    x, y, inside = _pixels(through(matrix, points), distance.shape)
    return np.where(inside, distance[y, x], _FARTHEST)


def _pixels(points: Floats, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Columns and rows of points, clipped to a picture of this shape, and whether each lies in it."""
    rounded = np.round(np.nan_to_num(points, nan=-1, posinf=-1, neginf=-1)).astype(np.int64)
    inside = (rounded >= 0).all(axis=1) & (rounded[:, 0] < shape[1]) & (rounded[:, 1] < shape[0])
    clipped = np.clip(rounded, 0, [shape[1] - 1, shape[0] - 1])
    return clipped[:, 0], clipped[:, 1], inside
