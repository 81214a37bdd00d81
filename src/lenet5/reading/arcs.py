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

__all__ = ["arcs_of"]

_LEAST: Final = 1e-4  # no probability counts as smaller: one bad digit does not spoil a line
_CUT: Final = 0.05  # how much less likely, in logarithms, each pixel of ink makes a cut
_WRONG: Final = 10  # how much likelier rubbish is among a line's candidates, mostly cut wrongly, than elsewhere
_REFUSED: Final = 0.03  # how likely, before looking, a mark in a line of digits is none


@dataclass(frozen=True)
class _Band:
    """Where the digits of a line stand: the rows of their tops and of their baseline."""

    top: float
    baseline: float


def arcs_of(pieces: Pieces, candidates: Candidates, p: NDArray[np.float64]) -> list[Arc]:
    """All arcs: digits and rubbish for each candidate with its probabilities (N, 11); separators and specks."""
    band = _band(pieces)
    p = p * np.where(np.arange(RUBBISH + 1) == RUBBISH, _WRONG, 1)
    p /= p.sum(axis=1, keepdims=True)
    found: list[Arc] = []
    for k in range(len(p)):
        first, last = int(candidates.first[k]), int(candidates.last[k])
        best = int(p[k, :RUBBISH].argmax())
        size = _size_score(candidates.boxes[k], band) - _CUT * _parted(pieces, first, last)
        found.append(Arc(first, last, str(best), math.log(max(p[k, best], _LEAST)) + size, k))
        rubbish = math.log(max(_REFUSED * p[k, RUBBISH], _LEAST * _REFUSED)) * (last - first)
        found.append(Arc(first, last, REFUSED, rubbish, k))
    for k in range(len(pieces)):
        found.append(_small_mark(pieces, k, band))
    return found


def _band(pieces: Pieces) -> _Band:
    """The middle of the tops and of the bottoms of what is tall."""
    height = pieces.bottom - pieces.top
    tall = height > 0.6 * HEIGHT
    if not tall.any():
        tall = height == height.max()
    return _Band(float(np.median(pieces.top[tall])), float(np.median(pieces.bottom[tall])))


def _parted(pieces: Pieces, first: int, last: int) -> float:
    """The ink that cuts on either side of a run go through, half of it as the other half is its neighbour's."""
    return sum(cut.ink for cut in pieces.cuts if (first <= cut.left < last) != (first <= cut.right < last)) / 2


def _size_score(box: NDArray[np.int64], band: _Band) -> float:
    """How well a digit's box suits its line: 0 for a usual one, less for small, large, flat and displaced ones."""
    left, top, right, bottom = (float(edge) for edge in box)
    tall, wide = (bottom - top) / HEIGHT, (right - left) / HEIGHT
    score = -(max(0.0, 0.65 - tall) ** 2 + max(0.0, tall - 1.35) ** 2) / 0.02
    score -= max(0.0, wide - 1.0) ** 2 / 0.05
    displaced = abs((top + bottom) - (band.top + band.baseline)) / 2 / HEIGHT
    return score - max(0.0, displaced - 0.25) ** 2 / 0.02


def _small_mark(pieces: Pieces, k: int, band: _Band) -> Arc:
    """A piece by itself as a separator, if it has the size and place of one, or else as a speck."""
    wide, tall = float(pieces.right[k] - pieces.left[k]) / HEIGHT, float(pieces.bottom[k] - pieces.top[k]) / HEIGHT
    extent = band.baseline - band.top
    middle = (float(pieces.top[k] + pieces.bottom[k]) / 2 - band.top) / max(extent, 1.0)
    if wide > 1.8 * tall and tall < 0.35 and 0.12 < wide < 1.5 and 0.2 < middle < 0.85:
        return Arc(k, k + 1, "-", math.log(0.3) - max(0.0, wide - 0.7) ** 2 / 0.1)
    below = float(pieces.bottom[k]) - band.baseline > 0.1 * HEIGHT
    if wide < 0.4 and tall < (0.65 if below else 0.5) and middle > 0.65:
        size = -(max(0.0, wide - 0.25) ** 2 + max(0.0, tall - (0.5 if below else 0.35)) ** 2) / 0.01
        return Arc(k, k + 1, "," if tall > 0.25 else ".", math.log(0.5) + size)
    return Arc(k, k + 1, "", -2.0 - 4 * (max(wide, tall) / 0.3) ** 2)
