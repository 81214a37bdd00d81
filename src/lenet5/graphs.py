"""Global training: how far a network is from reading whole strings, and in which direction it should move.

Every way through a string's segmentation graph reads something. The criterion compares the ways that read
the truth with all ways, −log(Σ_right e^score / Σ_all e^score): discriminative forward training (section VI of the
paper). Its derivative by the penalties of every candidate goes back through the network, so that pieces,
candidates and scores are those of the line reader and nobody has to say which candidate is a digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper, pixels
from lenet5.errors import DataError
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import distort
from lenet5.learning.mixture import Strings
from lenet5.learning.objective import Objective
from lenet5.posterior import RUBBISH
from lenet5.reading.arcs import REFUSAL, RUBBISH_FACTOR, digit_scores, mark_scores, width_factors
from lenet5.reading.candidates import runs
from lenet5.reading.pieces import cut, whole_marks
from lenet5.strings import strings_of

__all__ = ["Graph", "StringLessons", "forward_criterion", "graph_of"]

Floats = NDArray[np.float64]

_IMPOSSIBLE: Final = -np.inf


@dataclass(frozen=True)
class Graph:
    """The segmentation graph of a string of digits ``labels``, before a network has seen its candidates.

    ``images`` (N, 28, 28) uint8 are the runs of pieces ``first`` to ``last`` (exclusive), (N,); ``factors`` (N, 11) are
    added to the logarithms of the network's probabilities of ten digits and rubbish, which then are normalised anew;
    ``digit`` (N,) to that of being any digit. ``marks`` (pieces, longest) scores runs from each of the pieces, of one
    piece, two and so on, as what is no digit, −∞ where they can be none.
    """

    images: NDArray[np.uint8]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    factors: Floats
    digit: Floats
    marks: Floats
    labels: tuple[int, ...]


def graph_of(level: NDArray[np.float32], labels: tuple[int, ...]) -> Graph | None:
    """The graph that the line reader makes of a line of ink (h, w); None where it finds no candidate in it."""
    pieces = cut(whole_marks(level))
    candidates = runs(pieces)
    if len(candidates.images) == 0:
        return None
    factors = width_factors(candidates.boxes)
    factors[:, RUBBISH] += np.log(RUBBISH_FACTOR)
    arcs = mark_scores(pieces)
    marks = np.full((len(pieces), max(arc.last - arc.first for arc in arcs)), _IMPOSSIBLE)
    for arc in arcs:
        marks[arc.first, arc.last - arc.first - 1] = arc.score
    digit = digit_scores(pieces, candidates)
    return Graph(candidates.images, candidates.first, candidates.last, factors, digit, marks, labels)


def forward_criterion(graphs: list[Graph], penalties: NDArray[np.floating], j: float) -> tuple[Floats, Floats]:
    """The loss of each string (B,), and their sum's derivative (N, 10) by the penalties of all candidates in order.

    ``j`` is the penalty of rubbish. A string whose truth no way through its pieces reads has no loss.
    """
    owner = np.repeat(np.arange(len(graphs)), [len(graph.images) for graph in graphs])
    first, last = (np.concatenate([getattr(graph, side) for graph in graphs]) for side in ("first", "last"))
    length = last - first
    energies = np.column_stack([penalties, np.full(len(penalties), j)])
    logits = np.concatenate([graph.factors for graph in graphs]) - energies
    logits -= _log_sum(logits, 1)[:, None]
    scores = logits.copy()
    scores[:, :RUBBISH] += np.concatenate([graph.digit for graph in graphs])[:, None]
    scores[:, RUBBISH] = (logits[:, RUBBISH] + REFUSAL) * length

    table = _Table(graphs, owner, first, length, scores)
    free, all_ways = table.all_ways()
    right, right_ways = table.right_ways()
    possible = np.isfinite(right_ways)
    share = free  # ∂loss/∂score: an arc's share of all ways less that of the right ones
    share[:, :RUBBISH] -= right
    share[~possible[owner]] = 0
    share[:, RUBBISH] *= length
    by_logit = share - np.exp(logits) * share.sum(axis=1, keepdims=True)
    return np.where(possible, all_ways - np.where(possible, right_ways, 0), 0), -by_logit[:, :RUBBISH]


class StringLessons:
    """Strings written with a set's digits, LeNet5's lessons (:class:`lenet5.learning.mixture.Lessons`)."""

    def __init__(self, data: ImageSet, strings: Strings, j: float, generator: np.random.Generator) -> None:
        written = strings_of(data, strings.count, strings.longest, generator, joined=True)
        graphs = (graph_of(one.level, one.labels) for one in written)
        self._graphs = [graph for graph in graphs if graph is not None]
        if not self._graphs:
            raise DataError(f"no strings can be written with the digits of {data.name}")
        self._strings, self._j, self._generator = strings, j, generator
        self._waiting: list[int] = []

    def __call__(self, objective: Objective, parameters: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """The mean loss of the next strings, and its gradient (P,)."""
        if not self._waiting:
            self._waiting = [int(k) for k in self._generator.permutation(len(self._graphs))]
        taken, self._waiting = self._waiting[: self._strings.at_once], self._waiting[self._strings.at_once :]
        graphs = [self._graphs[k] for k in taken]
        candidates = np.concatenate([graph.images for graph in graphs])
        shown = distort(candidates, self._strings.distortion, self._generator, threads=1)
        images = pixels.network_input(paper.LENET5, shown)
        losses, derivative = forward_criterion(graphs, objective.penalties(parameters, images), self._j)
        return float(losses.mean()), objective.backward(
            parameters, images, np.asarray(derivative / len(graphs), np.float32)
        )


class _Table:
    """The arcs of several graphs by graph, gap from which they start and pieces that they take; filled up with −∞."""

    def __init__(
        self,
        graphs: list[Graph],
        owner: NDArray[np.int64],
        first: NDArray[np.int64],
        length: NDArray[np.int64],
        scores: Floats,
    ) -> None:
        self._owner, self._first, self._length, self._scores = owner, first, length, scores
        self._rows = np.arange(len(graphs))
        self._pieces = np.array([len(graph.marks) for graph in graphs])
        self._digits = np.array([len(graph.labels) for graph in graphs])
        self._gaps = int(self._pieces.max())
        self._most = max(int(length.max()), *(graph.marks.shape[1] for graph in graphs))
        shape = len(graphs), self._gaps
        self._arcs = np.full((*shape, self._most, RUBBISH + 1), _IMPOSSIBLE)
        self._arcs[owner, first, length - 1] = scores
        self._marks = np.full((*shape, self._most), _IMPOSSIBLE)
        self._labels = np.zeros((len(graphs), int(self._digits.max())), np.int64)
        for k, graph in enumerate(graphs):
            self._marks[k, : graph.marks.shape[0], : graph.marks.shape[1]] = graph.marks
            self._labels[k, : len(graph.labels)] = graph.labels

    def all_ways(self) -> tuple[Floats, Floats]:
        """Of each arc (N, 11) its share of all ways, and the logarithm of their sum in each graph, (B,)."""
        arcs = np.logaddexp(_log_sum(self._arcs, 3), self._marks)
        before = np.full((len(self._rows), self._gaps + 1), _IMPOSSIBLE)
        after = np.full((len(self._rows), self._gaps + self._most), _IMPOSSIBLE)
        before[:, 0] = after[self._rows, self._pieces] = 0
        for gap in range(1, self._gaps + 1):
            n = np.arange(min(self._most, gap))
            before[:, gap] = _log_sum(before[:, gap - 1 - n] + arcs[:, gap - 1 - n, n], 1)
        for gap in range(self._gaps - 1, -1, -1):
            n = np.arange(self._most)
            ways = _log_sum(after[:, gap + 1 + n] + arcs[:, gap, n], 1)
            after[:, gap] = np.where(gap < self._pieces, ways, after[:, gap])
        total = after[:, 0]
        start, end = before[self._owner, self._first], after[self._owner, self._first + self._length]
        return np.exp((start + end - total[self._owner])[:, None] + self._scores), total

    def right_ways(self) -> tuple[Floats, Floats]:
        """The same of the ways that read the truth, for the digits' arcs (N, 10); −∞ where there are none.

        Here a way also has a place in the truth: how many of its digits were read before each gap.
        """
        count = self._labels.shape[1]
        wanted = np.broadcast_to(self._labels[:, None, None, :], (*self._arcs.shape[:3], count))
        arcs = np.take_along_axis(self._arcs[..., :RUBBISH], wanted, axis=3)
        before = np.full((len(self._rows), self._gaps + 1, count + 1), _IMPOSSIBLE)
        after = np.full((len(self._rows), self._gaps + self._most, count + 1), _IMPOSSIBLE)
        before[:, 0, 0] = after[self._rows, self._pieces, self._digits] = 0
        for gap in range(1, self._gaps + 1):
            n = np.arange(min(self._most, gap))
            before[:, gap, 1:] = _log_sum(before[:, gap - 1 - n, :-1] + arcs[:, gap - 1 - n, n], 1)
            skipped = _log_sum(before[:, gap - 1 - n] + self._marks[:, gap - 1 - n, n, None], 1)
            before[:, gap] = np.logaddexp(before[:, gap], skipped)
        for gap in range(self._gaps - 1, -1, -1):
            n = np.arange(self._most)
            ways = _log_sum(after[:, gap + 1 + n] + self._marks[:, gap, n, None], 1)
            further = after[:, gap + 1 + n, 1:] + arcs[:, gap, n]
            ways[:, :-1] = np.logaddexp(ways[:, :-1], _log_sum(further, 1))
            after[:, gap] = np.where((gap < self._pieces)[:, None], ways, after[:, gap])
        total = after[:, 0, 0]
        own = self._owner
        ways = before[own, self._first, :-1] + arcs[own, self._first, self._length - 1]
        ways = ways + after[own, self._first + self._length, 1:] - np.where(np.isfinite(total), total, 0)[own][:, None]
        shares = np.zeros((len(own), RUBBISH))
        for place in range(count):
            shares[np.arange(len(own)), self._labels[own, place]] += np.where(
                place < self._digits[own], np.exp(ways[:, place]), 0
            )
        return shares, total


def _log_sum(logarithms: Floats, axis: int) -> Floats:
    """The logarithm of the sum of what has these logarithms."""
    most = logarithms.max(axis=axis, keepdims=True)
    most = np.where(np.isfinite(most), most, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logarithms - most).sum(axis=axis)) + most.squeeze(axis))
