"""The compiled engine takes any arrays: it answers in the promised form, or refuses; under the sanitizers, too.

Shapes, strides, types, alignment and values are drawn at random: off by one, broadcast, reversed, misaligned, huge,
infinite and not a number. ``LENET5_CALLS`` says how many calls of each function are made.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from conftest import compiled
from lenet5 import engine, paper
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion, maximum_a_posteriori
from lenet5.errors import ArrayError

CALLS = int(os.environ.get("LENET5_CALLS", "60"))
TYPES = (np.float32, np.float64, np.uint8, np.int64, np.float16, ">f4", np.bool_)
NUMBERS = (0.0, -0.0, 1.0, 255.0, 1e30, -1e30, 3.4e38, 1e-45, math.inf, -math.inf, math.nan)

Draw = np.random.Generator
Array = np.ndarray[Any, Any]


def values(draw: Draw, shape: tuple[int, ...], dtype: Any) -> Array:
    """Numbers of which some, all or none are extreme."""
    array = draw.normal(0, draw.choice([0.1, 1, 1e3]), shape)
    extreme = draw.random(shape) < draw.choice([0, 0, 0.01, 0.5, 1])
    array[extreme] = draw.choice(NUMBERS, int(extreme.sum()))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of numbers that the type does not hold
        return array.astype(dtype)


def laid_out(draw: Draw, array: Array) -> Array:
    """The same numbers in another layout."""
    kind = draw.integers(7)
    if kind == 0 and array.ndim:
        return np.ascontiguousarray(array[::-1])[::-1]
    if kind == 1:
        return np.asfortranarray(array)
    if kind == 2 and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if kind == 3:
        raw = np.empty(array.nbytes + 1, np.uint8)
        shifted = raw[1:].view(array.dtype).reshape(array.shape)
        shifted[...] = array
        return shifted
    if kind == 4 and len(array):
        return np.broadcast_to(array[:1], array.shape)
    if kind == 5:
        array.flags.writeable = False
    return array


def drawn(draw: Draw, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
    """An array of about this shape and type."""
    if draw.random() < 0.15:
        changed = [max(0, size + int(draw.integers(-1, 2))) for size in shape]
        shape = tuple(changed[: draw.integers(1, len(shape) + 1)]) if draw.random() < 0.5 else tuple(changed)
    if draw.random() < 0.1:
        dtype = TYPES[draw.integers(len(TYPES))]
    return laid_out(draw, values(draw, shape, dtype))


def criterion(draw: Draw) -> Criterion:
    known = (MEAN_PENALTY, CROSS_ENTROPY, maximum_a_posteriori(5.0), maximum_a_posteriori(1e-30))
    extreme = Criterion("drawn", bool(draw.integers(2)), float(draw.choice(NUMBERS)), float(draw.choice(NUMBERS)))
    return (*known, extreme)[draw.integers(5)]


def desired(draw: Draw, n: int, classes: int) -> Array:
    """Labels, mostly sound ones, or targets."""
    if draw.random() < 0.3:
        return drawn(draw, (n, classes + 1))
    if draw.random() < 0.7:
        return laid_out(draw, draw.integers(0, classes, n).astype(draw.choice([np.uint8, np.int64])))
    return draw.integers(-2, 300, n).astype(draw.choice([np.uint8, np.int64, np.int16]))


def common(draw: Draw) -> tuple[paper.Network, int, Array, Array, dict[str, Any]]:
    """A network, a number of images, parameters, images, and keywords."""
    network = (paper.LENET5, paper.CONCISE)[draw.integers(2)]
    n = int(draw.choice([0, 1, 2, 3, 17, 33]))
    how: dict[str, Any] = {"variant": str(draw.choice(engine.variants()))}
    if network is paper.LENET5 and draw.random() < 0.5:
        how["codes"] = drawn(draw, (int(draw.choice([10, 18, 96])), 84))
    return network, n, drawn(draw, (network.parameters,)), drawn(draw, (n, *network.input_size)), how


def call_forward(draw: Draw) -> None:
    _, _, parameters, images, how = common(draw)
    outputs = engine.forward(parameters, images, threads=int(draw.integers(1, 5)), **how)
    assert outputs.shape == (len(images), len(how.get("codes", range(10))))


def call_feature_maps(draw: Draw) -> None:
    _, _, parameters, images, how = common(draw)
    maps = engine.feature_maps(parameters, images, **how)
    assert all(len(layer) == len(images) for layer in maps)


def call_derivative(draw: Draw, derivative: Callable[..., Any]) -> None:
    network, n, parameters, images, how = common(draw)
    wanted = desired(draw, n, len(how.get("codes", range(10))))
    answer = derivative(parameters, images, wanted, criterion(draw), threads=int(draw.integers(1, 5)), **how)
    assert (answer[1] if isinstance(answer, tuple) else answer).shape == (network.parameters,)


def call_warp(draw: Draw) -> None:
    n, frame = int(draw.choice([0, 1, 2, 9])), int(draw.integers(0, 5))
    noise = drawn(draw, (n, 2, 8, 8)) if draw.random() < 0.5 else None
    warped = engine.warp(
        drawn(draw, (n, 28, 28), np.uint8), drawn(draw, (n, 2, 3)), noise,
        None if noise is None else drawn(draw, (8, 28)), float(draw.choice(NUMBERS)),
        drawn(draw, (n,)) if draw.random() < 0.5 else None,
        (float(draw.choice(NUMBERS)), float(draw.choice(NUMBERS)), frame),
        threads=int(draw.integers(1, 5)), variant=str(draw.choice(engine.variants())),
    )  # fmt: skip
    assert warped.shape[1:] == (28 + 2 * frame, 28 + 2 * frame)


def call_adam(draw: Draw) -> None:
    shape = (int(draw.choice([0, 1, 7, 1000])),)
    parameters, gradient, mean, square = (
        drawn(draw, shape) if draw.random() < 0.1 else values(draw, shape, np.float32) for _ in range(4)
    )
    numbers = [float(x) for x in draw.choice(NUMBERS, 5)]
    engine.adam(parameters, gradient, (mean, square), (numbers[0], numbers[1]), *numbers[2:])


CALLED: dict[str, Callable[[Draw], None]] = {
    "forward": call_forward,
    "feature_maps": call_feature_maps,
    "gradient": partial(call_derivative, derivative=engine.gradient),
    "curvature": partial(call_derivative, derivative=engine.curvature),
    "warp": call_warp,
    "adam": call_adam,
}


@compiled
@pytest.mark.parametrize("name", CALLED)
def test_any_arrays_are_taken_or_refused(name: str) -> None:
    refused = 0
    for seed in range(CALLS):
        try:
            CALLED[name](np.random.default_rng([seed, len(name)]))
        except ArrayError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"call {seed} of {name}: {type(error).__name__}: {error}") from error
    assert 0 < refused < CALLS


def lengths(draw: Draw) -> dict[str, list[int]]:
    """The lengths in bytes of the buffers that each function of the extension takes."""
    n, classes, concise = int(draw.choice([0, 1, 2, 9])), int(draw.choice([10, 18])), bool(draw.integers(2))
    network = paper.CONCISE if concise else paper.LENET5
    classes = 10 if concise else classes
    first = [4 * network.parameters, 4 * 84 * classes, 4 * n * math.prod(network.input_size)]
    maps = [4 * n * units for units in (6 * 784, 6 * 196, 16 * 100, 16 * 25, 120, 84, classes)]
    return {
        "forward": [*first, 4 * n * classes],
        "feature_maps": [*first, *maps],
        "gradient": [*first, n if draw.integers(2) else 4 * n * (classes + 1), first[0]],
        "distort": [n * 784, n * 24, n * 512, 896, n * 4, n * 3136],
        "adam": 4 * [int(draw.choice([0, 4, 28, 4000, 4003]))],
    }


@compiled
@pytest.mark.parametrize("name", ["forward", "feature_maps", "gradient", "distort", "adam"])
def test_the_extension_itself_refuses_buffers_of_the_wrong_length(name: str) -> None:
    """Whoever calls it without the checks of lenet5.engine cannot make it read or write outside of its buffers."""
    from lenet5.engine import _engine

    refused = 0
    for seed in range(CALLS):
        draw = np.random.default_rng([seed, len(name)])
        sizes, change = lengths(draw)[name], draw.choice([0, 0, 0, -1, 1, 4, 784], 10) * draw.integers(2)
        buffers = [
            values(draw, ((size + 3) // 4,), np.float32).view(np.uint8)[:size]
            for size in (max(0, int(size + by)) for size, by in zip(sizes, change[: len(sizes)], strict=True))
        ]
        numbers, threads = [float(x) for x in draw.choice(NUMBERS, 5)], int(draw.integers(-2, 5))
        flags = [bool(flag) for flag in draw.integers(0, 2, 2)]
        arguments: dict[str, list[Any]] = {
            "forward": [*buffers[:3], threads, *buffers[3:]],
            "gradient": [*buffers[:4], flags[0], *numbers[:2], threads, flags[1], *buffers[4:]],
            "distort": [*buffers[:4], numbers[0], *buffers[4:5], *numbers[1:3], 0, threads, *buffers[5:]],
            "adam": [*buffers, *numbers],
        }
        try:
            getattr(_engine, name)(str(draw.choice([*engine.variants(), "", "none"])), *arguments.get(name, buffers))
        except ValueError:
            refused += 1
    assert 0 < refused < CALLS
