"""One digit: large on a form page and cut out of it, drawn twice, as an icon, in a tight or wide crop, in a frame."""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.result import Box
from lenet5.strokes import log_uniform
from lenet5.synthesis.pages.forms import cells
from lenet5.synthesis.pages.papers import GREY, in_grey
from lenet5.synthesis.pages.prints import finished, page_of_print, rectangle
from lenet5.synthesis.pages.sheet import Mark, Sheet, any_ink, any_paper, dark_ink, margins
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import grained, marks

__all__ = ["KINDS"]

Floats = NDArray[np.float32]

_BOARDS: Final = 0.3  # of icons and crops are light on dark


def _mark(digits: Digits, height: float, rng: np.random.Generator, crayon: float = 0.2) -> Mark:
    """One digit, ``height`` pixels high; with the probability ``crayon`` the paper's grain shows in it."""
    mark = marks(digits, 1, height, rng)[0]
    ink = grained(mark.ink, rng) if rng.random() < crayon else mark.ink
    return Mark(mark.character, ink, 0, 0)


def _large(digits: Digits, rng: np.random.Generator, cut_out: bool) -> Page:
    """One large digit of crayon or marker over a page with print and boxes; or that part of the page alone."""
    height = int(rng.integers(400, 1100)) if cut_out else int(rng.integers(600, 1652))
    sheet, place = page_of_print(height, rng, height // 12)
    if rng.random() < 0.6:
        side = height // 20
        n = int(rng.integers(1, 8))
        cells(sheet, place.left, place.top, n, side, str(rng.choice(("comb", "apart", "joined", "coloured"))), rng)
    mark = _mark(digits, height * rng.uniform(0.1, 0.4), rng, crayon=0.6)
    rows, columns = mark.ink.shape
    size = sheet.size
    left = int(rng.uniform(0.04, 0.96) * max(1, size[1] - columns))
    top = int(rng.uniform(0.04, 0.96) * max(1, size[0] - rows))
    if rng.random() < 0.5:  # a box to write it into
        reach = margins(rng, 0.05, 0.4, rows)
        frame = Box(left - reach[0], top - reach[1], left + columns + reach[2], top + rows + reach[3])
        if rng.random() < 0.7:
            cv2.rectangle(sheet.canvas, (frame.left, frame.top), (frame.right, frame.bottom), any_paper(rng)[0], -1)
        rectangle(sheet, frame, int(rng.integers(1, 5)))
    sheet.write([mark], left, top, any_ink(rng))
    sheet.tilt(rng.uniform(-3, 3))
    if cut_out:
        box, reach = sheet.boxes[0], margins(rng, 0.03, 0.5, rows)
        sheet.crop(Box(box.left - reach[0], box.top - reach[1], box.right + reach[2], box.bottom + reach[3]))
    return finished(sheet, rng)


def _twice(digits: Digits, rng: np.random.Generator) -> Page:
    """A digit and the same again over it in another colour, slightly displaced: one digit to read."""
    height = rng.uniform(40, 400)
    mark = _mark(digits, height, rng, crayon=0.4)
    rows, columns = mark.ink.shape
    shift = (rng.uniform(0.02, 0.09, 2) * height * rng.choice([-1, 1], 2)).round().astype(int).tolist()
    margin = margins(rng, 0.15, 1.0, height)
    paper, dark = any_paper(rng, 0.1)
    sheet = Sheet(rows + margin[1] + margin[3], columns + margin[0] + margin[2], paper)
    second = cv2.resize(mark.ink, None, fx=rng.uniform(0.95, 1.05), fy=rng.uniform(0.95, 1.05))
    sheet.ink(np.asarray(second, np.float32), margin[0] + shift[0], margin[1] + shift[1], any_ink(rng, dark))
    sheet.write([mark], margin[0], margin[1], any_ink(rng, dark) if dark else dark_ink(rng))
    return finished(sheet, rng)


def _icon(digits: Digits, rng: np.random.Generator) -> Page:
    """A digit in a square of 16–64 pixels, in either polarity, as drawing programs and data sets give it."""
    side = int(rng.choice([16, 20, 24, 28, 28, 32, 48, 64]))
    mark = _mark(digits, side * rng.uniform(0.55, 0.85), rng, crayon=0)
    rows, columns = min(mark.ink.shape[0], side), min(mark.ink.shape[1], side)
    paper, dark = any_paper(rng, 0.5)
    sheet = Sheet(side, side, paper)
    left, top = (int(v) for v in np.array([side - columns, side - rows]) * rng.uniform(0.35, 0.65, 2))
    kept = Mark(mark.character, mark.ink[:rows, :columns], 0, 0)
    sheet.write([kept], left, top, any_ink(rng, dark) if dark or rng.random() < 0.3 else dark_ink(rng))
    return sheet.page(_untouched, rng)


def _crop(digits: Digits, rng: np.random.Generator, low: float, high: float, frame: bool) -> Page:
    """A digit with so much around it on each side, in heights, on any paper; in a ``frame`` or in none."""
    height = log_uniform(rng, 18, 500)
    mark = _mark(digits, height, rng)
    rows, columns = mark.ink.shape
    margin = np.maximum((rng.uniform(low, high, 4) * height).astype(int), 1).tolist()
    paper, dark = any_paper(rng, _BOARDS)
    sheet = Sheet(rows + margin[1] + margin[3], columns + margin[0] + margin[2], paper)
    if frame:
        pen = max(1, round(height * rng.uniform(0.01, 0.06)))
        inset = [int(side * rng.uniform(0, 0.6)) for side in margin]
        box = Box(inset[0], inset[1], sheet.size[1] - inset[2] - 1, sheet.size[0] - inset[3] - 1)
        rectangle(sheet, box, pen, any_ink(rng, dark) if rng.random() < 0.5 or dark else (60, 60, 60))
    sheet.write([mark], margin[0], margin[1], any_ink(rng, dark))
    if low > 0.1:
        sheet.tilt(rng.normal(0, 2))
    return finished(sheet, rng, photo=0.4)


def _untouched(canvas: NDArray[np.uint8], contrast: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    return in_grey(canvas) if contrast >= GREY and rng.random() < 0.8 else canvas


KINDS: Final[dict[str, Draw]] = {
    "large digit on a page": partial(_large, cut_out=False),
    "large digit cut out": partial(_large, cut_out=True),
    "digit twice in two colours": _twice,
    "icon": _icon,
    "tight crop": partial(_crop, low=0.01, high=0.1, frame=False),
    "wide crop": partial(_crop, low=0.15, high=1.5, frame=False),
    "digit in a frame": partial(_crop, low=0.1, high=0.6, frame=True),
}
