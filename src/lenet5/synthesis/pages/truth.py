"""A drawn picture with its truth, and the digits that it is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.normalise import ink_box
from lenet5.result import WORD_GAP, Box

__all__ = ["REACH", "UNIT", "Digits", "Draw", "Glyph", "Page", "TrueLine", "box_of_ink", "moved", "true_line"]

Floats = NDArray[np.float32]

UNIT: Final = 20.0
"""Pixels: the height of a digit in MNIST's form."""

REACH: Final = 3.5
"""Digit heights: numbers of one row with a wider gap between them are different lines."""


@dataclass(frozen=True)
class Glyph:
    """One written digit: its ``ink`` (h, w) float32 in 0..1, cropped to it, and its ``label`` 0…9.

    ``unit`` is the usual height of the source's digits in pixels of ``ink``, ``pen`` the width of the pen in units
    where it is known.

    >>> bar = Glyph(np.ones((20, 4), np.float32), 1)
    >>> bar.label, bar.ink.shape[0] / bar.unit  # as high as the source's digits usually are
    (1, 1.0)
    """

    ink: Floats
    label: int
    unit: float = UNIT
    pen: float | None = None


Digits = Callable[[np.random.Generator, int], list[Glyph]]
"""Writes so many digits of one writer or one source."""


@dataclass(frozen=True)
class TrueLine:
    """One line: its digits, the same with separators and a space for each wide gap, and the box of each character.

    >>> line = true_line("3.75", [Box(0, 0, 10, 20), Box(12, 15, 14, 20), Box(16, 0, 26, 20), Box(60, 0, 70, 20)])
    >>> line.text, line.transcript, len(line.boxes)
    ('375', '3.7 5', 4)
    """

    text: str
    transcript: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Page:
    """A picture (H, W) or (H, W, 3) uint8 and its lines in reading order; without lines there is nothing to read.

    >>> line = true_line("12", [Box(5, 5, 15, 25), Box(20, 5, 30, 25)])
    >>> page = Page(np.full((40, 60), 255, np.uint8), (line, true_line("7", [Box(5, 28, 15, 38)])))
    >>> page.text, len(page.boxes)
    ('12\\n7', 3)
    """

    picture: NDArray[np.uint8]
    lines: tuple[TrueLine, ...]

    @property
    def text(self) -> str:
        """The digits, with a line break between lines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes of all characters."""
        return tuple(box for line in self.lines for box in line.boxes)


Draw = Callable[[Digits, np.random.Generator], Page]
"""Draws one page of a kind."""


def true_line(characters: Sequence[str], boxes: Sequence[Box]) -> TrueLine:
    """The line of these characters, left to right; gaps wider than WORD_GAP are spaces, as in a reading.

    >>> boxes = [Box(0, 0, 10, 20), Box(12, 0, 22, 20), Box(60, 0, 70, 20)]
    >>> true_line("123", boxes).transcript
    '12 3'
    """
    heights = sorted(box.bottom - box.top for c, box in zip(characters, boxes, strict=True) if c in DIGITS)
    gap = WORD_GAP * heights[len(heights) // 2] if heights else 0
    transcript, end = "", None
    for character, box in zip(characters, boxes, strict=True):
        transcript += " " if end is not None and box.left > end + gap else ""
        transcript += character
        end = max(end or 0, box.right)
    return TrueLine("".join(c for c in characters if c in DIGITS), transcript, tuple(boxes))


def moved(box: Box, right: int, down: int) -> Box:
    """The box, shifted by whole pixels.

    >>> moved(Box(1, 2, 3, 4), right=10, down=20)
    Box(left=11, top=22, right=13, bottom=24)
    """
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def box_of_ink(ink: NDArray[np.floating], threshold: float = 0.2) -> Box:
    """The box of the pixels of (H, W) above the threshold. Raises ValueError where there are none.

    >>> ink = np.zeros((10, 10))
    >>> ink[2:5, 3:9] = 1
    >>> box_of_ink(ink)
    Box(left=3, top=2, right=9, bottom=5)
    """
    box = ink_box(ink, threshold)
    if box is None:
        raise ValueError("there is no ink")
    rows, columns = box
    return Box(int(columns.start), int(rows.start), int(columns.stop), int(rows.stop))
