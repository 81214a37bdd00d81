"""Draws the demo's pictures: ten digits by ten pens on ten papers, then lines, a form and pages.

    python examples/draw_pictures.py FOLDER

labels.csv names what each shows, lines parted by a slash. The strokes are curves through a few points,
moved a little by a seeded generator; nothing is taken from any data set. The pictures bundled with
the package were drawn by this script.
"""

from __future__ import annotations

import csv
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

# What stands between digits, in the same way.
MARKS: dict[str, list[Points]] = {
    ".": [[(0.05, 1.44), (0.09, 1.46)]],
    ",": [[(0.12, 1.4), (0.12, 1.5), (0.0, 1.7)]],
    "-": [[(0.0, 0.8), (0.3, 0.77), (0.6, 0.79)]],
}


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
    canvas = np.zeros(size[::-1])
    for stroke in STROKES[digit]:
        points = (np.array(stroke) + rng.normal(0, 0.02, (len(stroke), 2)) - (0.5, 0.75)) * height / 1.5
        draw(canvas, curve(points)[::2] + np.array(centre), pen, rng)
    return canvas


def draw(canvas: Floats, path: Floats, pen: float, rng: np.random.Generator) -> None:
    """Ink along a path (M, 2) of pixels, added to a canvas (H, W)."""
    y, x = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    for px, py in path:
        radius = pen / 2 * rng.uniform(0.92, 1.08)
        left, top = max(0, int(px - radius - 2)), max(0, int(py - radius - 2))
        rows, columns = slice(top, int(py + radius + 3)), slice(left, int(px + radius + 3))
        distance = np.hypot(x[:, columns] - px, y[rows] - py)
        canvas[rows, columns] = np.maximum(canvas[rows, columns], np.clip(radius + 0.5 - distance, 0, 1))


def write(
    canvas: Floats,
    text: str,
    start: tuple[float, float],
    height: float,
    pen: float,
    gap: float,
    rng: np.random.Generator,
    step: float = 0.0,
) -> float:
    """Write digits and marks from ``start`` (left, top), ``gap`` of their height apart; returns where they end.

    With ``step`` each begins that many pixels after the last one, in the middle of its place, as in boxes.
    """  # fmt: skip
    left, slant = start[0], rng.uniform(-0.08, 0.16)
    for place, character in enumerate(text):
        strokes = [np.array(s) for s in (STROKES[int(character)] if character.isdigit() else MARKS[character])]
        tall = height * rng.uniform(0.92, 1.06) / 1.5
        low, high = min(s[:, 0].min() for s in strokes), max(s[:, 0].max() for s in strokes)
        if step:
            left = start[0] + place * step + (step - (high - low) * tall) / 2
        top = start[1] + rng.uniform(-0.05, 0.05) * height
        for stroke in strokes:
            moved = stroke + rng.normal(0, 0.025, stroke.shape) - (low, 0)
            moved[:, 0] += slant * (0.75 - moved[:, 1])
            draw(canvas, curve(moved * tall)[::2] + np.array((left, top)), pen, rng)
        left += (high - low) * tall + gap * height * rng.uniform(0.85, 1.2)
    return left


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


def boxes(paper: Floats, left: int, top: int, count: int, side: int, colour: tuple[int, int, int]) -> None:
    """Print a row of square boxes for one digit each."""
    for edge in (top, top + side):
        paper[edge : edge + 2, left : left + count * side + 2] = colour
    for edge in range(left, left + count * side + 1, side):
        paper[top : top + side + 2, edge : edge + 2] = colour


def guilloche(size: tuple[int, int]) -> Floats:
    """The wavy print of a cheque."""
    paper = plain(size, (232, 236, 226))
    x = np.arange(size[0])
    for k in range(-size[1] // 9, size[1] // 6):
        for turn in (1, -1):
            y = (9 * k + 26 * np.sin(x / 37 + turn * k / 5) + turn * x / 7).astype(int)
            inside = (y >= 0) & (y < size[1])
            paper[y[inside], x[inside]] = (196, 208, 200)
    return paper


def turned(picture: Floats, degrees: float, outside: tuple[int, int, int]) -> Floats:
    """The sheet turned a little, as it lies on a table."""
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=outside), float)


def written(rng: np.random.Generator) -> dict[str, tuple[Floats, str]]:
    """Lines, a form and pages by file name, (H, W, 3) in 0..255, each with its text, lines parted by a slash."""

    def lines(size: tuple[int, int], texts: list[tuple[str, float, float]], height: float, pen: float, gap: float,
              step: float = 0.0) -> Floats:  # fmt: skip
        canvas = np.zeros(size[::-1])
        for text, left, top in texts:
            write(canvas, text, (left, top), height, pen, gap, rng, step)
        return canvas

    blue, black = (28, 44, 130), (30, 30, 34)
    amount = paint(guilloche((460, 130)), black, 0.9 * lines((460, 130), [("60.000,-", 40, 36)], 56, 5, 0.22))
    touching = paint(plain((470, 150)), black, lines((470, 150), [("340908", 40, 32)], 82, 7, 0.0))
    on_lines = ruled((560, 170), 56, False, (176, 196, 224))
    on_lines = paint(on_lines, blue, 0.92 * lines((560, 170), [("4875390162", 34, 63)], 44, 4.5, 0.28))
    form = plain((620, 330), (250, 250, 247))
    rows = [("01111998", 40, 40), ("2278", 40, 130), ("2324", 40, 220)]
    for text, left, top in rows:
        boxes(form, left, top, len(text), 64, (120, 130, 140))
    form = paint(form, blue, 0.95 * lines((620, 330), [(t, x + 1, y + 11) for t, x, y in rows], 42, 4.5, 0, step=64))
    parameters = ["156", "12", "1516", "32", "48120", "10164", "60000"]
    column = [(text, 330 - 42 * len(text), 28 + 66 * k + 12 * (k == 6)) for k, text in enumerate(parameters)]
    opacity = lines((420, 530), column, 42, 4, 0, step=42)
    draw(opacity, np.linspace((100, 422), (350, 425), 200), 3.5, rng)
    squared = photographed(paint(ruled((420, 530), 22, True, (190, 205, 216)), black, 0.9 * opacity), rng, 0.75, 2.0)
    connections = ["122304", "5880", "151600", "2000", "48120", "10164", "840", "340908"]
    sheet = [(text, 150 + rng.uniform(-6, 6), 90 + 92 * k) for k, text in enumerate(connections)]
    page = paint(plain((640, 880), (244, 242, 236)), blue, 0.92 * lines((640, 880), sheet, 50, 5, 0.26))
    page = photographed(turned(page, 2.0, (244, 242, 236)), rng, 0.6, 2.5)
    return {
        "amount-on-a-cheque.jpg": (amount + rng.normal(0, 2, amount.shape), "60000"),
        "form-with-boxes.png": (form, "/".join(text for text, _, _ in rows)),
        "line-on-lined-paper.png": (on_lines, "4875390162"),
        "page-in-shadow.jpg": (page, "/".join(connections)),
        "sum-on-squared-paper.jpg": (squared, "/".join(parameters)),
        "touching-digits.png": (touching, "340908"),
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1998)
    drawn = {name: (levels, name[0]) for name, levels in pictures(rng).items()} | written(rng)
    for name, (levels, _) in drawn.items():
        Image.fromarray(np.clip(np.round(levels), 0, 255).astype(np.uint8)).save(folder / name, quality=90)
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("file", "text"), *((n, t) for n, (_, t) in drawn.items())])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
