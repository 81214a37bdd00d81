"""Checks of the arrays that both engines take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import MOST_CLASSES, code_array
from lenet5.errors import ArrayError
from lenet5.paper import SIDE

__all__ = ["check_codes", "check_distortion", "check_images", "in_order", "network_of"]

Floats = NDArray[np.float32]


def network_of(parameters: Floats) -> paper.Network:
    """The network of a flat float32 vector; ArrayError for anything else.

    >>> network_of(np.zeros(60_000, np.float32)).name
    'lenet5'
    """
    if not isinstance(parameters, np.ndarray) or parameters.dtype != np.float32 or parameters.ndim != 1:
        raise ArrayError(f"parameters must be a flat float32 vector, not {_described(parameters)}")
    return paper.network_of_length(parameters.size)


def in_order(array: NDArray[Any], dtype: type[Any] | None = None) -> NDArray[Any]:
    """An array in C order whose numbers lie where the machine wants them, as C's pointers need: copied if it is not.

    >>> columns = np.arange(6).reshape(2, 3).T
    >>> columns.flags.c_contiguous, in_order(columns).flags.c_contiguous
    (False, True)
    """
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def check_codes(network: paper.Network, codes: Floats | None) -> Floats:
    """Output codes (classes, 84) float32, of 10 to MOST_CLASSES classes, in C order: by default the ten digits'.

    The concise network has ten outputs and no codes. Raises ArrayError.

    >>> check_codes(paper.LENET5, None).shape
    (10, 84)
    >>> check_codes(paper.LENET5, np.ones((9, 84), np.float32))
    Traceback (most recent call last):
        ...
    lenet5.errors.ArrayError: codes are float32 (10 to 96, 84), not float32 (9, 84)
    """
    if codes is None:
        return code_array()
    if not isinstance(codes, np.ndarray):
        raise ArrayError(f"codes are an array (classes, 84), not {type(codes).__name__}")
    if network is paper.CONCISE and len(codes) != 10:
        raise ArrayError("the concise network has ten outputs and takes no codes")
    if codes.dtype != np.float32 or codes.ndim != 2 or codes.shape[1] != 84 or not 10 <= len(codes) <= MOST_CLASSES:
        raise ArrayError(f"codes are float32 (10 to {MOST_CLASSES}, 84), not {codes.dtype} {codes.shape}")
    return in_order(codes)


def check_images(network: paper.Network, images: Floats) -> Floats:
    """Images (N, height, width) float32 of the network's input size, in C order; ArrayError for others.

    >>> check_images(paper.LENET5, np.zeros((2, 28, 28), np.float32))
    Traceback (most recent call last):
        ...
    lenet5.errors.ArrayError: lenet5 takes float32 images (N, 32, 32), not float32 (2, 28, 28)
    """
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.float32
        or images.ndim != 3
        or images.shape[1:] != network.input_size
    ):
        height, width = network.input_size
        raise ArrayError(f"{network.name} takes float32 images (N, {height}, {width}), not {_described(images)}")
    return in_order(images)


def check_distortion(images: NDArray[np.uint8], others: Mapping[str, tuple[Floats | None, tuple[int, ...]]]) -> None:
    """ArrayError unless there are images to distort, and of each other array (or None) one entry an image.

    >>> check_distortion(np.zeros((2, 28, 28), np.uint8), {"matrices": (np.zeros((1, 2, 3), np.float32), (2, 3))})
    Traceback (most recent call last):
        ...
    lenet5.errors.ArrayError: warp takes matrices float32 (2, 2, 3), not float32 (1, 2, 3)
    """
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.uint8
        or images.ndim != 3
        or images.shape[1:] != (SIDE, SIDE)
    ):
        raise ArrayError(f"warp takes uint8 images (N, {SIDE}, {SIDE}), not {_described(images)}")
    for name, (array, shape) in others.items():
        wanted = (len(images), *shape)
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.shape != wanted:
            raise ArrayError(f"warp takes {name} float32 {wanted}, not {_described(array)}")


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return type(value).__name__
