"""What people draw where no digit is: shapes, scribbles, and things as children draw them."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.strokes import LINE, Hand, Pen, hold, log_uniform
from lenet5.synthesis.pages.prints import finished
from lenet5.synthesis.pages.sheet import Sheet, any_ink, any_paper
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import drawing, grained

__all__ = ["KINDS"]

Floats = NDArray[np.float32]
Points = NDArray[np.float64]

_BOARDS: Final = 0.2  # of the papers are dark


def _points(*pairs: tuple[float, float]) -> Points:
    return np.array(pairs, np.float64)


def _arc(x: float, y: float, across: float, up: float, start: float = 0, stop: float = 360) -> Points:
    turns = np.radians(np.linspace(start, stop, 40))
    return np.stack([x + across * np.cos(turns), y + up * np.sin(turns)], axis=1)


def _regular(corners: int, inner: float = 1.0, start: float = -90) -> Points:
    """A closed polygon, or a star where every other corner is at ``inner``."""
    n = corners * 2 if inner < 1 else corners
    turns = np.radians(start + np.arange(n + 1) * 360 / n)
    reach = np.where(np.arange(n + 1) % 2 == 1, inner, 1.0) / 2
    return np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)


def _outline(rng: np.random.Generator) -> Points:
    """One closed shape around (0, 0), about 1 across."""
    kind, wide = int(rng.integers(9)), rng.uniform(0.4, 1)
    if kind == 0:
        return _arc(0, 0, 0.5, 0.5)
    if kind == 1:
        return _points((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5))
    if kind == 2:
        half = wide / 2 if wide < 0.8 else 0.3
        return _points((-0.5, -half), (0.5, -half), (0.5, half), (-0.5, half), (-0.5, -half))
    if kind == 3:
        return _regular(3)
    if kind == 4:
        return _regular(5, rng.uniform(0.35, 0.55))
    if kind == 5:
        return _regular(int(rng.integers(5, 9)))
    if kind == 6:  # a block arrow
        shaft, neck = rng.uniform(0.08, 0.2), rng.uniform(-0.05, 0.2)
        return _points(
            *((-0.5, -shaft), (neck, -shaft), (neck, -0.35), (0.5, 0)),
            *((neck, 0.35), (neck, shaft), (-0.5, shaft), (-0.5, -shaft)),
        )
    if kind == 7:  # a heart
        t = np.linspace(0, 2 * np.pi, 50)
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 34
        return np.stack([16 * np.sin(t) ** 3 / 34, y], axis=1)
    return _points((0, -0.5), (0.35, 0), (0, 0.5), (-0.35, 0), (0, -0.5))  # a rhombus


def _shapes(digits: Digits, rng: np.random.Generator) -> Page:
    """One to four outlines or filled shapes or arrows, exact or drawn by hand, thin or thick."""
    side = int(log_uniform(rng, 28, 700))
    wide, n = round(side * rng.uniform(0.8, 1.6)), int(rng.choice([1, 1, 1, 2, 3, 4]))
    paper, dark = any_paper(rng, _BOARDS)
    sheet, exact = Sheet(side, wide, paper), bool(rng.random() < 0.5)
    for _ in range(n):
        reach = side * (rng.uniform(0.4, 0.85) if n == 1 else rng.uniform(0.2, 0.45))
        colour, turn = any_ink(rng, dark), np.radians(rng.uniform(-180, 180) if rng.random() < 0.4 else 0)
        pen = Pen(log_uniform(rng, 0.012, 0.16))
        if rng.random() < 0.2:
            strokes = _arrow(rng)
        else:
            strokes = [_outline(rng)]
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        strokes = [stroke @ matrix.T for stroke in strokes]
        if rng.random() < 0.3 and len(strokes) == 1:
            ink = _filled(strokes[0], reach)
        else:
            ink = drawing(strokes, reach, pen, rng, 0.0 if exact else 0.012)
        y = int(rng.uniform(0.3, 0.7) * side - ink.shape[0] / 2)
        x = int((rng.uniform(0.35, 0.65) if n == 1 else rng.uniform(0.15, 0.85)) * wide - ink.shape[1] / 2)
        sheet.ink(ink, x, y, colour)
    return finished(sheet, rng, photo=0.3)


def _arrow(rng: np.random.Generator) -> list[Points]:
    """A shaft with two barbs."""
    barb = rng.uniform(0.12, 0.3)
    return [_points((-0.5, 0), (0.5, 0)), _points((0.5 - barb, -barb), (0.5, 0), (0.5 - barb, barb))]


def _filled(points: Points, reach: float) -> Floats:
    """A closed polygon, filled: ink (h, w)."""
    pixels = (points - points.min(axis=0)) * reach + 2
    columns, rows = np.ceil(pixels.max(axis=0)).astype(int) + 3
    level = np.zeros((int(rows), int(columns)), np.uint8)
    cv2.fillPoly(level, [np.round(pixels * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(level / 255, np.float32)


def _scribbles(digits: Digits, rng: np.random.Generator) -> Page:
    """Crayon all over: zigzags, spirals and wild curves in several colours."""
    side = int(rng.integers(80, 900))
    wide = round(side * rng.uniform(0.7, 1.6))
    paper, dark = any_paper(rng, 0.1)
    sheet = Sheet(side, wide, paper)
    for _ in range(int(rng.integers(1, 6))):
        stroke = (_zigzag, _spiral, _wild)[rng.integers(3)](rng)
        height = side * rng.uniform(0.3, 0.9)
        pen = Pen(float(rng.uniform(0.01, 0.07)), pressure=float(rng.choice([0.0, 0.4])))
        ink = drawing([stroke], height, pen, rng, 0.01)
        ink = grained(ink, rng) if rng.random() < 0.6 else ink
        y, x = (int(rng.uniform(-0.1, 0.6) * length) for length in (side, wide))
        sheet.ink(ink, x, y, any_ink(rng, dark))
    return finished(sheet, rng, photo=0.4)


def _zigzag(rng: np.random.Generator) -> Points:
    n = int(rng.integers(8, 40))
    x = np.linspace(-0.5, 0.5, n) + rng.normal(0, 0.02, n)
    y = np.where(np.arange(n) % 2 == 0, -0.4, 0.4) * rng.uniform(0.5, 1.1, n)
    turn = rng.uniform(0, np.pi)
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)


def _spiral(rng: np.random.Generator) -> Points:
    t = np.linspace(0, 2 * np.pi * rng.uniform(3, 9), 300)
    reach = np.linspace(rng.uniform(0.02, 0.4), 0.5, 300) + 0.03 * np.sin(t * rng.uniform(0.3, 2))
    drift = np.linspace(0, rng.uniform(-0.8, 0.8), 300)
    return np.stack([reach * np.cos(t) + drift, reach * np.sin(t)], axis=1)


def _wild(rng: np.random.Generator) -> Points:
    """A smooth curve through random points, long enough to cross itself often."""
    n = int(rng.integers(12, 40))
    knots, at = rng.uniform(-0.5, 0.5, (n, 2)), np.linspace(0, n - 1, n * 12)
    smooth = np.stack([np.interp(at, np.arange(n), knots[:, k]) for k in (0, 1)], axis=1)
    weight = np.hanning(19) / np.hanning(19).sum()
    return np.stack([np.convolve(smooth[:, k], weight, mode="valid") for k in (0, 1)], axis=1)


def _house(rng: np.random.Generator) -> list[Points]:
    door = rng.uniform(-0.2, 0.2)
    return [
        _points((-0.45, 0.5), (-0.45, -0.1), (0.45, -0.1), (0.45, 0.5), (-0.45, 0.5)),
        _points((-0.55, -0.1), (0, -0.55), (0.55, -0.1)),
        _points((door, 0.5), (door, 0.15), (door + 0.18, 0.15), (door + 0.18, 0.5)),
        _points((-0.36, 0.2), (-0.36, 0), (-0.2, 0), (-0.2, 0.2), (-0.36, 0.2)),
    ]


def _face(rng: np.random.Generator) -> list[Points]:
    mouth = rng.uniform(0.05, 0.2) * rng.choice([-1, 1])
    eyes = [_arc(x, -0.15, 0.05, 0.05) for x in (-0.18, 0.18)]
    x = np.linspace(-0.22, 0.22, 12)
    smile = np.stack([x, 0.22 - mouth * (x / 0.22) ** 2], axis=1)
    return [_arc(0, 0, rng.uniform(0.42, 0.5), 0.5), *eyes, smile, _points((0, -0.05), (0.05, 0.08), (0, 0.08))]


def _figure(rng: np.random.Generator) -> list[Points]:
    arm = rng.uniform(-0.25, 0.15)
    return [
        _arc(0, -0.38, 0.12, 0.12),
        _points((0, -0.26), (0, 0.15)),
        _points((-0.25, arm), (0, -0.1), (0.25, arm)),
        _points((-0.2, 0.5), (0, 0.15), (0.2, 0.5)),
    ]


def _flower(rng: np.random.Generator) -> list[Points]:
    n = int(rng.integers(5, 9))
    petals = [_arc(0.2 * np.cos(t), -0.25 + 0.2 * np.sin(t), 0.1, 0.1) for t in np.arange(n) * 2 * np.pi / n]
    leaf = _points((0, 0.3), (0.15, 0.2), (0.22, 0.08), (0.08, 0.16), (0, 0.3))
    return [_arc(0, -0.25, 0.1, 0.1), *petals, _points((0, -0.05), (0.02, 0.2), (0, 0.5)), leaf]


def _tree(rng: np.random.Generator) -> list[Points]:
    clouds = [_arc(x, y, 0.2, 0.18) for x, y in ((-0.15, -0.2), (0.15, -0.2), (0, -0.35))]
    return [_points((-0.07, 0.5), (-0.06, -0.02), (0.06, -0.02), (0.07, 0.5)), *clouds]


def _sun(rng: np.random.Generator) -> list[Points]:
    rays = np.arange(n := int(rng.integers(7, 14))) * 2 * np.pi / n
    return [_arc(0, 0, 0.25, 0.25)] + [np.outer([0.32, 0.5], [np.cos(t), np.sin(t)]) for t in rays]


def _car(rng: np.random.Generator) -> list[Points]:
    body = _points(
        *((-0.6, 0.2), (-0.6, 0), (-0.35, -0.03), (-0.2, -0.25), (0.2, -0.25)),
        *((0.35, -0.03), (0.6, 0.02), (0.6, 0.2), (-0.6, 0.2)),
    )
    return [body, *(_arc(x, 0.22, 0.12, 0.12) for x in (-0.33, 0.33)), _points((0, -0.25), (0, 0))]


def _fish(rng: np.random.Generator) -> list[Points]:
    tail = _points((0.4, 0), (0.6, -0.2), (0.58, 0.2), (0.4, 0))
    return [_arc(0, 0, 0.42, 0.22), tail, _arc(-0.25, -0.05, 0.02, 0.02), _arc(-0.05, 0, 0.08, 0.16, -60, 60)]


_THINGS: Final = (_house, _face, _figure, _flower, _tree, _sun, _car, _fish)


def _things(digits: Digits, rng: np.random.Generator) -> Page:
    """One to four things as children draw them: houses, faces, stick figures, flowers, trees, suns, cars, fish."""
    side, n = int(rng.integers(100, 900)), int(rng.choice([1, 1, 2, 3, 4]))
    wide = round(side * rng.uniform(0.8, 1.2) * (1 if n == 1 else 1.4))
    paper, dark = any_paper(rng, 0.1)
    sheet = Sheet(side, wide, paper)
    for k in range(n):
        height = side * (rng.uniform(0.5, 0.85) if n == 1 else rng.uniform(0.25, 0.5))
        pen, hand = Pen(float(rng.uniform(0.01, 0.05))), Hand(slant=float(rng.normal(0, 0.1)), tremor=0.012, smooth=0.6)
        outline = _THINGS[rng.integers(len(_THINGS))](rng)
        strokes = hold([stroke.astype(np.float32) for stroke in outline], hand, rng, LINE)
        colours = [any_ink(rng, dark) for _ in range(2)]
        centre = ((k + 0.5) / n * wide, rng.uniform(0.4, 0.6) * side)
        for stroke in strokes:
            ink = drawing([stroke], height, pen, rng)
            ink = grained(ink, rng) if rng.random() < 0.3 else ink
            x, y = np.array(centre) + stroke.min(axis=0) * height
            sheet.ink(ink, int(x), int(y), colours[int(rng.random() < 0.3)])
    return finished(sheet, rng, photo=0.4)


KINDS: Final[dict[str, Draw]] = {
    "no digits: shapes": _shapes,
    "no digits: scribbles": _scribbles,
    "no digits: drawings": _things,
}
