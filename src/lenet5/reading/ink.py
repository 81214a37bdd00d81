"""Grey picture → ink: which pixels are pen and how dark, whatever the paper, light and polarity.

Background is what remains when everything narrower than a large window is filled in; ink is what
differs from it. All of it happens at a working size of at most a few hundred pixels for layout
``digit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Ink", "find_ink"]

Floats = NDArray[np.float32]

_FAINTEST: Final = 0.05  # ink that differs less than this from its paper is no ink


@dataclass(frozen=True)
class Ink:
    """Ink of a picture: ``level`` (H, W) float32, 0 paper to 1 full ink; ``mask`` (H, W) bool, where it is sure."""

    level: Floats
    mask: NDArray[np.bool_]


def find_ink(grey: Floats) -> Ink | None:
    """The ink in grey levels (H, W) 0..1, of either polarity; None for a blank picture."""
    if min(grey.shape) < 3:
        return None
    flat = _evened(grey)
    contrast, noise = _contrast(flat), _noise(flat)
    strongest = float(np.quantile(contrast, 1 - min(0.002, 4 / contrast.size)))
    if strongest < max(_FAINTEST, 6 * noise) or not _has_edges(contrast, strongest):
        return None
    threshold = max(_otsu(contrast), 0.25 * strongest, 3 * noise)
    mask = contrast > threshold
    full = float(np.quantile(contrast[mask], 0.6)) if mask.any() else strongest
    low = min(0.3 * threshold + 2 * noise, 0.6 * full)
    level = np.clip((contrast - low) / (full - low), 0, 1)
    return Ink(np.asarray(level, np.float32), mask)


def _evened(grey: Floats) -> Floats:
    """The picture as dark ink on paper of about 1 all over: (H, W)."""
    light = _light(grey)
    if _dark_on_light(grey) if light is None else _darker_than(light, grey):
        paper = grey.max() if light is None else light
        return np.asarray(grey / np.maximum(paper, 0.2), np.float32)  # light falls on paper and ink alike
    board = grey.min() if light is None else light
    return np.asarray(1 - (grey - board) / np.maximum(1 - board, 0.2), np.float32)


def _darker_than(light: Floats, grey: Floats) -> bool:
    """Whether what differs most from bare paper is darker than it, not lighter."""
    darkest, lightest = np.quantile(_shrunk(grey - light, 96), [0.005, 0.995])
    return bool(-darkest >= lightest)


def _has_edges(contrast: Floats, strongest: float) -> bool:
    """Whether the contrast rises within a stroke's width somewhere, as ink does and shading does not."""
    small = _shrunk(contrast, 96)
    window = np.ones((max(3, max(small.shape) // 10),) * 2, np.uint8)
    rise = cv2.dilate(small, window) - cv2.erode(small, window)
    inked = rise[small > 0.5 * strongest]
    return bool(inked.size and np.quantile(inked, 0.9) > 0.7 * strongest)


def _light(grey: Floats) -> Floats | None:
    """How light bare paper is all over the picture, (H, W): a quadratic surface, or None where none fits.

    The surface leaves as small a sum of absolute differences as it can, so that ink, which is less
    than half of the picture, does not pull at it; it fits if it meets most of the picture closely.
    """
    small = _shrunk(grey, 32)
    basis = _quadratic(small.shape)
    levels, weight = small.ravel().astype(np.float64), np.ones(small.size)
    for _ in range(6):  # iteratively reweighted least squares
        weighted = (basis * weight[:, None]).T
        surface = basis @ np.linalg.solve(weighted @ basis + 1e-6 * np.eye(6), weighted @ levels)
        weight = 1 / (np.abs(levels - surface) + 0.01)
    if np.mean(np.abs(levels - surface) < _FAINTEST) < 0.6:
        return None
    surface = np.clip(surface, 0, 1).reshape(small.shape).astype(np.float32)
    return np.asarray(cv2.resize(surface, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _quadratic(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The six monomials up to degree 2 at every pixel: (H·W, 6)."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)


def _dark_on_light(grey: Floats) -> bool:
    """Whether the pen is darker than the paper, which covers more and holds more of the border and corners."""
    small = _shrunk(grey, 64)
    light = small > _otsu(small)
    border = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
    rows, columns = (np.r_[: max(1, side // 8), side - max(1, side // 8) : side] for side in light.shape)
    corners = light[np.ix_(rows, columns)]
    return bool(light.mean() + border.mean() + corners.mean() >= 1.5)


def _contrast(flat: Floats) -> Floats:
    """How much darker than its paper each pixel is, shadows smaller than the picture filled in: (H, W), ≥ 0."""
    small = _shrunk(flat, 96)
    window = max(small.shape) // 2 * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (window // 2 | 1, window // 2 | 1))
    smooth = cv2.medianBlur(small, 3) if min(small.shape) > 32 else small
    paper = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(paper, (0, 0), window / 12)
    paper = cv2.resize(paper, flat.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(paper - flat, 0), np.float32)


def _noise(grey: Floats) -> float:
    """The standard deviation of sensor noise, from the smallest differences of neighbours."""
    step = max(1, min(grey.shape) // 256)
    residual = grey[::step, 1:] - grey[::step, :-1]
    return float(np.median(np.abs(residual)) * 1.05)


def _otsu(values: Floats) -> float:
    """Otsu's threshold of values in 0..1."""
    levels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold) / 255


def _shrunk(grey: Floats, side: int) -> Floats:
    """At most ``side`` pixels long, anti-aliased."""
    scale = side / max(grey.shape)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
