"""What an exported network has to answer: the engine's answers to images that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import Reader, engine, pixels
from lenet5 import weights as weights_of
from lenet5.errors import WeightsError
from lenet5.learning.data import ImageSet, load

__all__ = ["Reference", "reference", "require_agreement"]

_CLOSE: Final = 1e-4  # of two probabilities: several times what sums in another order come to in float32
_SURE: Final = 0.9  # labels that the engine is less sure of may change by the rounding to 8 bits
_INT8_DIFFERENT: Final = 0.01  # of the labels that it is surer of


@dataclass(frozen=True)
class Reference:
    """Images (N, 28, 28) uint8 and the engine's answers to them.

    ``labels`` are (N,) int8, −1 where refused, ``posterior`` (N, 11) the ten digits and none of them, both as
    ``Reader.classify(images, views=1)`` has them; ``f6`` is (N, 84).

    >>> digits = reference(weights_of.load("lenet5"), np.zeros((2, 28, 28), np.uint8))
    >>> digits.labels.tolist(), digits.posterior.shape  # blank images are refused
    ([-1, -1], (2, 11))
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int8]
    posterior: NDArray[np.float64]
    f6: NDArray[np.float32]


def reference(weights: weights_of.Weights, images: NDArray[np.uint8] | None = None) -> Reference:
    """The engine's answers to images (N, 28, 28) in MNIST's form; None: digits, parts of digits, and blank ones.

    >>> reference(weights_of.load("lenet5")).posterior.shape
    (542, 11)
    """
    images = _images() if images is None else images
    reader = Reader(weights)
    labels, _ = reader.classify(images, views=1)
    seen = pixels.network_input(weights.network, images)
    maps = engine.feature_maps(weights.parameters, seen)
    return Reference(images, labels, reader.probabilities(images, views=1), maps.f6.reshape(len(images), -1))


def require_agreement(
    weights: weights_of.Weights,
    expected: Reference,
    labels: NDArray[np.int8],
    posterior: NDArray[np.floating],
    *,
    int8: bool,
) -> None:
    """WeightsError unless the answers of an exported network are the engine's.

    Labels are the same and probabilities within 10⁻⁴; of an ``int8`` network the labels that the engine is at least 90%
    sure of, but for one in a hundred.

    >>> weights = weights_of.load("lenet5")
    >>> blank = reference(weights, np.zeros((2, 28, 28), np.uint8))
    >>> require_agreement(weights, blank, np.array([3, 3], np.int8), blank.posterior, int8=False)
    Traceback (most recent call last):
        ...
    lenet5.errors.WeightsError: lenet5 is not exported: of 2 answers 2 are not the engine's, ...
    """
    compared = expected.posterior.max(axis=1) >= _SURE if int8 else np.ones(len(labels), bool)
    different = int(np.count_nonzero((labels != expected.labels) & compared))
    off = float(np.abs(posterior - expected.posterior).max(initial=0))
    allowed = _INT8_DIFFERENT * compared.sum() if int8 else 0
    if different > allowed or not (int8 or off <= _CLOSE):
        raise WeightsError(
            f"{weights.name} is not exported: of {compared.sum()} answers {different} are not the engine's, and "
            f"probabilities differ by up to {off:.2g}"
        )


def _images() -> NDArray[np.uint8]:
    """The embedded digits' test part, halves of digits, which are mostly refused, a faint digit and an empty image."""
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    halves = digits.images[:180].copy()
    halves[:, : halves.shape[1] // 2] = 0
    rest = np.stack([digits.images[0] // 20, np.zeros_like(digits.images[0])])
    return np.concatenate([digits.images, halves, rest])
