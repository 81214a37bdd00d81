"""The network's forward pass in NumPy: reads wherever NumPy runs, and reads like the paper.

Every layer is one matrix product over unfolded receptive fields, a block of images at a time so
that the unfolded block stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lenet5 import paper, weights
from lenet5.engine.checks import check_codes
from lenet5.errors import ArrayError

__all__ = ["feature_maps", "forward"]

Floats = NDArray[np.float32]

_BLOCK: Final = 64  # images; C1's unfolded block is 64·784·25 floats = 5 MB


def forward(parameters: Floats, images: Floats, codes: Floats | None = None) -> Floats:
    """The outputs of each image: (N, classes) float32, distances for lenet5, logits for concise.

    ``parameters`` is a flat vector, whose length says which network it is; ``images`` are
    (N, 32, 32) or (N, 28, 28) in that network's input range. Raises ArrayError for other shapes.

    >>> from lenet5.weights import load
    >>> distances = forward(load("lenet5").parameters, np.full((1, 32, 32), -0.1, np.float32))
    >>> distances.shape, bool((distances > 10).all())  # a blank image is far from every digit
    ((1, 10), True)
    """
    network, maps_of = _checked(parameters, images)
    named = weights.arrays(network, parameters)
    codes = check_codes(network, codes)
    outputs = np.empty((len(images), len(codes)), np.float32)
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        outputs[block] = maps_of(named, images[block], codes).output
    return outputs


def feature_maps(parameters: Floats, images: Floats, codes: Floats | None = None) -> paper.FeatureMaps:
    """Every layer's maps by name, each (N, maps, height, width), f6 and output (N, units).

    >>> from lenet5.weights import load
    >>> maps = feature_maps(load("lenet5").parameters, np.full((1, 32, 32), -0.1, np.float32))
    >>> maps.c1.shape, maps.c3.shape, maps.f6.shape
    ((1, 6, 28, 28), (1, 16, 10, 10), (1, 84))
    """
    network, maps_of = _checked(parameters, images)
    return maps_of(weights.arrays(network, parameters), images, check_codes(network, codes))


def _checked(
    parameters: Floats, images: Floats
) -> tuple[paper.Network, Callable[[dict[str, Floats], Floats, Floats], paper.FeatureMaps]]:
    """The network at hand and its forward pass, once the shapes are known to fit."""
    network = paper.network_of_length(parameters.size)
    if images.ndim != 3 or images.shape[1:] != network.input_size:
        raise ArrayError(
            f"{network.name} takes images (N, {network.input_size[0]}, {network.input_size[1]}), not {images.shape}"
        )
    return network, _lenet5 if network is paper.LENET5 else _concise


def _lenet5(w: dict[str, Floats], images: Floats, codes: Floats) -> paper.FeatureMaps:
    """Section II-B, layer by layer."""
    c1 = _squash(_convolve(images[:, None], w["c1.weight"], w["c1.bias"]))
    s2 = _subsample(c1, w["s2.coefficient"], w["s2.bias"])
    dense = np.zeros((16, 6, 5, 5), np.float32)
    dense[paper.table_pairs()] = w["c3.weight"]  # Table I: the absent pairs weigh nothing
    c3 = _squash(_convolve(s2, dense, w["c3.bias"]))
    s4 = _subsample(c3, w["s4.coefficient"], w["s4.bias"])
    c5 = _squash(_convolve(s4, w["c5.weight"], w["c5.bias"]))
    f6 = _squash(c5[:, :, 0, 0] @ w["f6.weight"].T + w["f6.bias"])
    output = np.square(f6[:, None, :] - codes).sum(axis=2)  # eq. 7
    return paper.FeatureMaps(c1, s2, c3, s4, c5, f6, output)


def _concise(w: dict[str, Floats], images: Floats, codes: Floats) -> paper.FeatureMaps:
    """The tutorials' form: sigmoids, mean pooling, a linear output."""
    framed: Floats = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    c1 = _sigmoid(_convolve(framed[:, None], w["c1.weight"], w["c1.bias"]))
    s2 = _sum_of_four(c1) * np.float32(0.25)
    c3 = _sigmoid(_convolve(s2, w["c3.weight"], w["c3.bias"]))
    s4 = _sum_of_four(c3) * np.float32(0.25)
    c5 = _sigmoid(s4.reshape(len(s4), -1) @ w["c5.weight"].T + w["c5.bias"])
    f6 = _sigmoid(c5 @ w["f6.weight"].T + w["f6.bias"])
    output = f6 @ w["output.weight"].T + w["output.bias"]
    return paper.FeatureMaps(c1, s2, c3, s4, c5[:, :, None, None], f6, output)


def _convolve(maps: Floats, weight: Floats, bias: Floats) -> Floats:
    """(N, inputs, H, W) with 5×5 kernels (outputs, inputs, 5, 5) → (N, outputs, H − 4, W − 4)."""
    fields = sliding_window_view(maps, (5, 5), axis=(2, 3))  # (N, inputs, H−4, W−4, 5, 5)
    n, _, height, width = fields.shape[:4]
    unfolded = fields.transpose(0, 1, 4, 5, 2, 3).reshape(n, weight[0].size, height * width)
    summed = weight.reshape(len(weight), -1) @ unfolded
    return np.asarray(summed.reshape(n, len(weight), height, width) + bias[:, None, None])


def _sum_of_four(maps: Floats) -> Floats:
    """The sum of each 2×2 square: (N, maps, H, W) → (N, maps, H/2, W/2)."""
    rows = maps[:, :, 0::2] + maps[:, :, 1::2]
    return np.asarray(rows[..., 0::2] + rows[..., 1::2])


def _subsample(maps: Floats, coefficient: Floats, bias: Floats) -> Floats:
    """Four inputs added, times the map's coefficient, plus its bias, squashed (section II-B, S2)."""
    return _squash(coefficient[:, None, None] * _sum_of_four(maps) + bias[:, None, None])


def _squash(a: Floats) -> Floats:
    """f(a) = A·tanh(S·a), eq. 6."""
    return np.asarray(np.float32(paper.SQUASHING_AMPLITUDE) * np.tanh(np.float32(paper.SQUASHING_SLOPE) * a))


def _sigmoid(a: Floats) -> Floats:
    """The logistic function, as 1/2 + tanh(a/2)/2, which cannot overflow."""
    half = np.float32(0.5)
    return np.asarray(half + half * np.tanh(half * a))
