"""Counts of a network's layers from its arrays and feature maps, compared with the published table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, weights

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """The counted layers, and each disagreement with the table in :mod:`lenet5.paper`, in words.

    >>> description = describe(weights.load("lenet5-mnist"))
    >>> description.layers[0].parameters, description.disagreements
    (156, ())
    """

    network: paper.Network
    engine: str
    layers: tuple[paper.Layer, ...]
    disagreements: tuple[str, ...]

    @property
    def published(self) -> tuple[paper.Layer, ...]:
        """The published table, its output with as many classes as were counted: 84 connections each, no parameter."""
        *layers, output = self.network.layers
        further = self.layers[-1].maps - output.maps
        return (*layers, _with_classes(output, further) if self.network is paper.LENET5 and further > 0 else output)

    @property
    def published_connections(self) -> int:
        return self.network.connections + self.published[-1].connections - self.network.layers[-1].connections

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def connections(self) -> int:
        return sum(layer.connections for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.network.name,
            "engine": self.engine,
            "layers": [
                {f.name: getattr(layer, f.name) for f in fields(layer)} | {"size": list(layer.size)}
                for layer in self.layers
            ],
            "parameters": self.parameters,
            "connections": self.connections,
            "disagreements": list(self.disagreements),
        }


def describe(loaded: weights.Weights) -> Description:
    """Count the loaded network and compare every number with the published ones.

    >>> description = describe(weights.load("concise"))
    >>> description.parameters, description.connections
    (61706, 429342)
    """
    layers = _counted(loaded)
    description = Description(loaded.network, engine.NAME, layers, ())
    return Description(loaded.network, engine.NAME, layers, tuple(_disagreements(description)))


def _counted(loaded: weights.Weights) -> tuple[paper.Layer, ...]:
    """One Layer for each field of the feature maps of one image."""
    named = weights.arrays(loaded.network, loaded.parameters)
    blank = np.zeros((1, *loaded.network.input_size), np.float32)
    maps_by_name = engine.feature_maps(loaded.parameters, blank, codes=loaded.codes)._asdict()
    shapes = [(name, maps.shape[1:]) for name, maps in maps_by_name.items()]
    before = (1, *loaded.network.input_size)
    layers = []
    for name, shape in shapes:
        of_layer = {key.split(".")[1]: array for key, array in named.items() if key.startswith(f"{name}.")}
        layers.append(_layer(name, before, (*shape, 1, 1)[:3], of_layer))
        before = (*shape, 1, 1)[:3]
    return tuple(layers)


def _layer(
    name: str, before: tuple[int, ...], shape: tuple[int, ...], named: Mapping[str, NDArray[np.float32]]
) -> paper.Layer:
    """A layer's row, from the shapes (maps, height, width) before and after it and from its arrays.

    A weight or bias shared over a map is one parameter with a connection at every position.
    """
    maps, *size = shape
    positions, neurons = math.prod(size), math.prod(shape)
    parameters = sum(array.size for array in named.values())
    shrinks = positions < math.prod(before[1:])
    inputs = math.prod(before) // math.prod(shape)  # of a unit that reads one map, such as subsampling's four
    if "weight" in named:
        kind = "full connection" if named["weight"].ndim == 2 else "convolution"
        connections = parameters * positions
    elif "coefficient" in named:
        kind, connections = "subsampling", (inputs + 1) * neurons
    elif shrinks:
        kind, connections = "average pooling", inputs * neurons
    else:
        kind, connections = "radial basis functions", maps * before[0]
    label = name if name == "output" else name.upper()
    return paper.Layer(label, kind, maps, (size[0], size[1]), neurons, parameters, connections)


def _disagreements(description: Description) -> list[str]:
    """The numbers that differ from the published ones, one line each."""
    differences = []
    published = description.published
    if [layer.name for layer in description.layers] != [layer.name for layer in published]:
        return [f"the layers are {', '.join(layer.name for layer in description.layers)}"]
    for counted, in_table in zip(description.layers, published, strict=True):
        for field in fields(paper.Layer):
            ours, theirs = getattr(counted, field.name), getattr(in_table, field.name)
            if ours != theirs:
                differences.append(f"{counted.name}: {field.name} {ours} here, {theirs} in the table")
    totals = {"parameters": description.network.parameters, "connections": description.published_connections}
    for total, theirs in totals.items():
        ours = getattr(description, total)
        if ours != theirs:
            differences.append(f"total {total}: {ours:,} here, {theirs:,} in the table")
    return differences


def _with_classes(output: paper.Layer, additional: int) -> paper.Layer:
    """The published row of the output with ``additional`` classes."""
    classes, units = output.maps + additional, output.connections // output.maps
    return replace(output, maps=classes, neurons=classes, connections=units * classes)
