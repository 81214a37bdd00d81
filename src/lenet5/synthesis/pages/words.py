"""Writing without digits: words of UNIPEN's writers or in OpenCV's script, and signatures."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.strokes import BROADEST, Pen, any_pen, log_uniform
from lenet5.synthesis.pages.empty import HERSHEY, WORDS
from lenet5.synthesis.pages.prints import finished
from lenet5.synthesis.pages.sheet import Sheet, any_ink, any_paper, margins
from lenet5.synthesis.pages.sources import Writers
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import drawing

__all__ = ["KINDS"]

Floats = NDArray[np.float32]

_BOARDS: Final = 0.2  # of the papers are dark


def _written_words(digits: Digits, rng: np.random.Generator) -> Page:
    """Words by UNIPEN's writers where the digits are theirs, else in OpenCV's script; one to several lines."""
    height, rows = log_uniform(rng, 16, 120), int(rng.integers(1, 5))
    paper, dark = any_paper(rng, _BOARDS)
    colour, pen = any_ink(rng, dark), any_pen(rng)
    pen = Pen(min(pen.width, BROADEST / 2), pen.pressure, pen.grain)
    wide, pitch = round(height * rng.uniform(4, 14)), round(1.7 * height)
    sheet = Sheet(rows * pitch + round(height), wide, paper)
    writers = digits if isinstance(digits, Writers) and digits.words else None
    for k in range(rows):
        x = round(0.3 * height)
        while x < wide - 2 * height:
            ink = writers.word(rng, height, pen) if writers else _script(height, rng)
            if x + ink.shape[1] > wide and x > height:
                break
            sheet.ink(ink, x, round(0.4 * height) + k * pitch, colour)
            x += ink.shape[1] + round(height * rng.uniform(0.3, 0.8))
    return finished(sheet, rng, photo=0.4)


def _script(height: float, rng: np.random.Generator) -> Floats:
    """A word in one of OpenCV's scripts, slanted."""
    font, size = int(HERSHEY[int(rng.integers(3, 5))]), height / 34
    word = str(rng.choice([w for w in WORDS if len(w) > 3]))
    thick = max(1, round(height * rng.uniform(0.02, 0.08)))
    (across, up), down = cv2.getTextSize(word, font, size, thick)
    level = np.zeros((up + down + 4, across + up), np.uint8)
    cv2.putText(level, word, (2, up + 2), font, size, 255, thick, cv2.LINE_AA)
    slant = rng.uniform(0, 0.4)
    matrix = np.array([[1, -slant, slant * up], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(level, matrix, level.shape[::-1]) / 255, np.float32)


def _signatures(digits: Digits, rng: np.random.Generator) -> Page:
    """A signature: a curve of loops that runs to the right, some with a line under it, in no script."""
    height = log_uniform(rng, 30, 250)
    paper, dark = any_paper(rng, 0.1)
    n, t = int(rng.integers(4, 12)), np.linspace(0, 1, 500)
    amplitude = np.interp(t * n, np.arange(n + 1), 0.5 * rng.beta(0.7, 1.2, n + 1))
    amplitude *= np.interp(
        t, [0, 0.15, 0.3, 1], [1.0, rng.uniform(0.8, 1.6), rng.uniform(0.3, 1), rng.uniform(0.1, 0.8)]
    )
    phase = 2 * np.pi * np.cumsum(np.interp(t * n, np.arange(n + 1), rng.uniform(0.3, 1.7, n + 1))) * n / len(t)
    x = t * n * rng.uniform(0.12, 0.4) + np.interp(t * n, np.arange(n + 1), rng.uniform(0, 0.4, n + 1)) * np.sin(phase)
    y = amplitude * np.cos(phase + rng.uniform(0, 1)) + np.interp(t * 5, np.arange(6), rng.normal(0, 0.12, 6))
    x = x - 0.4 * y * rng.uniform(0, 1)
    strokes = [np.stack([x, y], axis=1)]
    if rng.random() < 0.5:
        end = float(x.max())
        strokes.append(np.array([(end * 0.9, 0.45), (end * 0.1, 0.6), (end * 0.8, 0.55)]))
    pen = Pen(float(rng.uniform(0.02, 0.09)), pressure=float(rng.choice([0.0, 0.5])))
    ink = drawing(strokes, height, pen, rng, 0.01)
    margin = margins(rng, 0.1, 0.8, height)
    sheet = Sheet(ink.shape[0] + margin[1] + margin[3], ink.shape[1] + margin[0] + margin[2], paper)
    sheet.ink(ink, margin[0], margin[1], any_ink(rng, dark))
    return finished(sheet, rng, photo=0.4)


KINDS: Final[dict[str, Draw]] = {
    "no digits: written words": _written_words,
    "no digits: signatures": _signatures,
}
