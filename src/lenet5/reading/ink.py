"""Grey picture → ink: which pixels are pen and how dark, whatever the paper, light and polarity.

:func:`evened` takes out the polarity and what light a quadratic surface can tell; :func:`ink_within`
takes for paper whatever remains when everything narrower than a window is filled in, and for ink
what is darker than that. A large window keeps bold strokes whole, a small one drops shadows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FAINTEST", "ROOM", "Evened", "Ink", "evened", "ink_within", "otsu", "shrunk", "without_impulses"]

Floats = NDArray[np.float32]

FAINTEST: Final = 0.05
"""What differs less than this from its paper is no ink."""

ROOM: Final = 24
"""Pixels of a picture's shorter side: in a smaller one there is no room for a digit and a box around it."""

_TEXTURE: Final = 5.8  # standard deviations of paper: what differs by less is its rougher part,
_ROUGHEST: Final = 8.0  # as is what is strongest if it differs by less than this,
_DARK: Final = 0.25  # unless it is as dark as this
_ENOUGH: Final = 500_000  # pixels tell the levels of a larger picture
_LARGE: Final = 1_000_000  # pixels of a large picture
_SEEN: Final = 512  # pixels of the sides of the part in the middle that tells whether a picture is noisy;
_LEAST_NOISY: Final = 20  # pixels of the shorter side: in smaller pictures strokes are noise
_NOISY: Final = 0.01  # of the pixels are impulses in a noisy picture, at least
_APART: Final = 0.2  # how far an impulse is from the median of its neighbours;
_ALIKE: Final = 0.1  # levels no farther apart are alike
_AROUND: Final = np.array([(0, 0, 0, 1, 1, 2, 2, 2), (0, 1, 2, 0, 2, 0, 1, 2)])  # rows, columns of 3×3 but the middle
_DEPTHS: Final = (0.0, 0.1, 0.2)  # of the shorter side from the border: a box may be drawn along one of these rings
_DETAILED: Final = 100  # pixels of the shorter side of a picture that may be a photo
_ENOUGH_NARROW: Final = 0.001  # of a picture in full contrast is narrow, at least, if that is to tell which is ink
_MOSTLY: Final = 1.5  # times as much as of the other is most of what is narrow;
_STROKES: Final = 0.045  # of a picture are strokes in it, at most
_FINE_ENOUGH: Final = 24  # pixels of a window: where it is larger, paper is looked for in a smaller picture


@dataclass(frozen=True)
class Ink:
    """Ink of a picture: ``level`` (H, W) float32, 0 paper to 1 full ink; ``mask`` (H, W) bool, where it is sure."""

    level: Floats
    mask: NDArray[np.bool_]


def ink_within(flat: Floats, window: int) -> Ink | None:
    """The ink of an evened picture (H, W) whose strokes are narrower than ``window`` pixels; None without any.

    Where paper is rough, a threshold finds its roughest part: ink stands apart from what is lighter, texture does not.
    """
    contrast, noise = _contrast(flat, window), min(_noise(flat), 0.05)  # rougher than that is drawing, not noise
    step = max(1, math.isqrt(contrast.size // _ENOUGH))
    some = contrast[::step, ::step]
    strongest = _ranked(some, 1 - min(0.002, 4 / some.size))
    if strongest < max(FAINTEST, 8 * noise):
        return None
    threshold = max(otsu(some), 0.25 * strongest, 3 * noise)
    mask = contrast > threshold
    inked = some[some > threshold]
    full = _ranked(inked, 0.6) if inked.size else strongest
    if full < _DARK:
        rough = float(contrast[~mask].std())
        if full < _TEXTURE * rough and strongest < max(_DARK, _ROUGHEST * rough):
            return None
    low = min(0.3 * threshold + 2 * noise, 0.6 * full)
    contrast -= np.float32(low)
    contrast *= np.float32(1 / (full - low))
    return Ink(np.clip(contrast, 0, 1, out=contrast), mask)


@dataclass(frozen=True)
class Evened:
    """A picture that can be had without what light did to it: ``grey`` (H, W), how ``light`` its bare paper is, if that
    can be told, and whether its ink is likelier ``dark``.

    Where the paper is dark, dark ink is brought up with it, as less light fell on both.
    """

    grey: Floats
    light: Floats | None
    dark: bool

    @property
    def likelier(self) -> Floats:
        """Dark ink on paper of about 1 all over, (H, W) float32, in the likelier polarity."""
        return self._turned(self.dark)

    @property
    def other(self) -> Floats:
        """The same in the other polarity."""
        return self._turned(not self.dark)

    def at(self, grey: Floats) -> Evened:
        """The same for the same picture in another size."""
        light = self.light
        if light is not None:
            light = np.asarray(cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        return Evened(grey, light, self.dark)

    def _turned(self, dark: bool) -> Floats:
        if dark:
            paper = np.maximum(self.grey.max() if self.light is None else self.light, np.float32(0.2))
            return np.asarray(self.grey / paper, np.float32)
        board = np.float32(1) + (self.grey.min() if self.light is None else self.light)
        return np.asarray(board - self.grey, np.float32)


def evened(grey: Floats) -> Evened:
    """Grey levels (H, W) 0..1 with the light on them and their polarity told."""
    light = _light(grey)
    return Evened(grey, light, _dark_on_light(grey) if light is None else _darker_than(light, grey))


def _darker_than(light: Floats, grey: Floats) -> bool:
    """Whether what differs most from bare paper is darker than it, not lighter."""
    apart = shrunk(grey - light, 96)
    return -_ranked(apart, 0.005) >= _ranked(apart, 0.995)


def without_impulses(grey: Floats) -> Floats:
    """Grey levels (H, W) without salt-and-pepper noise, where there is much of it; else as they are.

    A picture is noisy if many of its pixels stand out from ground that is flat all around them, as no
    stroke does however thin. Then every pixel goes that differs from all of its neighbours but one.
    """
    if min(grey.shape) < _LEAST_NOISY:
        return grey
    top, left = (max(0, side - _SEEN) // 2 for side in grey.shape)
    seen = np.ascontiguousarray(grey[top : top + _SEEN, left : left + _SEEN])
    middle = _median(seen)
    apart = np.nonzero(np.abs(seen - middle) > _APART)
    if np.count_nonzero(_alike(seen, middle[apart], apart) >= 7) < _NOISY * seen.size:
        return grey
    for _ in range(3):
        middle = _median(grey)
        apart = np.nonzero(np.abs(grey - middle) > _APART)
        alone = _alike(grey, grey[apart], apart) <= 1
        grey = grey.copy()
        grey[apart[0][alone], apart[1][alone]] = middle[apart][alone]
    return grey


def _median(grey: Floats) -> Floats:
    """The middle of each pixel's 3×3 neighbours."""
    return np.asarray(cv2.medianBlur(grey, 3), np.float32)


def _alike(grey: Floats, level: Floats, where: tuple[NDArray[np.intp], ...]) -> NDArray[np.int64]:
    """How many of the eight neighbours of each pixel ``where`` rows and columns (N,) are about as light as its
    ``level`` (N,): (N,); none is beyond the border."""
    rows, columns = where
    edged = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=2)
    beside = edged[rows + _AROUND[0][:, None], columns + _AROUND[1][:, None]]
    return np.asarray(np.count_nonzero(np.abs(beside - level) < _ALIKE, axis=0))


def _light(grey: Floats) -> Floats | None:
    """How light bare paper is all over the picture, (H, W): a quadratic surface, or None where none fits.

    The surface leaves as small a sum of absolute differences as it can, so that ink, which is less
    than half of the picture, does not pull at it; it fits if it meets most of the picture closely.
    """
    small = shrunk(grey, 20)
    basis, ridge = _quadratic(*small.shape), 1e-6 * np.eye(6)
    levels, weight = small.ravel().astype(np.float64), np.ones(small.size)
    for _ in range(6):  # iteratively reweighted least squares
        weighted = basis * weight
        _, solved = cv2.solve(weighted @ basis.T + ridge, (weighted @ levels)[:, None], flags=cv2.DECOMP_CHOLESKY)
        surface = solved[:, 0] @ basis
        apart = np.abs(levels - surface)
        weight = 1 / (apart + 0.01)
    if np.count_nonzero(apart < FAINTEST) < 0.6 * apart.size:
        return None
    surface = np.clip(surface, 0, 1).reshape(small.shape).astype(np.float32)
    return np.asarray(cv2.resize(surface, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=64)
def _quadratic(rows: int, columns: int) -> NDArray[np.float64]:
    """The six monomials up to degree 2 at every pixel: (6, H·W)."""
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y]).reshape(6, -1)


def _dark_on_light(grey: Floats) -> bool:
    """Whether the pen is darker than the paper.

    In a photo with shadows it is what most of what is narrow is; else paper covers more and holds more of the rim
    and corners.
    """
    narrow = _narrow_is_dark(grey) if min(grey.shape) >= _DETAILED else None
    if narrow is not None:
        return narrow
    small = shrunk(grey, 64)
    light = small > otsu(small)
    depths = _DEPTHS if min(grey.shape) >= ROOM else _DEPTHS[:1]
    border = np.median([_ring(light, round(depth * min(light.shape))).mean() for depth in depths])
    rows, columns = (np.r_[: max(1, side // 8), side - max(1, side // 8) : side] for side in light.shape)
    corners = light[np.ix_(rows, columns)]
    return bool(light.mean() + border + corners.mean() >= 1.5)


def _narrow_is_dark(grey: Floats) -> bool | None:
    """Whether most of what is narrow is darker than what surrounds it, or lighter; None where neither is, or where it
    is so much of the picture that it may be the ground."""
    small = shrunk(grey, 256)
    window = np.ones((max(small.shape) // 8 | 1,) * 2, np.uint8)
    darker = cv2.morphologyEx(small, cv2.MORPH_CLOSE, window) - small
    lighter = small - cv2.morphologyEx(small, cv2.MORPH_OPEN, window)
    dark, light = (float(np.square(apart).sum()) for apart in (darker, lighter))
    most = darker if dark > light else lighter
    if max(dark, light) < _ENOUGH_NARROW * small.size:
        return None
    if max(dark, light) < _MOSTLY * min(dark, light) or (most > most.max() / 2).mean() > _STROKES:
        return None
    return dark > light


def _ring(values: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """The values so many pixels from the border, all round."""
    inner = values[depth : values.shape[0] - depth, depth : values.shape[1] - depth]
    return np.concatenate([inner[0], inner[-1], inner[1:-1, 0], inner[1:-1, -1]])


def _contrast(flat: Floats, window: int) -> Floats:
    """How much darker than its paper each pixel is, paper being what a closing by the window leaves: (H, W), ≥ 0."""
    coarser = max(
        1, min(round(window / _FINE_ENOUGH), min(flat.shape) // 2)
    )  # so much smaller the paper is found as well
    small = cv2.resize(flat, None, fx=1 / coarser, fy=1 / coarser, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 3) if min(small.shape) > 32 else small
    side = window // coarser | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), side / 6)
    paper = cv2.resize(paper, flat.shape[::-1], interpolation=cv2.INTER_LINEAR)
    contrast = np.subtract(paper, flat, dtype=np.float32)
    return np.maximum(contrast, 0, out=contrast)


def _noise(grey: Floats) -> float:
    """The standard deviation of sensor noise, from the smallest differences of neighbours."""
    step = max(1, min(grey.shape) // 256)
    residual = grey[::step, 1::step] - grey[::step, :-1:step]
    return 1.05 * _ranked(np.abs(residual), 0.5) if residual.size else 0.0


def otsu(values: Floats) -> float:
    """Otsu's threshold of values in 0..1."""
    levels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold) / 255


def shrunk(grey: Floats, side: int) -> Floats:
    """At most ``side`` pixels long, anti-aliased."""
    if side >= max(grey.shape):
        return grey
    size = tuple(max(1, round(length * side / max(grey.shape))) for length in grey.shape[::-1])
    while grey.size > _LARGE and max(grey.shape) >= 2 * side:  # by halves it is several times as quick
        half = (max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2))
        grey = np.asarray(cv2.resize(grey, half, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)


def _ranked(values: Floats, share: float) -> float:
    """The value that this share of all does not exceed; several times as quick as an interpolated quantile."""
    rank = round(share * (values.size - 1))
    return float(np.partition(values, rank, axis=None)[rank])
