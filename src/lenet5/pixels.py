"""28×28 ink levels → a network's input range and frame. No other module scales pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["network_input", "scaling"]


def network_input(network: paper.Network, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """Scale and frame images in MNIST's form for a network.

    ``images`` are (N, 28, 28) ink levels in 0..255, any real type. ``lenet5`` gets (N, 32, 32) with
    background −0.1 and full ink 1.175, framed with background (section II-B); ``concise`` gets
    (N, 28, 28) in 0..1. Raises ArrayError for another shape.

    >>> x = network_input(paper.LENET5, np.full((1, 28, 28), 255))
    >>> x.shape, round(float(x[0, 0, 0]), 3), round(float(x[0, 16, 16]), 3)
    ((1, 32, 32), -0.1, 1.175)
    """
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ArrayError(f"images must be (N, {SIDE}, {SIDE}), not {images.shape}")
    scale, offset, frame = scaling(network)
    if not frame:
        return np.asarray(np.multiply(images, np.float32(scale), dtype=np.float32))
    framed = np.zeros((len(images), SIDE + 2 * frame, SIDE + 2 * frame), np.float32)  # no ink
    framed[:, frame:-frame, frame:-frame] = images
    framed *= np.float32(scale)
    framed += np.float32(offset)
    return framed


def scaling(network: paper.Network) -> tuple[float, float, int]:
    """The scale and the offset of :func:`network_input`, and the width of its frame in pixels.

    >>> scaling(paper.LENET5)
    (0.005, -0.1, 2)
    """
    if network.name == "concise":
        return 1 / 255, 0.0, 0
    return (paper.FOREGROUND - paper.BACKGROUND) / 255, paper.BACKGROUND, (network.input_size[0] - SIDE) // 2
