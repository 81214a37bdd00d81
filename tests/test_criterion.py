"""Eq. 8, eq. 9 and cross-entropy, against PyTorch's own losses and derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenet5 import ArrayError, paper
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion, maximum_a_posteriori

LABELS = np.array([3, 0, 9, 3, 5], np.uint8)


def eq_8(y: Tensor, labels: Tensor) -> Tensor:
    return y[torch.arange(len(y)), labels].mean()


def cross_entropy(y: Tensor, labels: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(-y, labels)


def eq_9(j: float) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(y: Tensor, labels: Tensor) -> Tensor:
        energies = torch.column_stack([y, torch.full((len(y),), j, dtype=y.dtype)])
        desired = energies[torch.arange(len(y)), labels.clamp(max=10)]
        return (desired + torch.logsumexp(-energies, dim=1)).mean()

    return loss


CRITERIA = [
    (MEAN_PENALTY, eq_8),
    (CROSS_ENTROPY, cross_entropy),
    (maximum_a_posteriori(0.1), eq_9(0.1)),
    (maximum_a_posteriori(20), eq_9(20)),
    (maximum_a_posteriori(1000), eq_9(1000)),
]


@pytest.mark.parametrize(("criterion", "oracle"), CRITERIA, ids=[criterion.name for criterion, _ in CRITERIA])
@pytest.mark.parametrize("scale", [1.0, 84.0, 1e4], ids=["small", "as at the start", "huge"])
def test_loss_and_derivative_are_torchs(
    criterion: Criterion, oracle: Callable[[Tensor, Tensor], Tensor], scale: float
) -> None:
    penalties = np.random.default_rng(2).uniform(0.5, 1.5, (5, 10)) * scale
    y = torch.tensor(penalties, requires_grad=True)
    expected = oracle(y, torch.from_numpy(LABELS).long())
    expected.backward()
    loss, derivative = criterion(penalties, LABELS)
    assert loss == pytest.approx(expected.item(), rel=1e-9, abs=1e-9)
    assert y.grad is not None
    assert derivative.dtype == np.float32
    np.testing.assert_allclose(derivative, y.grad, atol=1e-6)


@pytest.mark.parametrize("criterion", [criterion for criterion, _ in CRITERIA], ids=lambda criterion: criterion.name)
def test_the_derivative_is_the_loss_s_central_difference(criterion: Criterion) -> None:
    penalties = np.random.default_rng(3).uniform(0, 6, (2, 10))
    _, derivative = criterion(penalties, LABELS[:2])
    step = 1e-5
    for k in np.ndindex(penalties.shape):
        up, down = penalties.copy(), penalties.copy()
        up[k] += step
        down[k] -= step
        slope = (criterion(up, LABELS[:2])[0] - criterion(down, LABELS[:2])[0]) / (2 * step)
        assert derivative[k] == pytest.approx(slope, abs=1e-6)


def test_not_a_digit_wants_rubbish_to_be_the_answer() -> None:
    labels = np.array([4, paper.NOT_A_DIGIT], np.uint8)
    penalties = np.random.default_rng(4).uniform(0, 40, (2, 10))
    y = torch.tensor(penalties, requires_grad=True)
    expected = eq_9(20)(y, torch.tensor([4, 10]))
    expected.backward()
    loss, derivative = maximum_a_posteriori(20)(penalties, labels)
    assert loss == pytest.approx(expected.item())
    np.testing.assert_allclose(derivative, y.grad, atol=1e-6)
    assert (derivative[1] <= 0).all()  # every digit's penalty should grow


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("j", [20.0, math.inf], ids=["rubbish", "no rubbish"])
def test_targets_at_a_temperature_are_torchs_cross_entropy_times_it(j: float, temperature: float) -> None:
    generator = np.random.default_rng(8)
    penalties, targets = generator.uniform(0, 40, (6, 10)), generator.dirichlet(np.full(11, 0.3), 6)
    if math.isinf(j):
        targets[:, 10] = 0
        targets /= targets.sum(axis=1, keepdims=True)
    y = torch.tensor(penalties, requires_grad=True)
    energies = torch.column_stack([y, torch.full((6,), 1e6 if math.isinf(j) else j, dtype=y.dtype)])
    expected = temperature * torch.nn.functional.cross_entropy(-energies / temperature, torch.from_numpy(targets))
    expected.backward()
    loss, derivative = replace(maximum_a_posteriori(j), temperature=temperature)(penalties, targets)
    assert loss == pytest.approx(expected.item())
    np.testing.assert_allclose(derivative, y.grad, atol=1e-6)


def test_targets_of_eq_8_are_its_derivative() -> None:
    targets = np.random.default_rng(9).standard_normal((4, 11))
    penalties = np.random.default_rng(10).uniform(0, 40, (4, 10))
    loss, derivative = MEAN_PENALTY(penalties, np.column_stack([targets[:, :10], np.zeros(4)]))
    assert loss == pytest.approx((targets[:, :10] * penalties).sum() / 4)
    np.testing.assert_allclose(derivative, targets[:, :10] / 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("criterion", "targets"),
    [
        (CROSS_ENTROPY, np.full((2, 11), 1 / 11)),
        (maximum_a_posteriori(20), np.full((2, 11), 0.1)),
        (maximum_a_posteriori(20), np.full((3, 11), 1 / 11)),
        (maximum_a_posteriori(20), np.full((2, 10), 0.1)),
        (maximum_a_posteriori(20), np.array([[2.0, -1.0, *[0.0] * 9]] * 2)),
        (MEAN_PENALTY, np.full((2, 11), math.nan)),
    ],
)
def test_targets_that_are_no_shares_are_refused(criterion: Criterion, targets: NDArray[np.float64]) -> None:
    with pytest.raises(ArrayError, match=r"a row of 11|shares"):
        criterion(np.zeros((2, 10)), targets)


def test_eq_9_with_a_large_j_is_cross_entropy() -> None:
    penalties = np.random.default_rng(5).uniform(0, 90, (5, 10))
    (loss, derivative), (expected, same) = (c(penalties, LABELS) for c in (maximum_a_posteriori(1e6), CROSS_ENTROPY))
    assert loss == pytest.approx(expected)
    np.testing.assert_allclose(derivative, same, atol=1e-7)


def test_eq_9_with_a_small_j_is_nearly_eq_8_at_the_start() -> None:
    penalties = np.random.default_rng(6).uniform(80, 90, (5, 10))
    _, derivative = maximum_a_posteriori(0.01)(penalties, LABELS)
    np.testing.assert_allclose(derivative, MEAN_PENALTY(penalties, LABELS)[1], atol=1e-6)


@pytest.mark.parametrize(
    ("criterion", "labels"),
    [
        (CROSS_ENTROPY, [1, 10]),
        (CROSS_ENTROPY, [1, 255]),
        (MEAN_PENALTY, [255, 1]),
        (maximum_a_posteriori(20), [1, 11]),
        (maximum_a_posteriori(20), [1, 254]),
        (CROSS_ENTROPY, [1, -1]),
        (CROSS_ENTROPY, [1]),
        (CROSS_ENTROPY, [1, 2, 3]),
    ],
)
def test_labels_outside_the_classes_or_of_another_length_are_refused(criterion: Criterion, labels: list[int]) -> None:
    with pytest.raises(ArrayError):
        criterion(np.zeros((2, 10)), np.array(labels))


def test_no_images_are_refused() -> None:
    with pytest.raises(ArrayError):
        CROSS_ENTROPY(np.zeros((0, 10)), np.zeros(0, np.uint8))


@pytest.mark.parametrize("j", [0, -1, math.nan])
def test_a_rubbish_penalty_that_is_not_positive_is_refused(j: float) -> None:
    with pytest.raises(ArrayError, match="j > 0"):
        maximum_a_posteriori(j)
