"""Digits in the ways that other schools teach: strokes added to and taken from images of the usual forms.

MNIST's writers learnt to write in one country. Elsewhere a 1 has a long upstroke, a 7 a bar, a 4 a short stem
beside a slanting stroke, a 9 a stem that swings out from below its loop, and a 0 ends in a curl.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["otherwise"]

Floats = NDArray[np.float32]
Points = list[tuple[float, float]]
Way = Callable[[Floats, np.random.Generator], Floats | None]

_INKED: Final = 0.3  # levels above this belong to a stroke
_BROADEST: Final = 1 / 7  # of the height: no stroke that is added is broader


def otherwise(ink: Floats, label: int, generator: np.random.Generator) -> tuple[Floats, int]:
    """Ink (h, w) in 0..1, a digit from its top to its bottom, in another school's way; and its label.

    The width may change, the height does not. The label changes where a 9 is made of an 8; digits that are
    written alike everywhere, or of which it cannot be made, are returned as they are.
    """
    ways = _WAYS.get(label)
    if not ways or min(ink.shape) < 3:
        return ink, label
    way, answer = ways[int(generator.integers(len(ways)))]
    made = way(ink, generator)
    return (ink, label) if made is None else (made, answer)


def _stroke(ink: Floats) -> int:
    """The breadth of a stroke in pixels: twice the ink for each pixel of its outline's length."""
    mask = (ink > 0.5).astype(np.uint8)
    outline = float((mask - cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0)).sum())
    breadth = 2 * float(mask.sum()) / max(outline, 1.0)
    return max(1, min(round(breadth), round(len(ink) * _BROADEST)))


def _drawn(ink: Floats, points: Points, stroke: int) -> None:
    """A line through points (x, y), drawn into the ink."""
    at = np.round(np.array(points) * 16).astype(np.int32)
    canvas = np.zeros(ink.shape, np.uint8)
    cv2.polylines(canvas, [at], False, 255, stroke, cv2.LINE_AA, 4)
    np.maximum(ink, canvas.astype(np.float32) / 255, out=ink)


def _curve(start: tuple[float, float], bend: tuple[float, float], end: tuple[float, float]) -> Points:
    """Points of the quadratic Bézier curve from start to end."""
    t = np.linspace(0, 1, 12)[:, None]
    return [
        (float(x), float(y))
        for x, y in (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(end)
    ]


def _column(ink: Floats, row: int, default: float) -> float:
    """The middle of the ink in a row; ``default`` where there is none."""
    inked = np.flatnonzero(ink[min(max(row, 0), len(ink) - 1)] > _INKED)
    return float(inked.mean()) if len(inked) else default


def _one_with_upstroke(ink: Floats, generator: np.random.Generator) -> Floats:
    """A 1 with a stroke up to its top, straight or bent, sometimes on a foot."""
    height, stroke = len(ink), _stroke(ink)
    fall, angle = float(generator.uniform(0.2, 0.95)) * height, float(generator.uniform(0.3, 1.0))
    reach = min(fall * math.tan(angle), 0.7 * height)
    room = round(reach) + stroke
    foot = max(stroke, round(float(generator.uniform(0.15, 0.4)) * height)) if generator.random() < 0.3 else 0
    ink = np.pad(ink, ((0, 0), (room, foot)))
    top = stroke / 2 + (float(generator.uniform(0, 0.08)) * height)
    column = _column(ink, round(top), room)
    end = (column - reach, min(top + fall, height - 1 - stroke / 2))
    bow = float(generator.normal(0, 0.1)) * height
    _drawn(ink, _curve((column, top), ((column + end[0]) / 2 + bow / 2, (top + end[1]) / 2 + bow), end), stroke)
    if foot:
        base = height - 1 - stroke / 2
        column = _column(ink, round(base), column)
        _drawn(ink, [(column - foot, base), (column + foot - 1, base)], stroke)
    return ink


def _one_with_loop(ink: Floats, generator: np.random.Generator) -> Floats:
    """A 1 whose upstroke crosses it and turns into it at the top, as in a written l."""
    height, stroke = len(ink), _stroke(ink)
    reach, loop = (float(generator.uniform(*span)) * height for span in ((0.1, 0.45), (0.05, 0.16)))
    room = round(max(reach, loop)) + stroke
    ink = np.pad(ink, ((0, 0), (room, room)))
    top, crossing = stroke / 2, float(generator.uniform(0.4, 0.8)) * height
    head, waist = _column(ink, round(top), room), _column(ink, round(crossing), room)
    side = 1 if generator.random() < 0.5 else -1
    _drawn(ink, _curve((head, top), (head + 2 * side * loop, (top + crossing) / 3), (waist, crossing)), stroke)
    end = (waist - side * reach, min(crossing + float(generator.uniform(0, 0.35)) * height, height - 1 - stroke / 2))
    _drawn(ink, [(waist, crossing), end], stroke)
    return ink


def _seven_with_bar(ink: Floats, generator: np.random.Generator) -> Floats | None:
    """A 7 with a bar through its stem, sometimes with a tick down from where it begins."""
    height, stroke = len(ink), _stroke(ink)
    row = float(generator.uniform(0.45, 0.68)) * height
    half = float(generator.uniform(0.12, 0.35)) * height
    room = round(half)
    ink = np.pad(ink, ((0, 0), (room, room)))
    if generator.random() < 0.4:
        inked = np.argwhere(ink[: max(2, height // 3)] > _INKED)
        if len(inked):
            y, x = inked[inked[:, 1].argmin()]
            tick = float(generator.uniform(0.08, 0.2)) * height
            _drawn(
                ink, [(x + stroke / 2, y), (x + stroke / 2 - float(generator.normal(0, 0.3)) * tick, y + tick)], stroke
            )
    column = _column(ink, round(row), ink.shape[1] / 2) + float(generator.normal(0, 0.1)) * half
    tilt = float(generator.normal(0, 0.06)) * height
    _drawn(ink, [(column - half, row + tilt), (column + half - 1, row - tilt)], stroke)
    return ink if not _holes(ink) else None  # with one it is a 9


def _zero_with_tail(ink: Floats, generator: np.random.Generator) -> Floats:
    """A 0 that ends in a stroke to its right, as towards a next digit."""
    height, stroke = len(ink), _stroke(ink)
    reach = float(generator.uniform(0.15, 0.45)) * height
    fall, sag = (float(generator.uniform(*span)) * height for span in ((-0.02, 0.3), (0, 0.2)))
    start = ink.shape[1] / 2 + stroke, stroke / 2 + 1
    ink = np.pad(ink, ((0, 0), (0, round(reach))))
    end = (start[0] + reach, max(start[1] + fall, stroke / 2))
    _drawn(ink, _curve(start, ((start[0] + end[0]) / 2, start[1] + sag + fall / 2), end), stroke)
    return ink


def _zero_with_curl(ink: Floats, generator: np.random.Generator) -> Floats:
    """A 0 whose stroke begins or ends inside it."""
    height, width = ink.shape
    stroke = _stroke(ink)
    ink = ink.copy()
    side = 1 if generator.random() < 0.5 else -1
    start = (width / 2 + side * float(generator.uniform(0, 0.25)) * width, stroke / 2 + 0.03 * height)
    down = float(generator.uniform(0.2, 0.55)) * height
    end = (start[0] - side * float(generator.uniform(-0.1, 0.25)) * width, start[1] + down)
    bend = (start[0] - side * float(generator.uniform(0.1, 0.45)) * width, start[1] + 0.4 * down)
    _drawn(ink, _curve(start, bend, end), stroke)
    return ink


def _four_with_short_stem(ink: Floats, generator: np.random.Generator) -> Floats | None:
    """A 4 of a slanting stroke, a bar and a stem that only crosses the bar."""
    height, width = ink.shape
    spans = _spans(ink)
    rows = slice(round(0.35 * height), max(round(0.75 * height), round(0.35 * height) + 1))
    bar, stroke = rows.start + int(np.argmax(spans[rows])), _stroke(ink)
    stem = _column(ink, min(bar + round(0.2 * height), height - 1), 0.7 * width)
    above = max(bar - stroke - round(float(generator.uniform(0, 0.2)) * height), 1)
    edge = max(round(stem - stroke), 0)
    taken = ink.copy()
    taken[:above, edge:] = 0
    rest = np.flatnonzero((taken > _INKED).any(axis=1))
    if not len(rest) or rest[0] > 0.25 * height or rest[0] >= above:
        return None  # nothing but the stem reached up there
    lean = stem - _column(taken, int(rest[0]), stem) + float(generator.uniform(-0.1, 0.3)) * height
    room = max(math.ceil(lean), 1)
    shift = (lean / bar, -lean) if lean > 0 else (0.0, 0.0)
    upper = np.array([[1, shift[0], shift[1]], [0, 1, 0]])  # 0 at the bar, ``lean`` to the right at the top
    taken = np.pad(taken, ((0, 0), (0, room)))
    slanted = cv2.warpAffine(taken, upper, (taken.shape[1], height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(np.vstack([slanted[:bar], taken[bar:]]), np.float32)


def _nine_of_an_eight(ink: Floats, generator: np.random.Generator) -> Floats | None:
    """A 9 whose stem swings out from below its loop: an 8 without the left of its lower loop."""
    height = len(ink)
    rows = np.arange(round(0.35 * height), max(round(0.65 * height), round(0.35 * height) + 1))
    waist, stroke = int(rows[np.argmin(_spans(ink)[rows])]), _stroke(ink)
    hook = float(generator.uniform(0.05, 0.45)) * (height - waist)
    top, bottom = waist + round(0.6 * stroke), height - round(hook)
    lower = np.flatnonzero((ink[waist:] > _INKED).any(axis=0))
    if not len(lower) or bottom <= top or _holes(ink) != 2:
        return None
    middle = float(lower[0] + lower[-1]) / 2
    at = _column(ink, waist, middle)
    ink = ink.copy()
    for row in range(top, bottom):
        edge = at + (middle - at) * min((row - top) / max(0.3 * height, 1), 1.0)
        ink[row, : max(round(edge), 0)] = 0
    return ink if _holes(ink) == 1 and _holes(ink[: waist + stroke]) == 1 else None


def _spans(ink: Floats) -> Floats:
    """How far the ink of each row (h,) reaches from left to right."""
    mask = ink > _INKED
    first, last = mask.argmax(axis=1), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    return np.where(mask.any(axis=1), last - first, 0).astype(np.float32)


def _holes(ink: Floats) -> int:
    """How many pieces of paper are enclosed by ink."""
    paper = np.pad(ink <= _INKED, 1, constant_values=True).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    return int((stats[1:, cv2.CC_STAT_AREA] >= 4).sum()) - 1


_WAYS: Final[dict[int, list[tuple[Way, int]]]] = {
    0: [(_zero_with_tail, 0), (_zero_with_curl, 0)],
    1: [(_one_with_upstroke, 1), (_one_with_upstroke, 1), (_one_with_loop, 1)],
    4: [(_four_with_short_stem, 4)],
    7: [(_seven_with_bar, 7)],
    8: [(_nine_of_an_eight, 9)],
}
