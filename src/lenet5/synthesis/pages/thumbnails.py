"""Small pictures: a cell cut out of a form with parts of its sides, with a digit or empty; a digit cut out along its
ink, as data sets keep it; light and shadow alone."""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.strokes import log_uniform
from lenet5.synthesis.pages.papers import light, scanned, shade, smooth_noise, to_bytes
from lenet5.synthesis.pages.prints import photo_of
from lenet5.synthesis.pages.sheet import Colour, Mark, Sheet, any_ink, any_paper, dark_ink, pale_ink
from lenet5.synthesis.pages.truth import Digits, Draw, Page
from lenet5.synthesis.pages.writing import marks

__all__ = ["KINDS"]

_FINE: Final = 4  # times as large as the picture: so it is drawn before it is reduced
_SMALLEST, _LARGEST = 26, 80  # pixels of a cut-out cell's longer side
_TINIEST: Final = 13  # pixels of a digit's height
_REACH: Final = 0.12  # of the picture: so far from its border a side of the cell may lie


def _cell(digits: Digits, rng: np.random.Generator, empty: bool) -> Page:
    """A cell cut out of a form by machine, with none to all of its sides along the border, in a small picture."""
    longer = log_uniform(rng, _SMALLEST, _LARGEST)
    aspect = float(np.exp(rng.uniform(-0.35, 0.35)))
    height, width = (round(_FINE * longer * min(1.0, ratio)) for ratio in (1 / aspect, aspect))
    paper, _ = any_paper(rng)
    sheet = Sheet(height, width, paper)
    colour: Colour = pale_ink(rng) if rng.random() < 0.15 else _grey(rng)
    pen = max(2, round(rng.uniform(0.6, 2.6) * _FINE))
    for side in range(4):
        if rng.random() < 0.6:
            _side(sheet, side, pen, colour, rng)
    if not empty:
        mark = marks(digits, 1, height * rng.uniform(0.35, 0.78), rng)[0]
        rows, columns = mark.ink.shape
        kept = Mark(mark.character, mark.ink[:height, :width], 0, 0)
        left, top = (int(rng.uniform(0.03, 0.97) * max(1, free)) for free in (width - columns, height - rows))
        sheet.write([kept], left, top, any_ink(rng) if rng.random() < 0.3 else dark_ink(rng))
    sheet.tilt(rng.normal(0, 1.5))
    reduced = np.diag([1 / _FINE, 1 / _FINE, 1.0])
    sheet.canvas = np.asarray(cv2.GaussianBlur(sheet.canvas, (0, 0), _FINE * rng.uniform(0.3, 0.8)), np.uint8)
    sheet.warp(reduced, (max(1, height // _FINE), max(1, width // _FINE)))
    if rng.random() < 0.5:
        return sheet.page(scanned, rng)
    return photo_of(sheet, rng, shadow=0.2)


def _side(sheet: Sheet, side: int, pen: int, colour: Colour, rng: np.random.Generator) -> None:
    """One side of the cell: whole, or a piece of it from a corner; the next cell may begin behind it."""
    height, width = sheet.size
    across = width if side % 2 else height
    place = int(rng.uniform(-0.5, 1) * _REACH * across)
    place = across - 1 - place if side >= 2 else place
    along = height if side % 2 else width
    start, end = (0, along) if rng.random() < 0.7 else sorted(int(v) for v in rng.uniform(0, 1, 2) * along)
    if rng.random() < 0.5 and (start, end) != (0, along):
        start = 0
    first, last = ((place, start), (place, end)) if side % 2 else ((start, place), (end, place))
    cv2.line(sheet.canvas, first, last, colour, pen, cv2.LINE_AA)


def _grey(rng: np.random.Generator) -> Colour:
    level = int(rng.integers(20, 150))
    return level, level, level


def _digit(digits: Digits, rng: np.random.Generator) -> Page:
    """One digit and its paper in a small picture: cropped along its ink or with a margin, stretched to the frame or
    not, in two levels or many, light or dark, pressed unevenly."""
    height = round(_FINE * log_uniform(rng, _TINIEST, _LARGEST))
    mark = marks(digits, 1, height, rng)[0]
    binary = rng.random() < 0.3
    ink = mark.ink if binary or rng.random() < 0.5 else mark.ink * _pressure(mark.ink.shape, rng)
    if rng.random() < 0.25:  # to a square, whatever its shape
        ink = np.asarray(cv2.resize(ink, (height, height), interpolation=cv2.INTER_LINEAR), np.float32)
    above, below, left, right = (
        round(height * share) for share in (rng.uniform(-0.02, 0.5, 4) if rng.random() < 0.6 else np.zeros(4))
    )
    sheet = Sheet(ink.shape[0] + above + below, ink.shape[1] + left + right)
    strong = rng.random() < 0.6
    sheet.write([Mark(mark.character, ink, 0, 0)], left, above, dark_ink(rng) if strong else _grey(rng))
    sheet.canvas = np.asarray(cv2.GaussianBlur(sheet.canvas, (0, 0), _FINE * rng.uniform(0.3, 0.7)), np.uint8)
    size = tuple(max(4, side // _FINE) for side in sheet.size)
    sheet.warp(np.diag([size[1] / sheet.size[1], size[0] / sheet.size[0], 1.0]), (size[0], size[1]))
    page = sheet.page(_two_levels if binary else scanned, rng)
    return Page(255 - page.picture, page.lines) if rng.random() < 0.4 else page


def _pressure(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """How much ink a hand that presses unevenly leaves (H, W): from a trace to all."""
    uneven = smooth_noise(size, 0.3 * max(size), rng)
    return np.asarray(np.clip(0.75 + rng.uniform(0.1, 0.35) * uneven, 0.25, 1), np.float32)


def _two_levels(canvas: NDArray[np.uint8], contrast: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The canvas in black and white."""
    grey = canvas.mean(axis=2)
    level = 255 - (255 - grey.min()) * rng.uniform(0.3, 0.5)
    return np.where(grey < level, 0, 255).astype(np.uint8)


def _shadow(digits: Digits, rng: np.random.Generator) -> Page:
    """Nothing but paper, the edge of a shadow or a bright patch across it, in pictures of any size."""
    longer = log_uniform(rng, 24, 1200)
    aspect = float(np.exp(rng.uniform(-1.3, 1.3)))
    size = max(16, round(longer * min(1.0, 1 / aspect))), max(16, round(longer * min(1.0, aspect)))
    grey = light(size, rng) * _cast(size, rng)
    grey += rng.uniform(0, 0.02) * smooth_noise(size, rng.uniform(2, 20), rng)
    grey += rng.standard_normal(size, np.float32) * np.float32(rng.uniform(0, 0.015))
    return Page(to_bytes(grey), ())


def _cast(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """What is left of the light (H, W) under a shadow with a bent edge, or one with corners, or a bar of shadow."""
    if rng.random() < 0.3:
        return shade(size, rng)
    left = np.ones(size, np.float32)
    corners = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 6)), 2)) * size[::-1]
    if rng.random() < 0.5:  # a bar, as a stick or an arm casts it, from border to border
        ends = np.array([[-0.1, rng.uniform(-0.2, 1.2)], [1.1, rng.uniform(-0.2, 1.2)]])
        ends = (ends[:, ::-1] if rng.random() < 0.5 else ends) * size[::-1]
        across = np.array([ends[1, 1] - ends[0, 1], ends[0, 0] - ends[1, 0]])
        broad = across / max(float(np.hypot(*across)), 1) * rng.uniform(0.03, 0.4, (2, 1)) * min(size)
        corners = np.concatenate([ends + broad, ends[::-1] - broad[::-1]])
    cv2.fillConvexPoly(left, cv2.convexHull(corners.astype(np.int32)), 1 - float(rng.uniform(0.15, 0.6)))
    soft = log_uniform(rng, 0.4, 0.08 * max(size) + 0.5)
    return np.asarray(cv2.GaussianBlur(left, (0, 0), float(soft)), np.float32)


KINDS: Final[dict[str, Draw]] = {
    "small cell cut out of a form": partial(_cell, empty=False),
    "no digits: small cells": partial(_cell, empty=True),
    "no digits: shadow alone": _shadow,
    "small picture of one digit": _digit,
}
