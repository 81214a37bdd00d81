"""Lines → lattices: every line cut in pieces, every candidate seen by the network in one batch, the best path found.

Two batches for all lines of a picture: first the whole marks, then what the cuts of the doubtful ones add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.normalise import ink_box, normalise
from lenet5.reading.arcs import SPECK, Arcs, arcs_of, are_sure, weighed_by
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.decode import Path, best_path
from lenet5.reading.geometry import Geometry
from lenet5.reading.line_image import LOW, Line
from lenet5.reading.pieces import HEIGHT, Pieces, cut, whole_marks
from lenet5.result import REFUSED, WORD_GAP, Box, Digit, Separator

__all__ = ["Lattice", "LineModel", "lattices_of"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Probabilities = Callable[[Bytes], Floats]

_SUREST: Final = 1 - 1e-6  # no network is surer
_LEAST_ALTERNATIVE: Final = 0.0005  # alternatives less likely than this are not listed
_LONG: Final = 8  # marks: a line with so many
_CHARACTERS: Final = 0.6  # of which fewer are characters is one of words
_RIM: Final = 0.1  # ink levels above this are of a mark
_ONE: Final = 1.6  # digits' heights: a line no wider may be one digit, which is shown as it stands, not upright


@dataclass(frozen=True)
class LineModel:
    """What reads the candidates of a line.

    ``probabilities`` gives (N, C + 1) for images (N, 28, 28): of the ``classes`` and of rubbish. ``geometry`` tells how
    large and where characters stand, ``inverse_temperature`` how far a path's score is its probability.

    >>> geometry = Geometry("0123456789/.", np.zeros((13, 2)), np.tile(np.eye(2), (13, 1, 1)))
    >>> LineModel("0123456789/.", lambda images: np.ones((len(images), 13)) / 13, geometry, 1.0).separators
    range(10, 12)
    """

    classes: str
    probabilities: Probabilities
    geometry: Geometry
    inverse_temperature: float

    @property
    def separators(self) -> range:
        """The places of the classes that are no digits, rubbish aside."""
        return range(len(DIGITS), len(self.classes))


@dataclass(frozen=True)
class Lattice:
    """One line with all ways of reading it: ``weighed`` (N, C + 1) are logarithms of its candidates' probabilities."""

    line: Line
    pieces: Pieces
    candidates: Candidates
    weighed: Floats
    arcs: Arcs
    path: Path
    classes: str

    @property
    def words(self) -> list[list[int]]:
        """The best path's arcs, specks left out, in groups that a wide gap parts."""
        words: list[list[int]] = []
        end = -np.inf
        for k in self.path.arcs:
            if self.arcs.label[k] == SPECK:
                continue
            run = slice(self.arcs.first[k], self.arcs.last[k])
            if not words or self.pieces.left[run].min() > end + WORD_GAP * HEIGHT:
                words.append([])
            words[-1].append(k)
            end = max(end, float(self.pieces.right[run].max()))
        return words

    @property
    def whole(self) -> int | None:
        """The likeliest arc that takes all ink for one digit; None where there is more than that."""
        arcs = self.arcs
        of_all = (arcs.first == 0) & (arcs.last == len(self.pieces)) & (arcs.label >= 0) & (arcs.label < len(DIGITS))
        which = np.flatnonzero(of_all)
        return int(which[arcs.score[which].argmax()]) if len(which) else None

    def mark(self, k: int) -> Digit | Separator:
        """An arc of the path as the user gets it, its box in the picture."""
        arcs, label, candidate = self.arcs, int(self.arcs.label[k]), int(self.arcs.candidate[k])
        box, confidence = self.box(k), min(float(self.path.posteriors[k]), _SUREST)
        if len(DIGITS) <= label < len(self.classes):
            return Separator(self.classes[label], box, confidence)
        image = self.candidates.images[candidate]
        if label == len(self.classes):
            return Digit(REFUSED, confidence, box, (), image)
        same = np.flatnonzero((arcs.candidate == candidate) & (arcs.label != label) & (arcs.label < len(DIGITS)))
        order = [int(i) for i in same[np.argsort(-self.path.posteriors[same], kind="stable")]]
        alternatives = [(str(arcs.label[i]), float(self.path.posteriors[i])) for i in order]
        likely = tuple((name, p) for name, p in alternatives if p >= _LEAST_ALTERNATIVE)
        return Digit(self.classes[label], confidence, box, likely, image)

    def box(self, k: int) -> Box:
        """The box in the picture of an arc."""
        pieces, first, last = self.pieces, int(self.arcs.first[k]), int(self.arcs.last[k])
        run = slice(first, last)
        left, top = int(pieces.left[run].min()), int(pieces.top[run].min())
        within = pieces.labels[top : pieces.bottom[run].max(), left : pieces.right[run].max()]
        rows, columns = np.nonzero((within > first) & (within <= last))
        return self.line.box((top + rows).astype(np.float64), pieces.columns(top + rows, left + columns))


def lattices_of(lines: Sequence[Line], model: LineModel) -> list[Lattice | None]:
    """The lattice of each line; None for one without ink that could be a character.

    Marks that surely are characters are not cut: the best path is the same. Nor is a line that surely is words.

    >>> from lenet5.reading.line_image import Line
    >>> level = np.zeros((48, 20), np.float32)
    >>> level[:, 5:8] = 1  # a stroke
    >>> geometry = Geometry(DIGITS, np.zeros((11, 2)), np.tile(np.eye(2), (11, 1, 1)))
    >>> one = 0.98 * np.eye(11)[1] + 0.002  # whatever the network sees is a 1
    >>> model = LineModel(DIGITS, lambda images: np.tile(one, (len(images), 1)), geometry, 1.0)
    >>> (lattice,) = lattices_of([Line(level, left=0, top=0, scale=2, slope=0)], model)
    >>> [[lattice.mark(k).label for k in word] for word in lattice.words]
    [['1']]
    """
    wholes = [whole_marks(line.level) for line in lines]
    first = [_as_it_stands(line, pieces, runs(pieces)) for line, pieces in zip(lines, wholes, strict=True)]
    seen = _in_one_batch([candidates.images for candidates in first], model.probabilities)
    pieces = [_cut(*line, model) for line in zip(wholes, first, seen, strict=True)]
    second = [
        candidates if a is b else runs(b, candidates) for a, b, candidates in zip(wholes, pieces, first, strict=True)
    ]
    known = [dict(zip(candidates.marks, p, strict=True)) for candidates, p in zip(first, seen, strict=True)]
    new = [
        np.array([marks not in p for marks in candidates.marks], np.bool_)
        for candidates, p in zip(second, known, strict=True)
    ]
    fresh = _in_one_batch(
        [candidates.images[which] for candidates, which in zip(second, new, strict=True)], model.probabilities
    )
    every = zip(lines, pieces, second, known, new, fresh, strict=True)
    return [
        _lattice(line, candidates, found, p, which, added, model) for line, candidates, found, p, which, added in every
    ]


def _cut(whole: Pieces, candidates: Candidates, p: Floats, model: LineModel) -> Pieces:
    """The marks of a line, cut but for those that surely are characters, by the probabilities of its whole marks."""
    if len(whole) == 0:
        return whole
    sure = are_sure(whole, candidates, weighed_by(whole, candidates, p, model.geometry))
    return whole if sure.all() or _are_words(candidates, p) else cut(whole, ~sure)


def _lattice(
    line: Line,
    pieces: Pieces,
    candidates: Candidates,
    known: dict[tuple[int, ...], Floats],
    new: NDArray[np.bool_],
    fresh: Floats,
    model: LineModel,
) -> Lattice | None:
    """The lattice of a line whose candidates have probabilities that were ``known``, or if ``new`` the ``fresh``."""
    if len(candidates.images) == 0:
        return None
    p = np.empty((len(new), len(model.classes) + 1))
    p[new] = fresh
    for k in np.flatnonzero(~new):
        p[k] = known[candidates.marks[k]]
    weighed = weighed_by(pieces, candidates, p, model.geometry)
    arcs = arcs_of(pieces, candidates, weighed)
    path = best_path(arcs, len(pieces), model.inverse_temperature)
    return Lattice(line, pieces, candidates, weighed, arcs, path, model.classes)


def _are_words(candidates: Candidates, p: Floats) -> bool:
    """Whether so few of a long line's narrow marks are characters that cutting the others is no use."""
    width, height = candidates.boxes[:, 2] - candidates.boxes[:, 0], candidates.boxes[:, 3] - candidates.boxes[:, 1]
    alone = (candidates.last - candidates.first == 1) & (width <= height) & (height > LOW * HEIGHT)
    return bool(alone.sum() >= _LONG and 1 - p[alone, -1].mean() < _CHARACTERS)


def _as_it_stands(line: Line, pieces: Pieces, candidates: Candidates) -> Candidates:
    """The candidates of a narrow line, the one of all its marks with the slant that it was written with."""
    if len(pieces) == 0 or line.level.shape[1] > _ONE * HEIGHT:
        return candidates
    whole = np.flatnonzero(candidates.last - candidates.first == len(pieces))
    if len(whole) == 0:
        return candidates
    images = candidates.images.copy()
    images[whole[0]] = normalise(line.level[ink_box(line.level, _RIM)])
    return replace(candidates, images=images)


def _in_one_batch(images: Sequence[Bytes], probabilities: Probabilities) -> list[Floats]:
    """The probabilities of several sets of images, the network called once."""
    if not images:
        return []
    return np.split(probabilities(np.concatenate(images)), np.cumsum([len(own) for own in images])[:-1])
