"""What ink lies on and how it is taken: paper, light, shadow, ruling, the camera's and the scanner's marks."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "GREY",
    "coded",
    "in_grey",
    "light",
    "on_paper",
    "photographed",
    "ruling",
    "scanned",
    "shade",
    "smooth_noise",
    "to_bytes",
]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Size = tuple[int, int]
"""Height and width."""

GREY: Final = 45
"""Of 255: writing that differs less from the paper in lightness is hardly visible in grey."""

_BINARY: Final = 120  # the same in black and white


def on_paper(ink: Floats, rng: np.random.Generator) -> Bytes:
    """Ink (H, W) in 0..1 as a grey picture: light that falls off to one side, a soft pen, sensor noise.

    >>> ink = np.zeros((40, 60), np.float32)
    >>> ink[10:30, 20:40] = 1
    >>> picture = on_paper(ink, np.random.default_rng(0))
    >>> int(picture[15:25, 25:35].max()) < 128 < int(picture[:, :15].min())  # dark on light
    True
    """
    height, width = ink.shape
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.15)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(np.cos(angle))
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(np.sin(angle))
    lightness = rng.uniform(0.72, 0.92) + fall * (across[None] + down[:, None])
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 0.9))
    grey = lightness * (1 - rng.uniform(0.6, 0.9) * soft)
    grey += rng.standard_normal(grey.shape, np.float32) * np.float32(rng.uniform(0.008, 0.02))
    return to_bytes(grey)


def to_bytes(grey: NDArray[np.floating]) -> Bytes:
    """Levels in 0..1 as uint8; what is outside is clipped.

    >>> to_bytes(np.array([-0.1, 0.5, 2.0])).tolist()
    [0, 128, 255]
    """
    return np.asarray(np.round(np.clip(grey, 0, 1) * 255), np.uint8)


def light(size: Size, rng: np.random.Generator, slope: float = 0.2) -> Floats:
    """Paper (H, W) in light that falls off in some direction, by up to ``slope`` along each side.

    >>> grey = light((3, 4), np.random.default_rng(0), slope=0.2)
    >>> (100 * grey).round().astype(int).tolist()  # percent
    [[68, 70, 72, 73], [63, 65, 67, 69], [59, 61, 62, 64]]
    """
    y, x = np.meshgrid(*(np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in size), indexing="ij")
    slopes = rng.uniform(-slope, slope, 2)
    return np.asarray(rng.uniform(0.65, 0.9) + slopes[0] * x + slopes[1] * y, np.float32)


def smooth_noise(size: Size, grain: float, rng: np.random.Generator) -> Floats:
    """Noise (H, W) of about the given grain in pixels, with standard deviation 1.

    >>> fine, coarse = (smooth_noise((60, 60), grain, np.random.default_rng(0)) for grain in (2, 20))
    >>> steps = [float(np.abs(np.diff(noise)).mean()) for noise in (fine, coarse)]
    >>> round(float(coarse.std()), 2), steps[1] < 0.5 * steps[0]
    (1.0, True)
    """
    small = (max(2, round(size[0] / grain)), max(2, round(size[1] / grain)))
    noise = cv2.resize(rng.standard_normal(small, np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def ruling(size: Size, pitch: float, pen: float, upright: bool, rng: np.random.Generator) -> Floats:
    """Printed lines (H, W) in 0..1, ``pitch`` apart, level but for a turn of the hand that holds the camera.

    >>> lines = ruling((40, 60), pitch=10, pen=2, upright=False, rng=np.random.default_rng(0))
    >>> np.flatnonzero(lines[:, 0] == 1).tolist()
    [7, 17, 27, 37]
    """
    angle = rng.normal(0, 0.02)
    y, x = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in size), indexing="ij")
    start = rng.uniform(0, pitch, 2)
    ways = (y + angle * x + start[0],) + ((x - angle * y + start[1],) if upright else ())
    apart = np.min([np.abs((way + pitch / 2) % pitch - pitch / 2) for way in ways], axis=0)
    return np.asarray(np.clip(pen / 2 + 0.5 - apart, 0, 1), np.float32)


def shade(size: Size, rng: np.random.Generator) -> Floats:
    """What a shadow across the paper leaves of the light (H, W): dark, its edge mostly sharp.

    >>> left = shade((100, 100), np.random.default_rng(0))
    >>> round(float(left.max()), 2), round(float(left.min()), 2)  # in the light, and in the shadow
    (1.0, 0.38)
    """
    y, x = np.meshgrid(*(np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in size), indexing="ij")
    angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    bend = rng.uniform(-0.5, 0.5) * (x * np.sin(angle) - y * np.cos(angle)) ** 2
    apart = (x * np.cos(angle) + y * np.sin(angle) + bend + edge) * max(size)
    soft = rng.uniform(0.6, 3) if rng.random() < 0.7 else rng.uniform(3, 0.05 * max(size) + 4)
    inside = 1 / (1 + np.exp(np.clip(-apart / soft, -30, 30)))
    return np.asarray(1 - rng.uniform(0.3, 0.65) * inside, np.float32)


def coded(picture: Bytes, quality: int) -> Bytes:
    """The picture as JPEG of this quality leaves it.

    >>> edge = np.repeat(np.array([0, 255], np.uint8), 12)[None].repeat(16, 0)
    >>> [int(np.abs(coded(edge, quality).astype(int) - edge).max()) > 5 for quality in (100, 10)]  # levels are off
    [False, True]
    """
    _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_UNCHANGED), np.uint8)


def scanned(canvas: Bytes, contrast: float, rng: np.random.Generator) -> Bytes:
    """A canvas (H, W, 3) as a scanner gives it: sharp, in even light, coded well; some are black and white.

    Half of the scans are (H, W), where ``contrast``, the difference of ink and paper in lightness (0..255), allows it.

    >>> sheet = np.full((20, 30, 3), 240, np.uint8)
    >>> [scanned(sheet, 200.0, np.random.default_rng(seed)).ndim for seed in range(6)]  # in grey or in colour
    [3, 3, 2, 2, 3, 3]
    """
    picture = in_grey(canvas) if contrast >= GREY and rng.random() < 0.5 else canvas
    if rng.random() < 0.7:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9)), np.uint8)
    if rng.random() < 0.6:
        noise = rng.standard_normal(picture.shape[:2], np.float32) * np.float32(rng.uniform(0.5, 4))
        picture = _brightened(picture, noise)
    if picture.ndim == 2 and contrast >= _BINARY and rng.random() < 0.15:
        paper = float(np.median(picture))
        threshold = 0.62 * paper if paper > 128 else paper + 0.38 * (255 - paper)
        return np.asarray((picture > threshold) * 255, np.uint8)
    return coded(picture, int(rng.integers(60, 97))) if rng.random() < 0.5 else picture


def photographed(canvas: Bytes, contrast: float, shadow: bool, rng: np.random.Generator) -> Bytes:
    """A canvas (H, W, 3) as a phone takes it: uneven light, perhaps a ``shadow``, blur, noise, JPEG.

    A third of the photos are (H, W), where ``contrast``, the difference of ink and paper in lightness, allows it.

    >>> sheet = np.full((90, 90, 3), 250, np.uint8)
    >>> levels = [photographed(sheet, 200.0, shadow, np.random.default_rng(0)) for shadow in (False, True)]
    >>> int(levels[1].min()) < 0.8 * int(levels[0].min())
    True
    """
    size = (canvas.shape[0], canvas.shape[1])
    picture = in_grey(canvas) if contrast >= GREY and rng.random() < 1 / 3 else canvas
    lightness = np.minimum(light(size, rng) * np.float32(1.15), 1)
    if shadow:
        lightness *= shade(size, rng)
    blur = rng.uniform(0.4, 1.4) * min(1.0, max(size) / 400)
    soft = cv2.GaussianBlur(picture, (0, 0), blur) if blur > 0.2 else picture
    noise = rng.standard_normal(size, np.float32) * np.float32(rng.uniform(0.5, 5))
    tint = rng.uniform(0.9, 1, 3).astype(np.float32) if picture.ndim == 3 else np.float32(1)
    lit = soft * (lightness[..., None] * tint if picture.ndim == 3 else lightness)
    return coded(_brightened(lit, noise), int(rng.integers(60, 95)))


def _brightened(picture: NDArray[np.floating] | Bytes, noise: Floats) -> Bytes:
    added = picture + (noise[..., None] if picture.ndim == 3 else noise)
    return np.asarray(np.clip(np.rint(added), 0, 255), np.uint8)


def in_grey(canvas: Bytes) -> Bytes:
    """Colours (H, W, 3) as lightness (H, W).

    >>> in_grey(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).tolist()
    [[76, 150, 29]]
    """
    return np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), np.uint8)
