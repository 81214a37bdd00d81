"""PyTorch's objective: the loss and gradient of the flat vector."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from lenet5 import UnavailableError, WeightsError, engine, paper, pixels, weights
from lenet5.codes import DIGITS
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion, maximum_a_posteriori
from lenet5.learning.objective import DistillationObjective, TorchObjective, objective
from lenet5.network import ConciseLeNet5, LeNet5
from lenet5.posterior import penalties

Floats = NDArray[np.float32]

LABELS = np.arange(10, dtype=np.uint8).repeat(2)[:12]


@pytest.fixture
def images(network: paper.Network, mnist_form: NDArray[np.uint8]) -> Floats:
    return pixels.network_input(network, mnist_form)


def test_the_gradient_is_that_of_a_plain_torch_loop(network: paper.Network, parameters: Floats, images: Floats) -> None:
    loss, gradient = TorchObjective(network, CROSS_ENTROPY)(parameters, images, LABELS)
    module = LeNet5() if network is paper.LENET5 else ConciseLeNet5()
    torch.nn.utils.vector_to_parameters(torch.from_numpy(parameters), module.parameters())
    outputs = module(torch.from_numpy(images)[:, None])
    expected = cross_entropy(-outputs if network is paper.LENET5 else outputs, torch.from_numpy(LABELS).long())
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert (gradient.shape, gradient.dtype) == ((network.parameters,), np.float32)
    theirs = torch.cat([parameter.grad.flatten() for parameter in module.parameters() if parameter.grad is not None])
    np.testing.assert_allclose(gradient, theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "criterion", [MEAN_PENALTY, CROSS_ENTROPY, maximum_a_posteriori(20)], ids=lambda criterion: criterion.name
)
def test_the_gradient_is_the_central_difference_of_the_loss(
    criterion: Criterion, network: paper.Network, parameters: Floats, images: Floats
) -> None:
    objective = TorchObjective(network, criterion)
    _, gradient = objective(parameters, images, LABELS)
    generator = np.random.default_rng(0)
    for _ in range(4):
        direction = generator.normal(size=network.parameters).astype(np.float32)
        direction /= np.float32(np.linalg.norm(direction))
        direction += gradient / np.float32(np.linalg.norm(gradient))  # so that the slope is well above rounding
        step = np.float32(5e-4)
        up, down = (objective(parameters + s * direction, images, LABELS)[0] for s in (step, -step))
        assert (up - down) / (2 * step) == pytest.approx(float(gradient @ direction), rel=0.03)


def test_the_penalties_are_the_engines(network: paper.Network, parameters: Floats, images: Floats) -> None:
    found = TorchObjective(network, CROSS_ENTROPY).penalties(parameters, images)
    np.testing.assert_allclose(found, penalties(network, engine.forward(parameters, images)), rtol=1e-4, atol=1e-4)


def test_a_second_call_starts_from_a_gradient_of_zero(
    network: paper.Network, parameters: Floats, images: Floats
) -> None:
    objective = TorchObjective(network, CROSS_ENTROPY)
    _, first = objective(parameters, images, LABELS)
    kept = first.copy()
    _, second = objective(parameters, images, LABELS)
    np.testing.assert_allclose(second, kept, rtol=1e-5, atol=1e-7)


def test_the_parameters_are_not_changed(network: paper.Network, parameters: Floats, images: Floats) -> None:
    before = parameters.copy()
    TorchObjective(network, CROSS_ENTROPY)(parameters, images, LABELS)
    assert (parameters == before).all()


def test_a_small_step_against_the_gradient_lowers_the_loss(
    network: paper.Network, parameters: Floats, images: Floats
) -> None:
    objective = TorchObjective(network, maximum_a_posteriori(20) if network is paper.LENET5 else CROSS_ENTROPY)
    loss, gradient = objective(parameters, images, LABELS)
    step = np.float32(1e-3 / np.linalg.norm(gradient))
    lower, _ = objective(parameters - step * gradient, images, LABELS)
    assert math.isfinite(loss)
    assert lower < loss


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UnavailableError, match=r"\.\[torch\]"):
        TorchObjective(paper.LENET5, CROSS_ENTROPY)


def test_without_a_cuda_device_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnavailableError, match="--device cpu"):
        TorchObjective(paper.LENET5, CROSS_ENTROPY, device="cuda")


def test_teachers_of_other_classes_than_the_students_are_refused_at_once() -> None:
    student = objective(paper.LENET5, CROSS_ENTROPY)
    teacher = replace(weights.load("lenet5-mnist"), metadata={"classes": DIGITS + "/"})
    with pytest.raises(WeightsError, match="knows the classes 0123456789/, not 0123456789"):
        DistillationObjective(student, paper.LENET5, CROSS_ENTROPY, [teacher])
