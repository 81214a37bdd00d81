"""Numbers as one writer writes them, with any pen: digits set in a row, separators drawn between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.normalise import ink_box
from lenet5.strokes import BROADEST, HAIRLINE, LINE, Hand, Pen, any_hand, drawn_separator, hold, log_uniform, placed
from lenet5.synthesis.pages.numbers import thinned
from lenet5.synthesis.pages.sheet import Mark
from lenet5.synthesis.pages.truth import UNIT, Digits, Glyph
from lenet5.synthesis.strings import number

__all__ = ["Strokes", "digit_ink", "drawing", "grained", "marks", "one_writer", "pattern", "row"]

Floats = NDArray[np.float32]
Strokes = Sequence[NDArray[np.floating]]
"""Polylines (n, 2): x to the right, y downwards."""

_FINE: Final = 64.0  # pixels: a digit is so high when it was redrawn
_PLAIN: Final = 40  # pixels: a digit is this high while it is redrawn with another pen
_USUAL: Final = 0.11  # of a digit's height: an ordinary pen
_HARD: Final = 6.0  # how steep the edge of enlarged ink is
_DOT: Final = 1.5  # pixels: the finest pen of a separator, whose dot must be seen
_FAINTEST: Final = 0.75  # the least ink level of a digit's darkest pixel
_INK: Final = 0.2  # ink below that ends a crop


def pattern(rng: np.random.Generator, longest: int = 8, separated: float = 0.4) -> str:
    """A number's form, each digit a 0: plain, or with the probability ``separated`` a date, time, amount, …

    >>> generator = np.random.default_rng(0)
    >>> [pattern(generator, separated=0.5) for _ in range(5)]
    ['00000', '000-00', '0.0', '000', '00%']
    """
    if rng.random() >= separated:
        return "0" * int(rng.integers(1, longest + 1))
    while True:
        text = number(longest, rng)
        if not text.isdigit() and len(text) <= longest + 4:
            return "".join("0" if c in DIGITS else c for c in text)


def row(digits: Digits, form: str, height: float, rng: np.random.Generator, close: float | None = None) -> list[Mark]:
    """A number of this form (see :func:`pattern`) in a row, digits ``height`` pixels high, at (0, 0).

    ``close`` is the gap between digits in heights, by default any from touching to wide apart.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> [(mark.character, mark.left) for mark in row(bars, "00/00", 40, np.random.default_rng(0))]
    [('1', 0), ('1', 9), ('/', 17), ('1', 45), ('1', 58)]
    """
    glyphs = iter(written := digits(rng, sum(c in DIGITS for c in form)))
    width, hand = _pen_width(rng), any_hand(rng)
    pen = Pen(max(written[0].pen or width or _USUAL, _DOT / height))
    gap = (rng.uniform(0.02, 0.35) if close is None else close) * height
    slope, x, placed_marks = rng.normal(0, 0.012), 0.0, []
    for character in form:
        if character in DIGITS:
            glyph = next(glyphs)
            character, ink = str(glyph.label), digit_ink(glyph, height, width, rng)
            top = height - ink.shape[0] if ink.shape[0] < 1.15 * height else (height - ink.shape[0]) / 2
        else:
            strokes = hold(drawn_separator(character, rng), hand, rng, LINE)
            (ink,), (_, origin) = placed([strokes], height, pen, rng)
            ink, rows = _cropped(_visible(ink))
            top = height / 2 - origin + rows
        down = slope * x + rng.normal(0, 0.03) * height
        placed_marks.append(Mark(character, ink, round(x), round(top + down)))
        x += ink.shape[1] + max(gap * rng.uniform(0.7, 1.3), 1.0)
    low = min(mark.top for mark in placed_marks)
    return [Mark(mark.character, mark.ink, mark.left, mark.top - low) for mark in placed_marks]


def one_writer(digits: Digits, most: int, rng: np.random.Generator) -> Digits:
    """A source of up to ``most`` digits, all by one writer with one pen.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> generator = np.random.default_rng(1)
    >>> writer = one_writer(bars, 6, generator)
    >>> {round(glyph.pen, 3) for _ in range(2) for glyph in writer(generator, 3)}  # one pen for all
    {0.232}
    """
    width, glyphs = _pen_width(rng), iter(digits(rng, most))

    def written(glyph: Glyph) -> Glyph:
        if glyph.pen is not None:
            return glyph
        if width is None:
            return Glyph(glyph.ink, glyph.label, glyph.unit, _USUAL)
        return Glyph(_redrawn(glyph.ink, _FINE / glyph.unit, width * _FINE), glyph.label, _FINE, width)

    return lambda rng, n: [written(next(glyphs)) for _ in range(n)]


def marks(digits: Digits, n: int, height: float, rng: np.random.Generator) -> list[Mark]:
    """Digits of one writer, each at (0, 0): for cells.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> [(mark.character, mark.ink.shape[0]) for mark in marks(bars, 3, 60, np.random.default_rng(0))]
    [('1', 47), ('1', 46), ('1', 53)]
    """
    width = _pen_width(rng)
    glyphs = digits(rng, n)
    return [Mark(str(g.label), digit_ink(g, height * rng.uniform(0.9, 1.1), width, rng), 0, 0) for g in glyphs]


def digit_ink(glyph: Glyph, height: float, width: float | None, rng: np.random.Generator) -> Floats:
    """A digit's ink (h, w), where a usual one is ``height`` pixels high.

    Images are redrawn with a pen of ``width`` heights, if that is given; strokes have their pen already.

    >>> bar = Glyph(np.ones((20, 6), np.float32), 1)
    >>> [digit_ink(bar, 80, width, np.random.default_rng(0)).shape for width in (None, 0.05, 0.2)]
    [(80, 24), (60, 6), (72, 18)]
    """
    factor = height / glyph.unit
    if width is not None and glyph.pen is None:
        return _redrawn(glyph.ink, factor, width * height)
    shape = (max(2, round(glyph.ink.shape[1] * factor)), max(2, round(glyph.ink.shape[0] * factor)))
    if factor <= 1.5:
        small = cv2.resize(glyph.ink, shape, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        return _visible(np.asarray(np.clip(small, 0, 1), np.float32))
    border = max(2, round(factor))
    large = cv2.resize(glyph.ink, shape, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(np.pad(large, border), (0, 0), 0.35 * factor)
    steep = np.clip(0.5 + (soft - 0.42) * min(_HARD, 1 + factor), 0, 1)
    return _cropped(np.asarray(steep, np.float32))[0]


def grained(ink: Floats, rng: np.random.Generator) -> Floats:
    """Ink as crayon or chalk leaves it on rough paper: (h, w) in 0..1.

    >>> ink = grained(np.ones((30, 30), np.float32), np.random.default_rng(0))
    >>> round(float(ink.min()), 2), round(float(ink.max()), 2)
    (0.15, 1.0)
    """
    grain, rough = rng.uniform(0.8, 3.0), rng.uniform(0.1, 0.5)
    size = (max(2, round(ink.shape[0] / grain)), max(2, round(ink.shape[1] / grain)))
    noise = cv2.resize(rng.random(size, np.float32), ink.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(ink * np.clip((noise - rough) / 0.3 + 0.6, 0.15, 1), np.float32)


def drawing(strokes: Strokes, height: float, pen: Pen, rng: np.random.Generator, tremor: float = 0.0) -> Floats:
    """Strokes in units of ``height`` pixels as a hand draws them: ink (h, w) in 0..1, cropped.

    >>> strokes = [np.array([[-0.5, 0], [0.5, 0]]), np.array([[0, -0.5], [0, 0.5]])]  # a plus
    >>> ink = drawing(strokes, 12, Pen(0.1), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.3)] for level in row) for row in ink))
    ·······#······
    ······##······
    ······##······
    ······##······
    ······##······
    ······##······
    ·#############
    ##############
    ······##······
    ······##······
    ······##······
    ······##······
    ······##······
    ······##······
    """
    hand = Hand(tremor=tremor, smooth=0.6)
    lines = [np.asarray(stroke, np.float32) for stroke in strokes]
    held = hold(lines, hand, rng, LINE) if tremor else lines
    (ink,), _ = placed([held], height, pen, rng)
    return _cropped(ink)[0]


def _pen_width(rng: np.random.Generator) -> float | None:
    """The pen with which images are redrawn, in heights, or None: as they are."""
    if rng.random() < 0.4:
        return None
    return log_uniform(rng, HAIRLINE, BROADEST)


def _redrawn(ink: Floats, factor: float, width: float) -> Floats:
    """Ink's middle lines, enlarged by ``factor`` and drawn ``width`` pixels broad."""
    plain = _PLAIN / UNIT
    shape = (max(3, round(ink.shape[1] * plain)), max(3, round(ink.shape[0] * plain)))
    large = cv2.resize(ink, shape, interpolation=cv2.INTER_CUBIC)
    zoom = factor / plain
    border = int(np.ceil(width / 2 / zoom)) + 2
    middle = thinned(np.pad(large, border) > 0.45)
    if not middle.any():
        middle = np.pad(large, border) > 0.45
    away = cv2.distanceTransform((~middle).astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.GaussianBlur(np.asarray(away, np.float32), (0, 0), 0.7) - np.float32(0.35)
    size = (max(3, round(away.shape[1] * zoom)), max(3, round(away.shape[0] * zoom)))
    if zoom < 1:
        fine = np.clip(max(width, 1.0) / 2 + 0.5 - away * zoom, 0, 1)
        return _visible(_cropped(np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32))[0])
    enlarged = cv2.resize(away, size, interpolation=cv2.INTER_CUBIC) * zoom
    return _cropped(np.asarray(np.clip(max(width, 1.2) / 2 + 0.5 - enlarged, 0, 1), np.float32))[0]


def _visible(ink: Floats) -> Floats:
    """Ink of pens finer than a pixel, as dark as a pen still is on paper."""
    peak = float(ink.max(initial=0))
    return ink * np.float32(_FAINTEST / peak) if 0 < peak < _FAINTEST else ink


def _cropped(ink: Floats) -> tuple[Floats, int]:
    """Ink cropped to what is visible, and how many rows were cut off above it."""
    least = min(_INK, 0.5 * float(ink.max(initial=0)))
    box = ink_box(ink, least)
    return (ink, 0) if box is None else (np.ascontiguousarray(ink[box]), int(box[0].start))
