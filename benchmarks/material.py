"""Strings and pages with known truth, set from MNIST digits on paper: what the reading benchmarks read.

Everything is drawn from a passed generator, so that a seed gives the same pictures everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Box

__all__ = ["PENS", "SPACINGS", "Material", "glyph", "on_paper", "page", "pens", "string_ink", "strings", "tight"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SPACINGS: Final = ("spaced", "touching", "overlapping")
PENS: Final = ("hairline", "marker")

_MOST_OVERLAP: Final = 0.15  # of the narrower digit's width: how far overlapping digits go beyond their first contact
_MOST_BOXES: Final = 0.3  # of the narrower digit's width: boxes of neighbours overlap no more, as under the bar of a 7
_CONTACT: Final = 0.35  # ink level at which a pixel of the first contact counts
_DOTS_A_MILLIMETRE: Final = 300 / 25.4


@dataclass(frozen=True)
class Material:
    """A grey picture (H, W) uint8, its text (lines parted by a line break) and the box of every digit."""

    picture: Bytes
    text: str
    boxes: tuple[Box, ...]


def strings(images: Bytes, labels: Bytes, spacing: str, count: int, rng: np.random.Generator) -> Iterator[Material]:
    """``count`` strings of 2–10 digits (28×28 with their labels), enlarged 2–3 times, one line each.

    "spaced" leaves 0.15–0.6 of a digit's width between boxes; "touching" moves each digit to the
    left until its ink first meets its neighbour's; "overlapping" goes on from there by up to 15% of
    the narrower width.
    """
    for _ in range(count):
        scale = rng.uniform(2, 3)
        ink, text, boxes = string_ink(images, labels, spacing, scale, rng)
        right, down = int(rng.uniform(6, 20) * scale), int(rng.uniform(6, 20) * scale)
        moved = tuple(_moved(box, right, down) for box in boxes)
        yield Material(on_paper(np.pad(ink, ((down,), (right,))), rng), text, moved)


def string_ink(
    images: Bytes, labels: Bytes, spacing: str, scale: float, rng: np.random.Generator
) -> tuple[Floats, str, list[Box]]:
    """The ink (h, w) in 0..1 of one such string, its text and boxes."""
    chosen = rng.integers(0, len(images), rng.integers(2, 11))
    ink, boxes = _line([glyph(images[k], scale * rng.uniform(0.9, 1.1)) for k in chosen], spacing, rng)
    return ink, "".join(str(labels[k]) for k in chosen), boxes


def pens(images: Bytes, labels: Bytes, pen: str, count: int, rng: np.random.Generator) -> Iterator[Material]:
    """``count`` spaced strings of a "hairline" pen, one pixel wide, or a "marker", which thickens strokes a lot."""
    for _ in range(count):
        ink, text, boxes = string_ink(images, labels, "spaced", rng.uniform(2, 3), rng)
        if pen == "hairline":
            ink = np.asarray(np.pad(_thinned(ink > _CONTACT), 12), np.float32)
            yield Material(np.where(ink > 0, 60, 235).astype(np.uint8), text, tuple(_moved(b, 12, 12) for b in boxes))
        else:
            tall = max(box.bottom - box.top for box in boxes)
            round_tip = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(3, tall // 9) | 1,) * 2)
            spread = cv2.dilate(np.pad(ink, tall // 3), round_tip)
            yield Material(on_paper(spread, rng), text, tuple(_moved(b, tall // 3, tall // 3) for b in boxes))


def _thinned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Strokes down to their middle lines, one pixel wide (Zhang & Suen 1984)."""
    thin = np.pad(mask, 1)
    while True:
        before = thin.sum()
        for first in (True, False):
            n, e, s, w = (np.roll(thin, shift, axis) for shift, axis in ((1, 0), (-1, 1), (-1, 0), (1, 1)))
            ne, se, sw, nw = (np.roll(side, shift, 1) for side, shift in ((n, -1), (s, -1), (s, 1), (n, 1)))
            ring = np.stack([n, ne, e, se, s, sw, w, nw, n]).astype(np.int8)
            neighbours, turns = ring[:8].sum(axis=0), (np.diff(ring, axis=0) == 1).sum(axis=0)
            open_side = ~(n & e & s) & ~(e & s & w) if first else ~(n & e & w) & ~(n & s & w)
            thin = thin & ~((neighbours >= 2) & (neighbours <= 6) & (turns == 1) & open_side)
        if thin.sum() == before:
            return thin[1:-1, 1:-1]


def page(images: Bytes, labels: Bytes, groups: tuple[int, ...], lines: int, rng: np.random.Generator) -> Material:
    """An A4 page at 300 dots an inch: ``lines`` rows of spaced digits 4–6 mm high, in groups of so many digits."""
    width, height = round(210 * _DOTS_A_MILLIMETRE), round(297 * _DOTS_A_MILLIMETRE)
    canvas = np.zeros((height, width), np.float32)
    pitch = height / (lines + 2)
    texts, boxes = [], []
    for line in range(lines):
        left, text = round(0.08 * width + rng.uniform(0, 40)), ""
        for group in groups:
            chosen = rng.integers(0, len(images), group)
            scale = rng.uniform(4, 5.5) * _DOTS_A_MILLIMETRE / 20  # a digit is 20 pixels high in MNIST
            ink, found = _line([glyph(images[k], scale * rng.uniform(0.92, 1.08)) for k in chosen], "spaced", rng)
            top = round((line + 1.5) * pitch - ink.shape[0] / 2)
            place = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
            np.maximum(place, ink[:, : place.shape[1]], out=place)
            boxes += [_moved(box, left, top) for box in found]
            text += "".join(str(labels[k]) for k in chosen)
            left += ink.shape[1] + round(rng.uniform(8, 14) * _DOTS_A_MILLIMETRE)
        texts.append(text)
    return Material(on_paper(canvas, rng), "\n".join(texts), tuple(boxes))


def tight(image: Bytes) -> Floats:
    """A 28×28 digit cut to its ink: (h, w) in 0..1."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255


def glyph(image: Bytes, scale: float) -> Floats:
    """A 28×28 digit cut to its ink and enlarged, anti-aliased: (h, w) in 0..1."""
    ink = tight(image)
    size = (max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale)))
    return np.clip(cv2.resize(np.pad(ink, 1), (size[0] + 4, size[1] + 4), interpolation=cv2.INTER_CUBIC), 0, 1)


def _line(glyphs: list[Floats], spacing: str, rng: np.random.Generator) -> tuple[Floats, list[Box]]:
    """Digits set on a slightly rising or falling baseline: ink (h, w), and their boxes in it."""
    tallest = max(glyph.shape[0] for glyph in glyphs)
    slope = rng.uniform(-0.02, 0.02)
    canvas = np.zeros((2 * tallest, sum(glyph.shape[1] for glyph in glyphs) * 2 + tallest), np.float32)
    boxes: list[Box] = []
    for glyph in glyphs:
        height, width = glyph.shape
        left = boxes[-1].right + round(rng.uniform(0.15, 0.6) * width) if boxes else 0
        top = round(1.6 * tallest - height + slope * left + rng.uniform(-0.06, 0.06) * tallest)
        top = min(max(top, 0), 2 * tallest - height)
        if boxes and spacing != "spaced":
            left = _contact(canvas, boxes[-1], glyph, top)
            if spacing == "overlapping":
                narrower = min(width, boxes[-1].right - boxes[-1].left)
                left -= round(rng.uniform(0, _MOST_OVERLAP) * narrower)
        place = canvas[top : top + height, left : left + width]
        np.maximum(place, glyph, out=place)
        boxes.append(Box(left, top, left + width, top + height))
    top, bottom = min(box.top for box in boxes), max(box.bottom for box in boxes)
    right = max(box.right for box in boxes)
    return canvas[top:bottom, :right], [_moved(box, 0, -top) for box in boxes]


def _contact(canvas: Floats, before: Box, glyph: Floats, top: int) -> int:
    """Where a glyph's left edge is when its ink first meets that on the canvas, or its box is far into the last one."""
    height, width = glyph.shape
    least = before.right - round(_MOST_BOXES * min(width, before.right - before.left))
    for left in range(before.right, least, -1):
        if ((canvas[top : top + height, left : left + width] > _CONTACT) & (glyph > _CONTACT)).any():
            return left
    return least


def _moved(box: Box, right: int, down: int) -> Box:
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def on_paper(ink: Floats, rng: np.random.Generator) -> Bytes:
    """Ink (H, W) in 0..1 as a grey picture: light that falls off to one side, a soft pen, sensor noise."""
    height, width = ink.shape
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.15)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(np.cos(angle))
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(np.sin(angle))
    light = rng.uniform(0.72, 0.92) + fall * (across[None] + down[:, None])
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 0.9))
    grey = light * (1 - rng.uniform(0.6, 0.9) * soft)
    grey += rng.standard_normal(grey.shape, np.float32) * np.float32(rng.uniform(0.008, 0.02))
    return np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8)
