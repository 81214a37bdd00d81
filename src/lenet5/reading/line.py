"""One line of ink → marks: cut in pieces, every candidate seen by the network, the best path decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import REFUSED, Box, Digit, Separator
from lenet5.posterior import RUBBISH
from lenet5.reading.arcs import arcs_of
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.decode import Path, best_path
from lenet5.reading.lines import Line
from lenet5.reading.pieces import HEIGHT, Pieces, cut

__all__ = ["LineReading", "read_line"]

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

_LEAST_ALTERNATIVE: Final = 0.0005
_WORD_GAP: Final = 0.6  # of the digits' height: a wider gap ends a word
_SHARPNESS: Final = 3.0  # candidates of a line share their ink, so that the right path is surer than their product says
_STRANGE: Final = 0.9  # what is no digit with at least this probability, at the end of a line, does not belong to it
_NUMBER: Final = 0.97  # of a word's marks must be digits, by their confidences, for it to be a number;
_NUMBERS: Final = 0.78  # or, where so many of its line's marks are,
_UNEVEN: Final = 2.5  # (and so many more for each part of the height by which heights differ above a tenth)
_DOUBTFUL: Final = 0.3  # so many of its own


@dataclass(frozen=True)
class LineReading:
    """The marks of one line from left to right, P(all of them are right), and how many were ``seen``, words and all."""

    marks: tuple[Digit | Separator, ...]
    confidence: float
    seen: int = 0


def read_line(line: Line, probabilities: Probabilities, every_word: bool = False) -> LineReading:
    """The digits and separators of a line; ``probabilities`` gives (N, 11) for images (N, 28, 28).

    What looks like a word, not a number, is left out unless ``every_word`` is one; so is, at the
    ends, what is surely no digit.
    """
    pieces = cut(line.level)
    if len(pieces) == 0:
        return LineReading((), 1.0)
    candidates = runs(pieces)
    p = probabilities(candidates.images)
    path = best_path(arcs_of(pieces, candidates, p), len(pieces), _SHARPNESS)
    words = [[_mark(path, k, line, pieces, candidates, p) for k in word] for word in _words(path, pieces)]
    marks = [mark for word in (words if every_word else _numbers(words)) for mark in word]
    kept = [k for k, mark in enumerate(marks) if not _is_strange(mark)]
    marks = marks[kept[0] : kept[-1] + 1] if kept else []
    confidence = path.share
    for mark in marks:
        if isinstance(mark, Digit) and mark.label != REFUSED:
            confidence *= mark.confidence / (mark.confidence + sum(p for _, p in mark.alternatives))
    return LineReading(tuple(marks), confidence, sum(map(len, words)))


def _numbers(words: list[list[Digit | Separator]]) -> list[list[Digit | Separator]]:
    """The words that are numbers: read with confidence, or with some in a line that is read with confidence.

    The digits of one hand are nearly as tall as each other, letters are not: the more heights differ,
    the surer a line must be.
    """
    shares = [_share(word) for word in words]
    every = [mark for word in words for mark in word]
    heights = np.array([mark.box.bottom - mark.box.top for mark in every if isinstance(mark, Digit)], np.float64)
    uneven = float(heights.std() / heights.mean()) if len(heights) >= 3 else 0.0
    are_numbers = _share(every) >= _NUMBERS + _UNEVEN * max(0.0, uneven - 0.1)
    return [
        word
        for word, share in zip(words, shares, strict=True)
        if share >= _NUMBER or (are_numbers and share >= _DOUBTFUL)
    ]


def _share(marks: list[Digit | Separator]) -> float:
    """How many of these marks, separators aside, are digits, by their confidences: 0..1."""
    digits = [mark for mark in marks if isinstance(mark, Digit)]
    return sum(mark.confidence for mark in digits if mark.label != REFUSED) / max(len(digits), 1)


def _is_strange(mark: Digit | Separator) -> bool:
    """Whether a mark is surely no digit."""
    return isinstance(mark, Digit) and mark.label == REFUSED and mark.confidence > _STRANGE


def _words(path: Path, pieces: Pieces) -> list[list[int]]:
    """The path's arcs, specks left out, in groups that a wide gap parts."""
    words: list[list[int]] = []
    end = -np.inf
    for k, arc in enumerate(path.arcs):
        if not arc.label:
            continue
        run = slice(arc.first, arc.last)
        if not words or pieces.left[run].min() > end + _WORD_GAP * HEIGHT:
            words.append([])
        words[-1].append(k)
        end = max(end, float(pieces.right[run].max()))
    return words


def _mark(
    path: Path, k: int, line: Line, pieces: Pieces, candidates: Candidates, p: NDArray[np.float64]
) -> Digit | Separator:
    """An arc of the path as the user gets it."""
    arc, share = path.arcs[k], path.shares[k]
    box = _box(line, pieces, arc.first, arc.last)
    if arc.candidate < 0:
        return Separator(arc.label, box)
    image = candidates.images[arc.candidate]
    if arc.label == REFUSED:
        return Digit(REFUSED, share, box, (), image)
    digits = p[arc.candidate, :RUBBISH] / p[arc.candidate, :RUBBISH].sum() * share
    best = int(arc.label)
    order = [int(i) for i in np.argsort(-digits, kind="stable") if i != best and digits[i] >= _LEAST_ALTERNATIVE]
    return Digit(arc.label, float(digits[best]), box, tuple((str(i), float(digits[i])) for i in order), image)


def _box(line: Line, pieces: Pieces, first: int, last: int) -> Box:
    """The box in the picture of a run of pieces."""
    rows, columns = np.nonzero((pieces.labels > first) & (pieces.labels <= last))
    return line.box(rows.astype(np.float64), pieces.columns(rows, columns))
