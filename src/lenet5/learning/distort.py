"""Planar distortions of digits in MNIST's form: whole batches, from a passed generator.

The paper's four (translation, scaling, squeezing, horizontal shear; section III-C), and rotation,
elastic deformation (Simard, Steinkraus & Platt 2003) and stroke width. Each image draws its own
amounts; :func:`fields` turns them into the source position of every pixel, where the images are read. The compiled
engine does the same in one pass; NumPy's functions are its reference, and serve where nothing was compiled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper
from lenet5.paper import SIDE
from lenet5.pixels import network_input, scaling

__all__ = [
    "NONE",
    "Distortion",
    "affine",
    "distort",
    "fields",
    "resample_in_numpy",
    "stroke_width",
    "transform",
]

Floats = NDArray[np.float32]

_CONTROL = 8  # control points a side of the elastic deformation, about one in 4 pixels


@dataclass(frozen=True)
class Distortion:
    """The largest amount of each distortion; each image draws its own, uniform in ± this.

    ``translation`` in pixels; ``rotation`` in degrees; ``scaling`` and ``squeezing`` as logarithms
    (0.1 is about ±10%), squeezing compressing one way and elongating the other; ``shear`` in
    pixels sideways for each pixel of height; ``elastic`` the standard deviation, in pixels, of a
    smooth random displacement; ``stroke`` in 0..1 how far strokes are thickened or thinned towards
    one pixel more or less on each side.

    >>> Distortion(translation=1.5, rotation=10).rotation
    10
    """

    translation: float = 0.0
    rotation: float = 0.0
    scaling: float = 0.0
    squeezing: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0


NONE = Distortion()


def distort(
    images: NDArray[np.uint8],
    distortion: Distortion,
    generator: np.random.Generator,
    network: paper.Network | None = None,
    threads: int | None = None,
) -> Floats:
    """Distorted copies of images (N, 28, 28) uint8: (N, 28, 28) float32 ink levels in 0..255.

    With a ``network`` they are that one's input (:func:`lenet5.pixels.network_input`). The same generator
    state gives the same result.

    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[:, 6:22, 12:16] = 255
    >>> distort(images, Distortion(rotation=15), np.random.default_rng(0)).shape
    (2, 28, 28)
    """
    if distortion == NONE:
        return images.astype(np.float32) if network is None else network_input(network, images)
    n, amounts = len(images), None
    matrices = affine(distortion, n, generator)
    noise = _noise(n, generator) if distortion.elastic else None
    if distortion.stroke:
        amounts = generator.uniform(-distortion.stroke, distortion.stroke, n).astype(np.float32)
    if engine.AVAILABLE:
        into = scaling(network) if network else (1.0, 0.0, 0)
        smoothing = None if noise is None else _smoothing()
        return engine.warp(images, matrices, noise, smoothing, distortion.elastic, amounts, into, threads=threads)
    moved = resample_in_numpy(images, _positions(matrices, noise, distortion.elastic))
    moved = moved if amounts is None else stroke_width(moved, amounts)
    return moved if network is None else network_input(network, moved)


def transform(images: NDArray[np.uint8], matrices: Floats, threads: int | None = None) -> Floats:
    """Images (N, 28, 28) uint8 under the maps (N, 2, 3) of :func:`affine`: (N, 28, 28) float32 ink levels.

    >>> images = np.arange(784, dtype=np.uint16).reshape(1, 28, 28).astype(np.uint8)
    >>> still = np.eye(2, 3, dtype=np.float32)[None]
    >>> bool((transform(images, still) == images).all())
    True
    """
    if engine.AVAILABLE:
        return engine.warp(images, matrices, threads=threads)
    return resample_in_numpy(images, _positions(matrices, None, 0.0))


def fields(distortion: Distortion, n: int, generator: np.random.Generator) -> Floats:
    """For every pixel of n images the position to read: (n, 2, 28, 28) float32, rows then columns.

    >>> where = fields(NONE, 1, np.random.default_rng(0))
    >>> where.shape, where[0, :, 3, 5].tolist()  # nothing moves
    ((1, 2, 28, 28), [3.0, 5.0])
    """
    matrices = affine(distortion, n, generator)
    noise = _noise(n, generator) if distortion.elastic else None
    return _positions(matrices, noise, distortion.elastic)


def affine(distortion: Distortion, n: int, generator: np.random.Generator) -> Floats:
    """For n images the map from a pixel's (row, column, 1) to the position to read: (n, 2, 3) float32.

    >>> affine(NONE, 1, np.random.default_rng(0)).tolist()
    [[[1.0, ...0.0, 0.0], [0.0, 1.0, 0.0]]]
    """

    d = distortion
    most = np.array([np.radians(d.rotation), d.scaling, d.squeezing, d.shear, d.translation, d.translation])
    angle, scaling, squeezing, shear, down, right = generator.uniform(-1, 1, (6, n)) * most[:, None]
    rows, columns = np.exp(scaling + squeezing), np.exp(scaling - squeezing)
    cos, sin = np.cos(angle), np.sin(angle)
    # source = rotation · shear · stretch · (pixel − centre) + centre + translation
    matrix = np.empty((n, 2, 3))
    matrix[:, 0, 0], matrix[:, 0, 1] = cos * rows, -sin * columns
    matrix[:, 1, 0], matrix[:, 1, 1] = (sin + shear * cos) * rows, (cos - shear * sin) * columns
    centre = (SIDE - 1) / 2
    matrix[:, :, 2] = np.stack([down, right], axis=1) + centre - centre * matrix[:, :, :2].sum(axis=2)
    return matrix.astype(np.float32)


def _positions(matrices: Floats, noise: Floats | None, elastic: float) -> Floats:
    """The fields (n, 2, 28, 28) of affine maps and, if there is noise (n, 2, 8, 8), a smooth displacement."""
    pixels = np.mgrid[:SIDE, :SIDE].reshape(2, -1).astype(np.float32)
    where = (matrices[:, :, :2] @ pixels + matrices[:, :, 2:]).reshape(-1, 2, SIDE, SIDE)
    if noise is not None:
        smoothing = _smoothing()
        where += np.float32(elastic) * (smoothing.T @ noise @ smoothing)
    return np.asarray(where)


def _noise(n: int, generator: np.random.Generator) -> Floats:
    """Independent noise of unit variance at the control points, rows then columns: (n, 2, 8, 8).

    Uniform, which costs a fifth of normal noise; smoothing adds up about nine of them.
    """
    noise = generator.random((n, 2, _CONTROL, _CONTROL), np.float32)
    noise -= np.float32(0.5)
    noise *= np.float32(math.sqrt(12))
    return noise


def _smoothing() -> Floats:
    """What turns noise of unit variance at control points into noise smooth over about 4 pixels: (8, 28)."""
    points = np.linspace(-2, SIDE + 1, _CONTROL)
    spread = points[1] - points[0]
    weight = np.exp(-0.5 * ((np.arange(SIDE)[:, None] - points) / spread) ** 2)
    weight /= np.sqrt(np.square(weight).sum(axis=1, keepdims=True))
    return np.asarray(weight.T, np.float32)


def resample_in_numpy(images: NDArray[np.uint8], where: Floats) -> Floats:
    """Images (N, 28, 28) read at positions (N, 2, 28, 28), bilinear; outside is background, 0.

    >>> images = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    >>> where = np.mgrid[:28, :28].astype(np.float32)[None]
    >>> bool((resample_in_numpy(images, where) == images).all())
    True
    """
    n = len(images)
    framed = np.zeros((n, SIDE + 2, SIDE + 2), np.float32)  # one pixel of background all round
    framed[:, 1:-1, 1:-1] = images
    positions = np.clip(where + np.float32(1), 0, np.float32(SIDE + 1))
    whole = np.minimum(positions.astype(np.int32), SIDE)
    part = positions - whole.astype(np.float32)
    width = SIDE + 2
    corner = whole[:, 0] * width + whole[:, 1]
    corner += (np.arange(n, dtype=np.int32) * width * width)[:, None, None]
    flat = framed.ravel()
    down, right = part[:, 0], part[:, 1]
    top = flat[corner] * (1 - right) + flat[corner + 1] * right
    bottom = flat[corner + width] * (1 - right) + flat[corner + width + 1] * right
    return np.asarray(top + (bottom - top) * down)


def stroke_width(images: Floats, amounts: Floats) -> Floats:
    """Images (N, 28, 28) with strokes thickened (amount to 1) or thinned (to −1) by up to a pixel a side.

    >>> dot = np.zeros((1, 28, 28), np.float32)
    >>> dot[0, 14, 14] = 255
    >>> int((stroke_width(dot, np.ones(1, np.float32)) > 0).sum())
    5
    """
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    thicker, thinner = images.copy(), images.copy()
    for row, column in ((0, 1), (2, 1), (1, 0), (1, 2)):
        neighbour = framed[:, row : row + SIDE, column : column + SIDE]
        np.maximum(thicker, neighbour, out=thicker)
        np.minimum(thinner, neighbour, out=thinner)
    amounts = amounts[:, None, None]
    towards = np.where(amounts > 0, thicker, thinner)
    return np.asarray(images + np.abs(amounts) * (towards - images))
