"""Pen strokes → ink: one writing with any pen, hand and paper.

What a tablet recorded is resampled along the stroke, smoothed (some tablets are coarse), put into another hand (slant,
proportions, tremor, strokes that overshoot) and drawn by a pen between a hairline and a broad marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BROADEST",
    "HAIRLINE",
    "LINE",
    "WRITTEN",
    "Hand",
    "Pen",
    "any_hand",
    "any_pen",
    "drawn_separator",
    "frame_of",
    "hold",
    "ink_of",
    "log_uniform",
    "placed",
]

Floats = NDArray[np.float32]
Strokes = Sequence[Floats]
"""Polylines (n, 2) float32: x to the right, y downwards."""

HAIRLINE: Final = 0.025
"""Width of the finest pen, in heights of a digit."""

BROADEST: Final = 0.26
"""Width of the broadest pen, in heights of a digit."""

LINE: Final = (np.zeros(2, np.float32), 1.0)
"""The frame of strokes that are already in heights of a line's digits, around their middle."""

WRITTEN: Final = "/()%"
"""The separators that are taken from UNIPEN; its dots and dashes are a few grid points, and are drawn instead."""

_FINER: Final = 4  # ink is drawn at this many times its resolution, then averaged down
_SHIFT: Final = 4  # fractional bits of OpenCV's coordinates
_STEP: Final = 0.04  # of the height: strokes are resampled to points so far apart


@dataclass(frozen=True)
class Hand:
    """How one writer's strokes are changed.

    ``slant`` in x for each y upwards, ``wide`` the factor of the width, ``turn`` in radians; ``tremor`` the standard
    deviation of a smooth displacement and ``overshoot`` the mean length by which strokes go on beyond their ends, both
    in heights; ``smooth`` the standard deviation of the smoothing along the stroke, in points.

    >>> stem = [np.array([[0, -0.5], [0, 0.5]], np.float32)]
    >>> (held,) = hold(stem, Hand(slant=0.2), np.random.default_rng(0), LINE)
    >>> [round(float(x), 1) for x in held[[0, -1], 0]]  # the upper end moves to the right, the lower one to the left
    [0.1, -0.1]
    """

    slant: float = 0.0
    wide: float = 1.0
    turn: float = 0.0
    tremor: float = 0.0
    overshoot: float = 0.0
    smooth: float = 1.0


@dataclass(frozen=True)
class Pen:
    """A pen: ``width`` in heights of a digit, ``pressure`` how far the width varies along a stroke (0..1), ``grain``
    the share of the ink that rough paper leaves out (0 for ballpoint and marker; pencil, chalk and crayon more).

    >>> stem = [np.array([[0, 0], [0, 1]], np.float32)]
    >>> inks = [ink_of(stem, 40, Pen(width), np.random.default_rng(0)) for width in (0.1, 0.2)]
    >>> [int((ink > 0.5).any(axis=0).sum()) for ink in inks]  # pixels: width · 40
    [4, 8]
    """

    width: float
    pressure: float = 0.0
    grain: float = 0.0


def log_uniform(generator: np.random.Generator, least: float, most: float) -> float:
    """A size between two, drawn so that its logarithm is uniform: it is below √(least · most) half of the time.

    >>> generator = np.random.default_rng(0)
    >>> sizes = [log_uniform(generator, 1, 100) for _ in range(1000)]
    >>> 450 < sum(size < 10 for size in sizes) < 550
    True
    """
    return float(np.exp(generator.uniform(np.log(least), np.log(most))))


def any_pen(generator: np.random.Generator) -> Pen:
    """A pen drawn at random: hairline to marker, about a third with visible pressure, one in six with grain.

    >>> generator = np.random.default_rng(0)
    >>> pens = [any_pen(generator) for _ in range(200)]
    >>> all(HAIRLINE <= pen.width <= BROADEST for pen in pens), sum(pen.pressure > 0 for pen in pens)
    (True, 67)
    """
    width = log_uniform(generator, HAIRLINE, BROADEST)
    pressure = float(generator.uniform(0.2, 0.6)) if generator.random() < 0.35 else 0.0
    grain = float(generator.uniform(0.1, 0.5)) if generator.random() < 0.15 else 0.0
    return Pen(width, pressure, grain)


def any_hand(generator: np.random.Generator) -> Hand:
    """A random hand.

    >>> generator = np.random.default_rng(0)
    >>> [round(any_hand(generator).slant, 2) for _ in range(4)]
    [0.02, 0.2, -0.35, 0.06]
    """
    return Hand(
        slant=float(generator.normal(0, 0.15)),
        wide=float(np.exp(generator.normal(0, 0.15))),
        turn=float(generator.normal(0, 0.06)),
        tremor=float(generator.uniform(0, 0.02)),
        overshoot=float(generator.uniform(0, 0.06)) if generator.random() < 0.3 else 0.0,
        smooth=float(generator.uniform(0.5, 1.8)),
    )


def frame_of(strokes: Strokes) -> tuple[Floats, float]:
    """The middle (x, y) of the strokes' box and its height; a level stroke counts as a third of its width.

    >>> middle, height = frame_of([np.array([[0, 0], [4, 10]], np.float32)])
    >>> middle.tolist(), height
    ([2.0, 5.0], 10.0)
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((low + high) / 2), max(float(high[1] - low[1]), 0.3 * float(high[0] - low[0]), 1e-6)


def hold(
    strokes: Strokes, hand: Hand, generator: np.random.Generator, frame: tuple[Floats, float] | None = None
) -> list[Floats]:
    """Strokes as this hand writes them, resampled; in units and around the middle of ``frame``, by default their own
    (:func:`frame_of`).

    >>> stem = np.array([[3, 0], [3, 10]], np.float32)
    >>> (held,) = hold([stem], Hand(), np.random.default_rng(0))
    >>> held[[0, -1]].round(1).tolist()  # one high, around (0, 0)
    [[0.0, -0.5], [0.0, 0.5]]
    """
    middle, unit = frame or frame_of(strokes)
    cos, sin = np.cos(hand.turn), np.sin(hand.turn)
    turn = np.array([[cos * hand.wide, sin], [-sin * hand.wide, cos]], np.float32)
    held = []
    for stroke in strokes:
        line = _resampled((stroke - middle) / np.float32(unit), hand.smooth)
        if hand.overshoot and len(line) > 2:
            line = _overshot(line, hand.overshoot, generator)
        if hand.tremor and len(line) > 2:
            line = line + _tremor(len(line), hand.tremor, generator)
        line = line @ turn
        line[:, 0] -= np.float32(hand.slant) * line[:, 1]
        held.append(line.astype(np.float32))
    return held


def ink_of(strokes: Strokes, height: float, pen: Pen, generator: np.random.Generator) -> Floats:
    """The ink (h, w) float32 in 0..1 of strokes in units of ``height`` pixels, with a margin for the pen.

    >>> plus = [np.array([[-0.5, 0], [0.5, 0]], np.float32), np.array([[0, -0.5], [0, 0.5]], np.float32)]
    >>> ink = ink_of(plus, 8, Pen(0.15), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.3)] for level in row) for row in ink))
    ··············
    ··············
    ·······#······
    ······##······
    ······##······
    ······##······
    ···#########··
    ··##########··
    ······##······
    ······##······
    ······##······
    ······##······
    ··············
    ··············
    """
    shares, _ = placed([strokes], height, pen, generator)
    return np.asarray(shares[0])


def placed(
    writings: Sequence[Strokes], height: float, pen: Pen, generator: np.random.Generator
) -> tuple[Floats, tuple[float, float]]:
    """The ink (n, h, w) of each of several writings in one picture, and where (x, y) = (0, 0) is in it, in pixels.

    >>> stems = [[np.array([[x, -0.5], [x, 0.5]], np.float32)] for x in (0, 1)]
    >>> inks, (x, y) = placed(stems, 20, Pen(0.1), np.random.default_rng(0))
    >>> [int(ink.sum(axis=0).argmax()) for ink in inks], (x, y)  # 20 columns apart; the first is at x
    ([3, 23], (3.0, 13.0))
    """
    every = np.concatenate([stroke for strokes in writings for stroke in strokes]) * height
    margin = pen.width * height / 2 + 2
    low, high = np.floor(every.min(axis=0) - margin), np.ceil(every.max(axis=0) + margin)
    columns, rows = (int(n) for n in np.maximum(high - low, 4))
    texture = _texture((rows, columns), pen.grain, generator) if pen.grain else None
    levels = np.empty((len(writings), rows, columns), np.float32)
    for level, strokes in zip(levels, writings, strict=True):
        fine = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
        for stroke in strokes:
            _draw(fine, (stroke * np.float32(height) - low) * _FINER, pen, height, generator)
        np.multiply(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA), np.float32(1 / 255), out=level)
        if texture is not None:
            level *= texture
    return levels, (float(-low[0]), float(-low[1]))


def drawn_separator(character: str, generator: np.random.Generator) -> list[Floats]:
    """A separator as plain strokes, for where nobody's own is at hand: y from −0.5 to 0.5 is a digit's height.

    >>> colon = drawn_separator(":", np.random.default_rng(0))
    >>> [round(float(stroke[:, 1].mean()), 1) for stroke in colon]  # two dots, from the middle of the digits
    [-0.2, 0.2]
    """

    def point(x: float, y: float) -> Floats:
        return np.array([[x, y], [x + 0.01, y + 0.01]], np.float32)

    def line(*points: tuple[float, float]) -> Floats:
        return np.array(points, np.float32)

    tilt = generator.normal(0, 0.04)
    if character == "/":
        lean, reach = generator.uniform(0.12, 0.35), generator.uniform(0.45, 0.75)
        return [line((-lean, reach), (lean, -reach))]
    if character == ":":
        top, low, side = generator.uniform(-0.3, -0.05), generator.uniform(0.2, 0.45), generator.normal(0, 0.03)
        return [point(side, top), point(-side, low)]
    if character == "-":
        half, y = generator.uniform(0.1, 0.4), generator.normal(0.03, 0.08)
        return [line((-half, y - tilt), (half, y + tilt))]
    if character == ".":
        return [point(0, generator.uniform(0.4, 0.52))]
    if character == ",":
        top, long = generator.uniform(0.38, 0.5), generator.uniform(0.1, 0.3)
        lean = generator.uniform(0.02, 0.14)
        return [line((lean, top), (lean * 0.8, top + long / 2), (-lean, top + long))]
    if character == "%":
        angles = np.linspace(0, 2 * np.pi, 12)
        r = generator.uniform(0.12, 0.2)
        ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * r
        across = generator.uniform(0.22, 0.35)
        rings = [(ring + at).astype(np.float32) for at in ((-across, -0.3), (across, 0.3))]
        return [*rings, line((across, -0.48), (-across, 0.48))]
    reach, bow = generator.uniform(0.5, 0.75), generator.uniform(0.12, 0.3)
    t = np.linspace(-1, 1, 9)
    side = 1 if character == "(" else -1
    return [np.stack([side * bow * (t**2 - 0.5), reach * t], axis=1).astype(np.float32)]


def _resampled(line: Floats, smooth: float) -> Floats:
    """Points (m, 2) at even steps along a polyline (n, 2), smoothed along it; its ends stay."""
    steps = np.sqrt(np.square(np.diff(line, axis=0)).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < _STEP:
        return line[:1] if len(line) == 1 else line[[0, -1]]
    n = max(3, int(along[-1] / _STEP) + 1)
    at = np.linspace(0, along[-1], n)
    even = np.stack([np.interp(at, along, line[:, k]) for k in (0, 1)], axis=1).astype(np.float32)
    reach = min(4, (n - 1) // 2)
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smooth) ** 2)
    weight /= weight.sum()
    framed = np.concatenate([2 * even[0] - even[reach:0:-1], even, 2 * even[-1] - even[-2 : -2 - reach : -1]])
    return np.stack([np.convolve(framed[:, k], weight, mode="valid") for k in (0, 1)], axis=1).astype(np.float32)


def _overshot(line: Floats, mean: float, generator: np.random.Generator) -> Floats:
    """The line prolonged at one or both ends in its direction there."""
    ends = []
    for end, before in ((line[0], line[2]), (line[-1], line[-3])):
        away = end - before
        length = max(float(np.hypot(*away)), 1e-6)
        ends.append(end + away / np.float32(length) * np.float32(generator.exponential(mean)))
    first, last = generator.random(2) < 0.6
    return np.concatenate([ends[:1] if first else line[:0], line, ends[1:] if last else line[:0]])


def _tremor(n: int, size: float, generator: np.random.Generator) -> Floats:
    """A smooth displacement (n, 2) of this standard deviation along a stroke."""
    knots = generator.normal(0, size, (max(3, n // 4), 2))
    at, where = np.linspace(0, 1, n), np.linspace(0, 1, len(knots))
    return np.stack([np.interp(at, where, knots[:, k]) for k in (0, 1)], axis=1).astype(np.float32)


def _draw(fine: NDArray[np.uint8], line: Floats, pen: Pen, height: float, generator: np.random.Generator) -> None:
    """One polyline in pixels of ``fine``, by a round pen."""
    points = np.round(line * (1 << _SHIFT)).astype(np.int32)
    width = pen.width * height * _FINER
    if len(points) == 1 or float(np.ptp(line, axis=0).max()) < 1:
        centre = tuple(int(v) for v in points[0])
        radius = width / 2 * generator.uniform(1.0, 1.5)  # a dot is pressed
        cv2.circle(fine, centre, max(1, round(radius * (1 << _SHIFT))), 255, -1, cv2.LINE_8, _SHIFT)
    elif not pen.pressure:
        cv2.polylines(fine, [points], False, 255, max(1, round(width)), cv2.LINE_8, _SHIFT)
    else:
        knots = 1 - pen.pressure * generator.random(max(3, len(points) // 6))
        widths = width * np.interp(np.linspace(0, 1, len(points) - 1), np.linspace(0, 1, len(knots)), knots)
        for start, stop, width in zip(points[:-1].tolist(), points[1:].tolist(), widths.tolist(), strict=True):
            cv2.line(fine, start, stop, 255, max(1, round(width)), cv2.LINE_8, _SHIFT)


def _texture(shape: tuple[int, int], grain: float, generator: np.random.Generator) -> Floats:
    """The fraction of the ink that rough paper (h, w) takes: 0..1, low where the grain is."""
    rows, columns = shape
    coarse = generator.uniform(1.0, 2.5)
    noise = generator.random((max(2, round(rows / coarse)), max(2, round(columns / coarse))), np.float32)
    rough = cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip((rough - grain) / 0.25 + 0.5, 0.15, 1), np.float32)
