"""Lattices → words: what stands in a line without a wide gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.glance import Glance
from lenet5.reading.lattice import Lattice
from lenet5.reading.proposals import Proposal
from lenet5.result import REFUSED, Digit, Separator

__all__ = ["Seen", "Word", "wholes_of", "words_of"]


@dataclass(frozen=True)
class Word:
    """``arcs`` of a ``lattice`` without a wide gap between them, of the line ``number`` in the list of glances.

    >>> from lenet5.result import Box
    >>> marks = tuple(Digit(label, 0.9, Box(left, 0, left + 8, 12)) for label, left in (("4", 0), ("2", 10)))
    >>> word = Word(None, None, 0, (0, 1), marks)  # of no lattice, for the example
    >>> word.text, word.edges
    ('42', (0, 0, 18, 12))
    """

    glance: Glance
    lattice: Lattice
    number: int
    arcs: tuple[int, ...]
    marks: tuple[Digit | Separator, ...]

    @property
    def proposal(self) -> Proposal:
        return self.glance.proposal

    @property
    def text(self) -> str:
        return "".join(mark.label for mark in self.marks if isinstance(mark, Digit))

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in the picture."""
        boxes = [mark.box for mark in self.marks]
        return (
            min(b.left for b in boxes),
            min(b.top for b in boxes),
            max(b.right for b in boxes),
            max(b.bottom for b in boxes),
        )


@dataclass(frozen=True)
class Seen:
    """What was seen in a picture: its ``words``, their ``features`` (N, F), whether there is any ink, and notes.

    >>> from lenet5.result import Box
    >>> marks = tuple(Digit(label, 0.9, Box(left, 0, left + 8, 12)) for label, left in (("4", 0), ("2", 10)))
    >>> seen = Seen([Word(None, None, 0, (0, 1), marks)], np.zeros((1, 37)), inked=True)
    >>> seen.edges.tolist(), seen.digits.tolist()
    ([[0.0, 0.0, 18.0, 12.0]], [2.0])
    """

    words: list[Word]
    features: NDArray[np.float64]
    inked: bool
    notes: tuple[str, ...] = ()

    @property
    def edges(self) -> NDArray[np.float64]:
        """(N, 4): the boxes of the words: left, top, right, bottom."""
        return np.array([word.edges for word in self.words], np.float64).reshape(-1, 4)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,): which words are of one line."""
        return np.array([word.number for word in self.words], np.int64)

    @property
    def digits(self) -> NDArray[np.float64]:
        """(N,): how many digits each word holds."""
        return np.array([len(word.text) for word in self.words], np.float64)


def words_of(glances: Sequence[Glance], lattices: Sequence[Lattice | None]) -> list[Word]:
    """The words of the best paths that hold a digit, or what may be one."""
    words = []
    for number, (glance, lattice) in enumerate(zip(glances, lattices, strict=True)):
        for arcs in lattice.words if lattice else ():
            assert lattice is not None
            word = _word(glance, lattice, number, arcs)
            if any(isinstance(mark, Digit) and mark.label != REFUSED for mark in word.marks):
                words.append(word)
    return words


def wholes_of(glances: Sequence[Glance], lattices: Sequence[Lattice | None]) -> list[Word]:
    """All ink of each line that may be one digit, as that digit, where the best path sees something else in it.

    A digit with a long flag or in broken strokes may be likelier in parts than whole: the score is to decide. Each is
    a line of its own, numbered after the glances.
    """
    words: list[Word] = []
    for glance, lattice in zip(glances, lattices, strict=True):
        k = lattice.whole if lattice else None
        if lattice is not None and k is not None and lattice.path.arcs != (k,):
            words.append(_word(glance, lattice, len(glances) + len(words), (k,)))
    return words


def _word(glance: Glance, lattice: Lattice, number: int, arcs: Sequence[int]) -> Word:
    return Word(glance, lattice, number, tuple(arcs), tuple(lattice.mark(k) for k in arcs))
