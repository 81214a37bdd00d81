"""Strings and an A4 page of numbers: dark ink on grey paper, digits spaced, touching or overlapping."""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.result import Box
from lenet5.synthesis.neighbours import INKED, columns_between
from lenet5.synthesis.pages.papers import on_paper
from lenet5.synthesis.pages.truth import UNIT, Digits, Draw, Glyph, Page, moved, true_line

__all__ = ["KINDS", "PENS", "SPACINGS", "a4_page", "enlarged", "pen_string", "string", "string_ink", "thinned"]

Floats = NDArray[np.float32]

SPACINGS: Final = ("spaced", "touching", "overlapping")
PENS: Final = ("hairline", "marker")

_MOST_OVERLAP: Final = 0.15  # of the narrower digit's width: how far overlapping digits go beyond their first contact
_MOST_BOXES: Final = 0.3  # of the narrower digit's width: boxes of neighbours overlap no more, as under the bar of a 7
_DOTS_A_MILLIMETRE: Final = 300 / 25.4


def string(digits: Digits, rng: np.random.Generator, spacing: str) -> Page:
    """2–10 digits on one line, enlarged 2–3 times.

    "spaced" leaves 0.15–0.6 of a digit's width between boxes; "touching" moves each digit to the left until its ink
    first meets its neighbour's; "overlapping" goes on from there by up to 15% of the narrower width.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> pages = [string(bars, np.random.default_rng(0), spacing) for spacing in SPACINGS]
    >>> [(page.text, page.boxes[1].left - page.boxes[0].right) for page in pages]
    [('111111', 7), ('111111', -4), ('111111', -6)]
    """
    scale = rng.uniform(2, 3)
    ink, text, boxes = string_ink(digits, spacing, scale, rng)
    right, down = int(rng.uniform(6, 20) * scale), int(rng.uniform(6, 20) * scale)
    line = true_line(text, [moved(box, right, down) for box in boxes])
    return Page(on_paper(np.pad(ink, ((down,), (right,))), rng), (line,))


def string_ink(digits: Digits, spacing: str, scale: float, rng: np.random.Generator) -> tuple[Floats, str, list[Box]]:
    """The ink (h, w) in 0..1 of one such string, its text and boxes.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> ink, text, boxes = string_ink(bars, "spaced", 2.0, np.random.default_rng(0))
    >>> text, len(boxes), boxes[0], ink.shape[1] == boxes[-1].right
    ('111111111', 9, Box(left=0, top=1, right=12, bottom=43), True)
    """
    glyphs = digits(rng, int(rng.integers(2, 11)))
    ink, boxes = _line([enlarged(glyph, scale * rng.uniform(0.9, 1.1)) for glyph in glyphs], spacing, rng)
    return ink, _text(glyphs), boxes


def pen_string(digits: Digits, rng: np.random.Generator, pen: str) -> Page:
    """A spaced string of a "hairline" pen, one pixel wide, or a "marker", which thickens strokes a lot.

    >>> bars = lambda generator, n: [Glyph(np.ones((20, 6), np.float32), 1)] * n  # writes only 1s
    >>> dark = [pen_string(bars, np.random.default_rng(0), pen).picture < 128 for pen in PENS]
    >>> [float(mask.mean().round(2)) for mask in dark]  # the fraction that is ink
    [0.01, 0.32]
    """
    ink, text, boxes = string_ink(digits, "spaced", rng.uniform(2, 3), rng)
    if pen == "hairline":
        ink = np.asarray(np.pad(thinned(ink > INKED), 12), np.float32)
        picture = np.where(ink > 0, 60, 235).astype(np.uint8)
        return Page(picture, (true_line(text, [moved(box, 12, 12) for box in boxes]),))
    tall = max(box.bottom - box.top for box in boxes)
    margin, tip = tall // 3, max(3, tall // 9) | 1
    round_tip = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (tip, tip))
    spread = np.asarray(cv2.dilate(np.pad(ink, margin), round_tip), np.float32)
    shifted = [moved(box, margin, margin) for box in boxes]
    half = tip // 2
    wide = [Box(box.left - half, box.top - half, box.right + half, box.bottom + half) for box in shifted]
    return Page(on_paper(spread, rng), (true_line(text, wide),))


def thinned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Strokes (H, W) down to their middle lines, one pixel wide (Zhang & Suen 1984).

    >>> bar = np.zeros((7, 9), bool)  # five rows thick
    >>> bar[1:6, 1:8] = True
    >>> print("\\n".join("".join("·#"[int(inked)] for inked in row) for row in thinned(bar)))
    ·········
    ·········
    ·········
    ···##····
    ·········
    ·········
    ·········
    """
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


def a4_page(digits: Digits, rng: np.random.Generator, groups: tuple[int, ...], rows: int) -> Page:
    """An A4 page at 300 dots an inch: rows of spaced digits 4–6 mm high, in groups of so many digits."""
    width, height = round(210 * _DOTS_A_MILLIMETRE), round(297 * _DOTS_A_MILLIMETRE)
    canvas = np.zeros((height, width), np.float32)
    pitch = height / (rows + 2)
    lines = []
    for row in range(rows):
        left, text, boxes = round(0.08 * width + rng.uniform(0, 40)), "", []
        for group in groups:
            glyphs = digits(rng, group)
            scale = rng.uniform(4, 5.5) * _DOTS_A_MILLIMETRE / 20
            ink, local = _line([enlarged(glyph, scale * rng.uniform(0.92, 1.08)) for glyph in glyphs], "spaced", rng)
            top = round((row + 1.5) * pitch - ink.shape[0] / 2)
            place = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
            np.maximum(place, ink[:, : place.shape[1]], out=place)
            boxes += [moved(box, left, top) for box in local]
            text += _text(glyphs)
            left += ink.shape[1] + round(rng.uniform(8, 14) * _DOTS_A_MILLIMETRE)
        lines.append(true_line(text, boxes))
    return Page(on_paper(canvas, rng), tuple(lines))


def enlarged(glyph: Glyph, scale: float) -> Floats:
    """A digit enlarged by ``scale`` from MNIST's size, anti-aliased: (h, w) in 0..1.

    >>> enlarged(Glyph(np.ones((20, 10), np.float32), 1), 2.0).shape  # and two pixels of paper around it
    (44, 24)
    """
    factor = scale * (UNIT / glyph.unit)
    size = (max(2, round(glyph.ink.shape[1] * factor)), max(2, round(glyph.ink.shape[0] * factor)))
    return np.clip(cv2.resize(np.pad(glyph.ink, 1), (size[0] + 4, size[1] + 4), interpolation=cv2.INTER_CUBIC), 0, 1)


def _text(glyphs: list[Glyph]) -> str:
    return "".join(str(glyph.label) for glyph in glyphs)


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
    return canvas[top:bottom, :right], [moved(box, 0, -top) for box in boxes]


def _contact(canvas: Floats, before: Box, glyph: Floats, top: int) -> int:
    """Where a glyph's left edge is when its ink first meets that on the canvas, or its box is far into the last one."""
    last = canvas[before.top : before.bottom, before.left : before.right]
    least = before.right - round(_MOST_BOXES * min(glyph.shape[1], last.shape[1]))
    met = before.right - 1 - columns_between(last, glyph, top - before.top)
    return int(max(met, least))


def _any_a4_page(digits: Digits, rng: np.random.Generator) -> Page:
    """A page of 300 digits in lines of ten, or of four groups of three."""
    groups = (10,) if rng.random() < 0.5 else (3, 3, 3, 3)
    return a4_page(digits, rng, groups, 300 // sum(groups))


KINDS: Final[dict[str, Draw]] = {
    **{f"strings, {spacing}": partial(string, spacing=spacing) for spacing in SPACINGS},
    **{f"strings, {pen}": partial(pen_string, pen=pen) for pen in PENS},
    "A4 page": _any_a4_page,
}
