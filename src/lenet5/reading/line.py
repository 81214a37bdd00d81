"""One line of ink → marks: cut in pieces, every candidate seen by the network, the best path decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import REFUSED, Box, Digit, Separator
from lenet5.posterior import RUBBISH
from lenet5.reading.arcs import arcs_of, are_sure, by_width
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.decode import Path, best_path
from lenet5.reading.lines import Line
from lenet5.reading.pieces import HEIGHT, Pieces, cut, whole_marks
from lenet5.reading.words import Word

__all__ = ["LineReading", "confidence", "read_line", "trimmed", "which_digit"]

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

_LEAST_ALTERNATIVE: Final = 0.0005
_TRACE: Final = 1e-9  # nothing is less likely, so that what the best path takes for a digit is some digit
_WORD_GAP: Final = 0.6  # of the digits' height: a wider gap ends a word
_SHARPNESS: Final = 6.0  # candidates of a line share their ink, so that the right path is surer than their product says
_CAUTION: Final = 3.0  # the same where numbers are told from words, whose letters are read as digits, too
_STRANGE: Final = 0.9  # what is no digit with at least this probability, at the end of a line, does not belong to it


@dataclass(frozen=True)
class LineReading:
    """One line's ``words`` of marks from left to right, and the share of the best path: P(cut and read so).

    ``cautious`` are the same words with less confidence, by which they are told from numbers.
    """

    words: tuple[Word, ...]
    cautious: tuple[Word, ...]
    share: float


def read_line(
    line: Line, probabilities: Probabilities, single: Probabilities | None = None, thorough: bool = False
) -> LineReading:
    """All marks of a line; ``probabilities`` gives (N, 11) for images (N, 28, 28) of candidates.

    Which digit a candidate shows that no cut touches is for ``single`` to say, if it is given. Marks that surely are
    digits are cut only where reading is ``thorough``: the best path is the same, but less sure where letters are read.
    """
    pieces = whole_marks(line.level)
    if len(pieces) == 0:
        return LineReading((), (), 1.0)
    candidates, p = _seen(pieces, probabilities, single)
    sure = are_sure(pieces, candidates, p) & (not thorough)
    if not sure.all():
        pieces = cut(pieces, ~sure)
        candidates, p = _seen(pieces, probabilities, single, before=(candidates, p))
    arcs = arcs_of(pieces, candidates, p)
    path, cautious = (best_path(arcs, len(pieces), sharpness) for sharpness in (_SHARPNESS, _CAUTION))
    words = [[(k, _mark(path, k, line, pieces, candidates, p)) for k in word] for word in _words(path, pieces)]
    less = [[_less_sure(mark, cautious.shares[k] / path.shares[k]) for k, mark in word] for word in words]
    return LineReading(tuple(tuple(mark for _, mark in word) for word in words), tuple(map(tuple, less)), path.share)


def _seen(
    pieces: Pieces,
    probabilities: Probabilities,
    single: Probabilities | None,
    before: tuple[Candidates, NDArray[np.float64]] | None = None,
) -> tuple[Candidates, NDArray[np.float64]]:
    """The candidates of a line and their probabilities (N, 11), of which ``single`` tells those that no cut touches.

    Whole marks are known if those of the line ``before`` it was cut are.
    """
    candidates = runs(pieces, before and before[0])
    known = dict(zip(before[0].marks, before[1], strict=True)) if before else {}
    new = np.array([marks not in known for marks in candidates.marks], np.bool_)
    p = np.array([known.get(marks, np.zeros(RUBBISH + 1)) for marks in candidates.marks]).reshape(-1, RUBBISH + 1)
    p[new] = probabilities(candidates.images[new])
    if single and (asked := new & candidates.uncut).any():
        p[asked] = which_digit(p[asked], single(candidates.images[asked]))
    p[new] = np.maximum(by_width(p[new], candidates.boxes[new]), _TRACE)
    return candidates, p


def trimmed(marks: Sequence[Digit | Separator]) -> tuple[Digit | Separator, ...]:
    """The marks of a line without those at its ends that are surely no digits."""
    kept = [k for k, mark in enumerate(marks) if not _is_strange(mark)]
    return tuple(marks[kept[0] : kept[-1] + 1]) if kept else ()


def confidence(marks: Iterable[Digit | Separator], share: float) -> float:
    """P(all these marks are right), of a line whose best path has this share."""
    for mark in marks:
        if isinstance(mark, Digit) and mark.label != REFUSED:
            share *= mark.confidence / (mark.confidence + sum(p for _, p in mark.alternatives))
    return share


def which_digit(p: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (N, 11): how likely it is a digit by the first, and which one by the second."""
    digits = np.maximum(by[:, :RUBBISH], _TRACE)
    return np.column_stack([digits / digits.sum(axis=1, keepdims=True) * (1 - p[:, RUBBISH:]), p[:, RUBBISH]])


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


def _less_sure(mark: Digit | Separator, factor: float) -> Digit | Separator:
    """A mark whose confidence is so many times as large."""
    return replace(mark, confidence=mark.confidence * factor) if isinstance(mark, Digit) else mark


def _box(line: Line, pieces: Pieces, first: int, last: int) -> Box:
    """The box in the picture of a run of pieces."""
    run = slice(first, last)
    left, top = int(pieces.left[run].min()), int(pieces.top[run].min())
    within = pieces.labels[top : pieces.bottom[run].max(), left : pieces.right[run].max()]
    rows, columns = np.nonzero((within > first) & (within <= last))
    return line.box((top + rows).astype(np.float64), pieces.columns(top + rows, left + columns))
