"""The compiled engine's functions, with checks of their arrays; :mod:`lenet5.engine` chooses between them and NumPy."""

from __future__ import annotations

import os
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.criterion import Criterion, Desired
from lenet5.engine import _engine
from lenet5.engine.checks import check_codes, check_distortion, check_images, in_order, network_of
from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["adam", "curvature", "feature_maps", "forward", "gradient", "variants", "warp"]

Floats = NDArray[np.float32]

CONTROL: Final = 8  # control points a side of the smooth displacement, as in distort.c

variants = _engine.variants


def forward(
    parameters: Floats,
    images: Floats,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> Floats:
    """As :func:`lenet5.engine.forward`; ``variant`` is one of :func:`variants`, the first by default."""
    network = network_of(parameters)
    images = check_images(network, images)
    codes = check_codes(network, codes)
    outputs = np.empty((len(images), len(codes)), np.float32)
    _engine.forward(_variant(variant), _flat(parameters), codes, images, _threads(threads), outputs)
    return outputs


def feature_maps(
    parameters: Floats, images: Floats, variant: str | None = None, codes: Floats | None = None
) -> paper.FeatureMaps:
    """As :func:`lenet5.engine.feature_maps`."""
    network = network_of(parameters)
    images = check_images(network, images)
    codes = check_codes(network, codes)
    shapes = [*((layer.maps, *layer.size) for layer in network.layers[:5]), (84,), (len(codes),)]
    maps = [np.empty((len(images), *shape), np.float32) for shape in shapes]
    _engine.feature_maps(_variant(variant), _flat(parameters), codes, images, *maps)
    return paper.FeatureMaps(*maps)


def gradient(
    parameters: Floats,
    images: Floats,
    desired: Desired,
    criterion: Criterion,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> tuple[float, Floats]:
    """As :func:`lenet5.engine.gradient`."""
    return _derivative(parameters, images, desired, criterion, threads, variant, codes, second=False)


def curvature(
    parameters: Floats,
    images: Floats,
    desired: Desired,
    criterion: Criterion,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> Floats:
    """As :func:`lenet5.engine.curvature`."""
    return _derivative(parameters, images, desired, criterion, threads, variant, codes, second=True)[1]


def warp(
    images: NDArray[np.uint8],
    matrices: Floats,
    noise: Floats | None = None,
    smoothing: Floats | None = None,
    elastic: float = 0.0,
    strokes: Floats | None = None,
    scaling: tuple[float, float, int] = (1.0, 0.0, 0),
    threads: int | None = None,
    variant: str | None = None,
) -> Floats:
    """As :func:`lenet5.engine.warp`."""
    points = (2, CONTROL, CONTROL)
    check_distortion(images, {"matrices": (matrices, (2, 3)), "noise": (noise, points), "strokes": (strokes, ())})
    if noise is not None and (smoothing is None or smoothing.shape != (CONTROL, SIDE)):
        raise ArrayError(f"warp takes smoothing float32 ({CONTROL}, {SIDE}) with noise")

    def buffer(array: Floats | None) -> Floats:
        return np.zeros(0, np.float32) if array is None else in_order(array, np.float32)

    scale, offset, frame = scaling
    warped = np.empty((len(images), SIDE + 2 * frame, SIDE + 2 * frame), np.float32)
    _engine.distort(
        _variant(variant),
        in_order(images),
        buffer(matrices),
        buffer(noise),
        buffer(smoothing),
        elastic,
        buffer(strokes),
        scale,
        offset,
        frame,
        _threads(threads),
        warped,
    )
    return warped


def adam(
    parameters: Floats,
    gradient: Floats,
    moments: tuple[Floats, Floats],
    forget: tuple[float, float],
    least: float,
    rate: float,
    keep: float,
    variant: str | None = None,
) -> None:
    """As :func:`lenet5.engine.adam`."""
    for array in (parameters, gradient, *moments):
        sound = array.dtype == np.float32 and array.shape == parameters.shape
        if not sound or not array.flags.c_contiguous or not array.flags.aligned:
            actual = f"{array.dtype} {array.shape}{'' if array.flags.aligned else ' that is not aligned'}"
            raise ArrayError(f"adam takes contiguous float32 {parameters.shape}, not {actual}")
    if not all(array.flags.writeable for array in (parameters, *moments)):
        raise ArrayError("adam changes the parameters and moments, which are read-only")
    _engine.adam(_variant(variant), parameters, *moments, gradient, *forget, least, rate, keep)


def _derivative(
    parameters: Floats,
    images: Floats,
    desired: Desired,
    criterion: Criterion,
    threads: int | None,
    variant: str | None,
    codes: Floats | None,
    second: bool,
) -> tuple[float, Floats]:
    network = network_of(parameters)
    images = check_images(network, images)
    codes = check_codes(network, codes)
    if not isinstance(desired, np.ndarray):
        raise ArrayError(f"labels and targets come as an array, not {type(desired).__name__}")
    if desired.dtype != np.uint8 or len(desired) != len(images):  # module.c looks at every byte, and says less
        criterion.check(desired, len(images), len(codes))
    derivative = np.empty(network.parameters, np.float32)
    try:
        loss = _engine.gradient(
            _variant(variant),
            _flat(parameters),
            codes,
            images,
            in_order(desired, np.uint8 if desired.ndim == 1 else np.float32),
            criterion.discriminative,
            criterion.j,
            criterion.temperature,
            _threads(threads),
            second,
            derivative,
        )
    except ValueError:
        criterion.check(desired, len(images), len(codes))
        raise
    return loss, derivative


def _flat(parameters: Floats) -> Floats:
    return in_order(parameters)


def _variant(variant: str | None) -> str:
    return variant or ""  # module.c takes the first that runs here


def _threads(threads: int | None) -> int:
    """As many as asked for, else as many as this process may run on."""
    if threads is not None:
        if threads < 1:
            raise ArrayError(f"threads must be at least 1, not {threads}")
        return min(threads, 1024)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
