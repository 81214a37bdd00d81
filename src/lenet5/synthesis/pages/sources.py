"""Where the digits of drawn pages come from: images in MNIST's form, or the pen strokes of UNIPEN's writers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.learning.unipen import Writing
from lenet5.normalise import ink_box
from lenet5.strokes import Pen, any_hand, any_pen, hold, ink_of
from lenet5.synthesis.pages.truth import Glyph
from lenet5.synthesis.writers import Writer, any_of, with_digits, writers_of

__all__ = ["Images", "Writers", "from_writings", "tight"]

Floats = NDArray[np.float32]

_INKED: Final = 40  # of 255: ink of an image
_UNIT: Final = 64.0  # pixels of a digit drawn from strokes
_SHORTEST: Final = 3  # letters of a word: shorter ones may be digits by their shape
_LONGEST: Final = 1.8  # times as wide as high: a wider one is no digit, or has a stroke of something else
_LEVEL: Final = 0.2  # ink below that ends a crop


def tight(image: NDArray[np.uint8]) -> Floats:
    """An image (28, 28) cropped to its ink: (h, w) in 0..1.

    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[4:24, 12:16] = 255
    >>> tight(image).shape, float(tight(image).max())
    ((20, 4), 1.0)
    """
    box = ink_box(image, _INKED)
    return np.asarray((image if box is None else image[box]).astype(np.float32) / 255, np.float32)


@dataclass(frozen=True)
class Images:
    """Digits drawn at random from ``images`` (N, 28, 28) in MNIST's form with their ``labels`` (N,).

    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[:, 4:24, 12:16] = 255
    >>> glyphs = Images(images, np.array([1, 7]))(np.random.default_rng(0), 4)
    >>> [glyph.label for glyph in glyphs], glyphs[0].ink.shape  # cropped to the ink
    ([7, 7, 7, 1], (20, 4))
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.integer]

    def __call__(self, generator: np.random.Generator, n: int) -> list[Glyph]:
        numbers = generator.integers(0, len(self.images), n)
        return [Glyph(tight(self.images[k]), int(self.labels[k])) for k in numbers]


@dataclass(frozen=True)
class Writers:
    """Digits and words of UNIPEN's writers: each call is one writer, in one hand and with one pen.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(digit, "CHARACTER", "a writer", "a file", (stroke,)) for digit in "12345"]
    >>> glyphs = from_writings(writings)(np.random.default_rng(0), 4)
    >>> [glyph.label for glyph in glyphs], len({glyph.pen for glyph in glyphs})  # one pen
    ([3, 5, 5, 3], 1)
    """

    writers: tuple[Writer, ...]
    words: tuple[Writing, ...]

    def __call__(self, generator: np.random.Generator, n: int) -> list[Glyph]:
        writer = self.writers[int(generator.integers(len(self.writers)))]
        hand, pen = any_hand(generator), any_pen(generator)
        glyphs = []
        for _ in range(n):
            digit = writer.digits[int(generator.integers(len(writer.digits)))]
            ink = ink_of(writer.digit(digit, hand, generator), _UNIT, pen, generator)
            glyphs.append(Glyph(_cropped(ink), int(digit), _UNIT, pen.width))
        return glyphs

    def word(self, generator: np.random.Generator, height: float, pen: Pen) -> Floats:
        """The ink (h, w) of a word of letters, ``height`` pixels high. Raises ValueError where there is none."""
        if not self.words:
            raise ValueError("no writer has a word of letters")
        word = any_of(self.words, generator)
        return _cropped(ink_of(hold(word.strokes, any_hand(generator), generator), height, pen, generator))


def from_writings(writings: Iterable[Writing]) -> Writers:
    """Digits of the writers with at least five different ones. Raises ValueError where there is no such writer.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(digit, "CHARACTER", "a writer", "a file", (stroke,)) for digit in "12345"]
    >>> writers = from_writings(writings)
    >>> [(writer.digits, writer.height) for writer in writers.writers]
    [('12345', 10.0)]
    """
    writings = list(writings)
    digits = (w for w in writings if w.label in tuple(DIGITS) and not _is_long(w))
    words = (w for w in writings if w.level == "WORD" and w.label.isalpha() and len(w.label) >= _SHORTEST)
    return Writers(tuple(with_digits(writers_of(digits))), tuple(words))


def _is_long(writing: Writing) -> bool:
    width, height = np.ptp(np.concatenate(writing.strokes), axis=0)
    return bool(width > _LONGEST * height)


def _cropped(ink: Floats) -> Floats:
    """Ink (h, w) cropped to what is visible; unchanged where nothing is."""
    box = ink_box(ink, _LEVEL)
    return ink if box is None else np.ascontiguousarray(ink[box])
