"""Global training: how far a network is from reading whole strings, and in which direction it should move.

Every path through a string's segmentation graph reads some text. The criterion compares the paths that read
the truth with all paths, −log(Σ_right e^score / Σ_all e^score): discriminative forward training (section VI of the
paper). Its derivative by the penalties of every candidate goes back through the network, so that pieces,
candidates and scores are those of the line reader and nobody has to say which candidate is a digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.distort import Distortion, distort
from lenet5.learning.objective import Objective
from lenet5.reading.arcs import REFUSAL, cut_costs, factors, specks
from lenet5.reading.candidates import Candidates
from lenet5.reading.geometry import Geometry
from lenet5.reading.pieces import Pieces

__all__ = ["Graph", "SequenceLoss", "fit_inverse_temperature", "forward_criterion", "graph_of", "log_posteriors"]

Floats = NDArray[np.float64]

_IMPOSSIBLE: Final = -np.inf
_AT_ONCE: Final = 64  # lines in one table
_MISLABELLED: Final = 0.01  # of the lines, about as many as of UNIPEN's isolated digits


@dataclass(frozen=True)
class Graph:
    """The segmentation graph of a line of characters ``labels``, before a network has seen its candidates.

    ``images`` (N, 28, 28) uint8 are the runs of pieces ``first`` to ``last`` (exclusive), (N,); ``factors`` (N, C + 1)
    are added to the logarithms of the network's probabilities of C classes and rubbish, which then are normalised anew;
    ``cuts`` (N,) to that of being any character. ``specks`` (pieces,) scores each piece as a speck.

    >>> parts = np.zeros((1, 28, 28), np.uint8), np.array([0]), np.array([1])
    >>> graph = Graph(*parts, factors=np.zeros((1, 11)), cuts=np.zeros(1), specks=np.array([-9.0]), labels=(7,))
    >>> len(graph.images), len(graph.specks), graph.labels  # a candidate of one piece, which is a 7
    (1, 1, (7,))
    """

    images: NDArray[np.uint8]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    factors: Floats
    cuts: Floats
    specks: Floats
    labels: tuple[int, ...]


def graph_of(pieces: Pieces, candidates: Candidates, labels: tuple[int, ...], geometry: Geometry) -> Graph:
    """The graph that the line reader makes of a line of ink, as :mod:`lenet5.reading.arcs` weighs it.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import cut, whole_marks
    >>> level = np.zeros((80, 40), np.float32)
    >>> level[12:68, 8:14] = level[12:68, 20:26] = 1  # a 1 and a 1, near each other
    >>> pieces = cut(whole_marks(level))
    >>> geometry = Geometry("01", np.zeros((3, 2)), np.repeat(np.eye(2)[None], 3, axis=0))
    >>> graph = graph_of(pieces, runs(pieces), (1, 1), geometry)
    >>> list(zip(graph.first.tolist(), graph.last.tolist(), strict=True))  # each piece, and both as one candidate
    [(0, 1), (0, 2), (1, 2)]
    """
    return Graph(
        candidates.images,
        candidates.first,
        candidates.last,
        factors(pieces, candidates.boxes, geometry),
        cut_costs(pieces, candidates),
        specks(pieces),
        labels,
    )


def forward_criterion(graphs: list[Graph], penalties: NDArray[np.floating], j: float) -> tuple[Floats, Floats]:
    """The loss of each line (B,), and their sum's derivative (N, C) by the penalties of all candidates in order.

    ``j`` is the penalty of rubbish. A line whose truth no way through its pieces reads has no loss.

    >>> parts = np.zeros((1, 28, 28), np.uint8), np.array([0]), np.array([1])
    >>> seven = Graph(*parts, factors=np.zeros((1, 11)), cuts=np.zeros(1), specks=np.array([-9.0]), labels=(7,))
    >>> penalties = np.where(np.arange(10) == 7, 2.0, 8.0)[None]  # the network takes the candidate for a 7
    >>> losses, derivative = forward_criterion([seven], penalties, j=20.0)
    >>> losses.round(3).tolist(), int(derivative[0].argmax())  # little loss; the penalty of 7 should fall
    ([0.022], 7)
    """
    logits = _log_probabilities(graphs, penalties, j)
    table = _Table(graphs, logits)
    free, all_ways = table.all_ways()
    right, right_ways = table.right_ways()
    possible = np.isfinite(right_ways)
    share = free  # ∂loss/∂score: an arc's share of all ways less that of the right ones
    share[:, :-1] -= right
    share[~possible[table.owner]] = 0
    share[:, -1] *= table.length
    by_logit = share - np.exp(logits) * share.sum(axis=1, keepdims=True)
    return np.where(possible, all_ways - np.where(possible, right_ways, 0), 0), -by_logit[:, :-1]


def log_posteriors(
    graphs: list[Graph], penalties: NDArray[np.floating], j: float, inverse_temperature: float
) -> Floats:
    """The logarithm of P(the truth) of each line (B,); −∞ where no way through its pieces reads it.

    >>> parts = np.zeros((1, 28, 28), np.uint8), np.array([0]), np.array([1])
    >>> seven = Graph(*parts, factors=np.zeros((1, 11)), cuts=np.zeros(1), specks=np.array([-9.0]), labels=(7,))
    >>> penalties = np.where(np.arange(10) == 7, 2.0, 4.0)[None]
    >>> [float(np.exp(log_posteriors([seven], penalties, 20.0, power)[0]).round(2)) for power in (1.0, 2.0)]  # P(7)
    [0.45, 0.86]
    """
    table = _Table(graphs, _log_probabilities(graphs, penalties, j), inverse_temperature)
    return np.asarray(table.right_ways()[1] - table.all_ways()[1])


def fit_inverse_temperature(graphs: list[Graph], penalties: NDArray[np.floating], j: float) -> float:
    """The power in 0.5..12 to which ways are raised under which the lines' truths are likeliest.

    Candidates of a line share their ink, so that the right path is surer than the product of its arcs says. A few of
    the lines have a wrong label: with the probability _MISLABELLED a truth says nothing, and no single line decides.

    >>> parts = np.zeros((1, 28, 28), np.uint8), np.array([0]), np.array([1])
    >>> seven = Graph(*parts, factors=np.zeros((1, 11)), cuts=np.zeros(1), specks=np.array([-9.0]), labels=(7,))
    >>> likely = np.where(np.arange(10) == 7, 2.0, 4.0)
    >>> unlikely = np.where(np.arange(10) == 3, 2.0, 4.0)
    >>> right, wrong = np.stack([likely] * 8), np.stack([likely] * 4 + [unlikely] * 4)
    >>> fit_inverse_temperature([seven] * 8, right, 20.0) > fit_inverse_temperature([seven] * 8, wrong, 20.0)
    True
    """
    stops = np.cumsum([len(graph.images) for graph in graphs])
    blocks = [slice(k, min(k + _AT_ONCE, len(graphs))) for k in range(0, len(graphs), _AT_ONCE)]

    def surprise(power: float) -> float:
        logarithms = np.concatenate(
            [
                log_posteriors(
                    graphs[block],
                    penalties[stops[block.start - 1] if block.start else 0 : stops[block.stop - 1]],
                    j,
                    power,
                )
                for block in blocks
            ]
        )
        return float(-np.log((1 - _MISLABELLED) * np.exp(logarithms) + _MISLABELLED).mean())

    low, high = 0.5, 12.0
    for _ in range(3):  # a coarse grid, then finer ones around its best
        grid = np.geomspace(low, high, 9)
        best = int(np.argmin([surprise(float(power)) for power in grid]))
        low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 8)])
    return float(grid[best])


class SequenceLoss:
    """The mean loss of lines, ``at_once`` of them at each call, in turn.

    ``distortion`` is drawn anew for each presentation of a candidate; ``j`` is the penalty of rubbish.

    >>> from lenet5.learning.distort import NONE
    >>> parts = np.zeros((1, 28, 28), np.uint8), np.array([0]), np.array([1])
    >>> seven = Graph(*parts, factors=np.zeros((1, 11)), cuts=np.zeros(1), specks=np.array([-9.0]), labels=(7,))
    >>> loss = SequenceLoss([seven] * 5, 2, NONE, 20.0, np.random.default_rng(0))
    >>> loss.state()["waiting"].tolist()  # an order of the five lines is drawn at the first call
    []
    """

    def __init__(
        self, graphs: list[Graph], at_once: int, distortion: Distortion, j: float, generator: np.random.Generator
    ) -> None:
        self._graphs, self._at_once, self._distortion, self._j = graphs, at_once, distortion, j
        self._generator = generator
        self._waiting = np.empty(0, np.int64)

    def __call__(self, objective: Objective, parameters: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """The mean loss of the next lines, and its gradient (P,)."""
        if len(self._waiting) == 0:
            self._waiting = self._generator.permutation(len(self._graphs))
        indices, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
        graphs = [self._graphs[k] for k in indices]
        candidates = np.concatenate([graph.images for graph in graphs])
        images = distort(candidates, self._distortion, self._generator, paper.LENET5)
        losses, derivative = forward_criterion(graphs, objective.penalties(parameters, images), self._j)
        return float(losses.mean()), objective.backward(
            parameters, images, np.asarray(derivative / len(graphs), np.float32)
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """The lines that have not had their turn."""
        return {"waiting": self._waiting}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._waiting = state["waiting"]


def _log_probabilities(graphs: list[Graph], penalties: NDArray[np.floating], j: float) -> Floats:
    """(N, C + 1): the logarithms of all candidates' probabilities, given their size and place."""
    logits = np.concatenate([graph.factors for graph in graphs])
    logits[:, :-1] -= penalties
    logits[:, -1] -= j
    return np.asarray(logits - _log_sum(logits, 1)[:, None])


class _Table:
    """The arcs of several graphs by graph, gap from which they start and pieces that they take; filled up with −∞.

    ``scores`` (N, C + 1) are those of all arcs, raised to a power.
    """

    def __init__(self, graphs: list[Graph], logits: Floats, power: float = 1.0) -> None:
        self.owner = np.repeat(np.arange(len(graphs)), [len(graph.images) for graph in graphs])
        self._first, last = (np.concatenate([getattr(graph, side) for graph in graphs]) for side in ("first", "last"))
        self.length = last - self._first
        self._scores = logits.copy()
        self._scores[:, :-1] += np.concatenate([graph.cuts for graph in graphs])[:, None]
        self._scores[:, -1] = (logits[:, -1] + REFUSAL) * self.length
        self._scores *= power
        self._rows = np.arange(len(graphs))
        self._pieces = np.array([len(graph.specks) for graph in graphs])
        self._digits = np.array([len(graph.labels) for graph in graphs])
        self._gaps = int(self._pieces.max())
        self._most = int(self.length.max(initial=1))
        self._arcs = np.full((len(graphs), self._gaps, self._most, logits.shape[1]), _IMPOSSIBLE)
        self._arcs[self.owner, self._first, self.length - 1] = self._scores
        self._specks = np.full((len(graphs), self._gaps), _IMPOSSIBLE)
        self._labels = np.zeros((len(graphs), int(self._digits.max())), np.int64)
        for k, graph in enumerate(graphs):
            self._specks[k, : len(graph.specks)] = power * graph.specks
            self._labels[k, : len(graph.labels)] = graph.labels

    def all_ways(self) -> tuple[Floats, Floats]:
        """Of each arc (N, C + 1) its share of all ways, and the logarithm of their sum in each graph, (B,)."""
        arcs = _log_sum(self._arcs, 3)
        arcs[:, :, 0] = np.logaddexp(arcs[:, :, 0], self._specks)
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
        start, end = before[self.owner, self._first], after[self.owner, self._first + self.length]
        return np.exp((start + end - total[self.owner])[:, None] + self._scores), total

    def right_ways(self) -> tuple[Floats, Floats]:
        """The same of the ways that read the truth, for the characters' arcs (N, C); −∞ where there are none.

        Here a way also has a place in the truth: how many of its characters were read before each gap.
        """
        count = self._labels.shape[1]
        labels = np.broadcast_to(self._labels[:, None, None, :], (*self._arcs.shape[:3], count))
        arcs = np.take_along_axis(self._arcs[..., :-1], labels, axis=3)
        before = np.full((len(self._rows), self._gaps + 1, count + 1), _IMPOSSIBLE)
        after = np.full((len(self._rows), self._gaps + self._most, count + 1), _IMPOSSIBLE)
        before[:, 0, 0] = after[self._rows, self._pieces, self._digits] = 0
        for gap in range(1, self._gaps + 1):
            n = np.arange(min(self._most, gap))
            before[:, gap, 1:] = _log_sum(before[:, gap - 1 - n, :-1] + arcs[:, gap - 1 - n, n], 1)
            before[:, gap] = np.logaddexp(before[:, gap], before[:, gap - 1] + self._specks[:, gap - 1, None])
        for gap in range(self._gaps - 1, -1, -1):
            n = np.arange(self._most)
            ways = after[:, gap + 1] + self._specks[:, gap, None]
            characters = after[:, gap + 1 + n, 1:] + arcs[:, gap, n]
            ways[:, :-1] = np.logaddexp(ways[:, :-1], _log_sum(characters, 1))
            after[:, gap] = np.where((gap < self._pieces)[:, None], ways, after[:, gap])
        total = after[:, 0, 0]
        owner = self.owner
        ways = before[owner, self._first, :-1] + arcs[owner, self._first, self.length - 1]
        ways = (
            ways + after[owner, self._first + self.length, 1:] - np.where(np.isfinite(total), total, 0)[owner][:, None]
        )
        shares = np.zeros((len(owner), self._arcs.shape[3] - 1))
        for place in range(count):
            shares[np.arange(len(owner)), self._labels[owner, place]] += np.where(
                place < self._digits[owner], np.exp(ways[:, place]), 0
            )
        return shares, total


def _log_sum(logarithms: Floats, axis: int) -> Floats:
    """The logarithm of the sum of numbers with these logarithms."""
    maximum = logarithms.max(axis=axis, keepdims=True)
    maximum = np.where(np.isfinite(maximum), maximum, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logarithms - maximum).sum(axis=axis)) + maximum.squeeze(axis))
