"""Adam and Muon take PyTorch's steps; the rate follows one cycle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lenet5 import paper, weights
from lenet5.learning.optimizer import Adam, DiagonalLevenbergMarquardt, Muon, one_cycle, orthogonalised


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


SINGULAR_VALUES = np.geomspace(1, 0.01, 12)


@pytest.mark.parametrize("shape", [(12, 12), (12, 40), (40, 12)], ids=str)
def test_orthogonalising_keeps_the_singular_vectors_and_makes_the_values_about_one(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(3)
    left = np.linalg.qr(generator.normal(size=(shape[0], 12)))[0]
    right = np.linalg.qr(generator.normal(size=(shape[1], 12)))[0]
    found = orthogonalised(np.asarray(left * SINGULAR_VALUES @ right.T, np.float32))
    assert found.shape == shape
    along = left.T @ found @ right
    assert (np.diag(along) > 0.65).all()
    assert (np.diag(along) < 1.25).all()
    np.testing.assert_allclose(found, left * np.diag(along) @ right.T, atol=1e-4)


def test_orthogonalising_a_matrix_of_zeros_gives_zeros() -> None:
    assert (orthogonalised(np.zeros((3, 5), np.float32)) == 0).all()


@pytest.mark.parametrize(
    ("network", "units"), [(paper.LENET5, (120, 84)), (paper.CONCISE, (16, 120, 84))], ids=["lenet5", "concise"]
)
def test_muon_takes_torchs_steps_in_the_hidden_matrices_and_adams_elsewhere(
    network: paper.Network, units: tuple[int, ...]
) -> None:
    generator = np.random.default_rng(0)
    parameters = weights.initial(network, generator)
    named = {name: torch.nn.Parameter(torch.tensor(a)) for name, a in weights.arrays(network, parameters).items()}
    matrices = [a for name, a in named.items() if a.ndim != 3 and name[:2] in ("c3", "c5", "f6") and "weight" in name]
    assert tuple(map(len, matrices)) == units
    others = [a for a in named.values() if all(a is not matrix for matrix in matrices)]
    flat = [torch.nn.Parameter(a.detach().reshape(len(a), -1)) for a in matrices]
    theirs = (
        torch.optim.Muon(flat, momentum=0.95, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, weight_decay=0.1),
    )
    muon, start = Muon(network, weight_decay=0.1), parameters.copy()
    for rate in (0.01, 0.02, 0.005):
        gradient = generator.normal(size=network.parameters).astype(np.float32)
        muon.step(parameters, gradient, rate)
        slopes = {name: torch.from_numpy(a) for name, a in weights.arrays(network, gradient).items()}
        for name, a in named.items():
            a.grad = slopes[name]
        for a, matrix in zip(flat, matrices, strict=True):
            a.grad = matrix.grad.reshape(len(matrix), -1)  # type: ignore[union-attr]
        for optimizer in theirs:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
    for a, matrix in zip(flat, matrices, strict=True):
        matrix.data = a.detach().reshape(matrix.shape)
    expected = np.concatenate([a.detach().numpy().ravel() for a in named.values()])
    moved = np.abs(expected - start).max()
    np.testing.assert_allclose(parameters, expected, atol=0.03 * moved)  # theirs rounds to bfloat16


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
