"""Forms drawn for measuring: an A4 sheet of print with three fields, blank and filled in by one writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.forms.form import Field, Form
from lenet5.result import Box
from lenet5.synthesis.pages.prints import line, paragraph, rectangle, words
from lenet5.synthesis.pages.sheet import Sheet
from lenet5.synthesis.pages.truth import Digits, Glyph
from lenet5.synthesis.pages.writing import digit_ink

__all__ = ["DPI", "SIZE", "STYLES", "DrawnField", "DrawnForm", "blank_page", "draw_form", "fill"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

DPI: Final = 300
SIZE: Final = (3508, 2480)
"""Height and width of an A4 sheet at DPI."""

STYLES: Final = ("joined", "apart", "comb", "pale", "frame", "line")
"""How a field is printed; the last two have no cells."""

_MM: Final = DPI / 25.4
_PENS: Final = (0.045, 0.17)
"""Widths of pens in heights of a digit."""
_GREY: Final = (150, 150, 150)
_PALE: Final = (185, 185, 185)


@dataclass(frozen=True)
class DrawnField:
    """Where a field is printed: its ``box`` and ``cells`` in pixels of the sheet, how many digits, and the style."""

    name: str
    box: Box
    cells: tuple[Box, ...]
    digits: int
    style: str


@dataclass(frozen=True)
class DrawnForm:
    """The blank sheet (H, W) uint8 and its fields."""

    blank: Bytes
    fields: tuple[DrawnField, ...]

    @property
    def corners(self) -> Floats:
        """(N, 2): the corners of all cells, in pixels of the sheet."""
        edges = [(c.left, c.top, c.right, c.bottom) for field in self.fields for c in field.cells]
        return np.array(
            [(x, y) for left, top, right, bottom in edges for x in (left, right) for y in (top, bottom)], np.float32
        )

    def form(self, name: str) -> Form:
        """The form as a form file would have it: each field a number of so many digits."""
        height, width = self.blank.shape
        fields = tuple(
            Field(
                drawn.name,
                (drawn.box.left / width, drawn.box.top / height, drawn.box.right / width, drawn.box.bottom / height),
                pattern=rf"\d{{{drawn.digits}}}",
                cells=None if drawn.style in ("frame", "line") else drawn.digits,
                required=True,
            )
            for drawn in self.fields
        )
        return Form(name, self.blank, fields)


def draw_form(rng: np.random.Generator) -> DrawnForm:
    """A form with three fields of 4 to 8 digits among print, tables and rules."""
    height, width = SIZE
    sheet = Sheet(height, width, (255, 255, 255))
    left, right = round(rng.uniform(15, 25) * _MM), width - round(rng.uniform(15, 25) * _MM)
    y = round(rng.uniform(15, 25) * _MM)
    size = round(rng.uniform(6, 9) * _MM)
    sheet.text(words(3, rng).rstrip(".").title(), left, y, size, bold=True)
    y += round(1.8 * size)
    text = round(rng.uniform(3, 4.2) * _MM)
    y = paragraph(sheet, Box(left, y, right, y + 9 * text), text, rng) + 2 * text
    fields = []
    for number in range(3):
        drawn, y = _field(sheet, f"field{number + 1}", left, right, y, text, rng)
        fields.append(drawn)
        y += round(rng.uniform(4, 10) * _MM)
        if rng.random() < 0.6:
            y = paragraph(sheet, Box(left, y, right, y + round(rng.uniform(3, 9) * text)), text, rng) + text
    if rng.random() < 0.6:
        y = _table(sheet, left, right, y + text, text, rng)
    paragraph(sheet, Box(left, y + 2 * text, right, height - round(15 * _MM)), text, rng)
    blank = np.ascontiguousarray(cv2.cvtColor(sheet.canvas, cv2.COLOR_RGB2GRAY))
    return DrawnForm(blank, tuple(fields))


def blank_page(rng: np.random.Generator) -> Bytes:
    """A sheet that is no form: empty, ruled, or a page of text."""
    height, width = SIZE
    sheet = Sheet(height, width, (255, 255, 255))
    kind = rng.integers(3)
    if kind == 1:
        for y in range(300, height - 200, int(rng.integers(80, 120))):
            line(sheet, (0, y), (width, y), 2, _PALE)
    elif kind == 2:
        text, y = round(4 * _MM), 300
        while y < height - 600:
            y = paragraph(sheet, Box(250, y, width - 250, height - 300), text, rng) + 2 * text
    return np.ascontiguousarray(cv2.cvtColor(sheet.canvas, cv2.COLOR_RGB2GRAY))


def fill(form: DrawnForm, digits: Digits, rng: np.random.Generator) -> tuple[Bytes, tuple[str, ...]]:
    """The sheet filled in by one writer with one pen, and the text of each field."""
    ink = np.zeros(form.blank.shape, np.float32)
    glyphs = _by_a_pen(digits, sum(field.digits for field in form.fields), rng)
    darkness, texts = rng.uniform(0.6, 0.95), []
    for field in form.fields:
        written, glyphs = glyphs[: field.digits], glyphs[field.digits :]
        texts.append("".join(str(glyph.label) for glyph in written))
        size = (field.box.bottom - field.box.top) * rng.uniform(0.55, 0.8)
        drawn = [digit_ink(glyph, size, None, rng) for glyph in written]
        places = _in_cells(field, rng) if field.cells else _in_a_row(field, drawn, size, rng)
        for one, (x, y) in zip(drawn, places, strict=True):
            _put(ink, one, round(y - one.shape[0] / 2), round(x - one.shape[1] / 2))
    filled = form.blank * (1 - darkness * ink)
    return np.asarray(np.round(filled), np.uint8), tuple(texts)


def _in_cells(field: DrawnField, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Middles of the digits of a row of cells, not quite those of the cells."""
    apart = 0.06 * (field.box.bottom - field.box.top)
    places = rng.normal(0, apart, (len(field.cells), 2))
    places += [((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2) for cell in field.cells]
    return [(float(x), float(y)) for x, y in places]


def _in_a_row(
    field: DrawnField, drawn: list[Floats], size: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Middles of digits written side by side within a field, closer together where they would not fit in."""
    gaps = rng.uniform(0.1, 0.3, len(drawn)) * size
    widths = np.array([one.shape[1] for one in drawn], float)
    room = field.box.right - field.box.left - 0.1 * size
    gaps -= max(0.0, (widths.sum() + gaps[1:].sum() - room) / max(len(drawn) - 1, 1))
    start = field.box.left + 0.05 * size + rng.uniform(0, 1) * max(0.0, room - widths.sum() - gaps[1:].sum())
    lefts = start + np.concatenate([[0], np.cumsum(widths[:-1] + gaps[1:])])
    down = (field.box.top + field.box.bottom) / 2 + rng.normal(0, 0.04, len(drawn)) * size
    return [(float(x), float(y)) for x, y in zip(lefts + widths / 2, down, strict=True)]


def _by_a_pen(digits: Digits, n: int, rng: np.random.Generator) -> list[Glyph]:
    """Digits of one writer with one of the pens that forms are filled in with, about 0.25 to 1 mm wide."""
    while True:
        glyphs = digits(rng, n)
        if glyphs[0].pen is None or _PENS[0] <= glyphs[0].pen <= _PENS[1]:
            return glyphs


def _put(ink: Floats, drawn: Floats, top: int, left: int) -> None:
    """Ink laid onto the sheet, cut where it ends."""
    top, left = max(top, 0), max(left, 0)
    place = ink[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    np.maximum(place, drawn[: place.shape[0], : place.shape[1]], out=place)


def _field(
    sheet: Sheet, name: str, left: int, right: int, y: int, text: int, rng: np.random.Generator
) -> tuple[DrawnField, int]:
    """One printed field with its label; and where it ends."""
    digits, style = int(rng.integers(4, 9)), str(rng.choice(STYLES))
    high = round(rng.uniform(7, 11) * _MM)
    wide = round(high * rng.uniform(0.65, 0.95))
    gap = round(rng.uniform(1, 3) * _MM) if style == "apart" else 0
    long = digits * wide + (digits - 1) * gap
    label = words(2, rng).rstrip(".")
    if rng.random() < 0.5:
        sheet.text(label, left, y, text)
        y, x = y + round(1.6 * text), left + int(rng.uniform(0, max(1, right - left - long)))
    else:
        x = left + sheet.text(label + ":", left, y + (high - text) // 2, text) + round(3 * _MM)
        x = min(x, right - long)
    pen = int(rng.integers(2, 6))
    cells = tuple(Box(x + k * (wide + gap), y, x + k * (wide + gap) + wide, y + high) for k in range(digits))
    box = Box(x, y, x + long, y + high)
    colour = {"pale": _PALE}.get(style, (30, 30, 30) if rng.random() < 0.7 else _GREY)
    if style in ("joined", "apart", "pale"):
        for cell in cells:
            rectangle(sheet, cell, pen, colour)
    elif style == "comb":
        line(sheet, (x, y + high), (x + long, y + high), pen, colour)
        for k in range(digits + 1):
            line(sheet, (x + k * wide, y + high), (x + k * wide, y + round(0.6 * high)), pen, colour)
    elif style == "frame":
        rectangle(sheet, box, pen, colour)
    else:
        line(sheet, (x, y + high), (x + long, y + high), pen, colour)
    return DrawnField(name, box, cells if style not in ("frame", "line") else (), digits, style), y + high


def _table(sheet: Sheet, left: int, right: int, y: int, text: int, rng: np.random.Generator) -> int:
    """A printed table with words in its first row and column."""
    columns, rows, high = int(rng.integers(2, 5)), int(rng.integers(2, 5)), round(2.2 * text)
    wide = (right - left) // columns
    for row in range(rows):
        for column in range(columns):
            cell = Box(left + column * wide, y + row * high, left + (column + 1) * wide, y + (row + 1) * high)
            rectangle(sheet, cell, 3)
            if row == 0 or column == 0:
                sheet.text(words(1, rng).rstrip(".")[:10], cell.left + text // 2, cell.top + text // 2, text)
    return y + rows * high
