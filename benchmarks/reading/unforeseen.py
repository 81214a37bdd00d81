"""A kind of picture that nothing was fitted or tuned to: a number written with a marker on a cardboard box.

No kind of ``synthesis.pages`` is like it, and no stage was changed for it: what it gives is told as it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from lenet5.result import Box
from lenet5.synthesis.pages.papers import photographed, smooth_noise
from lenet5.synthesis.pages.sheet import Sheet
from lenet5.synthesis.pages.truth import Digits, Page
from lenet5.synthesis.pages.writing import row

__all__ = ["cardboard"]

_WORDS = ("FRAGILE", "THIS WAY UP", "KEEP DRY", "HANDLE WITH CARE", "BOOKS", "KITCHEN")


def cardboard(digits: Digits, rng: np.random.Generator) -> Page:
    """Flutes that show through, a strip of tape, a printed word and arrows, 1 to 6 digits, as a phone sees it."""
    height, width = int(rng.integers(500, 1100)), int(rng.integers(700, 1500))
    sheet = Sheet(height, width, (188, 148, 104))
    y = np.arange(height, dtype=np.float32)[:, None]
    flutes = rng.uniform(2, 8) * np.sin(2 * np.pi * y / rng.uniform(7, 16)) + np.zeros((1, width), np.float32)
    fibres = rng.uniform(2, 6) * smooth_noise((height, width), 2, rng) + 5 * smooth_noise((height, width), 60, rng)
    sheet.canvas = np.clip(np.rint(sheet.canvas + (flutes + fibres)[..., None]), 0, 255).astype(np.uint8)
    _tape(sheet, rng)
    size = round(height * rng.uniform(0.05, 0.1))
    across = sheet.text(str(rng.choice(_WORDS)), round(0.06 * width), round(0.07 * height), size, (60, 40, 30), True)
    _arrows(sheet, Box(round(0.1 * width) + across, round(0.05 * height), width, round(0.05 * height) + 2 * size))
    tall = height * rng.uniform(0.18, 0.36)
    count = int(rng.integers(1, 7))
    while (wide := (marks := row(digits, "0" * count, tall, rng))[-1].left + marks[-1].ink.shape[1]) > 0.9 * width:
        count -= 1
    left = int(rng.uniform(0.05, 0.95) * max(1, width - wide))
    sheet.write(marks, left, round(height * rng.uniform(0.35, 0.55)), (28, 26, 34))
    sheet.tilt(rng.normal(0, 2))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + rng.uniform(-0.04, 0.04, (4, 2)).astype(np.float32) * (width, height)
    sheet.warp(cv2.getPerspectiveTransform(corners, seen.astype(np.float32)), (height, width), (90, 84, 80))
    shadow = bool(rng.random() < 0.3)
    return sheet.page(lambda canvas, contrast, rng: photographed(canvas, contrast, shadow, rng), rng)


def _tape(sheet: Sheet, rng: np.random.Generator) -> None:
    """A strip of brown or clear tape from side to side, brighter in the middle where it reflects."""
    height, width = sheet.size
    top, broad = round(rng.uniform(0.2, 0.9) * height), round(rng.uniform(0.06, 0.14) * height)
    strip = sheet.canvas[top : top + broad].astype(np.float32)
    shine = 14 * np.exp(-(((np.arange(width) / width - rng.uniform(0.2, 0.8)) / 0.2) ** 2))
    strip = strip * rng.uniform(0.8, 0.97) + shine[None, :, None]
    sheet.canvas[top : top + broad] = np.clip(np.rint(strip), 0, 255).astype(np.uint8)


def _arrows(sheet: Sheet, box: Box) -> None:
    """Two arrows that point up, side by side, over a bar."""
    tall = box.bottom - box.top
    for k in range(2):
        x = box.left + round((0.4 + k) * tall)
        cv2.arrowedLine(sheet.canvas, (x, box.bottom), (x, box.top), (60, 40, 30), max(2, tall // 12), tipLength=0.35)
    end = (box.left + round(1.7 * tall), box.bottom + tall // 6)
    cv2.line(sheet.canvas, (box.left + round(0.1 * tall), end[1]), end, (60, 40, 30), max(2, tall // 12))
