"""What both engines ask of the arrays that they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["check_distortion", "check_images", "network_of"]

Floats = NDArray[np.float32]


def network_of(parameters: Floats) -> paper.Network:
    """The network of a flat float32 vector; ArrayError for what is no such vector."""
    if not isinstance(parameters, np.ndarray) or parameters.dtype != np.float32 or parameters.ndim != 1:
        raise ArrayError(f"parameters must be a flat float32 vector, not {_described(parameters)}")
    known = {network.parameters: network for network in paper.NETWORKS.values()}
    if parameters.size not in known:
        lengths = ", ".join(f"{n.parameters:,} ({n.name})" for n in known.values())
        raise ArrayError(f"no network has {parameters.size:,} parameters; known are {lengths}")
    return known[parameters.size]


def check_images(network: paper.Network, images: Floats) -> Floats:
    """Images (N, height, width) float32 of the network's input size, in C order; ArrayError for others."""
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.float32
        or images.ndim != 3
        or images.shape[1:] != network.input_size
    ):
        height, width = network.input_size
        raise ArrayError(f"{network.name} takes float32 images (N, {height}, {width}), not {_described(images)}")
    return np.ascontiguousarray(images)


def check_distortion(images: NDArray[np.uint8] | Floats, fields: Floats, strokes: Floats | None) -> int:
    """How many images there are to distort; ArrayError where the arrays are not those of distort."""
    if not isinstance(images, np.ndarray) or images.dtype not in (np.uint8, np.float32) or images.ndim != 3:
        raise ArrayError(f"distort takes uint8 or float32 images (N, {SIDE}, {SIDE}), not {_described(images)}")
    wanted = [("images", images, (len(images), SIDE, SIDE)), ("fields", fields, (len(images), 2, SIDE, SIDE))]
    if strokes is not None:
        wanted.append(("strokes", strokes, (len(images),)))
    for name, array, shape in wanted:
        floats = isinstance(array, np.ndarray) and (array.dtype == np.float32 or name == "images")
        if not floats or array.shape != shape:
            raise ArrayError(f"distort takes {name} float32 {shape}, not {_described(array)}")
    return len(images)


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return type(value).__name__
