"""Pictures in which no digit is, and digits beside words and stains: what reading must not answer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.material import Bytes, Material, on_paper, string_ink

__all__ = ["KINDS", "digitless", "labelled"]

Floats = NDArray[np.float32]

_WORDS: Final = (
    *("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "amount", "payable", "to", "bearer"),
    *("signature", "date", "received", "with", "thanks", "from", "Total", "Invoice", "Name", "Street", "Town"),
    *(
        "Phone",
        "yes",
        "no",
        "Hello",
        "World",
        "Lebanon",
        "bottle",
        "silly",
        "solo",
        "ISO",
        "Boss",
        "zoo",
        "oil",
        "lily",
    ),
)
_HERSHEY: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def digitless(kind: str, count: int, rng: np.random.Generator) -> Iterator[Bytes]:
    """``count`` grey pictures (H, W) uint8 of a kind of KINDS, each of another size."""
    for _ in range(count):
        size = int(rng.integers(200, 900)), int(rng.integers(200, 1200))
        yield _bytes(KINDS[kind](size, rng) + rng.normal(0, rng.uniform(0, 0.015), size))


def labelled(images: Bytes, labels: Bytes, count: int, rng: np.random.Generator) -> Iterator[Material]:
    """``count`` pictures of three lines, each a printed word and a spaced string, with a stain below them."""
    for _ in range(count):
        ink, texts, top = Image.new("F", (1500, 700), 0.0), [], 30
        for _ in range(3):
            line, text, _ = string_ink(images, labels, "spaced", rng.uniform(2, 3), rng)
            ImageDraw.Draw(ink).text((30, top + line.shape[0] // 3), f"{rng.choice(_WORDS)}:", 1.0, _printed(34))
            ink.paste(Image.fromarray(line), (400, top))
            texts.append(text)
            top += line.shape[0] + int(rng.uniform(20, 60))
        grey = on_paper(np.asarray(ink), rng) * _blob((700, 1500), (1200, 600), rng.uniform(20, 60), rng)
        yield Material(np.round(grey).astype(np.uint8), "\n".join(texts), ())


def _bytes(grey: NDArray[np.floating]) -> Bytes:
    return np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8)


def _printed(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _light(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Paper in light that falls off in some direction."""
    y, x = np.meshgrid(*(np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in size), indexing="ij")
    slope = rng.uniform(-0.25, 0.25, 2)
    return np.asarray(rng.uniform(0.65, 0.9) + slope[0] * x + slope[1] * y, np.float32)


def _smooth(size: tuple[int, int], grain: float, rng: np.random.Generator) -> Floats:
    """Noise of about the given grain in pixels, with standard deviation 1."""
    small = (max(2, round(size[0] / grain)), max(2, round(size[1] / grain)))
    noise = cv2.resize(rng.standard_normal(small, np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def _blank(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    return np.full(size, rng.choice([0, 1, rng.uniform()]), np.float32) if rng.random() < 0.6 else _light(size, rng)


def _paper(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    texture = sum(rng.uniform(0, 0.025) * _smooth(size, grain, rng) for grain in (2, 6, 25, 90))
    return np.asarray(_light(size, rng) + texture, np.float32)


def _shadows(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """A few straight edges and round patches of shadow, soft by 2–60 pixels."""
    shade = np.ones(size, np.float32)
    for _ in range(rng.integers(1, 4)):
        patch = np.zeros(size, np.float32)
        corners = (rng.uniform(-0.3, 1.3, (rng.integers(3, 6), 2)) * size[::-1]).astype(np.int32)
        cv2.fillConvexPoly(patch, cv2.convexHull(corners), 1.0)
        shade *= 1 - rng.uniform(0.1, 0.5) * cv2.GaussianBlur(patch, (0, 0), rng.uniform(2, 60))
    return _light(size, rng) * shade


def _text(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Lines of words in a printed font or one of pen strokes; no word holds a digit."""
    grey, height = np.array(_light(size, rng)), int(rng.integers(14, 60))
    hershey = rng.choice(_HERSHEY) if rng.random() < 0.5 else None
    page = Image.new("F", size[::-1], 0.0)
    ink = np.zeros(size, np.uint8)
    for top in range(10, size[0] - height, round(1.6 * height)):
        line = " ".join(rng.choice(_WORDS, 12))
        if hershey is None:
            ImageDraw.Draw(page).text((12, top), line, 1.0, _printed(height))
        else:
            thick = max(1, height // 14)
            cv2.putText(ink, line, (12, top + height), int(hershey), height / 30, 255, thick, cv2.LINE_AA)
    return np.asarray(grey * (1 - 0.8 * np.maximum(ink / 255, np.asarray(page))), np.float32)


def _pattern(size: tuple[int, int], rng: np.random.Generator) -> Floats:
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
    return np.asarray(_light(size, rng) * (1 - rng.uniform(0.2, 0.7) * drawn), np.float32)


def _scene(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """What a photo of no paper is like: large smooth shapes of many greys, some with edges."""
    grey = 0.5 + 0.2 * _smooth(size, 200, rng) + 0.06 * _smooth(size, 25, rng)
    for _ in range(rng.integers(2, 8)):
        corners = (rng.uniform(-0.2, 1.2, (4, 2)) * size[::-1]).astype(np.int32)
        cv2.fillConvexPoly(grey, cv2.convexHull(corners), float(rng.uniform()))
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.6, 4)), np.float32)


def _stains(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    grey = _light(size, rng)
    for _ in range(rng.integers(1, 6)):
        centre = (int(rng.uniform(0, size[1])), int(rng.uniform(0, size[0])))
        grey = grey * _blob(size, centre, rng.uniform(8, 60), rng)
    return grey


def _blob(size: tuple[int, int], centre: tuple[int, int], radius: float, rng: np.random.Generator) -> Floats:
    """What is left of the light, (H, W), where a filled round stain with an uneven rim lies."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = radius * (1 + 0.15 * rng.standard_normal(24))
    rim = np.stack([centre[0] + reach * np.cos(turns), centre[1] + reach * np.sin(turns)], axis=1)
    patch = np.zeros(size, np.float32)
    cv2.fillPoly(patch, [np.round(rim).astype(np.int32)], 1.0)
    return np.asarray(1 - rng.uniform(0.3, 0.8) * cv2.GaussianBlur(patch, (0, 0), 1.5), np.float32)


KINDS: Final[dict[str, Callable[[tuple[int, int], np.random.Generator], Floats]]] = {
    "blank": _blank,
    "paper": _paper,
    "shadows": _shadows,
    "text": _text,
    "patterns": _pattern,
    "scenes": _scene,
    "stains": _stains,
}
"""What may be in a picture without digits: how each kind is drawn, (height, width) and a generator → grey levels."""
