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

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> arcs.label[arcs.first == 0].tolist()  # what the first piece may begin
    [1, 8]
    """

    first: Places
    last: Places
    label: Places
    score: Floats
    candidate: Places


def weighed_by(pieces: Pieces, candidates: Candidates, p: Floats, geometry: Geometry) -> Floats:
    """The logarithms (N, C + 1) of the probabilities ``p`` of candidates, once their size and place are known.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> pieces = whole_marks(level)
    >>> candidates = runs(pieces)
    >>> alike = Geometry("01", np.zeros((3, 2)), np.tile(np.eye(2), (3, 1, 1)))  # says the same of both digits
    >>> np.exp(weighed_by(pieces, candidates, np.tile([0.2, 0.7, 0.1], (3, 1)), alike))[0].round(2).tolist()
    [0.11, 0.37, 0.53]
    """
    logits = np.log(np.maximum(p, 1e-12)) + factors(pieces, candidates.boxes, geometry)
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def factors(pieces: Pieces, boxes: Places, geometry: Geometry) -> Floats:
    """(N, C + 1): what size, place and the many wrong cuts add to the logarithms of probability.

    >>> from lenet5.reading.pieces import whole_marks
    >>> geometry = Geometry("01", np.array([(0, 0), (-2, 0), (0, 0)]), np.tile(np.eye(2), (3, 1, 1)))
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, 5:8] = 1  # a stroke as high as the line: no small mark, as class 1 is here
    >>> small_or_tall = factors(whole_marks(level), np.array([[5, 0, 8, 48]]), geometry)[0]
    >>> bool(small_or_tall[0] > small_or_tall[1])
    True
    """
    added = geometry.log_densities(features(pieces, boxes))
    added[:, -1] += _RUBBISH_PRIOR
    return added


def arcs_of(pieces: Pieces, candidates: Candidates, weighed: Floats) -> Arcs:
    """All arcs: for each candidate its likely labels and rubbish, by logarithms (N, C + 1); and specks.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> pieces = whole_marks(level)
    >>> candidates = runs(pieces)
    >>> arcs = arcs_of(pieces, candidates, np.log(np.tile([0.001, 0.989, 0.01], (3, 1))))  # two classes, and rubbish
    >>> [(int(a), int(b), int(label)) for a, b, label in zip(arcs.first, arcs.last, arcs.label)]
    [(0, 1, 1), (0, 1, 2), (0, 2, 1), (0, 2, 2), (1, 2, 1), (1, 2, 2), (0, 1, -1), (1, 2, -1)]
    """
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
    """(pieces,): how likely each piece is a speck, which is left out, the less the larger it is: logarithms.

    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 40), np.float32)
    >>> level[:, 5:8] = level[40:44, 20:24] = 1  # a stroke and a dot
    >>> stroke, dot = specks(whole_marks(level, slanted=False))
    >>> bool(dot > stroke)
    True
    """
    size = np.maximum(pieces.right - pieces.left, pieces.bottom - pieces.top) / HEIGHT
    return np.asarray(-2.0 - 4 * (size / 0.3) ** 2)


def cut_costs(pieces: Pieces, candidates: Candidates) -> Floats:
    """(N,): what the cuts on a candidate's sides add to the logarithm of its probability, half to each neighbour.

    >>> from dataclasses import replace
    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import Cut, whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> pieces = replace(whole_marks(level), cuts=(Cut(0, 1, ink=8.0),))  # as if a cut had parted the strokes
    >>> cut_costs(pieces, runs(pieces)).round(2).tolist()  # of the first, of both together, of the second
    [-0.1, -0.0, -0.1]
    """
    first, last = candidates.first[:, None], candidates.last[:, None]
    left, right = (np.array([getattr(cut, side) for cut in pieces.cuts], np.int64) for side in ("left", "right"))
    parting = ((first <= left) & (left < last)) != ((first <= right) & (right < last))
    return np.asarray(-_CUT * (parting @ np.array([cut.ink for cut in pieces.cuts], np.float64)) / 2)


def are_sure(pieces: Pieces, candidates: Candidates, weighed: Floats) -> NDArray[np.bool_]:
    """(pieces,): which of them are characters by themselves so surely that a path that cuts them is not likelier.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 30), np.float32)
    >>> level[:, [5, 6, 7, 15, 16, 17]] = 1  # two strokes
    >>> pieces = whole_marks(level)
    >>> candidates = runs(pieces)
    >>> weighed = np.log([[0.995, 0.005], [0.5, 0.5], [0.8, 0.2]])  # one class and rubbish
    >>> are_sure(pieces, candidates, weighed).tolist()
    [True, False]
    """
    alone = (candidates.last - candidates.first == 1) & (weighed[:, :-1].max(axis=1) >= math.log(_SURE))
    return np.isin(np.arange(len(pieces)), candidates.first[alone])
