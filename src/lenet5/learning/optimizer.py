"""Optimizers on the flat parameter vector, and the schedule of their rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Adam", "one_cycle"]

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
        self._mean += np.float32(1 - self._beta1) * (gradient - self._mean)
        self._square += np.float32(1 - self._beta2) * (np.square(gradient) - self._square)
        unbiased_rate = rate / (1 - self._beta1**self._steps)
        root = np.sqrt(self._square / np.float32(1 - self._beta2**self._steps))
        parameters *= np.float32(1 - rate * self._decay)
        parameters -= np.float32(unbiased_rate) * self._mean / (root + np.float32(1e-8))


def one_cycle(progress: float, peak: float, warm_up: float = 0.2) -> float:
    """The rate after a fraction 0..1 of the training: up in a straight line, down in half a cosine."""
    if progress < warm_up:
        return peak * progress / warm_up
    return peak * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2
