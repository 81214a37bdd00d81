"""Methods: the paper's schedule and its estimates before each pass; a run learns by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader, engine, paper, weights
from lenet5.criterion import MEAN_PENALTY
from lenet5.evaluation.evaluate import evaluate
from lenet5.learning.data import load
from lenet5.learning.method import StochasticDiagonal
from lenet5.learning.objective import EngineObjective
from lenet5.learning.recipe import PAPER
from lenet5.learning.sets import ImageSet, drawn
from lenet5.learning.train import Training
from lenet5.pixels import network_input

Floats = NDArray[np.float32]

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="the paper's training needs the compiled engine")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("digits", "train")
    assert isinstance(found, ImageSet)
    return found


class Watched(EngineObjective):
    """The engine's objective, which remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__(PAPER.network, PAPER.criterion, threads=1)
        self.before: list[Floats] = []
        self.curvatures: list[tuple[int, Floats]] = []  # steps so far, second derivatives
        self.gradients: list[Floats] = []

    def __call__(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> tuple[float, Floats]:
        loss, gradient = super().__call__(parameters, images, labels)
        self.before.append(parameters.copy())
        self.gradients.append(gradient.copy())
        assert len(images) == 1
        return loss, gradient

    def curvature(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> Floats:
        found = super().curvature(parameters, images, labels)
        assert len(images) == 500
        self.curvatures.append((len(self.before), found.copy()))
        return found


def test_the_papers_rates_by_pass_are_the_papers_numbers_times_one_factor() -> None:
    method = PAPER.method
    assert isinstance(method, StochasticDiagonal)
    published = [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5] * 8
    used = [method.rates[min(k, len(method.rates) - 1)] for k in range(20)]
    np.testing.assert_allclose(np.array(used) / used[0], np.array(published) / published[0])
    assert (PAPER.passes, PAPER.batch, method.patterns) == (20, 1, 500)


def test_each_step_is_one_patterns_gradient_by_eta_over_mu_plus_h_estimated_before_the_pass(digits: ImageSet) -> None:
    data = replace(digits, images=digits.images[:600], labels=digits.labels[:600])
    method = StochasticDiagonal(rates=(5e-5, 1e-5), damping=0.3, patterns=500)
    objective = Watched()
    training = Training(data, replace(PAPER, passes=3, method=method), objective)
    list(training)
    assert [steps for steps, _ in objective.curvatures] == [0, 600, 1200]
    after = [*objective.before[1:], training.current]
    for step in (0, 1, 599, 600, 1199, 1200, 1799):
        h = objective.curvatures[step // 600][1].astype(np.float64)
        epsilon = (5e-5, 1e-5, 1e-5)[step // 600] / (0.3 + h)
        expected = objective.before[step].astype(np.float64) - epsilon * objective.gradients[step]
        np.testing.assert_allclose(after[step], expected, rtol=1e-5, atol=1e-7)
    assert (objective.curvatures[0][1] != objective.curvatures[1][1]).any()


def test_the_papers_training_learns_the_embedded_digits(digits: ImageSet) -> None:
    training = Training(digits, replace(PAPER, passes=4), EngineObjective(PAPER.network, PAPER.criterion, threads=1))
    list(training)
    assert evaluate(load("digits", "test"), Reader(training.weights())).error_percent < 15  # chance is 90


def test_without_a_running_mean_the_weights_kept_are_those_of_the_last_step(digits: ImageSet) -> None:
    few = drawn(digits, 100, np.random.default_rng(0))
    training = Training(few, replace(PAPER, passes=1), EngineObjective(PAPER.network, PAPER.criterion, threads=1))
    list(training)
    assert (training.weights().parameters == training.current).all()


def test_with_the_published_rates_and_the_whole_squared_distance_the_first_patterns_saturate_every_unit() -> None:
    """Why the recipe departs from μ = 0.02: docs/accuracy.md."""
    data = load("digits", "train")
    assert isinstance(data, ImageSet)
    images, labels = network_input(paper.LENET5, data.images[:500]), data.labels[:500]
    for seed in range(3):
        parameters = weights.initial(paper.LENET5, np.random.default_rng(seed))
        before, _ = engine.gradient(parameters, images, labels, MEAN_PENALTY)
        rates = 0.0005 / (0.02 + engine.curvature(parameters, images, labels, MEAN_PENALTY))
        for k in range(20):
            one = slice(k, k + 1)
            parameters -= rates * engine.gradient(parameters, images[one], labels[one], MEAN_PENALTY)[1]
        after, _ = engine.gradient(parameters, images, labels, MEAN_PENALTY)
        assert after > 1.5 * before
