"""Print: words, paragraphs, headings, lines, boxes, and pages of them.

Printed numbers are not part of a page's truth: only written ones are to be read.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.result import Box
from lenet5.synthesis.pages.empty import WORDS
from lenet5.synthesis.pages.papers import photographed, scanned
from lenet5.synthesis.pages.sheet import Colour, Sheet, any_paper, dark_ink
from lenet5.synthesis.pages.truth import Page

__all__ = [
    "BLACK",
    "finished",
    "heading",
    "line",
    "page_of_print",
    "paragraph",
    "photo_of",
    "rectangle",
    "words",
]

Floats = NDArray[np.float32]

BLACK: Final[Colour] = (24, 24, 26)

_FONTS: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_NUMBERS: Final = 0.05  # of printed words
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_FREQUENT: Final = np.array([8, 2, 3, 4, 12, 2, 2, 6, 7, 1, 1, 4, 2, 7, 8, 2, 1, 6, 6, 9, 3, 1, 2, 1, 2, 1]) / 103


def words(n: int, rng: np.random.Generator) -> str:
    """So many words, known ones and made-up ones, with some full stops and capitals, and a few numbers after words.

    >>> words(8, np.random.default_rng(0))
    'Aasuor atar ia oizy drngltv date bearer ISO'
    """
    text, start = [], True
    for k in range(n):
        if k and rng.random() < _NUMBERS:
            word = str(rng.integers(1, 10 ** int(rng.integers(1, 5))))
        elif rng.random() < 0.5:
            word = str(rng.choice(WORDS))
        else:
            word = "".join(rng.choice(list(_LETTERS), int(rng.integers(2, 10)), p=_FREQUENT))
        text.append((word.capitalize() if start else word) + ("." if (start := bool(rng.random() < 0.1)) else ""))
    return " ".join(text)


def paragraph(sheet: Sheet, box: Box, size: int, rng: np.random.Generator, colour: Colour = BLACK) -> int:
    """Lines of print, ``size`` pixels high, from the top of a box to its end at most; gives where the last one ends.

    >>> sheet = Sheet(200, 300)
    >>> paragraph(sheet, Box(10, 20, 290, 190), 12, np.random.default_rng(0))  # the row below its last line
    100
    """
    across, top = box.right - box.left, box.top
    pitch = round(size * rng.uniform(1.15, 1.5))
    for _ in range(int(rng.integers(2, 9))):
        if top + size > box.bottom:
            break
        part = 1.0 if rng.random() < 0.8 else rng.uniform(0.2, 0.9)
        sheet.text(words(max(1, round(part * across / (3.4 * size))), rng), box.left, top, size, colour)
        top += pitch
    return top


def heading(sheet: Sheet, left: int, top: int, size: int, rng: np.random.Generator) -> int:
    """A few large words, some underlined; gives where they end.

    >>> heading(Sheet(100, 300), 10, 20, 16, np.random.default_rng(0))  # 20 + 1.5 · 16
    44
    """
    wide = sheet.text(words(int(rng.integers(1, 4)), rng).rstrip("."), left, top, size, BLACK, bold=rng.random() < 0.6)
    if rng.random() < 0.3:
        line(sheet, (left, top + round(1.15 * size)), (left + wide, top + round(1.15 * size)), max(1, size // 12))
    return top + round(1.5 * size)


def line(
    sheet: Sheet, first: tuple[int, int], last: tuple[int, int], pen: int, colour: Colour = BLACK, dotted: bool = False
) -> None:
    """A printed line between two points (x, y), level or upright where it is dotted.

    >>> sheet = Sheet(5, 40)
    >>> line(sheet, (0, 2), (39, 2), 1, dotted=True)
    >>> "".join("·#"[int(dark)] for dark in sheet.canvas[2, :, 0] < 128)
    '#····#····#····#····#···#····#····#····#'
    """
    if not dotted:
        cv2.line(sheet.canvas, first, last, colour, pen)
        return
    steps = max(abs(last[0] - first[0]), abs(last[1] - first[1])) // max(3 * pen, 4)
    for x, y in np.linspace(first, last, max(2, steps)).round().astype(int).tolist():
        cv2.rectangle(sheet.canvas, (x, y), (x + pen - 1, y + pen - 1), colour, -1)


def rectangle(sheet: Sheet, box: Box, pen: int, colour: Colour = BLACK, dotted: bool = False, sides: int = 4) -> None:
    """The sides of a box, or so many of them: top, right, bottom, left.

    >>> sheet = Sheet(5, 9)
    >>> rectangle(sheet, Box(1, 1, 7, 3), 1, sides=3)  # no left side
    >>> print("\\n".join("".join("·#"[int(dark)] for dark in row) for row in sheet.canvas[..., 0] < 128))
    ·········
    ·#######·
    ·······#·
    ·#######·
    ·········
    """
    corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    for first, last in list(zip(corners, corners[1:] + corners[:1], strict=True))[:sides]:
        line(sheet, first, last, pen, colour, dotted)


def page_of_print(height: int, rng: np.random.Generator, field: int = 0) -> tuple[Sheet, Box]:
    """A page of letter or A4 proportions with print, and the place of a field, ``field`` pixels high, left free.

    >>> sheet, place = page_of_print(600, np.random.default_rng(0), field=40)
    >>> sheet.size, place
    ((600, 424), Box(left=48, top=340, right=376, bottom=380))
    """
    width = round(height * rng.choice([0.773, 0.707]))
    sheet = Sheet(height, width, any_paper(rng)[0], int(rng.choice(_FONTS)) if rng.random() < 0.4 else None)
    size, margin = max(8, round(height * rng.uniform(0.011, 0.02))), round(width * rng.uniform(0.05, 0.12))
    top = heading(sheet, margin + int(rng.integers(0, width // 3)), margin, round(size * rng.uniform(1.4, 2.6)), rng)
    free_at = rng.uniform(margin, 0.75 * height) if field else 2 * height
    place, full = Box(margin, 0, width - margin, 0), rng.uniform(0.5, 1) * height - margin
    while top < full:
        if top >= free_at and not place.bottom:
            top += size
            place = Box(margin, top, width - margin, top + field)
            top += field + size
        kind = rng.random()
        end = round(min(full, free_at if not place.bottom else full))
        if kind < 0.15:
            top = heading(sheet, margin, top, round(1.4 * size), rng)
        elif kind < 0.22:
            line(sheet, (margin, top), (width - margin, top), int(rng.integers(1, 4)))
        elif kind < 0.4 and end > top + 5 * size:
            top = _furniture(sheet, margin, top, size, rng)
        elif end > top + 2 * size:
            top = paragraph(sheet, Box(margin, top, width - margin, end), size, rng)
        top += round(size * rng.uniform(0.5, 2))
    if field and not place.bottom:
        place = Box(margin, min(top, height - field - margin), width - margin, 0)
        place = Box(place.left, place.top, place.right, place.top + field)
    return sheet, place


def _furniture(sheet: Sheet, left: int, top: int, size: int, rng: np.random.Generator) -> int:
    """Boxes to tick with words, a shaded band with a heading, dotted lines to write on, or a box of print."""
    width = sheet.size[1] - 2 * left
    kind = int(rng.integers(4))
    if kind == 0:
        for k in range(n := int(rng.integers(2, 5))):
            x = left + k * width // n
            rectangle(sheet, Box(x, top, x + size, top + size), 1)
            sheet.text(words(1, rng)[:8], x + round(1.5 * size), top, size)
        return top + 2 * size
    if kind == 1:
        band = np.full((2 * size, width), rng.uniform(0.1, 0.9), np.float32)
        sheet.ink(band, left, top, dark_ink(rng))
        sheet.text(words(2, rng), left + size, top + size // 2, size)
        return top + 2 * size
    if kind == 2:
        for k in range(2):
            y = top + (2 * k + 1) * size
            across = sheet.text(words(1, rng)[:10], left, y, size)
            line(sheet, (left + across + size, y + size), (left + width, y + size), 1, dotted=True)
        return top + 4 * size
    part = round(width * rng.uniform(0.4, 1))
    rectangle(sheet, Box(left, top, left + part, top + 4 * size), int(rng.integers(1, 4)))
    paragraph(sheet, Box(left + size, top + size // 2, left + part - size, top + 4 * size), size, rng)
    return top + 5 * size


def finished(sheet: Sheet, rng: np.random.Generator, photo: float = 0.3, shadow: float = 0.2) -> Page:
    """The sheet scanned, or with the probability ``photo`` photographed, ``shadow`` of the photos with a shadow.

    >>> from lenet5.synthesis.pages.sheet import Mark
    >>> sheet = Sheet(60, 80)
    >>> sheet.write([Mark("1", np.ones((30, 5), np.float32), 0, 0)], 20, 10, (0, 0, 0))
    >>> page = finished(sheet, np.random.default_rng(0))
    >>> page.text, page.picture.shape[:2], page.boxes
    ('1', (60, 80), (Box(left=20, top=10, right=25, bottom=40),))
    """
    if rng.random() < photo:
        return photo_of(sheet, rng, shadow)
    return sheet.page(scanned, rng)


def photo_of(sheet: Sheet, rng: np.random.Generator, shadow: float) -> Page:
    """The sheet photographed, with the probability ``shadow`` with a shadow across it.

    >>> photo = photo_of(Sheet(60, 80), np.random.default_rng(0), shadow=1.0)
    >>> int(photo.picture.min()) < 0.8 * int(photo.picture.max())
    True
    """
    is_shaded = bool(rng.random() < shadow)
    return sheet.page(lambda canvas, contrast, rng: photographed(canvas, contrast, is_shaded, rng), rng)
