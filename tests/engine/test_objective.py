"""Both objectives are one function; the engine's is the default on a CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import case, compiled
from lenet5 import engine, paper, weights
from lenet5.criterion import CROSS_ENTROPY, Criterion
from lenet5.errors import UnavailableError, WeightsError
from lenet5.learning.objective import DistillationObjective, EngineObjective, TorchObjective, objective
from lenet5.network import ConciseLeNet5, LeNet5


@compiled
def test_engines_objective_equals_torchs(network: str, criterion: Criterion) -> None:
    pytest.importorskip("torch")
    c = case(network, 30)
    ours, theirs = EngineObjective(c.network, criterion), TorchObjective(c.network, criterion)
    loss, gradient = ours(c.parameters, c.images, c.labels)
    their_loss, their_gradient = theirs(c.parameters, c.images, c.labels)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    np.testing.assert_allclose(gradient, their_gradient, atol=1e-5 * np.abs(their_gradient).max())
    np.testing.assert_allclose(
        ours.penalties(c.parameters, c.images), theirs.penalties(c.parameters, c.images), rtol=2e-5, atol=2e-5
    )


@compiled
def test_both_objectives_send_back_what_autograd_does(network: str) -> None:
    torch = pytest.importorskip("torch")
    c, generator = case(network, 9), np.random.default_rng(1)
    derivative = generator.standard_normal((9, 10)).astype(np.float32)
    ours, theirs = EngineObjective(c.network, CROSS_ENTROPY), TorchObjective(c.network, CROSS_ENTROPY)
    module = (LeNet5 if network == "lenet5" else ConciseLeNet5)().double()
    torch.nn.utils.vector_to_parameters(torch.from_numpy(c.parameters).double(), module.parameters())
    outputs = module(torch.from_numpy(c.images[:, None]).double())
    outputs.backward(torch.from_numpy(derivative if network == "lenet5" else -derivative).double())
    expected = torch.cat([parameter.grad.ravel() for parameter in module.parameters()]).numpy()
    for one in (ours, theirs):
        gradient = one.backward(c.parameters, c.images, derivative)
        np.testing.assert_allclose(gradient, expected, atol=2e-5 * np.abs(expected).max())


@compiled
def test_a_taught_objective_learns_what_the_teachers_say_together(network: str) -> None:
    c = case(network, 12)
    criterion = replace(CROSS_ENTROPY, temperature=3.0)
    student = EngineObjective(c.network, criterion)
    teachers = [weights.Weights(c.network, case(network, 1, seed).parameters, {}) for seed in (5, 6)]
    taught = DistillationObjective(student, c.network, criterion, teachers)
    said = np.mean([student.penalties(teacher.parameters, c.images) for teacher in teachers], axis=0) / 3
    targets = np.zeros((12, 11), np.float32)
    targets[:, :10] = np.exp(-said) / np.exp(-said).sum(axis=1, keepdims=True)
    loss, gradient = taught(c.parameters, c.images, c.labels)
    expected_loss, expected = student(c.parameters, c.images, targets)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    np.testing.assert_allclose(gradient, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(gradient, taught(c.parameters, c.images, (c.labels + 1) % 10)[1])


@compiled
def test_who_has_learnt_from_itself_stays_as_it_is(network: str) -> None:
    c = case(network, 12)
    teacher = weights.Weights(c.network, c.parameters, {})
    student = EngineObjective(c.network, CROSS_ENTROPY)
    _, by_label = student(c.parameters, c.images, c.labels)
    _, taught = DistillationObjective(student, c.network, CROSS_ENTROPY, [teacher])(c.parameters, c.images, c.labels)
    assert np.abs(taught).max() < 1e-4 * np.abs(by_label).max()


@compiled
def test_a_teacher_of_another_network_is_refused(network: str) -> None:
    other = paper.NETWORKS["concise" if network == "lenet5" else "lenet5"]
    teacher = weights.Weights(other, np.zeros(other.parameters, np.float32), {})
    c = case(network, 1)
    with pytest.raises(WeightsError, match="cannot teach"):
        DistillationObjective(EngineObjective(c.network, CROSS_ENTROPY), c.network, CROSS_ENTROPY, [teacher])


@compiled
def test_a_cpu_trains_with_the_engine(network: str, criterion: Criterion) -> None:
    assert isinstance(objective(case(network, 1).network, criterion), EngineObjective)


def test_without_the_engine_its_objective_is_refused(
    network: str, criterion: Criterion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AVAILABLE", False)
    with pytest.raises(UnavailableError, match="compiled engine"):
        EngineObjective(case(network, 1).network, criterion)
