"""Words of lattices → what the page score knows of them, and the probability that a number stands there and is right.

A word is what stands in a line without a wide gap. Named features, each a plain number, go into a small
network whose weights are fitted at the end of ``train --recipe reading`` on drawn pages
(:mod:`lenet5.global_training.page_score`): it knows nothing of pictures but these numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.errors import WeightsError
from lenet5.reading.glance import Glance
from lenet5.reading.lattice import Lattice
from lenet5.reading.proposals import Proposal
from lenet5.result import REFUSED, Digit, Separator

__all__ = ["CONTEXT", "FEATURES", "Judge", "PageScore", "Word", "features_of", "wholes_of", "with_context", "words_of"]

Floats = NDArray[np.float64]

FEATURES: Final = (
    "log digits",
    "character, mean",
    "character, least",
    "label, mean",
    "label, least",
    "path",
    "refused",
    "separators",
    "ones",
    "cut",
    "log height",
    "part of the picture's height",
    "unevenness of heights",
    "stroke width",
    "fill",
    "elongation",
    "contrast",
    "contrast over noise",
    "contrast beside the strongest",
    "borders",
    "printed lines beside it",
    "dark",
    "faint",
    "colour",
    "coarse",
    "cover",
    "line: character, mean",
    "line: digits at a glance",
    "line: log marks",
    "line: words",
    "page: digits at a glance",
    "page: log marks",
    "page: height beside the usual",
    "page: part of the tallest",
    "apart",
    "part of its marks",
    "part of the ink around it",
)
"""What the score knows of a word, in this order."""

CONTEXT: Final = (
    "there",
    "right",
    "beside it: mean",
    "beside it: most",
    "beside it: least",
    "beside it: any",
    "as tall elsewhere: most",
    "as tall elsewhere: any",
)
"""What the second judge knows besides: what the first says of the word and of those in its line and as tall."""

_JUDGES: Final = ("first", "second")
_AS_TALL: Final = 0.4  # of a logarithm of height
_NEAR: Final = 0.5  # heights: what is around a word
_MOST: Final = 6.0  # logits beyond this say no more
_CERTAIN: Final = 500.0  # a logit beyond this would overflow


@dataclass(frozen=True)
class Word:
    """``arcs`` of a ``lattice`` without a wide gap between them, of the line ``number`` in the list of glances."""

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


def features_of(words: Sequence[Word], size: tuple[int, int]) -> Floats:
    """(N, len(FEATURES)) of the words found in a picture whose grey levels have this (height, width)."""
    if not words:
        return np.zeros((0, len(FEATURES)))
    characters = [_characters(word) for word in words]
    contrasts = np.array([_contrast(word) for word in words])
    strongest = float(contrasts.max())
    heights = np.array([_heights(word).mean() for word in words])
    counts = np.array([len(word.marks) for word in words])
    usual, tallest = float(np.median(np.repeat(heights, counts))), float(heights.max())
    apart = _apart(words, heights)
    by_line: dict[int, list[int]] = {}
    for k, word in enumerate(words):
        by_line.setdefault(word.number, []).append(k)
    rows = []
    for k, word in enumerate(words):
        line = by_line[word.number]
        others = np.concatenate([characters[i] for i in line if i != k]) if len(line) > 1 else characters[k]
        rows.append(
            [
                *_own(word, characters[k], heights[k], size),
                contrasts[k],
                np.log(contrasts[k] / max(word.proposal.ink.noise, 0.002)),
                contrasts[k] / strongest,
                *_around(word, size),
                others.mean(),
                word.glance.mean,
                np.log(word.glance.marks),
                min(len(line), 5) - 1,
                word.glance.page_mean,
                np.log(word.glance.page_marks),
                np.clip(np.log(heights[k] / usual), -3, 3),
                heights[k] / tallest,
                apart[k],
                _part_of_its_marks(word),
                _part_of_the_ink(word),
            ]
        )
    return np.asarray(rows, np.float64)


def _characters(word: Word) -> Floats:
    """(marks,): how likely each mark is a character, whichever, as a logit."""
    weighed = word.lattice.weighed[word.lattice.arcs.candidate[list(word.arcs)]]
    rubbish = np.exp(weighed[:, -1])
    return np.asarray(
        np.clip(np.log1p(-np.minimum(rubbish, 1 - 1e-6)) - np.log(np.maximum(rubbish, 1e-6)), -_MOST, _MOST)
    )


def _own(word: Word, characters: Floats, height: float, size: tuple[int, int]) -> list[float]:
    """The features of a word by itself, up to its contrast."""
    arcs, lattice = list(word.arcs), word.lattice
    p = np.clip(lattice.path.posteriors[arcs], 1e-6, 1 - 1e-6)
    labels = np.clip(np.log(p / (1 - p)), -_MOST, _MOST)
    digits = [mark for mark in word.marks if isinstance(mark, Digit)]
    heights = _heights(word)
    boxes = lattice.candidates.boxes[lattice.arcs.candidate[arcs]]
    widths, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    pieces = [np.arange(lattice.arcs.first[k], lattice.arcs.last[k]) for k in arcs]
    area = np.array([lattice.pieces.area[run].sum() for run in pieces], np.float64)
    is_cut = [not lattice.candidates.marks[lattice.arcs.candidate[k]] for k in arcs]
    return [
        np.log(len(digits)),
        characters.mean(),
        characters.min(),
        labels.mean(),
        labels.min(),
        float(np.log(max(lattice.path.posterior, 1e-9)) / len(lattice.path.arcs)),
        float(np.mean([mark.label == REFUSED for mark in digits])),
        1 - len(digits) / len(word.marks),
        float(np.mean([mark.label == "1" for mark in digits])),
        float(np.mean(is_cut)),
        float(np.log(max(height, 1))),
        height / size[0],
        float(heights.std() / heights.mean()),
        _stroke(word) / max(height * lattice.line.scale, 1),
        float((area / np.maximum(widths * tall, 1)).mean()),
        float(np.clip(np.log(tall / np.maximum(widths, 1)).mean(), -3, 3)),
    ]


def _heights(word: Word) -> Floats:
    """The heights of a word's digits in pixels of the picture."""
    return np.array([mark.box.bottom - mark.box.top for mark in word.marks if isinstance(mark, Digit)], np.float64)


def _stroke(word: Word) -> float:
    """The mean width of a word's strokes, in pixels of its line: about twice the area over the outline."""
    lattice = word.lattice
    box = lattice.candidates.boxes[lattice.arcs.candidate[list(word.arcs)]]
    near = lattice.pieces.level[box[:, 1].min() : box[:, 3].max(), box[:, 0].min() : box[:, 2].max()]
    outline = float(np.abs(np.diff(near, axis=0)).sum() + np.abs(np.diff(near, axis=1)).sum())
    return 2.5 * float(near.sum()) / max(outline, 1e-6)


def _contrast(word: Word) -> float:
    """The contrast of a word's ink with its paper, 0..1."""
    ink, marks, tall = word.proposal.ink, word.proposal.marks, word.proposal.tall
    k = int(tall[marks.area[tall].argmax()])
    rows, columns = slice(marks.top[k], marks.bottom[k]), slice(marks.left[k], marks.right[k])
    return float(np.median(ink.contrast[rows, columns][marks.labels[rows, columns] == k + 1]))


def _around(word: Word, size: tuple[int, int]) -> list[float]:
    """Borders touched, printed lines around, and how the ink was seen."""
    ink, (left, top, right, bottom) = word.proposal.ink, word.edges
    height, width = size
    near = 1 / ink.scale
    borders = (left <= near) + (top <= near) + (right >= width - near) + (bottom >= height - near)
    lined = 0.0
    if word.proposal.lined is not None:
        margin = 0.5 * (bottom - top)
        edges = np.array([left - margin, top - margin, right + margin, bottom + margin]) * ink.scale
        x0, y0, x1, y1 = np.maximum(edges, 0).astype(int)
        around = word.proposal.lined[y0 : y1 + 1, x0 : x1 + 1]
        lined = min(float(around.sum()) / max(2.0 * sum(around.shape), 1), 3.0)
    return [
        float(borders),
        lined,
        float(ink.dark),
        float(ink.faint),
        float(ink.colour),
        float(ink.window > max(ink.mask.shape) / 5),
        ink.cover,
    ]


def _part_of_its_marks(word: Word) -> float:
    """How much of the connected marks that a word is of it takes, 0..1: a part of a digit may look like another."""
    arcs, pieces = word.lattice.arcs, word.lattice.pieces
    taken = np.zeros(len(pieces), np.bool_)
    for k in word.arcs:
        taken[arcs.first[k] : arcs.last[k]] = True
    touched = np.isin(pieces.mark, pieces.mark[taken])
    return float(pieces.area[taken].sum() / max(pieces.area[touched].sum(), 1))


def _part_of_the_ink(word: Word) -> float:
    """How much of the ink in its box and around it, by half of its height, lies in a word's box, 0..1."""
    ink, edges = word.proposal.ink, np.array(word.edges) * word.proposal.ink.scale
    margin = _NEAR * (edges[3] - edges[1])
    sums = []
    for grown in (0.0, margin):
        left, top = np.maximum(np.floor(edges[:2] - grown), 0).astype(int)
        right, bottom = np.ceil(edges[2:] + grown).astype(int)
        sums.append(cv2.countNonZero(ink.mask[top:bottom, left:right].view(np.uint8)))
    return sums[0] / max(sums[1], 1)


def _apart(words: Sequence[Word], heights: Floats) -> Floats:
    """(N,): how far each word is from the nearest other word of the same ink, in its heights, at most 3."""
    edges = np.array([word.edges for word in words], np.float64)
    ink = np.array([id(word.proposal.ink) for word in words])
    result = np.full(len(words), 3.0)
    for k in range(len(words)):
        across = np.maximum(edges[:, :2] - edges[k, 2:], edges[k, :2] - edges[:, 2:])
        gaps = np.hypot(*np.maximum(across, 0).T)
        gaps = gaps[(ink == ink[k]) & (gaps > 0)]
        result[k] = min(3.0, float(gaps.min(initial=np.inf)) / max(heights[k], 1))
    return result


@dataclass(frozen=True)
class Judge:
    """A network of one hidden layer: (N, F) → logits (N, 2).

    ``mean`` and ``spread`` (F,) standardise; ``hidden`` (F + 1, H) and ``output`` (H + 1, 2) are weights with the bias
    last.
    """

    mean: Floats
    spread: Floats
    hidden: Floats
    output: Floats

    def __call__(self, features: Floats) -> Floats:
        """Logits (N, 2) for features (N, F)."""
        scaled = np.clip((features - self.mean) / self.spread, -4, 4)
        active = np.tanh(scaled @ self.hidden[:-1] + self.hidden[-1])
        return np.asarray(np.clip(active @ self.output[:-1] + self.output[-1], -_CERTAIN, _CERTAIN))

    def is_sound(self, features: int) -> bool:
        """Whether the arrays fit so many features and each other, and are finite."""
        width = self.hidden.shape[1] if self.hidden.ndim == 2 else 0
        shapes = (features,), (features,), (features + 1, width), (width + 1, 2)
        arrays = self.mean, self.spread, self.hidden, self.output
        fits = all(own.shape == shape and np.isfinite(own).all() for own, shape in zip(arrays, shapes, strict=True))
        return fits and bool((self.spread > 0).all())


def with_context(features: Floats, lines: NDArray[np.int64], logits: Floats) -> Floats:
    """(N, F + len(CONTEXT)): the features and what the first judge, with ``logits`` (N, 2), says of the words beside.

    ``lines`` (N,) tell which words are of one line.
    """
    there, height = logits[:, 0], features[:, FEATURES.index("log height")]
    rows = np.zeros((len(features), len(CONTEXT)))
    rows[:, :2] = logits
    for k in range(len(features)):
        beside = lines == lines[k]
        beside[k] = False
        if beside.any():
            own = there[beside]
            rows[k, 2:6] = own.mean(), own.max(), own.min(), 1.0
        alike = (lines != lines[k]) & (np.abs(height - height[k]) < _AS_TALL)
        if alike.any():
            rows[k, 6:] = there[alike].max(), 1.0
    return np.concatenate([features, rows], axis=1)


@dataclass(frozen=True)
class PageScore:
    """Features (N, F) → P(a number stands there) and P(and it is read rightly), (N, 2).

    The ``first`` judge sees each word by itself, the ``second`` also what the first says of the words beside it: what
    stands in a row of numbers likely is one. ``whole`` (4,) calibrates a picture's confidence: see :meth:`confidence`.
    """

    first: Judge
    second: Judge
    whole: Floats

    def __call__(self, features: Floats, lines: NDArray[np.int64]) -> Floats:
        """(N, 2) probabilities for features (N, F) of words of these ``lines`` (N,)."""
        if len(features) == 0:
            return np.zeros((0, 2))
        logits = self.second(with_context(features, lines, self.first(features)))
        p = 1 / (1 + np.exp(-logits))
        return np.asarray(np.stack([p[:, 0], p[:, 0] * p[:, 1]], axis=1))

    def confidence(self, right: Floats, left_out: float) -> float:
        """P(the whole text is right), from P(right) of the words given, (N,), and P(there) of the likeliest left out.

        For an empty text P(nothing stands there).
        """
        given, nothing = float(np.log(np.maximum(right, 1e-6)).sum()), float(np.log(max(1 - left_out, 1e-6)))
        a, b, c, d = self.whole
        logit = a + b * given + c * nothing if len(right) else d + c * nothing
        return float(1 / (1 + np.exp(-np.clip(logit, -_CERTAIN, _CERTAIN))))

    def to_json(self) -> str:
        """As text, for the metadata of weights."""
        judges = {name: {k: np.round(v, 3).tolist() for k, v in vars(getattr(self, name)).items()} for name in _JUDGES}
        stored = {"features": FEATURES, **judges, "whole": np.round(self.whole, 4).tolist()}
        return json.dumps(stored, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PageScore:
        """From :meth:`to_json`. Raises WeightsError for anything else."""
        try:
            stored = json.loads(text)
            first, second = (
                Judge(*(np.array(stored[name][k], np.float64) for k in ("mean", "spread", "hidden", "output")))
                for name in _JUDGES
            )
            whole = np.array(stored["whole"], np.float64)
            sound = first.is_sound(len(FEATURES)) and second.is_sound(len(FEATURES) + len(CONTEXT))
            if (
                tuple(stored["features"]) != FEATURES
                or not sound
                or whole.shape != (4,)
                or not np.isfinite(whole).all()
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
            raise WeightsError("the weights' metadata has no sound page score: train them again") from None
        return cls(first, second, whole)
