"""A digit as another pen, hand and sensor would give it, in the form that the network sees.

Training images show one population's pens, scanned well. Here ink gets other proportions, thinner and
thicker strokes, fewer pixels, a hard threshold, blur, noise, cut edges and specks; then it goes
through :func:`lenet5.normalise.normalise`, as everything that is read does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.normalise import ink_box, normalise, resize, thicken

__all__ = ["CANVAS", "Augmentation", "cropped", "rendered"]

Floats = NDArray[np.float32]

CANVAS: Final = 40
"""Height in pixels of a digit of ordinary size while it is being drawn."""

_MOST: Final = 0.9  # a bare 1 made square would be a blot
_INK: Final = 0.15  # levels below this end no crop
_LEAST: Final = 12  # pixels of ink; less is a speck, and no crop


@dataclass(frozen=True)
class Augmentation:
    """How far a rendering goes; each picture draws its own.

    ``stretch`` is the largest logarithm of the change of width over height, and ``square`` how often a picture is
    stretched to a square whatever it shows; ``thinner`` and ``thicker`` the most that a stroke loses
    or gains on each side, in pixels of a digit CANVAS high; ``coarse`` how often the resolution falls
    to ``lowest``…CANVAS pixels of height; ``binary`` how often every pixel becomes ink or paper;
    ``noise`` the largest standard deviation of noise; ``cut`` how often an edge is cut off; ``specks``
    how often specks are added.

    >>> plain = Augmentation(stretch=0, thinner=0, thicker=0, coarse=0, binary=0, noise=0, cut=0, specks=0)
    >>> bar = np.ones((40, 10), np.float32)
    >>> bool((rendered(bar, plain, np.random.default_rng(0)) == normalise(bar)).all())
    True
    """

    stretch: float = 0.15
    square: float = 0.0
    thinner: float = 1.5
    thicker: float = 2.5
    coarse: float = 0.5
    lowest: int = 9
    binary: float = 0.4
    noise: float = 0.12
    cut: float = 0.1
    specks: float = 0.05


def rendered(ink: Floats, augmentation: Augmentation, generator: np.random.Generator) -> NDArray[np.uint8] | None:
    """Ink (H, W) in 0..1, a digit of it about CANVAS high, as (28, 28) uint8; None where too little is left.

    >>> bar = np.ones((40, 10), np.float32)
    >>> images = [rendered(bar, Augmentation(), np.random.default_rng(seed)) for seed in range(4)]
    >>> [int((image > 127).sum()) for image in images]  # pixels of ink: other pens, other sensors
    [97, 111, 80, 100]
    """
    ink = _pen(ink, augmentation, generator)
    ink = _sampled(ink, augmentation, generator)
    ink = _sensed(ink, augmentation, generator)
    crop = cropped(ink)
    return None if crop is None else normalise(crop)


def cropped(ink: Floats) -> Floats | None:
    """Crop to the ink's bounding box; None if there is too little ink.

    >>> ink = np.zeros((20, 20), np.float32)
    >>> ink[3:15, 8:11] = 1
    >>> cropped(ink).shape, cropped(np.zeros((20, 20), np.float32)) is None
    ((12, 3), True)
    """
    box = ink_box(ink, _INK)
    return ink[box] if box and (ink > _INK).sum() >= _LEAST else None


def _pen(ink: Floats, augmentation: Augmentation, generator: np.random.Generator) -> Floats:
    """Make the strokes thinner or thicker."""
    amount = generator.uniform(-augmentation.thinner, augmentation.thicker)
    if amount > 0:
        return thicken(np.pad(ink, math.ceil(amount) + 1), amount)
    thinner = np.asarray(1 - thicken(1 - ink, -amount))
    return thinner if thinner.sum() > 0.2 * ink.sum() else ink  # a fine stroke would vanish


def _sampled(ink: Floats, augmentation: Augmentation, generator: np.random.Generator) -> Floats:
    """Stretch the digit and change its resolution."""
    stretch = generator.uniform(-augmentation.stretch, augmentation.stretch)
    if generator.random() < augmentation.square:
        crop = cropped(ink)
        ink = ink if crop is None else crop
        stretch = min(max(math.log(ink.shape[0] / ink.shape[1]), -_MOST), _MOST)
    scale = 1.0
    if generator.random() < augmentation.coarse:
        scale = math.exp(generator.uniform(math.log(augmentation.lowest / CANVAS), 0))
    height, width = ink.shape
    rows, columns = round(height * scale * math.exp(-stretch / 2)), round(width * scale * math.exp(stretch / 2))
    return resize(ink, max(3, rows), max(3, columns)) if (rows, columns) != (height, width) else ink


def _sensed(ink: Floats, augmentation: Augmentation, generator: np.random.Generator) -> Floats:
    """Threshold the image or add noise; add specks; cut off an edge."""
    ink = np.pad(ink, 1)
    if generator.random() < augmentation.specks:
        count = generator.integers(1, 4)
        ink[generator.integers(ink.shape[0], size=count), generator.integers(ink.shape[1], size=count)] = 1
    if generator.random() < augmentation.binary:
        ink = (ink > generator.uniform(0.3, 0.6) * ink.max()).astype(np.float32)
    elif augmentation.noise:
        near = thicken(ink, 1.5) > _INK  # farther away the ink finder removes noise
        noise = generator.uniform(0, augmentation.noise) * generator.standard_normal(ink.shape, np.float32)
        ink = np.asarray(np.clip((ink + noise - _INK) / (1 - 2 * _INK), 0, 1) * near, np.float32)
    if generator.random() < augmentation.cut:
        crop = cropped(ink)
        if crop is not None:
            lost = generator.uniform(0.02, 0.08) * max(crop.shape)
            ink = np.rot90(np.rot90(crop, turn := int(generator.integers(4)))[round(lost) :], -turn)
    return ink
