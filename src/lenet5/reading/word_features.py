"""Words → what the page score knows of them: named features, each a plain number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.words import Word
from lenet5.result import REFUSED, Digit

__all__ = ["FEATURES", "features_of"]

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

_NEAR: Final = 0.5  # heights: what is around a word
_MOST: Final = 6.0  # logits beyond this say no more


def features_of(words: Sequence[Word], size: tuple[int, int]) -> Floats:
    """(N, len(FEATURES)) of the words found in a picture whose grey levels have this (height, width).

    >>> features_of([], size=(60, 80)).shape == (0, len(FEATURES))
    True
    """
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
    rubbish = np.minimum(np.exp(weighed[:, -1]), 1)
    with np.errstate(divide="ignore"):  # what is certain is clipped
        return np.asarray(np.clip(np.log1p(-rubbish) - np.log(rubbish), -_MOST, _MOST))


def _own(word: Word, characters: Floats, height: float, size: tuple[int, int]) -> list[float]:
    """The features of a word by itself, up to its contrast."""
    arcs, lattice = list(word.arcs), word.lattice
    p = lattice.path.posteriors[arcs]
    with np.errstate(divide="ignore"):
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
    result = np.empty(len(words))
    for k in range(len(words)):
        across = np.maximum(edges[:, :2] - edges[k, 2:], edges[k, :2] - edges[:, 2:])
        gaps = np.hypot(*np.maximum(across, 0).T)
        gaps = gaps[(ink == ink[k]) & (gaps > 0)]
        result[k] = min(3.0, float(gaps.min(initial=np.inf)) / max(heights[k], 1))
    return result
