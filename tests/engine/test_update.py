"""The engine's step of Adam against its reference in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import compiled
from lenet5 import engine
from lenet5.errors import ArrayError
from lenet5.learning.optimizer import adam_in_numpy


@compiled
@pytest.mark.parametrize("size", [0, 1, 15, 60_000])
@pytest.mark.parametrize("keep", [1.0, 0.999])
def test_adams_step_is_numpys_to_the_last_bit(variant: str, size: int, keep: float) -> None:
    generator = np.random.default_rng(0)
    ours = [generator.normal(size=size).astype(np.float32), *np.zeros((2, size), np.float32)]
    theirs = [array.copy() for array in ours]
    for _ in range(20):
        gradient = (generator.normal(size=size) * 10.0 ** generator.integers(-20, 4, size)).astype(np.float32)
        engine.adam(ours[0], gradient, (ours[1], ours[2]), (0.1, 0.001), 1e-8, 0.01, keep, variant)
        adam_in_numpy(theirs[0], gradient, (theirs[1], theirs[2]), (0.1, 0.001), 1e-8, 0.01, keep)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@compiled
@pytest.mark.parametrize("gradient", [np.zeros(3, np.float32), np.zeros(4), np.zeros(8, np.float32)[::2]])
def test_adam_refuses_arrays_that_do_not_fit(gradient: np.ndarray) -> None:
    parameters, mean, square = np.zeros((3, 4), np.float32)
    with pytest.raises(ArrayError, match=r"contiguous float32 \(4,\)"):
        engine.adam(parameters, gradient, (mean, square), (0.1, 0.001), 1e-8, 0.01, 1.0)
