"""Candidates with the network's probabilities → arcs of the segmentation graph, weighed by size, place and cuts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.candidates import Candidates
from lenet5.reading.geometry import Geometry, features
from lenet5.reading.pieces import HEIGHT, Pieces

__all__ = ["REFUSAL", "SPECK", "Arcs", "arcs_of", "are_sure", "cut_costs", "factors", "specks", "weighed_by"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_LEAST: Final = 1e-4  # no probability counts as smaller: one bad digit does not spoil a line
_SURE: Final = 0.99  # a cut makes any digit less likely than this
_CUT: Final = 0.025  # how much less likely, in logarithms, each pixel of ink makes a cut
_TRACE: Final = 2e-3  # labels of a candidate that are less likely than this get no arc of their own

_RUBBISH_PRIOR: Final = math.log(10.0)  # how much likelier rubbish is among candidates, mostly cut wrongly

REFUSAL: Final = math.log(0.03)
"""How likely, before looking, a piece of a line of digits is none: a logarithm."""

SPECK: Final = -1
"""The label of an arc that takes a piece for a speck, which is left out."""


@dataclass(frozen=True)
class Arcs:
    """Runs of pieces ``first`` to ``last`` (exclusive) as one mark each, all (N,).

    ``label`` is a place in the weights' classes, the number of these for what is none of them, or SPECK; ``score`` the
    logarithm of its probability; ``candidate`` the number of the image that the network saw, −1 for specks.
    """

    first: Places
    last: Places
    label: Places
    score: Floats
    candidate: Places


def weighed_by(pieces: Pieces, candidates: Candidates, p: Floats, geometry: Geometry) -> Floats:
    """The logarithms (N, C + 1) of the probabilities ``p`` of candidates, once their size and place are known."""
    logits = np.log(np.maximum(p, 1e-12)) + factors(pieces, candidates.boxes, geometry)
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def factors(pieces: Pieces, boxes: Places, geometry: Geometry) -> Floats:
    """(N, C + 1): what size, place and the many wrong cuts add to the logarithms of probability."""
    added = geometry.log_densities(features(pieces, boxes))
    added[:, -1] += _RUBBISH_PRIOR
    return added


def arcs_of(pieces: Pieces, candidates: Candidates, weighed: Floats) -> Arcs:
    """All arcs: for each candidate its likely labels and rubbish, by logarithms (N, C + 1); and specks."""
    scores = np.maximum(weighed, math.log(_LEAST))
    scores[:, :-1] += cut_costs(pieces, candidates)[:, None]
    scores[:, -1] = (scores[:, -1] + REFUSAL) * (candidates.last - candidates.first)
    likely = weighed > math.log(_TRACE)
    likely[np.arange(len(weighed)), weighed[:, :-1].argmax(axis=1)] = True
    likely[:, -1] = True
    which, label = np.nonzero(likely)
    small = np.arange(len(pieces))
    return Arcs(
        np.concatenate([candidates.first[which], small]),
        np.concatenate([candidates.last[which], small + 1]),
        np.concatenate([label, np.full(len(pieces), SPECK)]),
        np.concatenate([scores[which, label], specks(pieces)]),
        np.concatenate([which, np.full(len(pieces), -1)]),
    )


def specks(pieces: Pieces) -> Floats:
    """(pieces,): how likely each piece is a speck, which is left out, the less the larger it is: logarithms."""
    size = np.maximum(pieces.right - pieces.left, pieces.bottom - pieces.top) / HEIGHT
    return np.asarray(-2.0 - 4 * (size / 0.3) ** 2)


def cut_costs(pieces: Pieces, candidates: Candidates) -> Floats:
    """(N,): what the cuts on a candidate's sides add to the logarithm of its probability, half to each neighbour."""
    first, last = candidates.first[:, None], candidates.last[:, None]
    left, right = (np.array([getattr(cut, side) for cut in pieces.cuts], np.int64) for side in ("left", "right"))
    parting = ((first <= left) & (left < last)) != ((first <= right) & (right < last))
    return np.asarray(-_CUT * (parting @ np.array([cut.ink for cut in pieces.cuts], np.float64)) / 2)


def are_sure(pieces: Pieces, candidates: Candidates, weighed: Floats) -> NDArray[np.bool_]:
    """(pieces,): which of them are characters by themselves so surely that a path that cuts them is not likelier."""
    alone = (candidates.last - candidates.first == 1) & (weighed[:, :-1].max(axis=1) >= math.log(_SURE))
    return np.isin(np.arange(len(pieces)), candidates.first[alone])
