"""Picture → inks: what may be pen, told from its paper under any light, in either polarity, by lightness and by colour.

Nothing is decided here. Each ink is one way of looking at the picture: what is darker (or lighter) than its
surroundings, through a small or a large window. A large window keeps bold strokes whole, a small one drops shadows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Ink", "inks_of", "shrunk"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FINE: Final = (1600, 10)  # pixels of the longer side, and windows along it: writing of every size
_COARSE: Final = (320, 2.5)  # the same for digits that fill much of the picture
_ICON: Final = 120  # pixels: a smaller picture has no shadows to be dropped
_LEAST_WINDOW: Final = 9  # pixels
_FAINTEST: Final = 0.05  # of the paper's lightness: what differs less from it is no ink
_PAPER: Final = 0.01  # of a picture at least is light where there is paper in it, were it a margin,
_BOARD: Final = 0.6  # and at most where there is a board
_APART_FROM: Final = 6.0  # standard deviations of paper with its texture: so far faint ink stands out
_LOCAL: Final = 0.4  # of the strongest ink near by: what is fainter is its rim
_DIGIT: Final = 20  # pixels of the strongest ink tell how strong it is: a small digit in a large photo has few more
_ENOUGH: Final = 500_000  # pixels tell the levels of a larger picture
_LEAST: Final = 20  # pixels of the shorter side: in a smaller picture all ink is strong
_FINE_ENOUGH: Final = 24  # pixels of a window: where it is larger, paper is looked for in a smaller picture


@dataclass(frozen=True)
class Ink:
    """One way of looking at a picture, ``scale`` times as large as it.

    ``contrast`` (h, w) float32: by how much less light a pixel sends than its paper, 0..1; ``mask`` (h, w) where it is
    ink; ``noise`` the standard deviation of the contrast of bare paper. ``source`` (H, W) is the picture with dark ink,
    ``paper`` the lightness of its paper, coarsely. ``dark`` is whether the ink is darker than its paper in the picture,
    ``window`` its width in pixels of the ink, ``faint`` whether this is what stronger ink elsewhere would hide,
    ``colour`` whether ink is what is more coloured than its paper.

    >>> grey = np.ones((60, 80), np.float32)
    >>> grey[20:45, 30:34] = 0  # a stroke
    >>> ink = inks_of(grey)[0]
    >>> ink.dark, int(ink.mask.sum()), round(ink.cover, 3)
    (True, 100, 0.021)
    """

    contrast: Floats
    mask: Mask
    noise: float
    scale: float
    source: Floats
    paper: Floats
    dark: bool = True
    window: int = 0
    faint: bool = False
    colour: bool = False

    @cached_property
    def cover(self) -> float:
        """The part of the picture that is ink."""
        return cv2.countNonZero(self.mask.view(np.uint8)) / self.mask.size

    def crop(self, box: tuple[slice, slice], factor: float) -> Floats:
        """The contrast in a box of rows and columns, ``factor`` times as large, with the picture's own detail."""
        rows, columns = box
        shape = max(1, round((columns.stop - columns.start) * factor)), max(1, round((rows.stop - rows.start) * factor))
        if self.scale >= 1 or factor <= 1:
            kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            return np.asarray(cv2.resize(self.contrast[box], shape, interpolation=kind), np.float32)
        high, wide = self.source.shape
        top, bottom = round(rows.start / self.scale), min(round(rows.stop / self.scale), high)
        left, right = round(columns.start / self.scale), min(round(columns.stop / self.scale), wide)
        near = self.source[top : max(bottom, top + 1), left : max(right, left + 1)]
        kind = cv2.INTER_AREA if factor * self.scale < 1 else cv2.INTER_CUBIC
        near = np.asarray(cv2.resize(near, shape, interpolation=kind), np.float32)
        step = self.paper.shape[0] / self.contrast.shape[0], self.paper.shape[1] / self.contrast.shape[1]
        matrix = np.array([[step[1] / factor, 0, columns.start * step[1]], [0, step[0] / factor, rows.start * step[0]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        paper = cv2.warpAffine(self.paper, matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(1 - near / np.maximum(paper, 0.02), 0, 1), np.float32)


def inks_of(grey: Floats, darkest: Floats | None = None, lightest: Floats | None = None) -> list[Ink]:
    """All ways of looking at grey levels (H, W) 0..1, and at the ``darkest`` and ``lightest`` channels of colours.

    >>> grey = np.ones((60, 80), np.float32)
    >>> grey[20:45, 30:34] = 0  # a stroke
    >>> [(ink.dark, ink.faint) for ink in inks_of(grey)]
    [(True, False)]
    """
    inks: list[Ink] = []
    for source, dark in _sources(grey, darkest):
        inks += _all_through(source, dark)
    if darkest is not None and lightest is not None:  # print is black or grey, a crayon or marker is not
        inks += [replace(ink, colour=True) for ink in _all_through(np.float32(1) - (lightest - darkest), True)]
    return inks


def _all_through(source: Floats, dark: bool) -> Iterator[Ink]:
    """The inks of a picture with dark ink through every window; one of a single level has none."""
    if np.ptp(source) == 0:
        return
    for side, windows in (_FINE, _COARSE) if max(source.shape) >= _ICON else (_COARSE,):
        small = shrunk(source, side)
        yield from _through(source, small, max(round(max(small.shape) / windows), _LEAST_WINDOW), dark)


def _sources(grey: Floats, darkest: Floats | None) -> Iterator[tuple[Floats, bool]]:
    """Pictures with dark ink, and whether it is dark in the picture: as it is, by colour, and turned."""
    step = max(1, min(grey.shape) // 256)
    some = np.ascontiguousarray(grey[::step, ::step])
    levels = np.asarray(255 * some + np.float32(0.5), np.uint8)
    light = float((levels > round(255 * _otsu(levels))).mean()) if np.ptp(some) > _FAINTEST else _BOARD
    if light >= _PAPER:
        if darkest is not None:  # of two inks with the same marks the first is read
            yield darkest, True
        yield grey, True
    if light <= _BOARD:
        yield np.float32(1) - grey, False


def _through(source: Floats, small: Floats, window: int, dark: bool) -> Iterator[Ink]:
    """The ink seen through a window, and apart from it what is too faint beside it."""
    paper = _paper(small, window)
    full_paper = cv2.resize(paper, small.shape[::-1], interpolation=cv2.INTER_LINEAR)
    contrast = np.clip(1 - small / np.maximum(full_paper, np.float32(0.02)), 0, 1).astype(np.float32)
    step = max(1, math.isqrt(contrast.size // _ENOUGH))
    levels = np.asarray(255 * contrast[::step, ::step] + np.float32(0.5), np.uint8)
    noise = min(_noise(small) / max(float(np.median(full_paper)), 0.05), 0.05)
    above = np.cumsum(np.bincount(levels.ravel(), minlength=256)[::-1])
    strongest = (255 - int(np.searchsorted(above, max(4, min(0.002 * levels.size, _DIGIT))))) / 255
    floor = max(_FAINTEST, 6 * noise)
    if strongest < floor:
        return
    threshold = max(_otsu(levels), 0.25 * strongest, floor)
    mask = contrast > threshold
    scale = max(small.shape) / max(source.shape)
    yield Ink(contrast, mask, noise, scale, source, paper, dark, window)
    if floor < 0.6 * threshold and min(small.shape) >= _LEAST:
        faint = _faint(contrast, mask, floor, window)
        if faint is not None:
            yield Ink(contrast, faint, noise, scale, source, paper, dark, window, faint=True)


def _faint(contrast: Floats, strong: Mask, floor: float, window: int) -> Mask | None:
    """What is ink beside bare paper, but not beside the strongest ink of the picture; None without any."""
    coarse = max(1, window // _FINE_ENOUGH)
    reach = max(3, window // (10 * coarse)) | 1
    near = np.asarray(cv2.dilate(contrast[::coarse, ::coarse], np.ones((reach, reach), np.uint8)), np.float32)
    if coarse > 1:
        near = np.asarray(cv2.resize(near, contrast.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    step = max(1, math.isqrt(contrast.size // _ENOUGH))
    rest = contrast[::step, ::step][~strong[::step, ::step]]
    if rest.size:
        counts = np.cumsum(np.bincount(np.asarray(2047 * rest, np.uint16)))
        middle, above = (float(np.searchsorted(counts, share * rest.size)) / 2047 for share in (0.5, 0.75))
        floor = max(floor, middle + _APART_FROM * (above - middle) / 0.67)
    local = (contrast > np.maximum(_LOCAL * near, np.float32(floor))) & (
        cv2.dilate(strong.view(np.uint8), np.ones((3, 3), np.uint8)) == 0
    )
    return local if local.mean() > 2e-4 else None


def _paper(small: Floats, window: int) -> Floats:
    """The lightness of paper, a window's part as large: what remains when all that is narrower is filled in."""
    coarser = max(1, min(round(window / _FINE_ENOUGH), min(small.shape) // 2))
    if coarser > 1:
        small = np.asarray(cv2.resize(small, None, fx=1 / coarser, fy=1 / coarser, interpolation=cv2.INTER_AREA))
    if min(small.shape) > 32:
        small = np.asarray(cv2.medianBlur(small, 3))
    side = window // coarser | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return np.asarray(cv2.GaussianBlur(paper, (0, 0), side / 6), np.float32)


def _noise(grey: Floats) -> float:
    """The standard deviation of sensor noise, from the smallest differences of neighbours."""
    step = max(1, min(grey.shape) // 256)
    residual = grey[::step, 1::step] - grey[::step, :-1:step]
    return 1.05 * _ranked(np.abs(residual), 0.5) if residual.size else 0.0


def _otsu(levels: NDArray[np.uint8]) -> float:
    """Otsu's threshold of levels in 0..255, as a part of 255."""
    threshold, _ = cv2.threshold(np.ascontiguousarray(levels), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold) / 255


def shrunk(grey: Floats, side: int) -> Floats:
    """At most ``side`` pixels long, anti-aliased.

    >>> shrunk(np.ones((100, 50), np.float32), 20).shape
    (20, 10)
    """
    if side >= max(grey.shape):
        return grey
    size = tuple(max(1, round(length * side / max(grey.shape))) for length in grey.shape[::-1])
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)


def _ranked(values: Floats, share: float) -> float:
    """The value that this share of all does not exceed; several times as quick as an interpolated quantile."""
    rank = round(share * (values.size - 1))
    return float(np.partition(values, rank, axis=None)[rank])
