"""Methods: how a recipe's training moves the weights, as values.

A method is a frozen dataclass with ``averaging`` and ``start``; :class:`~lenet5.learning.train.Training` knows no
more of it. Another one needs nothing but these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.optimizer import Adam, DiagonalLevenbergMarquardt, Muon, one_cycle

__all__ = ["Curvature", "Descent", "Method", "OneCycleAdam", "OneCycleMuon", "StochasticDiagonal"]

Floats = NDArray[np.float32]

Curvature = Callable[[int], Floats]
"""The diagonal second derivative (P,) of the criterion at the weights as they stand, over so many patterns."""


class Descent(Protocol):
    """The steps of one run: a method with its state."""

    def begin_pass(self, number: int, curvature: Curvature) -> None:
        """Prepare for pass ``number``, counted from 1."""

    def step(self, parameters: Floats, gradient: Floats, progress: float) -> None:
        """Change ``parameters`` (P,) in place by ``gradient`` (P,), after a fraction 0..1 of all steps."""

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the steps so far have left, as arrays by name that later steps do not change."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""


class Method(Protocol):
    """``averaging`` is the decay, for each step, of the running mean of the weights that is validated and kept;
    with 0 they are the weights themselves."""

    @property
    def averaging(self) -> float: ...

    def start(self, network: paper.Network) -> Descent:
        """The steps of a run over the parameters of ``network``."""


@dataclass(frozen=True)
class OneCycleAdam:
    """Adam on a one-cycle schedule with its peak at ``rate``.

    ``weight_decay`` is what each step takes off the weights, times the rate.

    >>> from lenet5.learning.optimizer import one_cycle
    >>> descent = OneCycleAdam(rate=0.003).start(paper.LENET5)
    >>> parameters = np.zeros(60_000, np.float32)
    >>> descent.step(parameters, np.ones_like(parameters), progress=0.1)
    >>> bool(np.isclose(parameters, -one_cycle(0.1, 0.003)).all())  # Adam's first step is the rate of that moment
    True
    """

    rate: float
    weight_decay: float = 0.0
    averaging: float = 0.0

    def start(self, network: paper.Network) -> Descent:
        return _OneCycleSteps(self.rate, Adam(network.parameters, self.weight_decay))


@dataclass(frozen=True)
class OneCycleMuon:
    """As :class:`OneCycleAdam`, the matrices of the hidden layers moved by orthogonalised momentum.

    >>> descent = OneCycleMuon(rate=0.003).start(paper.LENET5)
    >>> parameters = np.zeros(60_000, np.float32)
    >>> descent.step(parameters, np.ones_like(parameters), progress=0.1)
    >>> float(parameters.max()) < 0
    True
    """

    rate: float
    weight_decay: float = 0.0
    averaging: float = 0.0

    def start(self, network: paper.Network) -> Descent:
        return _OneCycleSteps(self.rate, Muon(network, self.weight_decay))


class _OneCycleSteps:
    def __init__(self, peak: float, optimizer: Adam | Muon) -> None:
        self._peak, self._optimizer = peak, optimizer

    def begin_pass(self, number: int, curvature: Curvature) -> None:
        pass  # the schedule runs over the steps, not over the passes

    def step(self, parameters: Floats, gradient: Floats, progress: float) -> None:
        self._optimizer.step(parameters, gradient, one_cycle(progress, self._peak))

    def state(self) -> dict[str, NDArray[Any]]:
        return self._optimizer.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._optimizer.restore(state)


@dataclass(frozen=True)
class StochasticDiagonal:
    """Stochastic diagonal Levenberg–Marquardt, the paper's own (section III-B and appendix C).

    ``rates`` is η of the first pass, the second and so on, the last one for all that follow; ``damping`` is μ;
    before each pass the curvature is estimated on ``patterns`` of the training patterns.

    >>> descent = StochasticDiagonal(rates=(0.0005,), damping=0.02, patterns=500).start(paper.LENET5)
    >>> descent.begin_pass(1, curvature=lambda patterns: np.full(60_000, 0.08, np.float32))
    >>> parameters = np.zeros(60_000, np.float32)
    >>> descent.step(parameters, np.ones_like(parameters), progress=0.0)
    >>> round(float(parameters[0]), 6)  # −η / (μ + h) = −0.0005 / (0.02 + 0.08)
    -0.005
    """

    rates: tuple[float, ...]
    damping: float
    patterns: int
    averaging: float = 0.0

    def start(self, network: paper.Network) -> Descent:
        return _DiagonalSteps(self, network.parameters)


class _DiagonalSteps:
    def __init__(self, method: StochasticDiagonal, size: int) -> None:
        self._method, self._optimizer = method, DiagonalLevenbergMarquardt(size, method.damping)

    def begin_pass(self, number: int, curvature: Curvature) -> None:
        rates = self._method.rates
        self._optimizer.estimate(rates[min(number, len(rates)) - 1], curvature(self._method.patterns))

    def step(self, parameters: Floats, gradient: Floats, progress: float) -> None:
        self._optimizer.step(parameters, gradient)

    def state(self) -> dict[str, NDArray[Any]]:
        return self._optimizer.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._optimizer.restore(state)
