"""The writers of UNIPEN: what each wrote in isolation, and their digits held by any hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.learning.unipen import Writing
from lenet5.strokes import Hand, frame_of, hold

__all__ = ["Writer", "any_of", "with_digits", "writers_of"]

_FEWEST: Final = 5  # different digits
_SIZES: Final = (0.75, 1.3)  # limits of a digit's height, in median heights of the writer's digits


@dataclass(frozen=True)
class Writer:
    """A writer: ``writings`` are the isolated characters, by label.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(label, "CHARACTER", "a writer", "a file", (stroke,)) for label in "71/"]
    >>> (writer,) = writers_of(writings)
    >>> writer.digits, writer.height
    ('17', 10.0)
    """

    writings: dict[str, list[Writing]]

    @property
    def digits(self) -> str:
        """The digits that the writer has, in order."""
        return "".join(digit for digit in DIGITS if digit in self.writings)

    @cached_property
    def height(self) -> float:
        """The median height of the writer's digits, in the unit of the strokes."""
        return float(np.median([frame_of(w.strokes)[1] for digit in self.digits for w in self.writings[digit]]))

    def digit(self, digit: str, hand: Hand, generator: np.random.Generator) -> list[NDArray[np.float32]]:
        """The strokes of one of the writer's examples of a digit, around its middle.

        The unit is the median height of the writer's digits, so that their sizes differ as the writer's do.
        """
        writing = any_of(self.writings[digit], generator)
        middle, height = frame_of(writing.strokes)
        unit = height / float(np.clip(height / self.height, *_SIZES))
        return hold(writing.strokes, hand, generator, (middle, unit))


def writers_of(writings: Iterable[Writing]) -> list[Writer]:
    """The writers of isolated characters, in the order of their first ones.

    >>> writings = [Writing("7", "CHARACTER", name, "a file", ()) for name in ("b", "a", "b")]
    >>> [len(writer.writings["7"]) for writer in writers_of(writings)]
    [2, 1]
    """
    by_writer: dict[str, dict[str, list[Writing]]] = {}
    for writing in writings:
        if writing.level == "CHARACTER":
            by_writer.setdefault(writing.writer, {}).setdefault(writing.label, []).append(writing)
    return [Writer(characters) for characters in by_writer.values()]


def with_digits(writers: Iterable[Writer]) -> list[Writer]:
    """The writers with at least five different digits. Raises ValueError where there is none.

    >>> with_digits(writers_of([Writing("7", "CHARACTER", "a writer", "a file", ())]))
    Traceback (most recent call last):
        ...
    ValueError: no writer has 5 different digits
    """
    selected = [writer for writer in writers if len(writer.digits) >= _FEWEST]
    if not selected:
        raise ValueError(f"no writer has {_FEWEST} different digits")
    return selected


def any_of(writings: Sequence[Writing], generator: np.random.Generator) -> Writing:
    """One of the writings at random.

    >>> any_of([Writing("7", "CHARACTER", "a writer", "a file", ())], np.random.default_rng(0)).label
    '7'
    """
    return writings[int(generator.integers(len(writings)))]
