"""Candidates with the network's probabilities → arcs of the segmentation graph, weighed by size and place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import REFUSED
from lenet5.posterior import RUBBISH
from lenet5.reading.candidates import Candidates
from lenet5.reading.decode import Arc
from lenet5.reading.pieces import HEIGHT, Pieces

__all__ = [
    "REFUSAL",
    "RUBBISH_FACTOR",
    "arcs_of",
    "are_sure",
    "by_width",
    "digit_scores",
    "mark_scores",
    "width_factors",
]

Floats = NDArray[np.float64]

_LEAST: Final = 1e-4  # no probability counts as smaller: one bad digit does not spoil a line
_SURE: Final = 0.99  # a cut makes any digit less likely than this
_CUT: Final = 0.025  # how much less likely, in logarithms, each pixel of ink makes a cut
_NARROW: Final = 0.42  # of their height: upright, under 2% of MNIST's training images of each digit but 1 are narrower,
_NARROWER: Final = 0.06  # and the less likely by how many times so much it is

RUBBISH_FACTOR: Final = 10.0
"""How much likelier rubbish is among a line's candidates, mostly cut wrongly, than elsewhere."""

REFUSAL: Final = math.log(0.03)
"""How likely, before looking, a mark in a line of digits is none: a logarithm."""


@dataclass(frozen=True)
class _Band:
    """Where the digits of a line stand: the rows of their tops and of their baseline."""

    top: float
    baseline: float


def width_factors(boxes: NDArray[np.int64]) -> Floats:
    """Logarithms (N, 11) of how likely each digit, and rubbish, has an upright box (N, 4) so wide for its height.

    Few digits but 1 are narrow. The network has learnt digits stretched either way, so that a 1 with an upstroke
    looks to it like a narrow 7.
    """
    width, height = (boxes[:, 2] - boxes[:, 0]), np.maximum(boxes[:, 3] - boxes[:, 1], 1)
    lack = np.maximum(0, _NARROW - width / height)
    factors = np.zeros((len(boxes), RUBBISH + 1))
    factors[:, [digit for digit in range(RUBBISH) if digit != 1]] = (-((lack / _NARROWER) ** 2) / 2)[:, None]
    return factors


def by_width(p: Floats, boxes: NDArray[np.int64]) -> Floats:
    """Probabilities (N, 11) that know how wide for its height each candidate's box (N, 4) is."""
    p = p * np.exp(width_factors(boxes))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _with_rubbish(p: Floats) -> Floats:
    """Probabilities (N, 11) that know that most candidates of a line are rubbish."""
    p = p * np.where(np.arange(RUBBISH + 1) == RUBBISH, RUBBISH_FACTOR, 1)
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def arcs_of(pieces: Pieces, candidates: Candidates, p: Floats) -> list[Arc]:
    """All arcs: digits and rubbish for each candidate with its probabilities (N, 11); separators and specks."""
    p = _with_rubbish(p)
    found: list[Arc] = []
    scores = digit_scores(pieces, candidates)
    for k in range(len(p)):
        first, last = int(candidates.first[k]), int(candidates.last[k])
        best = int(p[k, :RUBBISH].argmax())
        found.append(Arc(first, last, str(best), math.log(max(p[k, best], _LEAST)) + scores[k], k))
        rubbish = (math.log(max(p[k, RUBBISH], _LEAST)) + REFUSAL) * (last - first)
        found.append(Arc(first, last, REFUSED, rubbish, k))
    return found + mark_scores(pieces)


def digit_scores(pieces: Pieces, candidates: Candidates) -> Floats:
    """(N,): what size, place and cuts add to the logarithm of a candidate's probability of being a digit."""
    band = _band(pieces)
    sizes = np.array([_size_score(box, band) for box in candidates.boxes], np.float64)
    ink = np.array([cut.ink for cut in pieces.cuts], np.float64)
    return sizes - _CUT * (_parting(pieces, candidates) @ ink) / 2  # the other half is the neighbour's


def are_sure(pieces: Pieces, candidates: Candidates, p: Floats) -> NDArray[np.bool_]:
    """(pieces,): which of them are digits by themselves so surely that a path that cuts them is not likelier."""
    likely = _with_rubbish(p)[:, :RUBBISH].max(axis=1) * np.exp(digit_scores(pieces, candidates))
    alone = (candidates.last - candidates.first == 1) & (likely >= _SURE)
    return np.isin(np.arange(len(pieces)), candidates.first[alone])


def mark_scores(pieces: Pieces) -> list[Arc]:
    """An arc for each piece by itself, as a separator, if it has the size and place of one, or else as a speck.

    And one for each dash that was cut in pieces.
    """
    band = _band(pieces)
    parted = {(cut.left, cut.right) for cut in pieces.cuts}
    found = [_small_mark(pieces, k, k + 1, band) for k in range(len(pieces))]
    for first in range(len(pieces)):
        last = first + 1
        while (last - 1, last) in parted:
            last += 1
            if (arc := _small_mark(pieces, first, last, band)).label == "-":
                found.append(arc)
    return found


def _band(pieces: Pieces) -> _Band:
    """The middle of the tops and of the bottoms of the marks that are tall, as they were before they were cut."""
    known, mark = np.unique(pieces.mark, return_inverse=True)
    top, bottom = np.full(len(known), np.iinfo(np.int64).max), np.zeros(len(known), np.int64)
    np.minimum.at(top, mark, pieces.top)
    np.maximum.at(bottom, mark, pieces.bottom)
    height = bottom - top
    tall = height > 0.6 * HEIGHT
    if not tall.any():
        tall = height == height.max()
    return _Band(float(np.median(top[tall])), float(np.median(bottom[tall])))


def _parting(pieces: Pieces, candidates: Candidates) -> NDArray[np.bool_]:
    """(N, cuts): which cuts are on either side of which candidate."""
    first, last = candidates.first[:, None], candidates.last[:, None]
    left, right = (np.array([getattr(cut, side) for cut in pieces.cuts], np.int64) for side in ("left", "right"))
    return np.asarray(((first <= left) & (left < last)) != ((first <= right) & (right < last)))


def _size_score(box: NDArray[np.int64], band: _Band) -> float:
    """How well a digit's box suits its line: 0 for a usual one, less for small, large, flat and displaced ones."""
    left, top, right, bottom = (float(edge) for edge in box)
    tall, wide = (bottom - top) / HEIGHT, (right - left) / HEIGHT
    score = -(max(0.0, 0.65 - tall) ** 2 + max(0.0, tall - 1.35) ** 2) / 0.02
    score -= max(0.0, wide - 1.0) ** 2 / 0.05
    lower = ((top + bottom) - (band.top + band.baseline)) / 2 / HEIGHT
    return score - max(0.0, -lower - 0.25) ** 2 / 0.02 - max(0.0, lower - 0.2) ** 2 / 0.01


def _small_mark(pieces: Pieces, first: int, last: int, band: _Band) -> Arc:
    """A run of pieces as a separator, if it has the size and place of one, or else as a speck."""
    run = slice(first, last)
    top, bottom = float(pieces.top[run].min()), float(pieces.bottom[run].max())
    wide, tall = float(pieces.right[run].max() - pieces.left[run].min()) / HEIGHT, (bottom - top) / HEIGHT
    middle = ((top + bottom) / 2 - band.top) / max(band.baseline - band.top, 1.0)
    if wide > 1.8 * tall and tall < 0.35 and 0.12 < wide < 1.5 and 0.2 < middle < 0.85:
        return Arc(first, last, "-", math.log(0.3) - max(0.0, wide - 0.7) ** 2 / 0.1)
    below = bottom - band.baseline > 0.1 * HEIGHT
    longest, widest = (0.5, 0.35) if below else (0.35, 0.25)
    if wide < widest + 0.15 and tall < longest + 0.15 and middle > 0.65:
        size = -(max(0.0, wide - widest) ** 2 + max(0.0, tall - longest) ** 2) / 0.01
        return Arc(first, last, "," if tall > 0.25 else ".", math.log(0.5) + size)
    return Arc(first, last, "", -2.0 - 4 * (max(wide, tall) / 0.3) ** 2)
