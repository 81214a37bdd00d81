"""Grey pictures without digits, and printed words and a stain beside digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lenet5.synthesis.pages.numbers import string_ink
from lenet5.synthesis.pages.papers import light, on_paper, smooth_noise, to_bytes
from lenet5.synthesis.pages.sheet import plain_font
from lenet5.synthesis.pages.truth import Digits, Draw, Page, moved, true_line

__all__ = ["HERSHEY", "KINDS", "SURFACES", "WORDS", "surface", "words_beside_digits"]

Floats = NDArray[np.float32]
Size = tuple[int, int]

_SLOPE: Final = 0.25  # of the light across these pictures

WORDS: Final = (
    *("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "amount", "payable", "to", "bearer"),
    *("signature", "date", "received", "with", "thanks", "from", "Total", "Invoice", "Name", "Street", "Town"),
    *("Phone", "yes", "no", "Hello", "World", "Lebanon", "bottle", "silly", "solo", "ISO", "Boss", "zoo", "oil"),
    "lily",
)
"""What is printed: words without digits."""

HERSHEY: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
"""OpenCV's fonts of pen strokes."""


def surface(kind: str, rng: np.random.Generator) -> Page:
    """A grey picture of a kind of SURFACES, 200–900 by 200–1200 pixels.

    >>> page = surface("blank", np.random.default_rng(1))
    >>> page.picture.shape, page.lines
    ((531, 711), ())
    """
    size = int(rng.integers(200, 900)), int(rng.integers(200, 1200))
    return Page(to_bytes(SURFACES[kind](size, rng) + rng.normal(0, rng.uniform(0, 0.015), size)), ())


def _any_surface(digits: Digits, rng: np.random.Generator, kind: str) -> Page:
    return surface(kind, rng)


def words_beside_digits(digits: Digits, rng: np.random.Generator) -> Page:
    """Three lines, each a printed word and a spaced string, with a stain below them.

    >>> from lenet5.synthesis.pages import Glyph
    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> words_beside_digits(bars, np.random.default_rng(0)).text.split()
    ['111111', '11', '11111111']
    """
    ink, lines, top = Image.new("F", (1500, 700), 0.0), [], 30
    for _ in range(3):
        string, text, boxes = string_ink(digits, "spaced", rng.uniform(2, 3), rng)
        ImageDraw.Draw(ink).text((30, top + string.shape[0] // 3), f"{rng.choice(WORDS)}:", 1.0, plain_font(34))
        ink.paste(Image.fromarray(string), (400, top))
        lines.append(true_line(text, [moved(box, 400, top) for box in boxes]))
        top += string.shape[0] + int(rng.uniform(20, 60))
    grey = on_paper(np.asarray(ink), rng) * _blob((700, 1500), (1200, 600), rng.uniform(20, 60), rng)
    return Page(np.round(grey).astype(np.uint8), tuple(lines))


def _blank(size: Size, rng: np.random.Generator) -> Floats:
    if rng.random() < 0.6:
        return np.full(size, rng.choice([0, 1, rng.uniform()]), np.float32)
    return light(size, rng, _SLOPE)


def _paper(size: Size, rng: np.random.Generator) -> Floats:
    texture = sum(rng.uniform(0, 0.025) * smooth_noise(size, grain, rng) for grain in (2, 6, 25, 90))
    return np.asarray(light(size, rng, _SLOPE) + texture, np.float32)


def _shadows(size: Size, rng: np.random.Generator) -> Floats:
    """A few straight edges and round patches of shadow, soft by 2–60 pixels."""
    shade = np.ones(size, np.float32)
    for _ in range(rng.integers(1, 4)):
        patch = np.zeros(size, np.float32)
        corners = (rng.uniform(-0.3, 1.3, (rng.integers(3, 6), 2)) * size[::-1]).astype(np.int32)
        cv2.fillConvexPoly(patch, cv2.convexHull(corners), 1.0)
        shade *= 1 - rng.uniform(0.1, 0.5) * cv2.GaussianBlur(patch, (0, 0), rng.uniform(2, 60))
    return light(size, rng, _SLOPE) * shade


def _text(size: Size, rng: np.random.Generator) -> Floats:
    """Lines of words in a printed font or one of pen strokes; no word holds a digit."""
    grey, height = np.array(light(size, rng, _SLOPE)), int(rng.integers(14, 60))
    hershey = rng.choice(HERSHEY) if rng.random() < 0.5 else None
    page = Image.new("F", size[::-1], 0.0)
    ink = np.zeros(size, np.uint8)
    for top in range(10, size[0] - height, round(1.6 * height)):
        line = " ".join(rng.choice(WORDS, 12))
        if hershey is None:
            ImageDraw.Draw(page).text((12, top), line, 1.0, plain_font(height))
        else:
            thick = max(1, height // 14)
            cv2.putText(ink, line, (12, top + height), int(hershey), height / 30, 255, thick, cv2.LINE_AA)
    return np.asarray(grey * (1 - 0.8 * np.maximum(ink / 255, np.asarray(page))), np.float32)


def _pattern(size: Size, rng: np.random.Generator) -> Floats:
    """Squared or lined paper, stripes, a checkerboard, or dots."""
    pitch, pen = int(rng.integers(12, 60)), int(rng.integers(1, 4))
    y, x = np.ogrid[: size[0], : size[1]]
    drawn = {
        "squared": (y % pitch < pen) | (x % pitch < pen),
        "lined": (y % pitch < pen) | (x < 0),
        "stripes": (x + y // 2) % pitch < pitch // 2,
        "checker": (y // pitch + x // pitch) % 2 == 0,
        "dots": (y % pitch - pitch / 2) ** 2 + (x % pitch - pitch / 2) ** 2 < (pitch * 0.18) ** 2,
    }[str(rng.choice(["squared", "lined", "stripes", "checker", "dots"]))]
    return np.asarray(light(size, rng, _SLOPE) * (1 - rng.uniform(0.2, 0.7) * drawn), np.float32)


def _scene(size: Size, rng: np.random.Generator) -> Floats:
    """What a photo of no paper is like: large smooth shapes of many greys, some with edges."""
    grey = 0.5 + 0.2 * smooth_noise(size, 200, rng) + 0.06 * smooth_noise(size, 25, rng)
    for _ in range(rng.integers(2, 8)):
        corners = (rng.uniform(-0.2, 1.2, (4, 2)) * size[::-1]).astype(np.int32)
        cv2.fillConvexPoly(grey, cv2.convexHull(corners), float(rng.uniform()))
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.6, 4)), np.float32)


def _stains(size: Size, rng: np.random.Generator) -> Floats:
    grey = light(size, rng, _SLOPE)
    for _ in range(rng.integers(1, 6)):
        centre = (int(rng.uniform(0, size[1])), int(rng.uniform(0, size[0])))
        grey = grey * _blob(size, centre, rng.uniform(8, 60), rng)
    return grey


def _blob(size: Size, centre: tuple[int, int], radius: float, rng: np.random.Generator) -> Floats:
    """What is left of the light, (H, W), where a filled round stain with an uneven rim lies."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = radius * (1 + 0.15 * rng.standard_normal(24))
    rim = np.stack([centre[0] + reach * np.cos(turns), centre[1] + reach * np.sin(turns)], axis=1)
    patch = np.zeros(size, np.float32)
    cv2.fillPoly(patch, [np.round(rim).astype(np.int32)], 1.0)
    return np.asarray(1 - rng.uniform(0.3, 0.8) * cv2.GaussianBlur(patch, (0, 0), 1.5), np.float32)


SURFACES: Final[dict[str, Callable[[Size, np.random.Generator], Floats]]] = {
    "blank": _blank,
    "paper": _paper,
    "shadows": _shadows,
    "text": _text,
    "patterns": _pattern,
    "scenes": _scene,
    "stains": _stains,
}
"""What may be in a picture without digits: (height, width) and a generator → grey levels."""

KINDS: Final[dict[str, Draw]] = {
    "words beside digits": words_beside_digits,
    **{f"no digits: {kind}": partial(_any_surface, kind=kind) for kind in SURFACES},
}
