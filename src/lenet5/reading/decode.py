"""Arcs → the best path through the segmentation graph, and the posteriors of all arcs (section V of the paper).

The nodes of the graph are the gaps between pieces; an arc takes a run of neighbouring pieces for one mark: a
character, a speck, or something that is neither. A path's score adds up its arcs' logarithms of probability. Viterbi
finds the best one; summing over all paths (the forward and the backward algorithm) tells how much of the whole each
arc and the best path hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.arcs import Arcs

__all__ = ["Path", "best_path", "starting_arcs"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Path:
    """The best way through: the numbers of its ``arcs``, and its ``posterior`` among all ways.

    ``posteriors`` (N,) are those of all arcs: the sum over the paths that use one over that of all paths.
    ``log_total`` is the logarithm of that sum.

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> path = best_path(arcs, pieces=2)  # 0.72 of 0.72 + 0.3
    >>> path.posteriors.round(3).tolist()
    [0.706, 0.706, 0.294]
    """

    arcs: tuple[int, ...]
    posterior: float
    posteriors: Floats
    log_total: float


def best_path(arcs: Arcs, pieces: int, inverse_temperature: float = 1.0) -> Path:
    """The best path from gap 0 to gap ``pieces``; every piece must begin an arc to its own right side.

    Each path's probability is raised to the power ``inverse_temperature`` before they are compared.

    >>> first, last, label = np.array([(0, 1, 1), (1, 2, 3), (0, 2, 8)]).T  # 1, then 3; or both pieces as an 8
    >>> arcs = Arcs(first, last, label, np.log([0.9, 0.8, 0.3]), np.arange(3))
    >>> path = best_path(arcs, pieces=2)  # 0.72 of 0.72 + 0.3
    >>> path.arcs, round(path.posterior, 3)
    ((0, 1), 0.706)
    """
    first, last, scores = arcs.first, arcs.last, inverse_temperature * arcs.score
    by_end = np.argsort(last, kind="stable")
    starting = starting_arcs(first, pieces)
    ending = np.split(by_end, np.searchsorted(last[by_end], np.arange(1, pieces + 1)))
    forward, backward = np.full(pieces + 1, -np.inf), np.full(pieces + 1, -np.inf)
    best, came = np.full(pieces + 1, -np.inf), np.zeros(pieces + 1, np.int64)
    forward[0] = backward[pieces] = best[0] = 0.0
    for gap in range(1, pieces + 1):
        into = ending[gap]
        forward[gap] = np.logaddexp.reduce(forward[first[into]] + scores[into])
        reached = best[first[into]] + scores[into]
        best[gap], came[gap] = reached.max(), into[int(reached.argmax())]
    for gap in range(pieces - 1, -1, -1):
        out = starting[gap]
        backward[gap] = np.logaddexp.reduce(scores[out] + backward[last[out]])
    path: list[int] = []
    gap = pieces
    while gap > 0:
        path.append(int(came[gap]))
        gap = int(first[came[gap]])
    posteriors = np.exp(np.minimum(forward[first] + scores + backward[last] - forward[pieces], 0))
    return Path(
        tuple(reversed(path)), float(np.exp(best[pieces] - forward[pieces])), posteriors, float(forward[pieces])
    )


def starting_arcs(first: Places, pieces: int) -> list[Places]:
    """The numbers of the arcs that start at each gap but the last.

    >>> [arcs.tolist() for arcs in starting_arcs(np.array([0, 1, 0]), pieces=2)]
    [[0, 2], [1]]
    """
    by_start = np.argsort(first, kind="stable")
    return np.split(by_start, np.searchsorted(first[by_start], np.arange(1, pieces)))
