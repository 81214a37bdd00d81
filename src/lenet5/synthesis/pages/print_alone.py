"""Pages without writing: print alone, square codes, barcodes, logos and empty tables."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.synthesis.pages.empty import WORDS
from lenet5.synthesis.pages.prints import BLACK, finished, line, page_of_print, words
from lenet5.synthesis.pages.sheet import Sheet, any_paper, dark_ink
from lenet5.synthesis.pages.truth import Digits, Draw, Page

__all__ = ["KINDS", "code"]


def _print_alone(digits: Digits, rng: np.random.Generator) -> Page:
    sheet, _ = page_of_print(int(rng.integers(500, 1651)), rng)
    sheet.tilt(rng.uniform(-3, 3))
    return finished(sheet, rng)


def code(sheet: Sheet, left: int, top: int, side: int, rng: np.random.Generator) -> None:
    """A square code of about this size.

    >>> sheet = Sheet(100, 100)
    >>> code(sheet, 10, 10, 80, np.random.default_rng(0))
    >>> dark = sheet.canvas[..., 0] < 128
    >>> print("\\n".join("".join("·#"[int(pixel)] for pixel in row) for row in dark[10:17, 10:26]))
    #######···#·#·#·
    #·····#··#·####·
    #·###·#··#···#··
    #·###·#···##···#
    #·###·#·#·······
    #·····#·##·#···#
    #######·#·#···#·
    """
    bits = _modules(rng)
    sheet.ink(np.kron(bits, np.ones((max(1, side // len(bits)),) * 2)), left, top, BLACK)


def _modules(rng: np.random.Generator) -> NDArray[np.bool_]:
    """The modules (n, n) of a square code with three finder patterns, as QR codes look; the content is random."""
    n = int(rng.integers(21, 45))
    bits = rng.random((n, n)) < 0.5
    for y, x in ((0, 0), (0, n - 7), (n - 7, 0)):
        bits[max(y - 1, 0) : y + 8, max(x - 1, 0) : x + 8] = False
        bits[y : y + 7, x : x + 7] = True
        bits[y + 1 : y + 6, x + 1 : x + 6] = False
        bits[y + 2 : y + 5, x + 2 : x + 5] = True
    return bits


def _code(digits: Digits, rng: np.random.Generator) -> Page:
    """A square code alone, some with words under it."""
    bits, module = _modules(rng), int(rng.integers(2, 10))
    margin = module * int(rng.integers(1, 9))
    side = len(bits) * module + 2 * margin
    sheet = Sheet(side + (caption := int(rng.choice([0, 24]))), side, any_paper(rng)[0])
    sheet.ink(np.kron(bits, np.ones((module, module))), margin, margin, BLACK if rng.random() < 0.7 else dark_ink(rng))
    if caption:
        sheet.text(words(2, rng), margin, side - margin // 2, 14)
    sheet.tilt(rng.uniform(-15, 15) if rng.random() < 0.5 else 0)
    return finished(sheet, rng, photo=0.5)


def _barcode(digits: Digits, rng: np.random.Generator) -> Page:
    widths = rng.integers(1, 5, int(rng.integers(30, 90))) * int(rng.integers(1, 4))
    tall, margin = int(rng.integers(40, 200)), int(rng.integers(8, 60))
    bars = np.repeat(np.arange(len(widths)) % 2 == 0, widths)[None].repeat(tall, 0)
    sheet = Sheet(tall + 2 * margin + 20, bars.shape[1] + 2 * margin, any_paper(rng)[0])
    sheet.ink(bars.astype(np.float32), margin, margin, BLACK)
    sheet.tilt(rng.uniform(-8, 8) if rng.random() < 0.5 else 0)
    return finished(sheet, rng, photo=0.5)


def _logo(digits: Digits, rng: np.random.Generator) -> Page:
    """Coloured discs, bars and rings with a word or two letters."""
    side = int(rng.integers(48, 500))
    wide = round(side * rng.uniform(1, 2.5))
    paper, _ = any_paper(rng)
    sheet = Sheet(side, wide, paper)
    for _ in range(int(rng.integers(1, 4))):
        centre = (round(wide * rng.uniform(0.15, 0.5)), round(side * rng.uniform(0.3, 0.7)))
        radius, colour = round(side * rng.uniform(0.12, 0.4)), dark_ink(rng)
        kind = rng.random()
        if kind < 0.4:
            cv2.circle(sheet.canvas, centre, radius, colour, -1, cv2.LINE_AA)
        elif kind < 0.7:
            corner = (centre[0] + radius, centre[1] + round(radius * rng.uniform(0.2, 1)))
            cv2.rectangle(sheet.canvas, (centre[0] - radius, centre[1]), corner, colour, -1)
        else:
            start, thick = rng.uniform(0, 360), max(2, radius // 3)
            cv2.ellipse(
                sheet.canvas, centre, (radius, radius), start, 0, rng.uniform(120, 300), colour, thick, cv2.LINE_AA
            )
    word = str(rng.choice([w for w in WORDS if len(w) > 3])).upper() if rng.random() < 0.7 else words(2, rng)
    sheet.text(word, round(0.1 * wide), round(0.35 * side), max(10, round(side * rng.uniform(0.15, 0.35))), BLACK, True)
    return finished(sheet, rng)


def _empty_table(digits: Digits, rng: np.random.Generator) -> Page:
    """A table with words in its first row and column and nothing else."""
    rows, columns = int(rng.integers(3, 15)), int(rng.integers(2, 9))
    tall, wide, pen = int(rng.integers(24, 70)), int(rng.integers(50, 170)), int(rng.integers(1, 4))
    margin = int(rng.integers(10, 60))
    sheet = Sheet(rows * tall + 2 * margin, columns * wide + 2 * margin, any_paper(rng)[0])
    for row in range(rows + 1):
        line(sheet, (margin, margin + row * tall), (margin + columns * wide, margin + row * tall), pen)
    for column in range(columns + 1):
        line(sheet, (margin + column * wide, margin), (margin + column * wide, margin + rows * tall), pen)
    for row, column in [(0, k) for k in range(columns)] + [(k, 0) for k in range(1, rows)]:
        if rng.random() < 0.8:
            word = words(1, rng)[: max(2, round(wide / (0.4 * tall)))]
            sheet.text(word, margin + column * wide + 6, margin + row * tall + tall // 4, round(0.4 * tall))
    sheet.tilt(rng.uniform(-2, 2))
    return finished(sheet, rng)


KINDS: Final[dict[str, Draw]] = {
    "no digits: a page of print": _print_alone,
    "no digits: square codes": _code,
    "no digits: barcodes": _barcode,
    "no digits: logos": _logo,
    "no digits: empty tables": _empty_table,
}
