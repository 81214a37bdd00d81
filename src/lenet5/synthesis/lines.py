"""Lines as the line reader sees them, with their truth: pieces, candidates, and what each candidate is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.unipen import Writing, is_number
from lenet5.paper import NOT_A_DIGIT
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.lines import find_lines
from lenet5.reading.pieces import Pieces, cut, sheared, whole_marks
from lenet5.synthesis.strings import CLASSES, Written, labelled
from lenet5.synthesis.strokes import Hand, Pen, any_hand, any_pen, frame_of, hold, ink_of

__all__ = ["SeenLine", "numbers_of", "picture_of", "seen", "written_numbers"]

Floats = NDArray[np.float32]

_HEIGHT: Final = 56  # pixels of a written number's digits, before the reader brings them to its own height
_LONGEST: Final = 14  # characters: longer numbers make large graphs and teach no more
_LINES: Final = 1.9  # times as high as its usual stroke: what is higher is written in several lines


@dataclass(frozen=True)
class SeenLine:
    """A line's ``pieces`` and ``candidates``, its characters ``labels`` (places in CLASSES), and of each candidate its
    label, NOT_A_DIGIT, or −1 where that is not known: ``truths`` (N,)."""

    pieces: Pieces
    candidates: Candidates
    labels: tuple[int, ...]
    truths: NDArray[np.int64]


def seen(written: Written) -> SeenLine | None:
    """A written line as the reader sees it; None where it finds no candidate in it."""
    whole = whole_marks(written.level)
    if len(whole) == 0:
        return None
    pieces = cut(whole)
    candidates = runs(pieces)
    if len(candidates.images) == 0:
        return None
    shares = np.stack([sheared(share, pieces.slant) for share in written.shares])
    truths = labelled(Written(pieces.level, shares, written.labels), pieces, candidates)
    return SeenLine(pieces, candidates, written.labels, truths)


def numbers_of(writings: Iterable[Writing]) -> list[Writing]:
    """The numbers that stand on one line, each once: a text whose words are given as well is left out."""
    numbers = [w for w in writings if is_number(w) and len(w.label.replace(" ", "")) <= _LONGEST]
    numbers = [w for w in numbers if _is_one_line(w)]
    words = {w.strokes[0].tobytes() for w in numbers if w.level == "WORD"}
    texts: set[bytes] = set()
    kept = []
    for w in numbers:
        first = w.strokes[0].tobytes()
        if w.level == "WORD" or (first not in words and first not in texts):
            texts.add(first)
            kept.append(w)
    return kept


def picture_of(writing: Writing, generator: np.random.Generator | None = None, pen: float = 0.1) -> Floats:
    """A written number on white paper (H, W) float32 in 0..1: as it was written, or in any hand with any pen."""
    strokes, unit = writing.strokes, _usual_height(writing)
    middle, _ = frame_of(strokes)
    hand = any_hand(generator) if generator else Hand()
    held = hold(strokes, hand, generator or np.random.default_rng(0), (middle, unit))
    drawn_by = any_pen(generator) if generator else Pen(pen)
    ink = ink_of(held, _HEIGHT, drawn_by, generator or np.random.default_rng(0))
    return np.pad(np.asarray(1 - ink, np.float32), 16, constant_values=1)


def written_numbers(
    numbers: Sequence[Writing], count: int, generator: np.random.Generator
) -> Iterator[SeenLine]:
    """Numbers as they were written, in turn, with any pen, through the reader's own search for a line."""
    for k in np.resize(generator.permutation(len(numbers)), count):
        found = find_lines(picture_of(numbers[k], generator), single=True, known=True)
        if not found:
            continue
        whole = whole_marks(found[0].level)
        if len(whole) == 0:
            continue
        pieces = cut(whole)
        candidates = runs(pieces)
        if len(candidates.images):
            labels = tuple(CLASSES.index(c) for c in numbers[k].label if c != " ")
            yield SeenLine(pieces, candidates, labels, np.full(len(candidates.images), -1))


def _usual_height(writing: Writing) -> float:
    """The height that half of a number's strokes have, weighed by their length."""
    heights = np.array([max(float(np.ptp(stroke[:, 1])), 1e-6) for stroke in writing.strokes])
    lengths = np.array([1e-6 + float(np.abs(np.diff(stroke, axis=0)).sum()) for stroke in writing.strokes])
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)])


def _is_one_line(writing: Writing) -> bool:
    """Whether the middles of a number's tall strokes lie in one line."""
    tall = _usual_height(writing)
    middles = [
        float(stroke[:, 1].min() + stroke[:, 1].max()) / 2 for stroke in writing.strokes if np.ptp(stroke[:, 1]) > tall / 2
    ]
    return not middles or max(middles) - min(middles) < _LINES * tall
