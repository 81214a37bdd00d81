"""An amount of money written over security print, cut out of a cheque or a form."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.strokes import Pen, log_uniform
from lenet5.synthesis.pages.papers import scanned
from lenet5.synthesis.pages.prints import photo_of
from lenet5.synthesis.pages.sheet import Colour, Sheet, any_paper, dark_ink, printed
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import Strokes, drawing, row

__all__ = ["KINDS"]

Floats = NDArray[np.float32]

_SIGNS: Final = ("$", "EUR", "R$", "Fr.", "US$", "No.", "#", "***", "=")

_GUARDS: Final[tuple[Strokes, ...]] = (  # what people put around an amount, so that nothing can be added
    [np.array([(-0.15, -0.4), (-0.25, 0.4)]), np.array([(0.2, -0.4), (0.1, 0.4)]),
     np.array([(-0.4, -0.12), (0.4, -0.15)]), np.array([(-0.45, 0.15), (0.38, 0.12)])],
    [np.array([(-0.5, -0.1), (0.5, -0.12)]), np.array([(-0.5, 0.12), (0.5, 0.1)])],
    [np.array([(-0.7, 0.02), (0.7, -0.02)])],
    [np.array([(-0.25, 0.5), (0.05, -0.5)]), np.array([(0.05, 0.5), (0.35, -0.5)])],
)  # fmt: skip


def amount(digits: Digits, rng: np.random.Generator) -> Page:
    """An amount with or without cents, guards or a currency's sign beside it, over fine printed lines.

    >>> from lenet5.synthesis.pages import Glyph
    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> [amount(bars, np.random.default_rng(seed)).lines[0].transcript for seed in range(4)]
    ['1.111.11', '11,111', '1', '11']
    """
    height = log_uniform(rng, 22, 85)
    written = row(digits, _form(rng), height, rng, close=float(rng.uniform(-0.08, 0.3)))
    wide = max(mark.left + mark.ink.shape[1] for mark in written)
    tall = max(mark.top + mark.ink.shape[0] for mark in written)
    before, after, above, below = (round(height * rng.uniform(0.05, most)) for most in (1.8, 1.8, 0.9, 0.9))
    paper, _ = any_paper(rng)
    sheet = Sheet(tall + above + below, wide + before + after, paper)
    for _ in range(int(rng.integers(1, 4))):
        _print(sheet, height, rng)
    if rng.random() < 0.45:
        _frame(sheet, height, rng)
    if rng.random() < 0.4:
        sign = printed(str(rng.choice(_SIGNS)), max(8, round(height * rng.uniform(0.4, 1.0))), rng.random() < 0.4)
        if sign.shape[1] < before:
            sheet.ink(sign, 1, above + (tall - sign.shape[0]) // 2, dark_ink(rng))
    ink = dark_ink(rng)
    for left, free in ((0, before), (before + wide, after)):
        if rng.random() < 0.35 and free > 0.7 * height:
            _guard(sheet, left + free // 2, above + tall // 2, height, ink, rng)
    sheet.write(written, before, above, ink)
    sheet.tilt(rng.normal(0, 1.5))
    if rng.random() < 0.5:
        return sheet.page(scanned, rng)
    return photo_of(sheet, rng, shadow=0.2)


def _form(rng: np.random.Generator) -> str:
    """An amount's form, each digit a 0: up to six digits, perhaps grouped, perhaps with cents."""
    whole = "0" * int(rng.integers(1, 7))
    if len(whole) > 3 and rng.random() < 0.5:
        whole = f"{whole[:-3]}{rng.choice(['.', ','])}{whole[-3:]}"
    return whole + (f"{rng.choice(['.', ','])}00" if rng.random() < 0.55 else "")


def _print(sheet: Sheet, height: float, rng: np.random.Generator) -> None:
    """Fine lines from side to side, all of one wave, or a rosette, in a colour between the paper's and a pencil's."""
    rows, columns = sheet.size
    level = np.zeros((rows, columns), np.uint8)
    x = np.arange(-0.2, 1.2, 0.01) * max(rows, columns)
    wave = rng.uniform(0, 0.4) * height * np.sin(x / (height * rng.uniform(0.1, 1.5)) + rng.uniform(0, 6))
    if rng.random() < 0.7:
        turn, pitch = rng.uniform(-0.8, 0.8) if rng.random() < 0.5 else 0.0, max(3.0, height * rng.uniform(0.06, 0.35))
        for start in np.arange(-max(rows, columns), 2 * max(rows, columns), pitch):
            _curve(level, np.stack([x, start + turn * x + wave], axis=1))
    else:
        angle = np.linspace(0, 2 * np.pi, 400)
        middle, petals = rng.uniform(0, 1, 2) * (columns, rows), int(rng.integers(5, 24))
        for size in np.arange(0.2, rng.uniform(0.6, 2.5), 0.12) * height:
            reach = size * (1 + 0.3 * np.sin(petals * angle))
            _curve(level, middle + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1))
    tone = float(rng.uniform(0.08, 0.6))
    colour = (int(rng.integers(90, 200)), int(rng.integers(90, 200)), int(rng.integers(90, 200)))
    sheet.ink(level * np.float32(tone / 255), 0, 0, colour)


def _curve(level: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    cv2.polylines(level, [np.rint(8 * points).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 3)


def _frame(sheet: Sheet, height: float, rng: np.random.Generator) -> None:
    """Some sides of the field's box, along the border."""
    rows, columns = sheet.size
    colour: Colour = dark_ink(rng)
    pen = max(1, round(height * rng.uniform(0.02, 0.08)))
    aside = round(height * rng.uniform(0, 0.15))
    corners = [(aside, aside), (columns - aside, aside), (columns - aside, rows - aside), (aside, rows - aside)]
    for k in range(4):
        if rng.random() < 0.6:
            cv2.line(sheet.canvas, corners[k], corners[(k + 1) % 4], colour, pen, cv2.LINE_AA)


def _guard(sheet: Sheet, x: int, y: int, height: float, ink: Colour, rng: np.random.Generator) -> None:
    strokes = _GUARDS[int(rng.integers(len(_GUARDS)))]
    pen = Pen(float(rng.uniform(0.05, 0.12)))
    level = drawing(strokes, height * rng.uniform(0.5, 0.9), pen, rng, tremor=0.02)
    sheet.ink(level, x - level.shape[1] // 2, y - level.shape[0] // 2, ink)


KINDS: Final[dict[str, Draw]] = {"amount on security print": amount}
