"""Photos of one digit: written on the papers, and in the light, that people photograph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lenet5.synthesis.pages.papers import coded, light, ruling, to_bytes
from lenet5.synthesis.pages.sheet import plain_font
from lenet5.synthesis.pages.truth import Digits, Draw, Glyph, Page, box_of_ink, true_line

__all__ = ["KINDS", "PAPERS", "photo"]

Floats = NDArray[np.float32]
Size = tuple[int, int]
Place = tuple[int, int, int]
"""Left and top edge, and the longer side."""

_TABLE: Final = (0.15, 0.55)  # how light a table is
_WORDS: Final = ("Page", "Nr.", "Table", "Room", "Total", "Name", "Week", "Gate")


def photo(glyph: Glyph, paper: str, rng: np.random.Generator) -> Page:
    """A grey photo of one digit on a paper of PAPERS, as a phone would take it.

    >>> page = photo(Glyph(np.ones((20, 4), np.float32), 1), "ruled paper", np.random.default_rng(0))
    >>> page.text, page.picture.shape, page.boxes[0]
    ('1', (904, 767), Box(left=100, top=108, right=137, bottom=328))
    """
    size = int(rng.integers(360, 1000)), int(rng.integers(360, 1000))
    tall = rng.uniform(0.2, 0.6) * min(size)
    ink, place = _written(glyph.ink, size, tall, rng)
    levels = PAPERS[paper](ink, place, rng)
    soft = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.6, 1.6))
    noisy = soft + rng.normal(0, rng.uniform(0.004, 0.02), size)
    return Page(coded(to_bytes(noisy), 85), (true_line(str(glyph.label), [box_of_ink(ink)]),))


def _any_photo(digits: Digits, rng: np.random.Generator, paper: str) -> Page:
    return photo(digits(rng, 1)[0], paper, rng)


def _written(small: Floats, size: Size, tall: float, rng: np.random.Generator) -> tuple[Floats, Place]:
    """The ink (H, W) in 0..1 of a digit ``tall`` pixels high, and where it is."""
    scale = tall / max(small.shape)
    shape = (max(8, round(small.shape[1] * scale)), max(8, round(small.shape[0] * scale)))
    large = cv2.resize(np.pad(small, 1), shape, interpolation=cv2.INTER_CUBIC)
    large = 1 / (1 + np.exp(-12 * (cv2.GaussianBlur(large, (0, 0), max(0.5, scale / 3)) - 0.4)))
    ink = np.zeros(size, np.float32)
    top = int(rng.uniform(0.12, 0.88) * (size[0] - shape[1]))
    left = int(rng.uniform(0.12, 0.88) * (size[1] - shape[0]))
    ink[top : top + shape[1], left : left + shape[0]] = large * (large > 0.02)
    return ink, (left, top, max(shape))


def _pen(ink: Floats, rng: np.random.Generator) -> Floats:
    """What a pen leaves of the light."""
    return np.asarray(1 - rng.uniform(0.6, 0.9) * ink, np.float32)


def _plain(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    return light((ink.shape[0], ink.shape[1]), rng) * _pen(ink, rng)


def _pencil(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """Grey strokes that the paper's grain breaks up."""
    grain = cv2.GaussianBlur(rng.standard_normal(ink.shape, np.float32), (0, 0), 1.0)
    broken = ink * np.clip(0.8 + 1.2 * grain, 0.2, 1)
    return np.asarray(light((ink.shape[0], ink.shape[1]), rng) * (1 - rng.uniform(0.25, 0.5) * broken), np.float32)


def _chalk(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """Light strokes on a dark board."""
    board = 0.35 * light((ink.shape[0], ink.shape[1]), rng)
    return np.asarray(board + rng.uniform(0.4, 0.6) * ink, np.float32)


def _sheet(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """A sheet on a darker table, somewhat turned."""
    left, top, side = place
    far = side + rng.uniform(0.25, 0.6, 4) * side + 8
    near = side - far
    corners = np.array([(near[0], near[1]), (far[2], near[1]), (far[2], far[3]), (near[0], far[3])])
    corners += np.array([left, top]) + rng.uniform(-0.06, 0.06, (4, 2)) * side
    sheet = cv2.fillConvexPoly(np.zeros(ink.shape, np.float32), corners.astype(np.int32), 1.0)
    table = rng.uniform(*_TABLE) + 0.02 * rng.standard_normal(ink.shape, np.float32)
    return np.asarray(np.where(sheet > 0, _plain(ink, place, rng), table), np.float32)


def _shadow(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """A shadow over part of the paper, its edge somewhere near the digit, sharp or soft."""
    left, top, side = place
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.meshgrid(*(np.arange(length, dtype=np.float32) for length in ink.shape), indexing="ij")
    apart = (x - left - side / 2) * np.cos(angle) + (y - top - side / 2) * np.sin(angle) + rng.uniform(-0.7, 0.7) * side
    shade = 1 / (1 + np.exp(-apart / rng.uniform(1, 0.12 * side)))
    return np.asarray(_plain(ink, place, rng) * (1 - rng.uniform(0.25, 0.55) * shade), np.float32)


def _ruled(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """Writing paper: the digit is up to two lines high."""
    side, size = place[2], (ink.shape[0], ink.shape[1])
    lines = ruling(size, side / rng.uniform(0.7, 2), max(1.0, side / rng.uniform(40, 90)), False, rng)
    return np.asarray(_plain(ink, place, rng) * (1 - rng.uniform(0.15, 0.5) * lines * (1 - ink)), np.float32)


def _squared(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """Squared paper: the digit is one to three squares high."""
    side, size = place[2], (ink.shape[0], ink.shape[1])
    lines = ruling(size, side / rng.uniform(1, 3), max(1.0, side / rng.uniform(40, 90)), True, rng)
    return np.asarray(_plain(ink, place, rng) * (1 - rng.uniform(0.15, 0.5) * lines * (1 - ink)), np.float32)


def _box(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """A box of a form around the digit, which may reach its sides."""
    left, top, side = place
    frame = np.zeros(ink.shape, np.float32)
    margins = rng.uniform(0.02, 0.35, 4) * side
    corners = (left - margins[0], top - margins[1]), (left + side + margins[2], top + side + margins[3])
    first, last = (tuple(int(edge) for edge in corner) for corner in corners)
    cv2.rectangle(frame, first, last, 1.0, max(1, round(side / rng.uniform(25, 70))), cv2.LINE_AA)
    return np.asarray(_plain(ink, place, rng) * (1 - rng.uniform(0.4, 0.8) * frame), np.float32)


def _caption(ink: Floats, place: Place, rng: np.random.Generator) -> Floats:
    """A printed word above or below the digit."""
    left, top, side = place
    page, small = Image.new("F", ink.shape[::-1], 0.0), max(12, round(0.2 * side))
    y = top - 2 * small if top > 2 * small else top + side + small
    ImageDraw.Draw(page).text((left, y), str(rng.choice(_WORDS)), 1.0, plain_font(small))
    return np.asarray(_plain(ink, place, rng) * (1 - 0.8 * np.asarray(page, np.float32)), np.float32)


PAPERS: Final[dict[str, Callable[[Floats, Place, np.random.Generator], Floats]]] = {
    "plain paper": _plain,
    "pencil": _pencil,
    "chalk": _chalk,
    "a sheet on a table": _sheet,
    "a shadow's edge": _shadow,
    "ruled paper": _ruled,
    "squared paper": _squared,
    "a box": _box,
    "a printed word": _caption,
}
"""What the digit is written on, or with: ink (H, W), where it is and a generator → grey levels."""

KINDS: Final[dict[str, Draw]] = {f"photo of one digit: {paper}": partial(_any_photo, paper=paper) for paper in PAPERS}
