"""Where the digits of drawn pages come from: images in MNIST's form, or the pen strokes of UNIPEN's writers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.learning.unipen import Writing
from lenet5.normalise import ink_box
from lenet5.strokes import Pen, any_hand, any_pen, frame_of, hold, ink_of
from lenet5.synthesis.pages.truth import Glyph

__all__ = ["Images", "Writers", "from_writings", "tight"]

Floats = NDArray[np.float32]

_INKED: Final = 40  # of 255: ink of an image
_UNIT: Final = 64.0  # pixels of a digit drawn from strokes
_FEWEST: Final = 5  # different digits of a writer
_SHORTEST: Final = 3  # letters of a word: shorter ones may be digits by their shape
_LONGEST: Final = 1.8  # times as wide as high: such a digit is not one, or has a stroke of something else
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

    digits: tuple[tuple[tuple[Writing, ...], ...], ...]
    """Of each writer, the writings of each digit that the writer has."""
    heights: tuple[float, ...]
    """The usual height of each writer's digits, in the unit of the strokes."""
    words: tuple[Writing, ...]

    def __call__(self, generator: np.random.Generator, n: int) -> list[Glyph]:
        k = int(generator.integers(len(self.digits)))
        hand, pen = any_hand(generator), any_pen(generator)
        glyphs = []
        for _ in range(n):
            writings = self.digits[k][int(generator.integers(len(self.digits[k])))]
            writing = writings[int(generator.integers(len(writings)))]
            middle, height = frame_of(writing.strokes)
            unit = height / float(np.clip(height / self.heights[k], 0.75, 1.3))
            ink = ink_of(hold(writing.strokes, hand, generator, (middle, unit)), _UNIT, pen, generator)
            glyphs.append(Glyph(_cropped(ink), int(writing.label), _UNIT, pen.width))
        return glyphs

    def word(self, generator: np.random.Generator, height: float, pen: Pen) -> Floats:
        """The ink (h, w) of a word of letters, ``height`` pixels high. Raises ValueError where there is none."""
        if not self.words:
            raise ValueError("no writer has a word of letters")
        writing = self.words[int(generator.integers(len(self.words)))]
        return _cropped(ink_of(hold(writing.strokes, any_hand(generator), generator), height, pen, generator))


def from_writings(writings: Iterable[Writing]) -> Writers:
    """Digits of the writers with at least five different ones. Raises ValueError where there is no such writer.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(digit, "CHARACTER", "a writer", "a file", (stroke,)) for digit in "12345"]
    >>> writers = from_writings(writings)
    >>> len(writers.digits), writers.heights
    (1, (10.0,))
    """
    characters: dict[str, dict[str, list[Writing]]] = {}
    words = []
    for writing in writings:
        if writing.level == "CHARACTER" and writing.label in tuple(DIGITS) and not _is_long(writing):
            characters.setdefault(writing.writer, {}).setdefault(writing.label, []).append(writing)
        elif writing.level == "WORD" and writing.label.isalpha() and len(writing.label) >= _SHORTEST:
            words.append(writing)
    writers = [written for written in characters.values() if len(written) >= _FEWEST]
    if not writers:
        raise ValueError(f"no writer has {_FEWEST} different digits")
    return Writers(
        digits=tuple(tuple(tuple(written[digit]) for digit in sorted(written)) for written in writers),
        heights=tuple(_usual_height([w for group in written.values() for w in group]) for written in writers),
        words=tuple(words),
    )


def _is_long(writing: Writing) -> bool:
    wide, tall = np.ptp(np.concatenate(writing.strokes), axis=0)
    return bool(wide > _LONGEST * tall)


def _usual_height(writings: Sequence[Writing]) -> float:
    return float(np.median([frame_of(writing.strokes)[1] for writing in writings]))


def _cropped(ink: Floats) -> Floats:
    """Ink (h, w) cropped to what is visible; unchanged where nothing is."""
    box = ink_box(ink, _LEVEL)
    return ink if box is None else np.ascontiguousarray(ink[box])
