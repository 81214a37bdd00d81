"""``lenet5 describe``: the network beside the paper's table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lenet5 import paper, weights
from lenet5.cli.describe import as_text
from lenet5.describe import Description
from tests.conftest import Outcome

Command = Callable[..., Outcome]


def counted(network: paper.Network) -> tuple[list[paper.Layer], int]:
    """The published layers and connections, with 84 connections for each class of the bundled weights beyond ten."""
    *layers, output = network.layers
    further = len(weights.load(network.name).classes) - 10
    more = replace(output, maps=10 + further, neurons=10 + further, connections=output.connections + 84 * further)
    return [*layers, more], network.connections + 84 * further


def test_json_is_as_the_contract_has_it(network: paper.Network, command: Command) -> None:
    outcome = command("describe", "--network", network.name, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert list(found) == ["network", "engine", "layers", "parameters", "connections", "disagreements"]
    assert (found["network"], found["disagreements"]) == (network.name, [])
    assert (found["parameters"], found["connections"]) == (network.parameters, counted(network)[1])
    assert found["layers"][0] == {
        "name": "C1", "kind": "convolution", "maps": 6, "size": [28, 28], "neurons": 4704,
        "parameters": 156, "connections": 122304,
    }  # fmt: skip
    assert [layer["name"] for layer in found["layers"]] == ["C1", "S2", "C3", "S4", "C5", "F6", "output"]


def test_the_table_shows_every_published_count(network: paper.Network, command: Command) -> None:
    outcome = command("describe", "--network", network.name)
    assert (outcome.status, outcome.err) == (0, "")
    for layer in counted(network)[0]:
        (row,) = (line for line in outcome.out.splitlines() if line.startswith(f"{layer.name} "))
        for count in (layer.neurons, layer.parameters, layer.connections):
            assert f" {count:,}" in row
    assert f"{network.parameters:,}" in outcome.out
    assert f"{counted(network)[1]:,}" in outcome.out
    assert "✗" not in outcome.out


def test_a_disagreement_is_marked_beside_the_published_number() -> None:
    layers = (paper.Layer("C1", "convolution", 6, (28, 28), 4_704, 157, 122_304), *paper.LENET5.layers[1:])
    text = as_text(Description(paper.LENET5, "numpy", layers, ("C1: parameters 157 here, 156 in the table",)))
    assert re.search("157 +✗ 156", text)
    assert re.search("60,001 +✗ 60,000", text)
    assert "✗ C1: parameters 157 here, 156 in the table" in text


@pytest.mark.parametrize("name", ["lenet-5", ""])
def test_an_unknown_network_is_wrong_usage(name: str, command: Command) -> None:
    assert command("describe", "--network", name).status == 2
