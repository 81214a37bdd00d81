"""Characters in one handwriting: of MNIST's images, or of UNIPEN's writers; separators written or drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.learning.sets import ImageSet
from lenet5.learning.unipen import Writing
from lenet5.normalise import ink_box
from lenet5.paper import SIDE
from lenet5.reading.pieces import HEIGHT
from lenet5.strokes import LINE, WRITTEN, Hand, Pen, any_hand, any_pen, drawn_separator, frame_of, hold, placed
from lenet5.synthesis.writers import any_of, with_digits, writers_of

__all__ = ["CLASSES", "Source", "Symbol", "from_images", "from_writers"]

Floats = NDArray[np.float32]

CLASSES: Final = DIGITS + SEPARATORS
"""The characters of lines: a label is an index into this string."""


@dataclass(frozen=True)
class Symbol:
    """One character of a line: its ``label``, its ``ink`` (h, w), cropped, and its ``middle``.

    The middle of the ink is so many pixels below the middle of the line's digits, which are HEIGHT high.

    >>> slash = Symbol(CLASSES.index("/"), np.ones((60, 20), np.float32), middle=2.0)
    >>> slash.is_digit, Symbol(7, np.ones((56, 30), np.float32)).is_digit
    (False, True)
    """

    label: int
    ink: Floats
    middle: float = 0.0

    @property
    def is_digit(self) -> bool:
        return self.label < len(DIGITS)


Source = Callable[[str, np.random.Generator], list[Symbol]]
"""Text of CLASSES and a generator → its symbols in one handwriting; a digit that the source lacks becomes another."""


def from_images(data: ImageSet) -> Source:
    """Writes with the digits of an image set; separators are drawn. Raises ValueError where the set has no digit.

    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[0, 4:24, 12:15] = images[1, 4:24, 5:25] = 255  # a 1, and a block for a 0
    >>> source = from_images(ImageSet("two", images, np.array([1, 0], np.uint8)))
    >>> [CLASSES[symbol.label] for symbol in source("10.1", np.random.default_rng(0))]
    ['1', '0', '.', '1']
    """
    inked = data.images.max(axis=(1, 2)) > 64
    of_digit = [np.flatnonzero(inked & (data.labels == digit)) for digit in range(len(DIGITS))]
    digits = [digit for digit in range(len(DIGITS)) if len(of_digit[digit])]
    if not digits:
        raise ValueError(f"{data.name} has no digit with ink")

    def source(text: str, generator: np.random.Generator) -> list[Symbol]:
        slant = float(generator.normal(0, 0.15))
        stretch = float(np.exp(generator.normal(0, 0.12)))
        thickness = int(generator.integers(0, 3)) if generator.random() < 0.4 else 0
        pen = Pen(float(generator.uniform(0.05, 0.16)))
        hand = Hand(slant=slant, tremor=0.01)
        symbols = []
        for character in text:
            if character in DIGITS:
                digit = int(character) if int(character) in digits else int(generator.choice(digits))
                shape = _enlarged(data.images[generator.choice(of_digit[digit])], stretch, generator)
                symbols.append(Symbol(digit, _slanted(shape, slant, thickness)))
            else:
                strokes = hold(drawn_separator(character, generator), hand, generator, LINE)
                symbols.append(_symbol(character, strokes, pen, generator))
        return symbols

    return source


def from_writers(writings: Sequence[Writing]) -> Source:
    """Writes each text as one writer of UNIPEN, chosen at random. Separators are the writer's, others', or drawn.

    Raises ValueError where there is no writer with five different digits.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(digit, "CHARACTER", "a writer", "a file", (stroke,)) for digit in "12345"]
    >>> symbols = from_writers(writings)("12/5", np.random.default_rng(0))
    >>> [CLASSES[symbol.label] for symbol in symbols]
    ['1', '2', '/', '5']
    """
    everyone = writers_of(w for w in writings if w.label in tuple(CLASSES))
    writers = with_digits(everyone)
    separators = {c: [w for writer in everyone for w in writer.writings.get(c, [])] for c in SEPARATORS}

    def source(text: str, generator: np.random.Generator) -> list[Symbol]:
        writer = writers[int(generator.integers(len(writers)))]
        hand, pen = any_hand(generator), any_pen(generator)
        symbols = []
        for character in text:
            label = character
            if character in DIGITS:
                if character not in writer.digits:
                    label = str(generator.choice(list(writer.digits)))
                strokes = writer.digit(label, hand, generator)
            else:
                examples = writer.writings.get(character) or separators[character]
                strokes = _separator(character, examples, hand, generator)
            symbols.append(_symbol(label, strokes, pen, generator))
        return symbols

    return source


def _separator(character: str, examples: list[Writing], hand: Hand, generator: np.random.Generator) -> list[Floats]:
    """A separator in the frame of LINE: mostly one of the examples, where there are any, else drawn."""
    if character not in WRITTEN or not examples or generator.random() >= 0.8:
        return hold(drawn_separator(character, generator), hand, generator, LINE)
    strokes = any_of(examples, generator).strokes
    relative_height = generator.uniform(0.8, 1.1) if character == "%" else generator.uniform(0.9, 1.6)
    (x, y), height = frame_of(strokes)
    middle = np.array([x, y - generator.normal(0.03, 0.1) * height / relative_height], np.float32)
    return hold(strokes, hand, generator, (middle, height / relative_height))


def _symbol(character: str, strokes: Sequence[Floats], pen: Pen, generator: np.random.Generator) -> Symbol:
    """A character drawn by a pen, from strokes in heights of a digit around the middle of the line's digits."""
    level, (_, origin) = placed([strokes], HEIGHT, pen, generator)
    ink = level[0]
    box = ink_box(ink, 0.2)
    if box is None:
        return Symbol(CLASSES.index(character), ink, 0.0)
    return Symbol(CLASSES.index(character), ink[box], (float(box[0].start) + float(box[0].stop)) / 2 - origin)


def _enlarged(image: NDArray[np.uint8], stretch: float, generator: np.random.Generator) -> Floats:
    """A digit cropped to its ink, about HEIGHT high."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 64), np.flatnonzero(image.max(axis=0) > 64)
    crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    scale = HEIGHT / max(crop.shape[0], 0.6 * SIDE * 20 / 28) * float(np.exp(generator.normal(0, 0.1)))
    size = (max(3, round(crop.shape[1] * scale * stretch)), max(3, round(crop.shape[0] * scale)))
    enlarged = cv2.resize(np.pad(crop, 1), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(enlarged, 0, 1), np.float32)


def _slanted(large: Floats, slant: float, thickness: int) -> Floats:
    """A digit (h, w) slanted, with thinner (1) or thicker (2) strokes, cropped to its columns of ink."""
    height, width = large.shape
    extra = math.ceil(abs(slant) * height)
    matrix = np.array([[1, -slant, slant * height if slant > 0 else 0], [0, 1, 0]])
    large = np.asarray(cv2.warpAffine(large, matrix, (width + extra, height)), np.float32)
    if thickness == 1:
        large = np.asarray(cv2.erode(large, np.ones((2, 2), np.uint8)), np.float32)
    if thickness == 2:
        large = np.asarray(cv2.dilate(large, np.ones((2, 2), np.uint8)), np.float32)
    used = np.flatnonzero(large.max(axis=0) > 0.2)
    return np.asarray(large[:, used[0] : used[-1] + 1] if len(used) else large, np.float32)
