"""What the engine's tests share: parameters, images and labels of each network, from fixed seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import engine, paper, weights
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion, maximum_a_posteriori
from lenet5.pixels import network_input

CRITERIA = [MEAN_PENALTY, maximum_a_posteriori(20.0), CROSS_ENTROPY]

compiled = pytest.mark.skipif(not engine.AVAILABLE, reason="the engine was not compiled here")


@dataclass(frozen=True)
class Case:
    """A network with parameters and a few labelled images, large enough that every layer matters."""

    network: paper.Network
    parameters: NDArray[np.float32]
    images: NDArray[np.float32]
    labels: NDArray[np.uint8]


def case(name: str, n: int, seed: int = 0) -> Case:
    network, generator = paper.NETWORKS[name], np.random.default_rng(seed)
    parameters = weights.initial(network, generator)
    ink = np.zeros((n, 28, 28))
    ink[:, 4:24, 4:24] = generator.uniform(0, 255, (n, 20, 20)) * (generator.uniform(size=(n, 20, 20)) < 0.4)
    return Case(network, parameters, network_input(network, ink), generator.integers(0, 10, n).astype(np.uint8))


@pytest.fixture(params=["lenet5", "concise"])
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=engine.variants())
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CRITERIA, ids=lambda criterion: criterion.name.split()[0])
def criterion(request: pytest.FixtureRequest) -> Criterion:
    criterion: Criterion = request.param
    return criterion
