"""The network on NumPy arrays: compiled, or in NumPy where nothing could be compiled.

``parameters`` is a flat float32 vector, whose length says which network it is; ``images`` are float32
(n, 32, 32) or (n, 28, 28) in that network's input range (:func:`lenet5.pixels.network_input`), of any
strides. ``codes`` (classes, 84) float32 are the output codes of lenet5 (:func:`lenet5.codes.code_array`), by default
those of the ten digits. ``threads`` is by default every processor that this process may use; results do not depend on
it. Wrong arrays raise ArrayError. The NumPy engine ignores ``threads`` and ``variant`` and has only :func:`forward`
and :func:`feature_maps`; the other functions raise UnavailableError. ``NAME`` names the engine in use, ``AVAILABLE``
is whether it is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.criterion import Criterion, Desired
from lenet5.engine import numpy_engine
from lenet5.engine.checks import check_images, network_of
from lenet5.errors import UnavailableError
from lenet5.paper import FeatureMaps

try:
    from lenet5.engine import compiled
except ImportError:  # no compiler was there when the package was installed
    compiled = None  # type: ignore[assignment]

__all__ = [
    "AVAILABLE",
    "NAME",
    "adam",
    "curvature",
    "feature_maps",
    "forward",
    "gradient",
    "variants",
    "warp",
]

Floats = NDArray[np.float32]

AVAILABLE: bool = compiled is not None
"""Whether the compiled engine is there, and with it :func:`gradient`, :func:`curvature`, :func:`warp`, :func:`adam`."""


def variants() -> list[str]:
    """The compiled instruction sets that this machine can run, the fastest first; empty without any.

    >>> set(variants()) <= {"avx512", "avx2", "baseline"}
    True
    """
    return compiled.variants() if AVAILABLE else []


NAME: str = f"compiled {variants()[0]}" if AVAILABLE else "numpy"
"""Which engine serves: "compiled avx512", "compiled avx2", "compiled baseline" or "numpy"."""


def forward(
    parameters: Floats,
    images: Floats,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> Floats:
    """The outputs of each image: (n, classes) float32, distances for lenet5, logits for concise.

    >>> from lenet5 import paper, pixels, weights
    >>> from lenet5.learning.data import load
    >>> x = pixels.network_input(paper.LENET5, load("digits", "test").images[:5])
    >>> distances = forward(weights.load("lenet5-mnist").parameters, x)
    >>> distances.shape, distances.argmin(axis=1).tolist()
    ((5, 10), [2, 3, 4, 5, 6])
    """
    if AVAILABLE:
        return compiled.forward(parameters, images, threads, variant, codes)
    return numpy_engine.forward(parameters, check_images(network_of(parameters), images), codes)


def feature_maps(
    parameters: Floats, images: Floats, variant: str | None = None, codes: Floats | None = None
) -> FeatureMaps:
    """Every layer's maps by name, each (n, maps, height, width), f6 and output (n, units).

    >>> from lenet5 import weights
    >>> maps = feature_maps(weights.load("lenet5-mnist").parameters, np.zeros((1, 32, 32), np.float32))
    >>> maps.c1.shape, maps.c3.shape, maps.f6.shape
    ((1, 6, 28, 28), (1, 16, 10, 10), (1, 84))
    """
    if AVAILABLE:
        return compiled.feature_maps(parameters, images, variant, codes)
    return numpy_engine.feature_maps(parameters, check_images(network_of(parameters), images), codes)


def gradient(
    parameters: Floats,
    images: Floats,
    desired: Desired,
    criterion: Criterion,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> tuple[float, Floats]:
    """The mean of a criterion over images, and its derivative (P,) by every parameter.

    ``desired`` are labels (n,) or targets (n, classes + 1), as :meth:`lenet5.criterion.Criterion.check` has them. Sums
    run over pieces of the images that n alone decides, so no number of threads changes a bit.

    >>> from lenet5 import weights
    >>> from lenet5.criterion import CROSS_ENTROPY
    >>> parameters = weights.load("lenet5-mnist").parameters
    >>> images, labels = np.zeros((2, 32, 32), np.float32), np.array([0, 1], np.uint8)
    >>> loss, derivative = gradient(parameters, images, labels, CROSS_ENTROPY)
    >>> loss > 0, derivative.shape
    (True, (60000,))
    """
    result: tuple[float, Floats] = _compiled("gradient").gradient(
        parameters, images, desired, criterion, threads, variant, codes
    )
    return result


def curvature(
    parameters: Floats,
    images: Floats,
    desired: Desired,
    criterion: Criterion,
    threads: int | None = None,
    variant: str | None = None,
    codes: Floats | None = None,
) -> Floats:
    """The diagonal Gauss–Newton second derivative (P,) of the mean criterion, never negative (appendix C).

    Second derivatives go back from layer to layer as the paper has it: with f″ dropped and each layer's
    off-diagonal ones ignored, by squared weights and squared slopes; a shared weight's are added over its
    uses. S2's and S4's coefficient multiplies one quantity, the sum of four inputs, so that sum enters
    squared. At the output each penalty y_i has the criterion's own ∂²E/∂y_i², 0 for eq. 8 and
    P_i (1 − P_i) for eq. 9. A distance is itself quadratic in F6, y″ = 2, which is all that bends eq. 8:
    the term 2·Σ ∂E/∂y_i is kept where it is positive.

    >>> from lenet5 import weights
    >>> from lenet5.criterion import MEAN_PENALTY
    >>> parameters = weights.load("lenet5-mnist").parameters
    >>> images, labels = np.zeros((2, 32, 32), np.float32), np.array([0, 1], np.uint8)
    >>> bool((curvature(parameters, images, labels, MEAN_PENALTY) >= 0).all())
    True
    """
    result: Floats = _compiled("curvature").curvature(parameters, images, desired, criterion, threads, variant, codes)
    return result


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
    """Images (n, 28, 28) uint8 read at other positions: (n, 28 + 2 · frame, 28 + 2 · frame) float32.

    ``matrices`` (n, 2, 3) float32 give each pixel's source row and column from its (row, column, 1); ``noise``
    (n, 2, 8, 8) adds the smooth displacement elastic · smoothingᵀ · noise · smoothing, ``smoothing`` (8, 28). Reading
    is bilinear, and 0 outside. ``strokes`` (n,) in −1..1 then thins or thickens strokes by up to a pixel a side.
    ``scaling`` (scale, offset, frame) multiplies the result, adds the offset, and puts a frame of the offset around
    it, that many pixels wide (:func:`lenet5.pixels.scaling`). :mod:`lenet5.learning.distort` has the reference in
    NumPy.

    >>> images = np.zeros((1, 28, 28), np.uint8)
    >>> images[0, 10, 10] = 255
    >>> one_pixel_up = np.array([[[1, 0, 1], [0, 1, 0]]], np.float32)  # read a row further down
    >>> np.argwhere(warp(images, one_pixel_up)).tolist()
    [[0, 9, 10]]
    """
    result: Floats = _compiled("warp").warp(
        images, matrices, noise, smoothing, elastic, strokes, scaling, threads, variant
    )
    return result


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
    """One step of Adam in place, all arrays (P,) float32: to the last bit what NumPy's operations give.

    ``moments``, mean and square, move towards the gradient and its square by the two shares ``forget``; then
    parameters become parameters · keep − mean / (√square + least) · rate (:class:`lenet5.learning.optimizer.Adam`).

    >>> parameters, derivative = np.ones(3, np.float32), np.array([1, 0, -1], np.float32)
    >>> moments = np.zeros(3, np.float32), np.zeros(3, np.float32)
    >>> adam(parameters, derivative, moments, forget=(0.1, 0.001), least=1e-8, rate=0.1, keep=1.0)
    >>> [round(float(p), 2) for p in parameters]
    [0.68, 1.0, 1.32]
    """
    _compiled("adam").adam(parameters, gradient, moments, forget, least, rate, keep, variant)


def _compiled(what: str) -> Any:
    if not AVAILABLE:
        raise UnavailableError(f"{what} needs the compiled engine: install lenet5 where a C compiler (gcc, clang) is")
    return compiled
