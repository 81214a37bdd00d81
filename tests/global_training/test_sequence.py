"""The discriminative forward criterion, against all ways through a graph written out, and its derivative."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import paper, weights
from lenet5.engine import AVAILABLE
from lenet5.global_training.sequence import (
    Graph,
    SequenceLoss,
    fit_inverse_temperature,
    forward_criterion,
    graph_of,
    log_posteriors,
)
from lenet5.learning.data import ImageSet, load
from lenet5.learning.distort import NONE
from lenet5.learning.objective import EngineObjective
from lenet5.learning.recipe import READING
from lenet5.reading.arcs import REFUSAL
from lenet5.reading.geometry import Geometry, features
from lenet5.synthesis.lines import SeenLine, seen
from lenet5.synthesis.strings import lines
from lenet5.synthesis.symbols import CLASSES, from_images

J = 30.0


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("digits", "train")
    assert isinstance(found, ImageSet)
    return found


def a_graph(pieces: int, labels: tuple[int, ...], seed: int) -> Graph:
    """Runs of up to three pieces, most of them candidates, with scores at random."""
    generator = np.random.default_rng(seed)
    runs = [
        run for run in itertools.combinations(range(pieces + 1), 2) if run[1] - run[0] <= 3 and generator.random() < 0.8
    ]
    first, last = (np.array(side) for side in zip(*runs, strict=True))
    images = np.zeros((len(runs), 28, 28), np.uint8)
    factors, cuts = generator.normal(0, 1, (len(runs), 11)), generator.normal(0, 1, len(runs))
    return Graph(images, first, last, factors, cuts, generator.normal(-3, 1, pieces), labels)


def written_out(graph: Graph, penalties: NDArray[np.float64], power: float = 1.0) -> float:
    """The loss by every single way from the first gap to the last."""
    logits = graph.factors - np.column_stack([penalties, np.full(len(penalties), J)])
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    arcs = [(k, k + 1, None, float(score)) for k, score in enumerate(graph.specks)]
    for k, (first, last) in enumerate(zip(graph.first, graph.last, strict=True)):
        arcs += [(first, last, digit, logits[k, digit] + graph.cuts[k]) for digit in range(10)]
        arcs.append((first, last, "?", (logits[k, 10] + REFUSAL) * (last - first)))

    def ways(gap: int) -> list[tuple[tuple[int | str, ...], float]]:
        if gap == len(graph.specks):
            return [((), 0.0)]
        return [
            ((() if label is None else (label,)) + text, power * score + rest)
            for first, last, label, score in arcs
            if first == gap
            for text, rest in ways(last)
        ]

    every = ways(0)
    right = sum(math.exp(score) for text, score in every if text == graph.labels)
    return math.log(sum(math.exp(score) for _, score in every)) - math.log(right)


def random_penalties(graphs: list[Graph], seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(20, 34, (sum(len(graph.images) for graph in graphs), 10))


def test_the_loss_weighs_the_right_ways_against_all_ways() -> None:
    graphs = [a_graph(3, (4,), 1), a_graph(4, (7, 7), 2), a_graph(3, (0,), 3)]
    penalties = random_penalties(graphs)
    losses, _ = forward_criterion(graphs, penalties, J)
    start = 0
    for graph, loss in zip(graphs, losses, strict=True):
        stop = start + len(graph.images)
        assert loss == pytest.approx(written_out(graph, penalties[start:stop]), rel=1e-9)
        start = stop


def test_the_derivative_is_the_losses_central_difference() -> None:
    graphs = [a_graph(5, (4, 2, 2), 1), a_graph(7, (0, 9, 9, 1), 2), a_graph(3, (1,), 3)]
    penalties = random_penalties(graphs, 1)
    _, derivative = forward_criterion(graphs, penalties, J)
    assert derivative.shape == penalties.shape
    for k in np.ndindex(penalties.shape):
        up, down = penalties.copy(), penalties.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        slope = (forward_criterion(graphs, up, J)[0].sum() - forward_criterion(graphs, down, J)[0].sum()) / 2e-5
        assert derivative[k] == pytest.approx(slope, abs=1e-7)


def test_a_string_that_its_pieces_cannot_read_has_no_loss_and_moves_nothing() -> None:
    possible, impossible = a_graph(3, (4,), 1), a_graph(2, (1, 2, 3, 4), 2)
    graphs = [impossible, possible]
    losses, derivative = forward_criterion(graphs, random_penalties(graphs), J)
    assert losses[0] == 0
    assert losses[1] > 0
    assert not derivative[: len(impossible.images)].any()
    assert derivative[len(impossible.images) :].any()


def test_graphs_do_not_see_each_other() -> None:
    graphs = [a_graph(6, (3, 1, 2), 4), a_graph(3, (5,), 5)]
    penalties = random_penalties(graphs, 2)
    losses, derivative = forward_criterion(graphs, penalties, J)
    swapped = np.concatenate([penalties[len(graphs[0].images) :], penalties[: len(graphs[0].images)]])
    other, theirs = forward_criterion(graphs[::-1], swapped, J)
    np.testing.assert_allclose(other[::-1], losses)
    np.testing.assert_allclose(theirs[len(graphs[1].images) :], derivative[: len(graphs[0].images)], atol=1e-12)


@pytest.mark.parametrize("power", [0.5, 3.0])
def test_a_posterior_raises_every_way_to_the_power(power: float) -> None:
    graphs = [a_graph(3, (4,), 1), a_graph(4, (7, 7), 2)]
    penalties = random_penalties(graphs)
    start = 0
    for graph, logarithm in zip(graphs, log_posteriors(graphs, penalties, J, power), strict=True):
        stop = start + len(graph.images)
        assert -logarithm == pytest.approx(written_out(graph, penalties[start:stop], power), rel=1e-9)
        start = stop


def test_the_fitted_power_makes_the_truths_likelier_than_its_neighbours() -> None:
    graphs = [a_graph(4, (k % 10, (3 * k) % 10), k) for k in range(40)]
    penalties = random_penalties(graphs)
    power = fit_inverse_temperature(graphs, penalties, J)

    def surprise(at: float) -> float:
        return float(-np.log(0.99 * np.exp(log_posteriors(graphs, penalties, J, at)) + 0.01).mean())

    assert surprise(power) <= min(surprise(12.0), surprise(power * 1.5), surprise(max(power / 1.5, 0.5))) + 1e-6


@pytest.fixture(scope="module")
def seen_lines(digits: ImageSet) -> list[SeenLine]:
    written = lines([from_images(digits)], 60, 5, np.random.default_rng(0))
    return [line for one in written if (line := seen(one))]


def graphs_of(seen_lines: list[SeenLine]) -> list[Graph]:
    values = np.concatenate([features(line.pieces, line.candidates.boxes) for line in seen_lines])
    truths = np.concatenate([line.truths for line in seen_lines])
    geometry = Geometry.fitted(CLASSES, values[truths >= 0], truths[truths >= 0])
    return [graph_of(line.pieces, line.candidates, line.labels, geometry) for line in seen_lines]


def test_most_written_lines_can_be_read_from_their_pieces(seen_lines: list[SeenLine]) -> None:
    graphs = graphs_of(seen_lines)
    assert len(graphs) >= 59
    penalties = np.random.default_rng(0).uniform(20, 34, (sum(len(g.images) for g in graphs), len(CLASSES)))
    losses, _ = forward_criterion(graphs, penalties, 72)
    assert (losses > 0).mean() > 0.9


@pytest.mark.skipif(not AVAILABLE, reason="the engine was not compiled here")
def test_a_step_against_the_gradient_reads_the_lines_better(seen_lines: list[SeenLine]) -> None:
    loss_of = SequenceLoss(graphs_of(seen_lines[:4]), 4, NONE, J, np.random.default_rng(0))
    objective = EngineObjective(paper.LENET5, READING.criterion, threads=1, classes=CLASSES)
    parameters = weights.initial(paper.LENET5, np.random.default_rng(1))
    loss, gradient = loss_of(objective, parameters)
    lower, _ = loss_of(objective, parameters - np.float32(1e-2 / np.linalg.norm(gradient)) * gradient)
    assert lower < loss
    assert loss - lower == pytest.approx(1e-2 * float(np.linalg.norm(gradient)), rel=0.2)
