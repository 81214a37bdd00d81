"""Numbers in rows: with separators, on ruled paper in shadow, in tables and receipts, many on a page; sums."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.strokes import Pen, log_uniform
from lenet5.synthesis.pages.papers import photographed, ruling
from lenet5.synthesis.pages.prints import BLACK, finished, line, words
from lenet5.synthesis.pages.sheet import Mark, Sheet, any_ink, any_paper, dark_ink, margins
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import drawing, one_writer, pattern, row

__all__ = ["KINDS"]

Floats = NDArray[np.float32]

_BOARDS: Final = 0.2  # of the papers are dark
_BLUE: Final = (90, 130, 200)


def _extent(marks: list[Mark]) -> tuple[int, int]:
    """How wide and how high a row of marks is."""
    wide = max(mark.left + mark.ink.shape[1] for mark in marks)
    return wide, max(mark.top + mark.ink.shape[0] for mark in marks)


def _number(digits: Digits, rng: np.random.Generator) -> Page:
    """A number, many with separators, on plain paper of any colour."""
    height = log_uniform(rng, 16, 220)
    marks = row(digits, pattern(rng, separated=0.6), height, rng)
    wide, tall = _extent(marks)
    margin = margins(rng, 0.1, 1.2, height)
    paper, dark = any_paper(rng, _BOARDS)
    sheet = Sheet(tall + margin[1] + margin[3], wide + margin[0] + margin[2], paper)
    sheet.write(marks, margin[0], margin[1], any_ink(rng, dark))
    return finished(sheet, rng, photo=0.4)


def _in_shadow(digits: Digits, rng: np.random.Generator) -> Page:
    """Numbers on ruled or squared paper; the photo has a dark shadow across it."""
    height, rows = log_uniform(rng, 24, 120), int(rng.integers(1, 4))
    lines = [row(digits, pattern(rng, 7, 0.3), height, rng) for _ in range(rows)]
    extents = [_extent(marks) for marks in lines]
    pitch = round(height * rng.uniform(1.3, 2.2))
    margin = round(height * rng.uniform(0.5, 2.5))
    size = rows * pitch + 2 * margin, max(wide for wide, _ in extents) + 2 * margin
    sheet = Sheet(*size, any_paper(rng)[0])
    squared = bool(rng.random() < 0.5)
    rule = pitch if not squared else height / rng.uniform(0.8, 2.5)
    printed = ruling(size, rule, max(1.0, height / rng.uniform(30, 70)), squared, rng)
    sheet.ink(printed * np.float32(rng.uniform(0.3, 1)), 0, 0, _BLUE if rng.random() < 0.6 else (130, 130, 130))
    for k, marks in enumerate(lines):
        sheet.write(marks, margin + int(rng.uniform(0, 0.5) * height), margin + k * pitch, dark_ink(rng))
    return sheet.page(lambda canvas, contrast, rng: photographed(canvas, contrast, True, rng), rng)


def _table(digits: Digits, rng: np.random.Generator) -> Page:
    """A printed table with handwritten numbers in most of its cells; each number is a line."""
    rows, columns = int(rng.integers(2, 9)), int(rng.integers(1, 6))
    height = log_uniform(rng, 14, 60)
    tall, wide = round(height * rng.uniform(1.3, 2.2)), round(height * rng.uniform(3, 5))
    margin, pen, titles = int(rng.integers(10, 80)), int(rng.integers(1, 4)), bool(rng.random() < 0.6)
    first = wide if titles else 0
    sheet = Sheet((rows + titles) * tall + 2 * margin, first + columns * wide + 2 * margin, any_paper(rng)[0])
    right, bottom = first + columns * wide + margin, (rows + titles) * tall + margin
    for k in range(rows + titles + 1):
        line(sheet, (margin, margin + k * tall), (right, margin + k * tall), pen)
    for x in [margin, *range(margin + first, right + 1, wide)]:
        line(sheet, (x, margin), (x, bottom), pen)
    size = max(8, round(0.5 * height))
    if titles:
        for k in range(1, rows + 1):
            sheet.text(words(1, rng)[:8], margin + 4, margin + k * tall + (tall - size) // 2, size)
        for k in range(columns):
            sheet.text(words(1, rng)[:8], margin + first + k * wide + 4, margin + (tall - size) // 2, size)
    colour, writer = any_ink(rng), one_writer(digits, 4 * rows * columns, rng)
    for k in range(rows):
        for column in range(columns):
            if rng.random() < 0.15:
                continue
            marks = row(writer, pattern(rng, 4, 0.0), height * rng.uniform(0.85, 1.05), rng, rng.uniform(0.05, 0.2))
            across, up = _extent(marks)
            if across > wide - 4:
                continue
            x = margin + first + column * wide + int(rng.uniform(0.2, 0.8) * (wide - across))
            sheet.write(
                marks, x, margin + (k + titles) * tall + (tall - up) // 2 + int(rng.normal(0, 0.05) * tall), colour
            )
    sheet.tilt(rng.uniform(-2, 2))
    return finished(sheet, rng)


def _receipt(digits: Digits, rng: np.random.Generator) -> Page:
    """A slip: printed words on the left, written amounts in a column on the right, a rule and their sum."""
    rows, height = int(rng.integers(2, 12)), log_uniform(rng, 14, 50)
    pitch, wide, margin = round(height * rng.uniform(1.3, 2)), round(height * rng.uniform(9, 14)), round(height)
    sheet = Sheet((rows + 2) * pitch + 2 * margin, wide + 2 * margin, any_paper(rng)[0])
    size, colour, separator = max(8, round(0.7 * height)), any_ink(rng), str(rng.choice([".", ",", "-"]))
    writer = one_writer(digits, 5 * (rows + 1), rng)
    for k in range(rows + 1):
        y = margin + k * pitch + (pitch // 2 if k == rows else 0)
        sheet.text(words(1, rng)[:8] if k < rows else "Total", margin, y, size, BLACK, bold=k == rows)
        form = "0" * int(rng.integers(1, 4)) + (separator + "00" if rng.random() < 0.85 else "")
        marks = row(writer, form, height, rng, rng.uniform(0.05, 0.2))
        sheet.write(marks, margin + wide - _extent(marks)[0], y, colour)
        if k == rows:
            line(sheet, (margin + wide // 2, y - 4), (margin + wide, y - 4), 2)
    sheet.tilt(rng.uniform(-3, 3))
    return finished(sheet, rng, photo=0.5)


def _many(digits: Digits, rng: np.random.Generator) -> Page:
    """A page of nothing but numbers in rows and columns, 6–100 of them. Rows with narrow gaps are single lines."""
    rows, columns = int(rng.integers(3, 13)), int(rng.integers(2, 9))
    height, most = log_uniform(rng, 16, 44), int(rng.integers(1, 5))
    pitch, wide = round(height * rng.uniform(1.5, 2.6)), round(height * (1.0 * most + rng.uniform(0.7, 4)))
    margin = round(height * rng.uniform(0.6, 2))
    paper, dark = any_paper(rng, 0.1)
    sheet, colour = Sheet(rows * pitch + 2 * margin, columns * wide + 2 * margin, paper), any_ink(rng, dark)
    writer = one_writer(digits, most * rows * columns, rng)
    for k in range(rows):
        new_line = True
        for column in range(columns):
            marks = row(writer, "0" * int(rng.integers(1, most + 1)), height, rng, rng.uniform(0.05, 0.2))
            x = margin + column * wide + int(rng.normal(0, 0.1) * height)
            y = margin + k * pitch + int(rng.normal(0, 0.05) * height)
            sheet.write(marks, x, y, colour, new_line)
            new_line = False
    sheet.tilt(rng.uniform(-1.5, 1.5))
    return finished(sheet, rng, photo=0.4)


def _sum(digits: Digits, rng: np.random.Generator) -> Page:
    """A sum as `12+7=19`, whose result need not be right; signs are strokes and in neither text nor transcript."""
    height = log_uniform(rng, 20, 160)
    paper, dark = any_paper(rng, _BOARDS)
    colour, pen = any_ink(rng, dark), Pen(float(rng.uniform(0.06, 0.15)))
    parts: list[Mark] = []
    writer = one_writer(digits, 9, rng)
    x, signs = 0, [str(rng.choice(["+", "-", "x"])), "="]
    for k in range(3 if rng.random() < 0.8 else 2):
        marks = row(writer, "0" * int(rng.integers(1, 4)), height, rng, rng.uniform(0.05, 0.25))
        if k:
            ink = drawing(_sign(signs[k - 1], rng), height, pen, rng, 0.01)
            x += int(rng.uniform(0.15, 0.5) * height)
            parts.append(Mark("", ink, x, round((height - ink.shape[0]) / 2)))
            x += ink.shape[1] + int(rng.uniform(0.15, 0.5) * height)
        parts += [Mark(m.character, m.ink, m.left + x, m.top) for m in marks]
        x += _extent(marks)[0]
    wide, tall = _extent(parts)
    margin = margins(rng, 0.15, 1.2, height)
    sheet = Sheet(tall + margin[1] + margin[3], wide + margin[0] + margin[2], paper)
    for mark in parts:
        if not mark.character:
            sheet.ink(mark.ink, margin[0] + mark.left, margin[1] + mark.top, colour)
    sheet.write([mark for mark in parts if mark.character], margin[0], margin[1], colour)
    return finished(sheet, rng, photo=0.4)


def _sign(sign: str, rng: np.random.Generator) -> list[Floats]:
    """The strokes of + - x or =, in digit heights around the middle."""
    half = rng.uniform(0.2, 0.32)
    strokes: dict[str, list[list[tuple[float, float]]]] = {
        "+": [[(-half, 0), (half, 0)], [(0, -half), (0, half)]],
        "-": [[(-half, 0), (half, 0)]],
        "x": [[(-half, -half), (half, half)], [(half, -half), (-half, half)]],
        "=": [[(-half, -0.13), (half, -0.13)], [(-half, 0.13), (half, 0.13)]],
    }
    return [np.array(stroke, np.float32) for stroke in strokes[sign]]


KINDS: Final[dict[str, Draw]] = {
    "number": _number,
    "number in shadow": _in_shadow,
    "table of numbers": _table,
    "receipt": _receipt,
    "page of numbers": _many,
    "sum": _sum,
}
