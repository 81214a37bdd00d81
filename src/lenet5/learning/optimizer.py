"""Optimizers on the flat parameter vector, and the schedule of their rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from lenet5 import engine, paper, weights

__all__ = ["Adam", "DiagonalLevenbergMarquardt", "Muon", "adam_in_numpy", "one_cycle", "orthogonalised"]

Floats = NDArray[np.float32]

_QUINTIC: Final = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: singular values come near 1 fast, not exactly to it
_HIDDEN: Final = ("c3.weight", "c5.weight", "f6.weight")


class Adam:
    """Adam with decoupled weight decay (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2).

    >>> parameters = np.ones(2, np.float32)
    >>> Adam(2).step(parameters, np.array([1, -1], np.float32), rate=0.1)
    >>> [round(float(p), 3) for p in parameters]
    [0.9, 1.1]
    """

    def __init__(self, size: int, weight_decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self._decay, self._beta1, self._beta2 = weight_decay, beta1, beta2
        self._mean = np.zeros(size, np.float32)
        self._square = np.zeros(size, np.float32)
        self._steps = 0

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of the moments, and the number of steps."""
        return {"mean": self._mean.copy(), "square": self._square.copy(), "steps": np.array([self._steps])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._mean[...], self._square[...], self._steps = state["mean"], state["square"], int(state["steps"][0])

    def step(self, parameters: Floats, gradient: Floats, rate: float) -> None:
        """Change ``parameters`` (P,) in place by one step along ``gradient`` (P,) at this rate."""
        self._steps += 1
        # both moments' corrections for their start at 0 are taken into the rate and ε (the end of section 2)
        correction = math.sqrt(1 - self._beta2**self._steps)
        forget, least = (1 - self._beta1, 1 - self._beta2), 1e-8 * correction
        size, keep = rate * correction / (1 - self._beta1**self._steps), 1 - rate * self._decay
        step = engine.adam if engine.AVAILABLE else adam_in_numpy
        step(parameters, gradient, (self._mean, self._square), forget, least, size, keep)


def adam_in_numpy(
    parameters: Floats,
    gradient: Floats,
    moments: tuple[Floats, Floats],
    forget: tuple[float, float],
    least: float,
    rate: float,
    keep: float,
) -> None:
    """As :func:`lenet5.engine.adam`, in NumPy: the engine's reference.

    >>> parameters, gradient = np.ones(1, np.float32), np.ones(1, np.float32)
    >>> moments = np.zeros(1, np.float32), np.zeros(1, np.float32)
    >>> adam_in_numpy(parameters, gradient, moments, (0.1, 0.001), 1e-8, 0.01, 1.0)
    >>> bool(parameters[0] < 1)
    True
    """
    mean, square = moments
    mean += (gradient - mean) * np.float32(forget[0])
    square += (np.square(gradient) - square) * np.float32(forget[1])
    parameters *= np.float32(keep)
    parameters -= mean / (np.sqrt(square) + np.float32(least)) * np.float32(rate)


class DiagonalLevenbergMarquardt:
    """Gradient descent in which each parameter has a rate of its own, ε_k = η / (μ + h_kk) (appendix C).

    >>> optimizer = DiagonalLevenbergMarquardt(2, damping=1.0)
    >>> optimizer.estimate(0.1, np.array([0, 9], np.float32))  # flat along the first, curved along the second
    >>> parameters = np.zeros(2, np.float32)
    >>> optimizer.step(parameters, np.ones(2, np.float32))
    >>> [round(float(p), 3) for p in parameters]
    [-0.1, -0.01]
    """

    def __init__(self, size: int, damping: float) -> None:
        self._damping = np.float32(damping)
        self._rates = np.zeros(size, np.float32)
        self._change = np.empty(size, np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of the rates."""
        return {"rates": self._rates.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._rates[...] = state["rates"]

    def estimate(self, rate: float, curvature: Floats) -> None:
        """Set every rate from η = ``rate`` and the diagonal second derivative (P,) of the criterion, never negative."""
        np.add(curvature, self._damping, out=self._rates)
        np.divide(np.float32(rate), self._rates, out=self._rates)

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """Change ``parameters`` (P,) in place by one step along ``gradient`` (P,)."""
        np.multiply(self._rates, gradient, out=self._change)
        parameters -= self._change


class Muon:
    """Orthogonalised momentum for the weight matrices of hidden layers, Adam for all other parameters.

    A matrix's step has equal singular values, so that rare directions of the gradient are learnt as fast as
    frequent ones (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"). Steps are scaled
    to the usual size of Adam's, so that one rate and one decoupled weight decay serve both (Liu et al. 2025, "Muon is
    scalable for LLM training", eq. 4).

    >>> parameters = weights.initial(paper.LENET5, np.random.default_rng(0))
    >>> before = parameters.copy()
    >>> Muon(paper.LENET5).step(parameters, np.ones(60_000, np.float32), rate=0.008)
    >>> bool((parameters != before).all())
    True
    """

    def __init__(self, network: paper.Network, weight_decay: float = 0.0, momentum: float = 0.95) -> None:
        self._network, self._decay, self._momentum = network, weight_decay, np.float32(momentum)
        self._mean = np.zeros(network.parameters, np.float32)
        others = np.ones(network.parameters, np.float32)
        for matrix in self._matrices(others):
            matrix[...] = 0
        self._others = np.flatnonzero(others)
        self._adam = Adam(len(self._others), weight_decay)
        self._libraries = ThreadpoolController()

    def step(self, parameters: Floats, gradient: Floats, rate: float) -> None:
        """Change ``parameters`` (P,) in place by one step along ``gradient`` (P,) at this rate."""
        others = parameters[self._others]
        self._adam.step(others, gradient[self._others], rate)
        vectors = (parameters, gradient, self._mean)
        # A second BLAS thread gains nothing on matrices so small, and waits for a core where others run.
        with self._libraries.limit(limits=1, user_api="blas"):
            for matrix, slope, mean in zip(*map(self._matrices, vectors), strict=True):
                mean += (1 - self._momentum) * (slope - mean)
                ahead = mean + (1 - self._momentum) * (slope - mean)  # Nesterov's
                change = orthogonalised(ahead.reshape(len(ahead), -1)).reshape(matrix.shape)
                size = 0.2 * math.sqrt(max(len(matrix), matrix[0].size))  # makes the root of the mean square 0.2
                matrix *= np.float32(1 - rate * self._decay)
                matrix -= np.float32(rate * size) * change
        parameters[self._others] = others

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of the momentum and of Adam's moments."""
        return {"momentum": self._mean.copy(), **self._adam.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._mean[...] = state["momentum"]
        self._adam.restore(state)

    def _matrices(self, vector: Floats) -> list[Floats]:
        """Views of a flat vector (P,): the weights (units, inputs, …) of hidden layers with shared inputs."""
        named = weights.arrays(self._network, vector)
        return [named[name] for name in _HIDDEN if named[name].ndim != 3]


def orthogonalised(matrix: Floats, iterations: int = 5) -> Floats:
    """A matrix (n, m) with the same singular vectors and every singular value about 1, in 0.65 to 1.25.

    Newton–Schulz: x ← a·x + b·x³ + c·x⁵ on the singular values, which start as shares of the
    Frobenius norm; those below about 1/500 of it stay smaller. It is carried out on the smaller Gram
    matrix, which takes half the products of the wide one.

    >>> wide = np.diag([100.0, 1.0]).astype(np.float32)
    >>> longest, shortest = np.linalg.svd(orthogonalised(wide), compute_uv=False)
    >>> bool(longest / shortest < 2)
    True
    """
    if matrix.shape[0] > matrix.shape[1]:
        return np.asarray(orthogonalised(matrix.T, iterations).T)
    a, b, c = map(np.float32, _QUINTIC)
    scaled = matrix / (np.linalg.norm(matrix) + np.float32(1e-12))
    gram = scaled @ scaled.T
    product = np.eye(len(gram), dtype=np.float32)
    for _ in range(iterations):
        factor = b * gram + c * (gram @ gram)
        factor.flat[:: len(gram) + 1] += a
        product = factor @ product
        gram = factor @ gram @ factor
    return np.asarray(product @ scaled)


def one_cycle(progress: float, peak: float, warm_up: float = 0.2) -> float:
    """The rate after a fraction 0..1 of the training: up in a straight line, down in half a cosine.

    >>> [round(one_cycle(progress, peak=0.01), 4) for progress in (0, 0.1, 0.2, 0.6, 1)]
    [0.0, 0.005, 0.01, 0.005, 0.0]
    """
    if progress < warm_up:
        return peak * progress / warm_up
    return peak * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2
