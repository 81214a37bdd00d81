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
    contrast = _contrast(grey if _dark_on_light(grey) else 1 - grey)
    noise = _noise(grey)
    strongest = float(np.quantile(contrast, 1 - min(0.002, 4 / contrast.size)))
    if strongest < max(_FAINTEST, 6 * noise):
        return None
    threshold = max(_otsu(contrast), 0.25 * strongest, 3 * noise)
    mask = contrast > threshold
    full = float(np.quantile(contrast[mask], 0.6)) if mask.any() else strongest
    low = min(0.3 * threshold + 2 * noise, 0.6 * full)
    level = np.clip((contrast - low) / (full - low), 0, 1)
    return Ink(np.asarray(level, np.float32), mask)


def _dark_on_light(grey: Floats) -> bool:
    """Whether the pen is darker than the paper: paper covers more, and holds more of the border."""
    small = _shrunk(grey, 64)
    light = small > _otsu(small)
    border = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
    return bool(light.mean() + border.mean() >= 1)


def _contrast(grey: Floats) -> Floats:
    """How much darker than its paper each pixel is, light and shadow evened out: (H, W), ≥ 0."""
    small = _shrunk(grey, 96)
    window = max(small.shape) // 2 * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (window // 2 | 1, window // 2 | 1))
    smooth = cv2.medianBlur(small, 3) if min(small.shape) > 32 else small
    paper = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(paper, (0, 0), window / 12)
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(1 - grey / np.maximum(paper, 0.05), 0), np.float32)


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
