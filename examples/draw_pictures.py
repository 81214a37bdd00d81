"""Draws the demo's pictures: ten digits by ten pens on ten papers, each with its own trouble.

    python examples/draw_pictures.py FOLDER

The strokes are curves through a few points, moved a little by a seeded generator; nothing is taken
from any data set. The pictures bundled with the package were drawn by this script.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
Points = list[tuple[float, float]]

# Each digit's strokes as points (x, y) in a box 1 wide × 1.5 high, y down.
STROKES: dict[int, list[Points]] = {
    0: [[(0.55, 0.02), (0.15, 0.3), (0.05, 0.85), (0.3, 1.4), (0.7, 1.4), (0.95, 0.85), (0.85, 0.3), (0.5, 0.03)]],
    1: [[(0.2, 0.4), (0.55, 0.02), (0.52, 0.75), (0.5, 1.5)]],
    2: [[(0.08, 0.35), (0.4, 0.02), (0.85, 0.25), (0.6, 0.85), (0.05, 1.45)], [(0.05, 1.45), (0.5, 1.4), (1.0, 1.45)]],
    3: [[(0.1, 0.15), (0.55, 0.0), (0.85, 0.3), (0.35, 0.68)], [(0.35, 0.68), (0.95, 0.95), (0.6, 1.48), (0.05, 1.3)]],
    4: [[(0.5, 0.0), (0.3, 0.45), (0.05, 0.95), (0.5, 0.97), (1.0, 0.93)], [(0.72, 0.55), (0.7, 1.0), (0.66, 1.5)]],
    5: [[(0.18, 0.04), (0.15, 0.6)], [(0.15, 0.6), (0.65, 0.55), (0.92, 0.98), (0.55, 1.46), (0.05, 1.35)],
        [(0.17, 0.05), (0.55, 0.05), (0.9, 0.02)]],
    6: [[(0.75, 0.02), (0.3, 0.4), (0.07, 1.0), (0.4, 1.47), (0.88, 1.2), (0.6, 0.78), (0.15, 1.0)]],
    7: [[(0.05, 0.08), (0.5, 0.06), (0.95, 0.05)], [(0.95, 0.05), (0.6, 0.75), (0.35, 1.5)], [(0.3, 0.75), (0.8, 0.7)]],
    8: [[(0.82, 0.22), (0.5, 0.0), (0.15, 0.28), (0.5, 0.68), (0.88, 1.1), (0.5, 1.48), (0.1, 1.12), (0.48, 0.7),
         (0.82, 0.32), (0.8, 0.18)]],
    9: [[(0.88, 0.25), (0.5, 0.02), (0.12, 0.35), (0.4, 0.75), (0.85, 0.4), (0.88, 0.25), (0.82, 0.9), (0.6, 1.5)]],
}  # fmt: skip


def curve(points: Floats, steps: int = 60) -> Floats:
    """A Catmull-Rom curve through the points: (M, 2)."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3))
    return np.vstack([*pieces, points[-1:]])


def ink(
    digit: int, size: tuple[int, int], height: float, centre: tuple[float, float], pen: float, rng: np.random.Generator
) -> Floats:
    """Ink 0..1 on a canvas of ``size`` (width, height), the digit ``height`` pixels high, the pen ``pen`` wide."""
    y, x = np.mgrid[: size[1], : size[0]]
    canvas = np.zeros(x.shape)
    for stroke in STROKES[digit]:
        points = (np.array(stroke) + rng.normal(0, 0.02, (len(stroke), 2)) - (0.5, 0.75)) * height / 1.5
        for px, py in curve(points)[::2] + np.array(centre):
            radius = pen / 2 * rng.uniform(0.92, 1.08)
            left, top = max(0, int(px - radius - 2)), max(0, int(py - radius - 2))
            near = (slice(top, int(py + radius + 3)), slice(left, int(px + radius + 3)))
            distance = np.hypot(x[near] - px, y[near] - py)
            canvas[near] = np.maximum(canvas[near], np.clip(radius + 0.5 - distance, 0, 1))
    return canvas


def paint(paper: Floats, colour: tuple[int, int, int], opacity: Floats) -> Floats:
    """Paper (H, W, 3) in 0..255 with ink of a colour on it."""
    return paper * (1 - opacity[..., None]) + np.array(colour, float) * opacity[..., None]


def plain(size: tuple[int, int], colour: tuple[int, int, int] = (255, 255, 255)) -> Floats:
    return np.ones((size[1], size[0], 3)) * np.array(colour, float)


def ruled(size: tuple[int, int], every: int, squared: bool, colour: tuple[int, int, int]) -> Floats:
    """Ruled or squared paper."""
    paper = plain(size, (248, 246, 238))
    paper[every // 2 :: every] = colour
    if squared:
        paper[:, every // 2 :: every] = colour
    return paper


def photographed(picture: Floats, rng: np.random.Generator, darkest: float = 0.55, noise: float = 3.0) -> Floats:
    """Light that falls off towards a corner, a soft shadow and sensor noise."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width] / max(height, width)
    light = 1 - (1 - darkest) * (0.55 * x + 0.45 * y) / (x + y).max() * 2
    shadow = 1 - 0.2 / (1 + np.exp((x - 0.62 + 0.25 * y) * 60))
    return picture * (light * shadow)[..., None] + rng.normal(0, noise, picture.shape)


def pictures(rng: np.random.Generator) -> dict[str, Floats]:
    """The ten pictures by file name, (H, W, 3) in 0..255."""
    wide: Callable[[int, float, tuple[int, int]], Floats] = lambda digit, pen, size: ink(  # noqa: E731
        digit, size, 0.62 * size[1], (size[0] * 0.5, size[1] * 0.5), pen, rng
    )
    size = (240, 240)
    chalk = wide(3, 13, size) * (rng.random((240, 240)) > 0.12)
    gritty = paint(plain(size, (44, 62, 54)), (235, 235, 228), chalk) + rng.normal(0, 6, (240, 240, 3))
    return {
        "0-fountain-pen.png": paint(ruled(size, 34, False, (196, 208, 226)), (24, 40, 120), 0.92 * wide(0, 7, size)),
        "1-marker.png": paint(plain(size), (20, 20, 20), wide(1, 24, size)),
        "2-tiny-mouse-drawing.png": paint(plain((28, 28)), (0, 0, 0), np.round(wide(2, 1.2, (28, 28)))),
        "3-chalk-on-a-blackboard.jpg": gritty,
        "4-photo-in-bad-light.jpg": photographed(
            paint(ruled(size, 30, True, (205, 205, 215)), (40, 40, 60), 0.9 * wide(4, 6, size)), rng
        ),
        "5-pencil.jpg": paint(plain(size, (252, 252, 250)), (150, 150, 155), 0.8 * wide(5, 5, size))
        + rng.normal(0, 3, (240, 240, 3)),
        "6-in-a-corner.png": paint(
            plain((360, 240)), (160, 30, 30), ink(6, (360, 240), 70, (310, 190), 6, rng)
        ),
        "7-small-on-a-large-page.jpg": photographed(
            paint(plain((640, 480), (240, 238, 230)), (30, 30, 35), ink(7, (640, 480), 80, (250, 200), 7, rng)),
            rng,
            darkest=0.7,
        ),
        "8-neon-sign.png": paint(plain(size, (10, 8, 40)), (255, 90, 200), wide(8, 10, size)),
        "9-brush.png": paint(plain(size, (250, 240, 215)), (60, 30, 20), wide(9, 32, size)),
    }  # fmt: skip


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, levels in pictures(np.random.default_rng(1998)).items():
        Image.fromarray(np.clip(np.round(levels), 0, 255).astype(np.uint8)).save(folder / name, quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
