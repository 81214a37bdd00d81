"""28×28 ink levels → a network's input range and frame. The only owner of that scaling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["network_input"]


def network_input(network: paper.Network, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """Images in MNIST's form as the network wants them.

    ``images`` are (N, 28, 28) ink levels in 0..255, any real type. ``lenet5`` gets (N, 32, 32) with
    background −0.1 and full ink 1.175, framed with background (section II-B); ``concise`` gets
    (N, 28, 28) in 0..1. Raises ArrayError for another shape.
    """
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ArrayError(f"images must be (N, {SIDE}, {SIDE}), not {images.shape}")
    if network.name == "concise":
        return np.asarray(np.multiply(images, np.float32(1 / 255), dtype=np.float32))
    height, width = network.input_size
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    framed = np.zeros((len(images), height, width), np.float32)  # no ink
    framed[:, top : top + SIDE, left : left + SIDE] = images
    framed *= np.float32((paper.FOREGROUND - paper.BACKGROUND) / 255)
    framed += np.float32(paper.BACKGROUND)
    return framed
