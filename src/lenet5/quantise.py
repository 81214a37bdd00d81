"""Weights in a few bits: whole levels in −(2ᵇ⁻¹ − 1)..2ᵇ⁻¹ − 1 times a step for all weights that add up in one unit.

Exports round trained weights (:func:`levels`). Training with ``--quantise`` knows of the rounding (:class:`Rounding`):
the network is computed with rounded weights, and their gradient moves the exact ones (the straight-through estimator of
Bengio, Léonard & Courville 2013, section 4, on weights as in Courbariaux, Bengio & David 2015).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import WeightsError
from lenet5.weights import arrays

__all__ = ["BITS", "Rounding", "levels", "normal_step", "rows", "steps"]

Floats = NDArray[np.float32]

BITS: Final = (8, 4)
"""The numbers of bits that training rounds to."""

_LAYERS: Final = ("c1", "c3", "c5", "f6")  # the others have two numbers a map


def levels(weight: Floats, bits: int = 8) -> tuple[NDArray[np.int8], Floats]:
    """An array (n, …) as levels int8 and a step (n,) for each entry of the first axis (:func:`steps`).

    The product of both is within half a step of the array.

    >>> level, step = levels(np.array([[0.5, -1.0], [0.0, 0.0]], np.float32))
    >>> level.tolist(), step.tolist()
    ([[64, -127], [0, 0]], [0.007874015718698502, 1.0])
    """
    step = steps(weight, bits)
    return np.round(weight / step.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8), step


def steps(weight: Floats, bits: int) -> Floats:
    """The step (n,) of each entry of an array (n, …): its largest absolute value has the highest level; of zeros 1.

    >>> steps(np.array([[0.5, -1.75], [0.0, 0.0]], np.float32), bits=4).tolist()
    [0.25, 1.0]
    """
    largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    return np.asarray(np.where(largest > 0, largest / np.float32(_most(bits)), np.float32(1)), np.float32)


def rows(layer: str, named: dict[str, Floats]) -> Floats:
    """A layer's weights (units or maps, n), all that adds up in one unit a row: of C3 all six maps, 0 off Table I.

    >>> from lenet5.weights import load
    >>> w = load("lenet5")
    >>> rows("c3", arrays(w.network, w.parameters)).shape
    (16, 150)
    """
    weight = named[f"{layer}.weight"]
    if layer == "c3":
        dense = np.zeros((len(paper.TABLE_I), 6, *weight.shape[1:]), np.float32)
        dense[paper.table_pairs()] = weight
        weight = dense
    return weight.reshape(len(weight), -1)


def normal_step(bits: int) -> float:
    """The step, in standard deviations, that rounds normal numbers to so many bits with the least mean square error.

    Max 1960, "Quantizing for minimum distortion", for a number of levels that is odd.

    >>> round(normal_step(4), 2), round(normal_step(8), 3)
    (0.35, 0.031)
    """
    most = _most(bits)
    x = np.linspace(0, 8, 4001)
    density = np.exp(-x * x / 2)
    tried = np.geomspace(1, 8, 400) / most
    level = np.minimum(np.round(x / tried[:, None]), most)
    return float(tried[(density * np.square(level * tried[:, None] - x)).sum(axis=1).argmin()])


class Rounding:
    """Rounds the weights of the paper's network to so many bits; biases, coefficients and codes stay as they are.

    A row's step is the best for normal numbers (:func:`normal_step`), or less where the largest weight needs less: that
    weight has the largest level, from which an export finds the step again. Raises WeightsError for another network.

    >>> from lenet5.weights import load
    >>> w = load("lenet5-mnist")
    >>> rounded = Rounding(w.network, 4)(w.parameters)
    >>> [len(np.unique(row)) for row in arrays(w.network, rounded)["c5.weight"].reshape(120, 400)[:5]]
    [15, 15, 15, 15, 15]
    """

    def __init__(self, network: paper.Network, bits: int) -> None:
        if network is not paper.LENET5:
            raise WeightsError(f"only the paper's network is trained in {bits} bits, not a {network.name} one")
        self._network, self._most, self._step = network, _most(bits), np.float32(normal_step(bits))
        self._starts = {"c3": np.cumsum([0, *map(len, paper.TABLE_I)])[:-1]}  # each map's first kernel

    def __call__(self, parameters: Floats) -> Floats:
        """The parameters (P,) with rounded weights, in a vector of their own."""
        rounded: Floats = parameters.copy()
        named = arrays(self._network, rounded)
        for layer in _LAYERS:
            weight = named[f"{layer}.weight"]
            flat = weight.reshape(len(weight), -1)  # a view
            step = self._steps(flat, self._starts.get(layer))
            flat /= step[:, None]
            np.rint(flat, out=flat)
            np.clip(flat, -self._most, self._most, out=flat)
            flat *= step[:, None]
        return rounded

    def _steps(self, flat: Floats, starts: NDArray[np.intp] | None) -> Floats:
        """The step of each row (n, m), those from one of ``starts`` to the next having one together."""
        largest, square = np.abs(flat).max(axis=1), np.einsum("nm,nm->n", flat, flat)
        count = np.full(len(flat), flat.shape[1])
        if starts is not None:
            largest, square = np.maximum.reduceat(largest, starts), np.add.reduceat(square, starts)
            count = np.add.reduceat(count, starts)
        deviation = np.sqrt(square / count.astype(np.float32))
        step = np.minimum(self._step * deviation, largest / np.float32(self._most))
        step = np.where(step > 0, step, np.float32(1)).astype(np.float32)
        return step if starts is None else np.repeat(step, np.diff([*starts, len(flat)]))


def _most(bits: int) -> int:
    """The highest level."""
    return (1 << (bits - 1)) - 1
