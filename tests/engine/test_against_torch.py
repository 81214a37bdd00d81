"""The compiled engine against the torch modules and autograd, for every parameter."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import Case, case, compiled
from lenet5 import engine, paper, weights
from lenet5.criterion import Criterion, maximum_a_posteriori

torch = pytest.importorskip("torch")


def _module(c: Case) -> torch.nn.Module:
    from lenet5.network import ConciseLeNet5, LeNet5

    module = (LeNet5() if c.network is paper.LENET5 else ConciseLeNet5()).double()
    with torch.no_grad():
        for name, array in weights.arrays(c.network, c.parameters).items():
            module.get_parameter(name).copy_(torch.from_numpy(array))
    return module


def _loss(outputs: torch.Tensor, c: Case, labels: np.ndarray, criterion: Criterion) -> torch.Tensor:
    """Eq. 8 and eq. 9 written down once more, for autograd."""
    y = outputs if c.network.output == "distances" else -outputs
    energies = torch.cat([y, torch.full((len(y), 1), criterion.j, dtype=y.dtype)], dim=1)
    desired = torch.from_numpy(np.where(labels == 255, 10, labels).astype(np.int64))
    loss = energies[torch.arange(len(y)), desired].mean()
    if criterion.discriminative:
        loss = loss + torch.logsumexp(-energies, dim=1).mean()
    return loss


@compiled
@pytest.mark.parametrize("n", [1, 2, 5, 7, 8, 9, 50])
def test_every_parameters_gradient_equals_autograds(network: str, variant: str, criterion: Criterion, n: int) -> None:
    c = case(network, n)
    labels = c.labels.copy()
    if criterion == maximum_a_posteriori(20.0):
        labels[::3] = 255
    module = _module(c)
    loss = _loss(module(torch.from_numpy(c.images[:, None]).double()), c, labels, criterion)
    loss.backward()
    ours, gradient = engine.gradient(c.parameters, c.images, labels, criterion, variant=variant)
    assert ours == pytest.approx(loss.item(), rel=1e-5)
    for name, array in weights.arrays(c.network, gradient).items():
        theirs = module.get_parameter(name).grad.numpy()
        np.testing.assert_allclose(array, theirs, rtol=1e-3, atol=2e-5 * np.abs(theirs).max(), err_msg=name)


@compiled
def test_every_feature_map_equals_the_modules(network: str, variant: str) -> None:
    c = case(network, 21)
    with torch.no_grad():
        theirs = _module(c).feature_maps(torch.from_numpy(c.images[:, None]).double())
    for name, a, b in zip(
        theirs._fields, engine.feature_maps(c.parameters, c.images, variant=variant), theirs, strict=True
    ):
        np.testing.assert_allclose(a, b.numpy(), rtol=2e-5, atol=5e-6, err_msg=name)
