"""A sheet that is drawn on in colour, with the truth of what is written on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet5.codes import DIGITS
from lenet5.result import Box
from lenet5.synthesis.pages.truth import REACH, Page, TrueLine, true_line

__all__ = [
    "Colour",
    "Mark",
    "Sheet",
    "any_ink",
    "any_paper",
    "dark_ink",
    "margins",
    "pale_ink",
    "plain_font",
    "printed",
]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""
Finish = Callable[[Bytes, float, np.random.Generator], Bytes]
"""A canvas (H, W, 3), and by how much the palest writing differs from the paper in lightness, 0..255 → the picture."""

_HERSHEY: Final = 34.0  # pixels of a line of OpenCV's fonts at scale 1
_LEVEL: Final = 0.3  # of the ink: a character reaches so far
_DARK_PAPER: Final = 110  # of 255: below it ink covers the paper, above it is mixed with it

_DARK: Final = ((20, 20, 24), (30, 45, 140), (15, 25, 80), (170, 25, 40), (20, 95, 50), (90, 30, 120), (70, 40, 20))
_PALE: Final = ((245, 215, 30), (245, 140, 190), (120, 185, 240), (250, 160, 50), (130, 205, 120), (150, 150, 155))
_LIGHT: Final = ((250, 250, 250), (250, 235, 90), (250, 160, 200), (140, 210, 250), (180, 250, 160))


@dataclass(frozen=True)
class Mark:
    """A written character: its ``ink`` (h, w) in 0..1, and where its upper left pixel is.

    >>> stroke = Mark("1", np.ones((30, 5), np.float32), left=12, top=3)
    >>> stroke.character, stroke.ink.shape
    ('1', (30, 5))
    """

    character: str
    ink: Floats
    left: int
    top: int


class Sheet:
    """A sheet (height, width) of one colour; ``canvas`` (H, W, 3) uint8 is drawn on.

    Words are printed in Pillow's own ``font`` or one of OpenCV's.

    >>> sheet = Sheet(60, 80, (255, 250, 220))
    >>> sheet.write([Mark("1", np.ones((30, 5), np.float32), 0, 0)], 20, 10, (0, 0, 160))
    >>> sheet.tilt(90)  # the box follows
    >>> sheet.boxes
    [Box(left=19, top=45, right=50, bottom=50)]
    """

    def __init__(self, height: int, width: int, colour: Colour = (255, 255, 255), font: int | None = None) -> None:
        self._font = font
        self.canvas: Bytes = np.full((height, width, 3), colour, np.uint8)
        self._colour = colour
        self._dark = _lightness(colour) < _DARK_PAPER
        self._contrast = 255.0
        self._lines: list[list[tuple[str, NDArray[np.float64]]]] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.canvas.shape[0], self.canvas.shape[1]

    @property
    def boxes(self) -> list[Box]:
        """The boxes of everything written so far."""
        return [_box(points, self.size) for line in self._lines for _, points in line]

    def ink(self, level: NDArray[np.floating], left: int, top: int, colour: Colour) -> None:
        """Ink (h, w) in 0..1 at a place; what lies outside the sheet is cut off."""
        height, width = self.size
        y, x = max(top, 0), max(left, 0)
        shown = level[y - top : max(height - top, 0), x - left : max(width - left, 0)]
        if shown.size == 0:
            return
        place = self.canvas[y : y + shown.shape[0], x : x + shown.shape[1]]
        mixed = np.array(colour, np.float32) if self._dark else place * (np.array(colour, np.float32) / 255)
        place[:] = np.rint(place + np.asarray(shown, np.float32)[..., None] * (mixed - place)).astype(np.uint8)

    def write(self, marks: Sequence[Mark], left: int, top: int, colour: Colour, new_line: bool = True) -> None:
        """Characters in a row. Without ``new_line`` they continue the last line, unless it is farther than REACH."""
        for mark in marks:
            self.ink(mark.ink, left + mark.left, top + mark.top, colour)
        self._contrast = min(self._contrast, abs(_lightness(colour) - _lightness(self._colour)))
        characters = [(m.character, _outline(m.ink) + np.array([left + m.left, top + m.top])) for m in marks]
        if new_line or not self._lines or self._is_far(characters):
            self._lines.append(characters)
        else:
            self._lines[-1] += characters

    def text(
        self, words: str, left: int, top: int, size: int, colour: Colour = (20, 20, 24), bold: bool = False
    ) -> int:
        """Printed words, ``size`` pixels high; gives their width."""
        level = printed(words, size, bold, self._font)
        self.ink(level, left, top, colour)
        return int(level.shape[1])

    def warp(self, matrix: NDArray[np.floating], size: tuple[int, int], border: Colour | None = None) -> None:
        """The sheet seen through a homography (3, 3), as a picture of ``size`` (height, width)."""
        self.canvas = np.asarray(
            cv2.warpPerspective(
                self.canvas, matrix, size[::-1], flags=cv2.INTER_LINEAR, borderValue=border or self._colour
            ),
            np.uint8,
        )
        self._lines = [[(c, _through(points, matrix)) for c, points in line] for line in self._lines]

    def tilt(self, degrees: float) -> None:
        """The sheet turned about its middle; its corners are cut off."""
        height, width = self.size
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
        self.warp(np.vstack([turn, [0, 0, 1]]), self.size)

    def crop(self, box: Box) -> None:
        """Cut out a box of the sheet; characters outside it are forgotten."""
        height, width = self.size
        left, top = max(box.left, 0), max(box.top, 0)
        self.canvas = np.ascontiguousarray(self.canvas[top : min(box.bottom, height), left : min(box.right, width)])
        moved = [[(c, points - (left, top)) for c, points in line] for line in self._lines]
        rows, columns = self.size
        kept = [[(c, p) for c, p in line if _is_inside(p, rows, columns)] for line in moved]
        self._lines = [line for line in kept if line]

    def page(self, finish: Finish, rng: np.random.Generator) -> Page:
        """The sheet as a picture with its lines; those without a digit are no lines."""
        lines = [self._true(line) for line in self._lines]
        return Page(finish(self.canvas, self._contrast, rng), tuple(line for line in lines if line.text))

    def _true(self, line: list[tuple[str, NDArray[np.float64]]]) -> TrueLine:
        return true_line([c for c, _ in line], [_box(points, self.size) for _, points in line])

    def _is_far(self, characters: list[tuple[str, NDArray[np.float64]]]) -> bool:
        last = self._lines[-1]
        heights = sorted(float(np.ptp(points[:, 1])) for c, points in last if c in DIGITS) or [1.0]
        end = max(float(points[:, 0].max()) for _, points in last)
        return float(min(points[:, 0].min() for _, points in characters)) - end > REACH * heights[len(heights) // 2]


def printed(words: str, size: int, bold: bool = False, font: int | None = None) -> Floats:
    """Words in Pillow's own ``font`` or one of OpenCV's as ink (h, w) in 0..1.

    They are ``size`` pixels high with their accents and descenders.

    >>> short, long = (printed(words, 20, font=cv2.FONT_HERSHEY_SIMPLEX) for words in ("12", "1212"))
    >>> short.shape[0], bool(short.max() == 1), long.shape[1] > 1.5 * short.shape[1]
    (22, True, True)
    """
    if font is not None:
        scale, pen = size / _HERSHEY, max(1, round(size / 14)) + int(bold)
        (wide, _), below = cv2.getTextSize(words, font, scale, pen)
        lines = np.zeros((size + 2, wide + 2), np.uint8)
        cv2.putText(lines, words, (0, size - below // 2), font, scale, 255, pen, cv2.LINE_AA)
        return np.asarray(lines / np.float32(255), np.float32)
    letters = plain_font(size)
    _, _, right, bottom = letters.getbbox(words, stroke_width=int(bold))
    image = Image.new("L", (int(right) + 2, int(bottom) + 2), 0)
    ImageDraw.Draw(image).text((0, 0), words, 255, font=letters, stroke_width=int(bold))
    return np.asarray(np.asarray(image, np.float32) / 255, np.float32)


def margins(rng: np.random.Generator, low: float, high: float, height: float) -> list[int]:
    """Pixels around something ``height`` high, on its left, top, right and bottom, each ``low`` to ``high`` heights.

    >>> margins(np.random.default_rng(0), 0.1, 1.0, 100)
    [67, 34, 13, 11]
    """
    return [int(margin) for margin in rng.uniform(low, high, 4) * height]


def dark_ink(rng: np.random.Generator) -> Colour:
    """A ballpoint's or marker's colour, somewhat lighter or darker.

    >>> generator = np.random.default_rng(0)
    >>> [dark_ink(generator) for _ in range(3)]
    [(88, 36, 121), (14, 98, 63), (62, 27, 13)]
    """
    return _varied(_DARK[rng.integers(len(_DARK))], rng)


def pale_ink(rng: np.random.Generator) -> Colour:
    """Yellow, pink, light blue, orange, light green, or a pencil's grey.

    >>> generator = np.random.default_rng(0)
    >>> [pale_ink(generator) for _ in range(3)]
    [(148, 156, 156), (244, 163, 63), (142, 137, 148)]
    """
    return _varied(_PALE[rng.integers(len(_PALE))], rng)


def any_ink(rng: np.random.Generator, dark: bool = False) -> Colour:
    """Ink for light paper, a quarter of it pale; light ink where the paper is ``dark``.

    >>> any_ink(np.random.default_rng(0)), any_ink(np.random.default_rng(0), dark=True)
    ((176, 26, 34), (178, 255, 161))
    """
    if dark:
        return _varied(_LIGHT[rng.integers(len(_LIGHT))], rng)
    return pale_ink(rng) if rng.random() < 0.25 else dark_ink(rng)


def any_paper(rng: np.random.Generator, dark: float = 0.0) -> tuple[Colour, bool]:
    """White or tinted paper, or with the probability ``dark`` a board; and whether it is one.

    >>> generator = np.random.default_rng(1)
    >>> [any_paper(generator, dark=0.5) for _ in range(3)]
    [((209, 221, 219), False), ((239, 226, 230), False), ((30, 45, 50), True)]
    """
    if rng.random() < dark:
        base = ((15, 15, 18), (30, 60, 45), (35, 40, 50), (60, 40, 30), (0, 0, 0))[rng.integers(5)]
        return _varied(base, rng), True
    if rng.random() < 0.4:
        return (255, 255, 255), False
    level = rng.uniform(222, 255)
    red, green, blue = (int(v) for v in np.clip(level - rng.uniform(0, 18, 3), 0, 255))
    return (red, green, blue), False


def _varied(colour: Colour, rng: np.random.Generator) -> Colour:
    red, green, blue = (int(v) for v in np.clip(np.array(colour) + rng.normal(0, 10, 3), 0, 255))
    return red, green, blue


def _lightness(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


@cache
def plain_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, ``size`` pixels high.

    >>> plain_font(40).getlength("12") > 1.5 * plain_font(20).getlength("12")
    True
    """
    return ImageFont.load_default(size=size)


def _outline(ink: Floats) -> NDArray[np.float64]:
    """The corners (n, 2), x and y, of the convex hull of a character's ink."""
    rows, columns = np.nonzero(ink > min(_LEVEL, 0.6 * float(ink.max(initial=0))))
    if len(rows) == 0:
        return np.array([[0.0, 0.0], [ink.shape[1] - 1.0, ink.shape[0] - 1.0]])
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    return hull[:, 0].astype(np.float64)


def _through(points: NDArray[np.float64], matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def _box(points: NDArray[np.float64], size: tuple[int, int]) -> Box:
    low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int) + 1
    return Box(max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), size[1]), min(int(high[1]), size[0]))


def _is_inside(points: NDArray[np.float64], rows: int, columns: int) -> bool:
    """Whether the middle of a character lies on the sheet."""
    x, y = points.mean(axis=0)
    return bool(0 <= x < columns and 0 <= y < rows)
