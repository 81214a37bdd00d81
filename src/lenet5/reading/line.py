"""One line of ink → marks: cut in pieces, every candidate seen by the network, the best path decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import REFUSED, WORD_GAP, Box, Digit, Separator
from lenet5.codes import DIGITS
from lenet5.reading.arcs import SPECK, Arcs, arcs_of, are_sure, weighed_by
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.decode import Path, best_path
from lenet5.reading.geometry import Geometry
from lenet5.reading.lines import Line
from lenet5.reading.pieces import HEIGHT, Pieces, cut, whole_marks
from lenet5.reading.words import Word

__all__ = ["LineModel", "LineReading", "read_line", "trimmed"]

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

_LEAST_ALTERNATIVE: Final = 0.0005
_TEMPERED: Final = 3.0  # the inverse temperature at which the rules of words.py tell numbers from words
_STRANGE: Final = 0.9  # what is no digit with at least this probability, at the end of a line, does not belong to it


@dataclass(frozen=True)
class LineModel:
    """What reads the candidates of a line.

    ``probabilities`` gives (N, C + 1) for images (N, 28, 28): of the ``classes`` and of rubbish. ``geometry`` tells how
    large and where characters stand, ``inverse_temperature`` how far a path's score is its probability.
    """

    classes: str
    probabilities: Probabilities
    geometry: Geometry
    inverse_temperature: float


@dataclass(frozen=True)
class LineReading:
    """One line's ``words`` of marks from left to right, and the ``posterior`` of the best path: P(cut and read so).

    ``tempered`` are the same words with the confidences by which they are told from numbers.
    """

    words: tuple[Word, ...]
    tempered: tuple[Word, ...]
    posterior: float


def read_line(line: Line, model: LineModel, thorough: bool = False) -> LineReading:
    """All marks of a line.

    Marks that surely are characters are cut only where reading is ``thorough``: the best path is the same, but less
    sure where letters are read.
    """
    pieces = whole_marks(line.level)
    if len(pieces) == 0:
        return LineReading((), (), 1.0)
    candidates = runs(pieces)
    p = model.probabilities(candidates.images)
    weighed = weighed_by(pieces, candidates, p, model.geometry)
    sure = are_sure(pieces, candidates, weighed) & (not thorough)
    if not sure.all():
        known = dict(zip(candidates.marks, p, strict=True))
        pieces = cut(pieces, ~sure)
        candidates = runs(pieces, candidates)
        p = _probabilities(candidates, known, model)
        weighed = weighed_by(pieces, candidates, p, model.geometry)
    arcs = arcs_of(pieces, candidates, weighed)
    power = model.inverse_temperature
    path, tempered = (best_path(arcs, len(pieces), scale) for scale in (power, _TEMPERED))
    groups = _words(path, arcs, pieces)

    def words(by: Path) -> tuple[Word, ...]:
        return tuple(
            tuple(_mark(by, k, arcs, line, pieces, candidates, model.classes) for k in group) for group in groups
        )

    return LineReading(words(path), words(tempered), path.posterior)


def _probabilities(
    candidates: Candidates, known: dict[tuple[int, ...], NDArray[np.float64]], model: LineModel
) -> NDArray[np.float64]:
    """The candidates' probabilities (N, C + 1), of whole marks those that are ``known``."""
    new = np.array([marks not in known for marks in candidates.marks], np.bool_)
    p = np.empty((len(new), len(model.classes) + 1))
    p[new] = model.probabilities(candidates.images[new])
    for k in np.flatnonzero(~new):
        p[k] = known[candidates.marks[k]]
    return p


def trimmed(marks: Sequence[Digit | Separator]) -> tuple[Digit | Separator, ...]:
    """The marks of a line without those at its ends that are surely no digits."""
    kept = [k for k, mark in enumerate(marks) if not _is_strange(mark)]
    return tuple(marks[kept[0] : kept[-1] + 1]) if kept else ()


def _is_strange(mark: Digit | Separator) -> bool:
    """Whether a mark is surely no digit."""
    return isinstance(mark, Digit) and mark.label == REFUSED and mark.confidence > _STRANGE


def _words(path: Path, arcs: Arcs, pieces: Pieces) -> list[list[int]]:
    """The path's arcs, specks left out, in groups that a wide gap parts."""
    words: list[list[int]] = []
    end = -np.inf
    for k in path.arcs:
        if arcs.label[k] == SPECK:
            continue
        run = slice(arcs.first[k], arcs.last[k])
        if not words or pieces.left[run].min() > end + WORD_GAP * HEIGHT:
            words.append([])
        words[-1].append(k)
        end = max(end, float(pieces.right[run].max()))
    return words


def _mark(
    path: Path, k: int, arcs: Arcs, line: Line, pieces: Pieces, candidates: Candidates, classes: str
) -> Digit | Separator:
    """An arc of the path as the user gets it."""
    label, candidate = int(arcs.label[k]), int(arcs.candidate[k])
    box = _box(line, pieces, int(arcs.first[k]), int(arcs.last[k]))
    confidence = float(path.posteriors[k])
    if len(DIGITS) <= label < len(classes):
        return Separator(classes[label], box, confidence)
    image = candidates.images[candidate]
    if label == len(classes):
        return Digit(REFUSED, confidence, box, (), image)
    same = np.flatnonzero((arcs.candidate == candidate) & (arcs.label != label) & (arcs.label < len(DIGITS)))
    order = [int(i) for i in same[np.argsort(-path.posteriors[same], kind="stable")]]
    alternatives = [(str(arcs.label[i]), float(path.posteriors[i])) for i in order]
    likely = tuple((name, p) for name, p in alternatives if p >= _LEAST_ALTERNATIVE)
    return Digit(classes[label], confidence, box, likely, image)


def _box(line: Line, pieces: Pieces, first: int, last: int) -> Box:
    """The box in the picture of a run of pieces."""
    run = slice(first, last)
    left, top = int(pieces.left[run].min()), int(pieces.top[run].min())
    within = pieces.labels[top : pieces.bottom[run].max(), left : pieces.right[run].max()]
    rows, columns = np.nonzero((within > first) & (within <= last))
    return line.box((top + rows).astype(np.float64), pieces.columns(top + rows, left + columns))
