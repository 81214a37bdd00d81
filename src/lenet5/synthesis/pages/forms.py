"""Forms: numbers written into cells, one digit a cell; on a page with print; fields cut out of a form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.result import Box
from lenet5.synthesis.pages.numbers import enlarged
from lenet5.synthesis.pages.papers import on_paper
from lenet5.synthesis.pages.print_alone import code
from lenet5.synthesis.pages.prints import BLACK, finished, line, page_of_print, paragraph, rectangle, words
from lenet5.synthesis.pages.sheet import Colour, Mark, Sheet, any_ink, any_paper, dark_ink, pale_ink
from lenet5.synthesis.pages.truth import Digits, Draw, Page, box_of_ink, true_line
from lenet5.synthesis.pages.writing import marks

__all__ = ["CELLS", "KINDS", "cells", "form"]

Floats = NDArray[np.float32]

CELLS: Final = ("comb", "apart", "joined", "dotted", "coloured", "shaded")
"""How a row of cells is printed."""


def form(digits: Digits, rng: np.random.Generator, fields: int) -> Page:
    """Fields below one another, each of 3–9 cells side by side or a little apart, in grey.

    Cells are 36–80 pixels wide with sides of 1–3 pixels, printed as dark as the pen or fainter; the digits are 60–95%
    as high as their cells and may cross the sides; the whole is turned by about half a degree.

    >>> from lenet5.synthesis.pages import Glyph
    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> [line.text for line in form(bars, np.random.default_rng(0), fields=2).lines]
    ['1111111', '1111111']
    """
    side, n, pen = int(rng.integers(36, 80)), int(rng.integers(3, 10)), int(rng.integers(1, 4))
    apart = int(rng.integers(2, 14)) if rng.random() < 1 / 3 else 0
    pitch = round(1.8 * side)
    size = fields * pitch + side, n * (side + apart) + 2 * side
    ink, print_ink = np.zeros(size, np.float32), np.zeros(size, np.float32)
    written: list[list[tuple[str, Floats, int, int]]] = []
    for field in range(fields):
        top = side // 2 + field * pitch
        written.append([])
        for k, glyph in enumerate(digits(rng, n)):
            left = side + k * (side + apart)
            cv2.rectangle(print_ink, (left, top), (left + side, top + side), 1.0, pen)
            digit = enlarged(glyph, rng.uniform(0.6, 0.95) * side / 20)
            middle = np.array([top, left]) + side / 2 + rng.normal(0, 0.07, 2) * side
            corner = np.clip(np.round(middle - np.array(digit.shape) / 2), 0, np.array(size) - digit.shape)
            y, x = (int(edge) for edge in corner)
            place = ink[y : y + digit.shape[0], x : x + digit.shape[1]]
            np.maximum(place, digit, out=place)
            written[-1].append((str(glyph.label), digit, y, x))
    level = np.maximum(ink, print_ink * rng.uniform(0.4, 1))
    turn = cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), rng.normal(0, 0.6), 1)
    level = np.asarray(cv2.warpAffine(level, turn, size[::-1]), np.float32)
    lines = [
        true_line([c for c, *_ in row], [_turned(turn, size, digit, y, x) for _, digit, y, x in row]) for row in written
    ]
    return Page(on_paper(level, rng), tuple(lines))


def _turned(turn: cv2.typing.MatLike, size: tuple[int, int], digit: Floats, top: int, left: int) -> Box:
    """The box of a digit after the turn."""
    canvas = np.zeros(size, np.float32)
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return box_of_ink(np.asarray(cv2.warpAffine(canvas, turn, size[::-1]), np.float32))


def cells(
    sheet: Sheet, left: int, top: int, n: int, side: int, style: str, rng: np.random.Generator
) -> tuple[list[Box], int]:
    """A row of n printed cells in a style of CELLS, about ``side`` pixels high; their boxes, and where the row ends.

    >>> boxes, end = cells(Sheet(60, 200), 10, 5, 3, 40, "joined", np.random.default_rng(0))
    >>> [(box.left, box.right) for box in boxes], end
    ([(10, 47), (47, 84), (84, 121)], 121)
    """
    wide, pen = round(side * rng.uniform(0.65, 1.1)), int(rng.integers(1, max(2, side // 16) + 1))
    apart = int(rng.uniform(0.08, 0.4) * side) if style == "apart" else 0
    colour: Colour = BLACK
    if style in ("coloured", "shaded"):
        colour = pale_ink(rng) if rng.random() < 0.5 else dark_ink(rng)
    elif rng.random() < 0.3:
        colour = (120, 120, 120)
    lefts = [left + k * (wide + apart) for k in range(n)]
    boxes = [Box(x, top, x + wide, top + side) for x in lefts]
    end = boxes[-1].right
    if style == "comb":
        tick = round(side * rng.uniform(0.15, 0.6))
        line(sheet, (left, top + side), (end, top + side), pen, colour)
        for x in [*lefts, end]:
            line(sheet, (x, top + side - tick), (x, top + side), pen, colour)
        return boxes, end
    if style == "shaded":
        tint = np.full((side, end - left), rng.uniform(0.1, 0.3), np.float32)
        sheet.ink(tint, left, top, colour)
    for box in boxes:
        rectangle(sheet, box, pen, colour, dotted=style == "dotted")
    return boxes, end


def fill(sheet: Sheet, boxes: Sequence[Box], written: Sequence[Mark], colour: Colour, rng: np.random.Generator) -> None:
    """Digits written into cells, one each, not quite in their middles, as one line.

    >>> sheet, bar = Sheet(60, 100), Mark("1", np.ones((30, 5), np.float32), 0, 0)
    >>> boxes = [Box(10, 10, 40, 50), Box(50, 10, 80, 50)]
    >>> fill(sheet, boxes, [bar, bar], (0, 0, 0), np.random.default_rng(0))
    >>> sheet.boxes
    [Box(left=23, top=15, right=28, bottom=45), Box(left=64, top=15, right=69, bottom=45)]
    """
    placed = []
    for box, mark in zip(boxes, written, strict=True):
        side = box.bottom - box.top
        x, y = np.array([box.left + box.right, box.top + box.bottom]) / 2 + rng.normal(0, 0.06, 2) * side
        height, width = mark.ink.shape
        placed.append(Mark(mark.character, mark.ink, round(x - width / 2), round(y - height / 2)))
    sheet.write(placed, 0, 0, colour)


def _number_on_a_page(digits: Digits, rng: np.random.Generator) -> Page:
    """A page of print with one number in 3–10 cells, tilted by up to 3°."""
    height = int(rng.integers(800, 1652))
    side = round(height * rng.uniform(0.02, 0.045))
    sheet, place = page_of_print(height, rng, round(2.2 * side))
    left = place.left
    size = max(9, round(side * rng.uniform(0.35, 0.7)))
    top = place.top + round(0.9 * side)
    if rng.random() < 0.5:
        left += sheet.text(f"{words(1, rng)[:8].rstrip('.')}:", left, top + (side - size) // 2, size) + size
    else:
        sheet.text(words(2, rng).rstrip("."), left, place.top, min(size, round(0.7 * side)))
    n = int(rng.integers(3, max(3, min(10, int((place.right - left) / (1.5 * side)))) + 1))
    free = place.right - left - round(n * 1.5 * side)
    left += int(rng.uniform(0, max(1, free)))
    boxes, end = cells(sheet, left, top, n, side, str(rng.choice(CELLS)), rng)
    if rng.random() < 0.4:  # print, or a code, in the free part of the row
        beside = end + round(rng.uniform(0.3, 2) * side)
        if rng.random() < 0.2:
            code(sheet, beside, top, round(1.3 * side), rng)
        else:
            paragraph(sheet, Box(beside, place.top, place.right, top + round(1.4 * side)), size, rng)
    fill(sheet, boxes, marks(digits, n, side * rng.uniform(0.55, 0.95), rng), any_ink(rng), rng)
    sheet.tilt(rng.uniform(-3, 3))
    return finished(sheet, rng, photo=0.1)


def _empty_page(digits: Digits, rng: np.random.Generator) -> Page:
    """A page of print with rows of cells that nobody has filled in."""
    height = int(rng.integers(500, 1652))
    side = round(height * rng.uniform(0.02, 0.05))
    sheet, place = page_of_print(height, rng, 4 * side)
    for row in range(int(rng.integers(1, 3))):
        cells(
            sheet, place.left, place.top + 2 * row * side, int(rng.integers(1, 10)), side, str(rng.choice(CELLS)), rng
        )
    sheet.tilt(rng.uniform(-3, 3))
    return finished(sheet, rng, photo=0.2)


def _empty_cells(digits: Digits, rng: np.random.Generator) -> Page:
    """One or a few empty cells, cut out of a form."""
    side, n = int(rng.integers(24, 140)), int(rng.integers(1, 8))
    sheet = Sheet(round(1.8 * side), n * round(1.6 * side) + 2 * side, any_paper(rng)[0])
    top = round(0.3 * side)
    boxes, end = cells(sheet, round(0.3 * side), top, n, side, str(rng.choice(CELLS)), rng)
    reach = rng.uniform(-0.05, 0.3, 4) * side
    sheet.tilt(rng.uniform(-2, 2))
    left, right = boxes[0].left - reach[0], end + reach[2]
    sheet.crop(Box(round(left), round(top - reach[1]), round(right), round(top + side + reach[3])))
    return finished(sheet, rng)


def _field(digits: Digits, rng: np.random.Generator) -> Page:
    """A field cut out of a form with its frame, or parts of it; some with their label, skewed or cut tightly."""
    side, n = int(rng.integers(20, 150)), int(rng.integers(1, 9))
    style = str(rng.choice((*CELLS, "one frame", "one frame", "underlined", "in a table")))
    size = max(8, round(side * rng.uniform(0.15, 0.35)))
    margin = side + size
    sheet = Sheet(side + 2 * margin, round(n * 1.6 * side) + 3 * margin, any_paper(rng)[0])
    left, beside = margin, rng.random()
    label = words(1, rng).rstrip(".")
    if beside < 0.25:
        left = margin // 4 + sheet.text(label, margin // 4, margin + side // 3, size) + size // 2
    elif beside < 0.5:
        sheet.text(label, margin, margin - round(1.4 * size), size)
    if style in CELLS:
        boxes, end = cells(sheet, left, margin, n, side, style, rng)
    else:
        wide = round(side * rng.uniform(0.6, 0.8))
        boxes = [Box(left + k * wide, margin, left + (k + 1) * wide, margin + side) for k in range(n)]
        end = left + n * wide + int(rng.uniform(0, 0.6) * side)
        pen = int(rng.integers(1, max(3, side // 14)))
        if style == "in a table":
            height, width = sheet.size
            for y in (margin, margin + side):
                line(sheet, (0, y), (width, y), pen)
            for x in (left, end) if rng.random() < 0.5 else (*(b.left for b in boxes), boxes[-1].right):
                line(sheet, (x, 0), (x, height), pen)
        elif style == "one frame":
            sides = 4 if rng.random() < 0.7 else int(rng.integers(1, 4))
            frame = Box(left, margin, end, margin + side)
            rectangle(sheet, frame, pen, dotted=bool(rng.random() < 0.15), sides=sides)
        else:
            line(sheet, (left, margin + side), (end, margin + side), pen)
    fill(sheet, boxes, marks(digits, n, side * rng.uniform(0.5, 0.85), rng), any_ink(rng), rng)
    _skew(sheet, rng)
    reach = rng.uniform(-0.06, 0.35, 4) * side
    around = sheet.boxes
    first = left - (size * 3 if beside < 0.25 else 0)
    box = Box(
        min(round(first - reach[0]), *(b.left for b in around)),
        min(round(margin - reach[1] - (1.4 * size if 0.25 <= beside < 0.5 else 0)), *(b.top for b in around)),
        max(round(end + reach[2]), *(b.right for b in around)),
        max(round(margin + side + reach[3]), *(b.bottom for b in around)),
    )
    sheet.crop(box)
    return finished(sheet, rng)


def _skew(sheet: Sheet, rng: np.random.Generator) -> None:
    """A turn of about a degree, and in some a shear or perspective."""
    sheet.tilt(rng.normal(0, 1.2))
    if rng.random() < 0.3:
        height, width = sheet.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = corners + (rng.uniform(-0.03, 0.03, (4, 2)) * min(height, width)).astype(np.float32)
        sheet.warp(np.asarray(cv2.getPerspectiveTransform(corners, moved)), sheet.size)


KINDS: Final[dict[str, Draw]] = {
    "form with one field": partial(form, fields=1),
    "form with three fields": partial(form, fields=3),
    "number in cells on a page": _number_on_a_page,
    "field cut out of a form": _field,
    "no digits: pages with empty cells": _empty_page,
    "no digits: empty cells": _empty_cells,
}
