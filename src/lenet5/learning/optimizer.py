"""Optimizers on the flat parameter vector, and the schedule of their rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine

__all__ = ["Adam", "DiagonalLevenbergMarquardt", "adam_in_numpy", "one_cycle"]

Floats = NDArray[np.float32]


class Adam:
    """Adam with decoupled weight decay (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2)."""

    def __init__(self, size: int, weight_decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self._decay, self._beta1, self._beta2 = weight_decay, beta1, beta2
        self._mean = np.zeros(size, np.float32)
        self._square = np.zeros(size, np.float32)
        self._steps = 0

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
    """As :func:`lenet5.engine.adam`, whatever was compiled: the engine's reference."""
    mean, square = moments
    mean += (gradient - mean) * np.float32(forget[0])
    square += (np.square(gradient) - square) * np.float32(forget[1])
    parameters *= np.float32(keep)
    parameters -= mean / (np.sqrt(square) + np.float32(least)) * np.float32(rate)


class DiagonalLevenbergMarquardt:
    """Gradient descent in which each parameter has a rate of its own, ε_k = η / (μ + h_kk) (appendix C)."""

    def __init__(self, size: int, damping: float) -> None:
        self._damping = np.float32(damping)
        self._rates = np.zeros(size, np.float32)
        self._change = np.empty(size, np.float32)

    def estimate(self, rate: float, curvature: Floats) -> None:
        """Set every rate from η = ``rate`` and the diagonal second derivative (P,) of the criterion, never negative."""
        np.add(curvature, self._damping, out=self._rates)
        np.divide(np.float32(rate), self._rates, out=self._rates)

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """Change ``parameters`` (P,) in place by one step along ``gradient`` (P,)."""
        np.multiply(self._rates, gradient, out=self._change)
        parameters -= self._change


def one_cycle(progress: float, peak: float, warm_up: float = 0.2) -> float:
    """The rate after a fraction 0..1 of the training: up in a straight line, down in half a cosine."""
    if progress < warm_up:
        return peak * progress / warm_up
    return peak * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2
