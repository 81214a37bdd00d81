"""The facts of LeNet-5, as plain data: the single source for networks, docs, commands and tests.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), 1998, called "the paper" throughout. No count here is computed:
every one is the published number, and :mod:`lenet5.describe` counts the real
arrays and feature maps and compares.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import ArrayError

__all__ = [
    "BACKGROUND",
    "CODES",
    "CONCISE",
    "FOREGROUND",
    "LENET5",
    "NETWORKS",
    "NOT_A_DIGIT",
    "SIDE",
    "SQUASHING_AMPLITUDE",
    "SQUASHING_SLOPE",
    "TABLE_I",
    "Array",
    "FeatureMaps",
    "Layer",
    "Network",
    "network_named",
    "network_of_length",
]

SQUASHING_AMPLITUDE: Final = 1.7159
"""A of f(a) = A·tanh(S·a), section II-B and appendix A."""

SQUASHING_SLOPE: Final = 2 / 3
"""S of f(a) = A·tanh(S·a)."""

BACKGROUND: Final = -0.1
"""The input value of a white pixel (no ink), section II-B."""

FOREGROUND: Final = 1.175
"""The input value of a black pixel (full ink), section II-B."""

SIDE: Final = 28
"""Height and width of an image in MNIST's form (section III-A)."""

NOT_A_DIGIT: Final = 255
"""The label of a picture that is no digit and should be refused."""

TABLE_I: Final[tuple[tuple[int, ...], ...]] = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Table I: for each C3 map, the S2 maps that feed it (60 of the 96 pairs)."""

_FIGURE_3: Final = """
.#####.  ...##..  .#####.  #######  .#####.  .#####.  ..####.  #######  .#####.  .#####.
.......  ..###..  .......  .....##  .......  .......  .##....  .....##  ##...##  ##..###
..###..  .####..  .#####.  ....##.  .......  #######  ##.....  .....##  ##...##  ##...##
.##.##.  ...##..  ##...##  ...##..  .##..##  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  #....##  ..####.  .##..##  ##.....  ######.  ...##..  .#####.  ##..###
##...##  ...##..  ....##.  .....##  ###..##  .####..  ###..##  ...##..  ##...##  .######
##...##  ...##..  ..###..  .....##  ##...##  ..####.  ##...##  ..##...  ##...##  .....##
.##.##.  ...##..  .##....  .....##  ##...##  .....##  ##...##  ..##...  ##...##  .....##
..###..  ...##..  ##.....  ##...##  ##..###  ##...##  ###..##  ..##...  ##...##  ....##.
.......  .######  #######  .#####.  .######  .#####.  .#####.  ..##...  .#####.  .####..
.......  .......  .......  .......  .....##  .......  .......  .......  .......  .......
.......  .......  .......  .......  .....##  .......  .......  .......  .......  .......
"""

CODES: Final[tuple[str, ...]] = tuple(
    "\n".join(column) for column in zip(*(row.split() for row in _FIGURE_3.split("\n") if row), strict=True)
)
"""Fig. 3: the picture of each digit that F6 should show, 7 wide × 12 high, ``#`` = +1, ``.`` = −1."""


@dataclass(frozen=True)
class Layer:
    """One row of the layer table.

    ``size`` is (height, width) of one feature map; ``neurons`` are units, ``parameters`` the
    trainable ones, ``connections`` the uses of a weight or bias.

    >>> layer = LENET5.layers[2]
    >>> layer.name, layer.maps, layer.size, layer.parameters, layer.connections
    ('C3', 16, (10, 10), 1516, 151600)
    """

    name: str
    kind: str
    maps: int
    size: tuple[int, int]
    neurons: int
    parameters: int
    connections: int


@dataclass(frozen=True)
class Array:
    """One named array of trainable parameters.

    ``fan_in`` is the number of inputs of the units that the array belongs to: one number, or one
    for each entry of the first axis. Initial weights are uniform in ±2.4 / fan_in (appendix A).

    >>> LENET5.arrays[0]
    Array(name='c1.weight', shape=(6, 1, 5, 5), fan_in=(25,))
    """

    name: str
    shape: tuple[int, ...]
    fan_in: tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A network's facts: its input, its layer table and its arrays in the order of the flat vector.

    ``output`` says what the ten outputs are: "distances" (the smallest is the answer) or "logits"
    (the largest is).

    >>> LENET5.input_size, LENET5.output, LENET5.parameters, LENET5.connections
    ((32, 32), 'distances', 60000, 340908)
    """

    name: str
    title: str
    input_size: tuple[int, int]
    output: str
    layers: tuple[Layer, ...]
    parameters: int
    connections: int
    arrays: tuple[Array, ...]

    def __reduce__(self) -> tuple[Callable[[str], Network], tuple[str]]:
        """Pickle by name: networks are compared by identity."""
        return network_named, (self.name,)


FeatureMaps = namedtuple("FeatureMaps", ["c1", "s2", "c3", "s4", "c5", "f6", "output"])
"""Every layer's feature maps by the paper's names, each (N, maps, height, width) or (N, units)."""

_TABLE_I_FAN_IN: Final = tuple(25 * len(maps) for maps in TABLE_I)

LENET5: Final = Network(
    name="lenet5",
    title="LeNet-5 as in the paper",
    input_size=(32, 32),
    output="distances",
    layers=(
        Layer("C1", "convolution", 6, (28, 28), 4_704, 156, 122_304),
        Layer("S2", "subsampling", 6, (14, 14), 1_176, 12, 5_880),
        Layer("C3", "convolution", 16, (10, 10), 1_600, 1_516, 151_600),
        Layer("S4", "subsampling", 16, (5, 5), 400, 32, 2_000),
        Layer("C5", "convolution", 120, (1, 1), 120, 48_120, 48_120),
        Layer("F6", "full connection", 84, (1, 1), 84, 10_164, 10_164),
        Layer("output", "radial basis functions", 10, (1, 1), 10, 0, 840),
    ),
    parameters=60_000,
    connections=340_908,
    arrays=(
        Array("c1.weight", (6, 1, 5, 5), (25,)),
        Array("c1.bias", (6,), (25,)),
        Array("s2.coefficient", (6,), (4,)),
        Array("s2.bias", (6,), (4,)),
        Array(
            "c3.weight", (60, 5, 5), tuple(f for f, maps in zip(_TABLE_I_FAN_IN, TABLE_I, strict=True) for _ in maps)
        ),
        Array("c3.bias", (16,), _TABLE_I_FAN_IN),
        Array("s4.coefficient", (16,), (4,)),
        Array("s4.bias", (16,), (4,)),
        Array("c5.weight", (120, 16, 5, 5), (400,)),
        Array("c5.bias", (120,), (400,)),
        Array("f6.weight", (84, 120), (120,)),
        Array("f6.bias", (84,), (120,)),
    ),
)

CONCISE: Final = Network(
    name="concise",
    title="the concise 28×28 form of the tutorials",
    input_size=(28, 28),
    output="logits",
    layers=(
        Layer("C1", "convolution", 6, (28, 28), 4_704, 156, 122_304),
        Layer("S2", "average pooling", 6, (14, 14), 1_176, 0, 4_704),
        Layer("C3", "convolution", 16, (10, 10), 1_600, 2_416, 241_600),
        Layer("S4", "average pooling", 16, (5, 5), 400, 0, 1_600),
        Layer("C5", "full connection", 120, (1, 1), 120, 48_120, 48_120),
        Layer("F6", "full connection", 84, (1, 1), 84, 10_164, 10_164),
        Layer("output", "full connection", 10, (1, 1), 10, 850, 850),
    ),
    parameters=61_706,
    connections=429_342,
    arrays=(
        Array("c1.weight", (6, 1, 5, 5), (25,)),
        Array("c1.bias", (6,), (25,)),
        Array("c3.weight", (16, 6, 5, 5), (150,)),
        Array("c3.bias", (16,), (150,)),
        Array("c5.weight", (120, 400), (400,)),
        Array("c5.bias", (120,), (400,)),
        Array("f6.weight", (84, 120), (120,)),
        Array("f6.bias", (84,), (120,)),
        Array("output.weight", (10, 84), (84,)),
        Array("output.bias", (10,), (84,)),
    ),
)

NETWORKS: Final = {network.name: network for network in (LENET5, CONCISE)}


def network_named(name: str) -> Network:
    """The network of this name; ArrayError where none has it.

    >>> network_named("concise").parameters
    61706
    """
    if name not in NETWORKS:
        raise ArrayError(f"no network is called {name!r}; known are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def network_of_length(parameters: int) -> Network:
    """The network whose flat vector has this many entries; ArrayError where none has.

    >>> network_of_length(60_000).name
    'lenet5'
    """
    for network in NETWORKS.values():
        if network.parameters == parameters:
            return network
    known = ", ".join(f"{n.parameters:,} ({n.name})" for n in NETWORKS.values())
    raise ArrayError(f"no network has {parameters:,} parameters; known are {known}")


def table_pairs() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Table I as the 60 pairs (C3 map, S2 map), in the order of ``c3.weight``: two (60,) arrays.

    >>> c3_maps, s2_maps = table_pairs()
    >>> len(c3_maps), s2_maps[c3_maps == 0].tolist()  # C3 map 0 reads three maps of S2
    (60, [0, 1, 2])
    """
    pairs = [(to, source) for to, maps in enumerate(TABLE_I) for source in maps]
    to, source = np.array(pairs, np.intp).T
    return to, source
