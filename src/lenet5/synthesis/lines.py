"""Lines as the line reader sees them: pieces, candidates, and the true label of each candidate.

The line reader proposes more candidates than there are characters: halves, pairs, digits with a neighbour's stroke.
Its network learns to refuse them from lines whose truth is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.unipen import Writing
from lenet5.learning.unipen_pictures import picture_of
from lenet5.paper import NOT_A_DIGIT
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.components import bridged
from lenet5.reading.line_image import LOW, line_image, usual_height
from lenet5.reading.pieces import Pieces, cut, sheared, whole_marks
from lenet5.synthesis.strings import Written
from lenet5.synthesis.symbols import CLASSES

__all__ = ["SeenLine", "labelled", "seen", "written_numbers"]

_LONGEST: Final = 14  # characters: longer numbers make large graphs and teach no more
_WHOLE: Final = 0.93  # of a character's ink, and of the candidate's ink: such a candidate is the character
_PART: Final = 0.78  # with less of either a candidate is rubbish; between the two its label is unknown
_PART_OF_ZERO: Final = 0.62  # the same for the best candidate of a 0, which may share a side with its neighbour
_STRAY: Final = 0.3  # of a character's ink: with more ink of links and rules the label is unknown
_HALF: Final = 0.5  # of another character's ink: a candidate with more is rubbish, as a digit with a dot is
_GAP: Final = 4  # pixels, of digits 56 high: grain of chalk and crayon leaves such gaps in a stroke


@dataclass(frozen=True)
class SeenLine:
    """A line's ``pieces`` and ``candidates``, its characters ``labels`` (places in CLASSES), and of each candidate its
    label, NOT_A_DIGIT, or −1 where that is not known: ``truths`` (N,).

    >>> shares = np.zeros((3, 80, 40), np.float32)
    >>> shares[0, 12:68, 8:14] = shares[1, 12:68, 20:26] = 1  # a 1 and a 1, near each other
    >>> line = seen(Written(shares.max(axis=0), shares, (1, 1)))
    >>> len(line.pieces), line.labels, line.truths.tolist()  # each alone is a 1, both together are rubbish
    (2, (1, 1), [1, 255, 1])
    """

    pieces: Pieces
    candidates: Candidates
    labels: tuple[int, ...]
    truths: NDArray[np.int64]


def seen(written: Written) -> SeenLine | None:
    """A written line as the reader sees it; None where it finds no candidate in it.

    >>> blank = np.zeros((80, 60), np.float32)
    >>> seen(Written(blank, blank[None], ())) is None
    True
    """
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


def labelled(written: Written, pieces: Pieces, candidates: Candidates) -> NDArray[np.int64]:
    """The true label of each candidate (N,): an index into CLASSES, NOT_A_DIGIT, or −1 where neither is certain.

    The shares are sheared as ``pieces`` are. Where the cuts allow no whole character, the candidate that is nearest to
    it has its label.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import cut, whole_marks
    >>> shares = np.zeros((3, 80, 40), np.float32)
    >>> shares[0, 12:68, 8:14] = shares[1, 12:68, 20:26] = 1  # a 1 and a 1, near each other
    >>> level = shares.max(axis=0)
    >>> pieces = cut(whole_marks(level))
    >>> candidates = runs(pieces)
    >>> list(zip(candidates.first.tolist(), candidates.last.tolist(), strict=True))
    [(0, 1), (0, 2), (1, 2)]
    >>> labelled(Written(level, shares, (1, 1)), pieces, candidates).tolist()
    [1, 255, 1]
    """
    ink = np.stack([np.bincount(pieces.labels.ravel(), share.ravel(), len(pieces) + 1)[1:] for share in written.shares])
    sums = np.concatenate([np.zeros((len(ink), 1)), ink.cumsum(axis=1)], axis=1)
    covered = sums[:, candidates.last] - sums[:, candidates.first]
    nearest = covered[:-1].argmax(axis=0)
    of_nearest = covered[nearest, np.arange(covered.shape[1])]
    recall = of_nearest / np.maximum(sums[nearest, -1], 1e-6)
    match = np.minimum(recall, of_nearest / np.maximum(covered[:-1].sum(axis=0), 1e-6))
    result = np.where(match < _PART, NOT_A_DIGIT, -1)
    clean = covered.sum(axis=0) - of_nearest < _STRAY * of_nearest
    for k, label in enumerate(written.labels):
        match_of_k = np.where(nearest == k, match, 0)
        threshold = min(_WHOLE, match_of_k.max(initial=0))
        if threshold >= (_PART_OF_ZERO if label == 0 else _PART):
            result[(match_of_k >= threshold) & clean] = label
    others = covered[:-1] / np.maximum(sums[:-1, -1:], 1e-6)
    others[nearest, np.arange(covered.shape[1])] = 0
    result[others.max(axis=0, initial=0) > _HALF] = NOT_A_DIGIT
    return result


def written_numbers(numbers: Sequence[Writing], count: int, generator: np.random.Generator) -> Iterator[SeenLine]:
    """Numbers as they were written, in turn, with any pen, brought to the standard height as the reader does it.

    >>> strokes = [np.array([[x, 0], [x, 10]], np.float32) for x in (0, 6, 12)]
    >>> number = Writing("111", "WORD", "a writer", "a file", tuple(strokes))
    >>> line = next(written_numbers([number], 1, np.random.default_rng(0)))
    >>> line.labels, len(line.pieces), set(line.truths.tolist())
    ((1, 1, 1), 3, {-1})
    """
    numbers = [w for w in numbers if len(w.label.replace(" ", "")) <= _LONGEST]
    for k in np.resize(generator.permutation(len(numbers)), count):
        whole = whole_marks(_level_of(1 - picture_of(numbers[k], generator)))
        if len(whole) == 0:
            continue
        pieces = cut(whole)
        candidates = runs(pieces)
        if len(candidates.images):
            labels = tuple(CLASSES.index(c) for c in numbers[k].label if c != " ")
            yield SeenLine(pieces, candidates, labels, np.full(len(candidates.images), -1))


def _level_of(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The line image of all the ink (H, W) of a picture."""
    marks = bridged(ink > 0.5, _GAP)
    if len(marks) == 0:
        return np.zeros((1, 1), np.float32)
    tall = marks.height >= LOW * usual_height(marks.height, marks.area)
    return line_image(ink, marks, np.flatnonzero(tall), np.flatnonzero(~tall), 1.0).level
