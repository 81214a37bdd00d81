"""Adam takes PyTorch's steps; the rate follows one cycle; each parameter of the paper's method has its own rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lenet5.learning.optimizer import Adam, DiagonalLevenbergMarquardt, one_cycle


@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
def test_adam_takes_the_same_steps_as_torchs_adamw(weight_decay: float, betas: tuple[float, float]) -> None:
    generator = np.random.default_rng(0)
    parameters = generator.normal(size=50).astype(np.float32)
    theirs = torch.nn.Parameter(torch.from_numpy(parameters.copy()))
    adamw = torch.optim.AdamW([theirs], betas=betas, weight_decay=weight_decay)
    adam = Adam(50, weight_decay, *betas)
    for step in range(60):
        rate = one_cycle(step / 60, peak=0.01)
        gradient = (generator.normal(size=50) * 10.0 ** generator.integers(-4, 3)).astype(np.float32)
        adam.step(parameters, gradient, rate)
        theirs.grad = torch.from_numpy(gradient)
        adamw.param_groups[0]["lr"] = rate
        adamw.step()
    np.testing.assert_allclose(parameters, theirs.detach(), rtol=1e-4, atol=1e-6)


def test_adam_changes_the_vector_it_is_given() -> None:
    parameters = np.zeros(3, np.float32)
    view = parameters[:]
    Adam(3).step(parameters, np.array([1, -1, 0], np.float32), rate=0.1)
    np.testing.assert_allclose(view, [-0.1, 0.1, 0], atol=1e-6)


def test_a_gradient_of_zeros_moves_nothing_and_warns_of_nothing() -> None:
    parameters = np.ones(3, np.float32)
    Adam(3).step(parameters, np.zeros(3, np.float32), rate=0.1)
    assert parameters.tolist() == [1, 1, 1]


def test_the_rate_rises_in_a_line_to_its_peak_and_falls_in_a_cosine_to_0() -> None:
    assert one_cycle(0, 2.0) == 0
    assert one_cycle(0.1, 2.0) == pytest.approx(1)
    assert one_cycle(0.2, 2.0) == pytest.approx(2)
    assert one_cycle(0.6, 2.0) == pytest.approx(1)
    assert one_cycle(1, 2.0) == pytest.approx(0)
    assert one_cycle(0.4, 2.0) == pytest.approx(1 + math.cos(math.pi / 4))
    falling = [one_cycle(x, 2.0) for x in np.linspace(0.2, 1, 50)]
    assert falling == sorted(falling, reverse=True)


def test_each_parameters_rate_is_eta_over_mu_plus_its_curvature() -> None:
    generator = np.random.default_rng(0)
    curvature = (10.0 ** generator.uniform(-6, 2, 200)).astype(np.float32)
    gradient, start = (generator.normal(size=200).astype(np.float32) for _ in range(2))
    optimizer, parameters = DiagonalLevenbergMarquardt(200, damping=0.02), start.copy()
    for rate in (0.0005, 0.0001):  # a new estimate replaces the old one
        optimizer.estimate(rate, curvature)
        before = parameters.copy()
        optimizer.step(parameters, gradient)
        expected = before.astype(np.float64) - rate / (0.02 + curvature.astype(np.float64)) * gradient
        np.testing.assert_allclose(parameters, expected, rtol=1e-6, atol=1e-7)
