"""What a network is said to have is counted from its own arrays and feature maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import engine, paper
from lenet5.describe import describe
from lenet5.weights import Weights

Floats = NDArray[np.float32]


def test_every_count_agrees_with_the_published_table(network: paper.Network, parameters: Floats) -> None:
    found = describe(Weights(network, parameters))
    assert found.disagreements == ()
    assert found.layers == network.layers
    assert (found.parameters, found.connections) == (network.parameters, network.connections)
    assert found.engine == engine.NAME


@pytest.mark.parametrize(("field", "wrong"), [("neurons", 156), ("parameters", 2_416), ("connections", 156_000)])
def test_a_count_that_is_not_the_published_one_is_told(
    field: str, wrong: int, parameters: Floats, network: paper.Network
) -> None:
    layers = list(network.layers)
    right = getattr(layers[0], field)
    layers[0] = replace(layers[0], **{field: wrong + 1})
    found = describe(Weights(replace(network, layers=tuple(layers)), parameters))
    assert f"C1: {field} {right} here, {wrong + 1} in the table" in found.disagreements


def test_a_total_that_is_not_the_published_one_is_told(network: paper.Network, parameters: Floats) -> None:
    found = describe(Weights(replace(network, connections=7), parameters))
    assert found.disagreements == (f"total connections: {network.connections:,} here, 7 in the table",)


def test_another_list_of_layers_is_told(network: paper.Network, parameters: Floats) -> None:
    found = describe(Weights(replace(network, layers=network.layers[1:]), parameters))
    assert found.disagreements == ("the layers are C1, S2, C3, S4, C5, F6, output",)
