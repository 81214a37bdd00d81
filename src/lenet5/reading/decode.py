"""Pieces with the network's opinions → marks: the best path through the segmentation graph (section V of the paper).

The nodes of the graph are the gaps between pieces; an arc takes a run of neighbouring pieces for
one mark: a digit, a separator, or something that is no digit. A path's score adds up its arcs'
logarithms of probability. Viterbi finds the best one; summing over all paths (the forward and the
backward algorithm) tells how much of the whole each arc and the best path hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Arc", "Path", "best_path"]


@dataclass(frozen=True)
class Arc:
    """Pieces ``first`` to ``last`` (exclusive) as one mark, with the logarithm of its probability.

    ``label`` is "0"…"9", "?" for what is no digit, a separator ".", "," or "-", or "" for a speck;
    ``candidate`` numbers the image that the network saw, −1 for marks that it did not see.
    """

    first: int
    last: int
    label: str
    score: float
    candidate: int = -1


@dataclass(frozen=True)
class Path:
    """The best way through: its arcs, the share of each among all ways, and that of the whole path."""

    arcs: tuple[Arc, ...]
    shares: tuple[float, ...]
    share: float


def best_path(arcs: list[Arc], pieces: int, sharpness: float = 1.0) -> Path:
    """The best path from gap 0 to gap ``pieces``; every piece must begin an arc to its own right side.

    A share is an arc's posterior probability: the sum over all paths that use it over that of all paths,
    each path's probability raised to the power ``sharpness``.
    """
    scores = sharpness * np.array([arc.score for arc in arcs])
    first, last = (np.array([getattr(arc, side) for arc in arcs]) for side in ("first", "last"))
    starting = [np.flatnonzero(first == gap) for gap in range(pieces)]
    ending = [np.flatnonzero(last == gap) for gap in range(pieces + 1)]
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
    chosen: list[int] = []
    gap = pieces
    while gap > 0:
        chosen.append(int(came[gap]))
        gap = int(first[came[gap]])
    chosen.reverse()
    shares = np.exp(forward[first[chosen]] + scores[chosen] + backward[last[chosen]] - forward[pieces])
    share = float(np.exp(best[pieces] - forward[pieces]))
    return Path(tuple(arcs[k] for k in chosen), tuple(float(s) for s in shares), share)
