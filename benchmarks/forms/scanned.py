"""Ways of scanning a drawn sheet, each with the transformation that it makes: what registration has to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["WAYS", "Scan", "scan"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """A picture (H, W) uint8 of a sheet; ``matrix`` (3, 3) takes pixels of the sheet to pixels of the picture."""

    picture: Bytes
    matrix: Matrix


def scan(sheet: Bytes, way: str, rng: np.random.Generator) -> Scan:
    """A sheet at 300 dpi as it comes from a scanner or phone; ``way`` is one of WAYS."""
    return WAYS[way](sheet, rng)


def _flat(sheet: Bytes, rng: np.random.Generator, turn: float = 0.3, dpi: float | None = None) -> Scan:
    """On the glass: shifted, turned by a little, at 150 to 300 dpi."""
    return _laid(sheet, rng, rng.normal(0, turn), 1.0, dpi or rng.uniform(150, 300))


def _askew(sheet: Bytes, rng: np.random.Generator) -> Scan:
    """Fed askew: turned by up to 8°, sheared and stretched by up to 1%."""
    return _laid(sheet, rng, rng.uniform(-8, 8), 1.0, rng.uniform(150, 300), 0.01)


def _upside_down(sheet: Bytes, rng: np.random.Generator) -> Scan:
    return _laid(sheet, rng, 180 + rng.normal(0, 1), 1.0, rng.uniform(150, 300))


def _small(sheet: Bytes, rng: np.random.Generator) -> Scan:
    """Printed at 75%, somewhere on the sheet."""
    return _laid(sheet, rng, rng.normal(0, 0.5), 0.75, rng.uniform(200, 300))


def _fax(sheet: Bytes, rng: np.random.Generator) -> Scan:
    """Black and white at 200 dpi."""
    laid = _laid(sheet, rng, rng.normal(0, 0.7), 1.0, 200)
    soft = cv2.GaussianBlur(laid.picture, (0, 0), 0.6).astype(np.float32)
    black = soft + rng.normal(0, 12, soft.shape) < rng.uniform(160, 200)
    return Scan(np.where(black, 0, 255).astype(np.uint8), laid.matrix)


def _photo(sheet: Bytes, rng: np.random.Generator) -> Scan:
    """A phone's photo: perspective, any of four ways up, uneven light and a shadow, blur, noise, JPEG."""
    height, width = sheet.shape
    long = int(rng.uniform(2200, 3600))
    out = np.array([round(0.75 * long), long])
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    margins = np.array([rng.uniform(0.03, 0.16), rng.uniform(0.03, 0.13)])
    place = margins + corners * (1 - 2 * margins) + rng.uniform(-0.025, 0.025, (4, 2))
    place = np.roll(place, int(rng.choice([0, 0, 0, 2])), axis=0) * out
    edges = corners * (width, height)
    matrix = cv2.getPerspectiveTransform(edges.astype(np.float32), place.astype(np.float32))
    table = rng.uniform(60, 150)
    scale = long * 0.85 / height
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.5 / scale) if scale < 1 else sheet
    seen = cv2.warpPerspective(soft, matrix, tuple(map(int, out)), borderValue=table).astype(np.float32)
    y, x = np.mgrid[0 : out[1], 0 : out[0]].astype(np.float32) / np.float32(long)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * x + np.sin(angle) * y
    light = 0.72 + 0.25 * (across - across.min()) / np.ptp(across)
    edge = rng.uniform(float(np.quantile(across, 0.2)), float(np.quantile(across, 0.8)))
    light *= 1 - rng.uniform(0.2, 0.45) / (1 + np.exp(-(across - edge) / rng.uniform(0.003, 0.05)))
    seen = cv2.GaussianBlur(seen * light.astype(np.float32), (0, 0), rng.uniform(0.5, 1.1))
    seen += rng.normal(0, rng.uniform(2, 5), seen.shape)
    return Scan(_coded(seen, 80), matrix)


def _laid(sheet: Bytes, rng: np.random.Generator, degrees: float, size: float, dpi: float, uneven: float = 0.0) -> Scan:
    """A sheet on white paper of its own size: turned, scaled, shifted, and scanned at ``dpi``."""
    height, width = sheet.shape
    scale = dpi / 300
    out = (round(width * scale), round(height * scale))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, size * scale)
    turn[:, 2] += np.array(out) / 2 - np.array([width, height]) / 2
    room = (1 - size) / 2 * np.array(out)
    turn[:, 2] += rng.uniform(-1, 1, 2) * room + rng.normal(0, 2.0, 2) * dpi / 25.4 * (size == 1)
    matrix = np.vstack([turn, [0, 0, 1]])
    if uneven:
        stretch = np.eye(3)
        stretch[:2, :2] += rng.uniform(-uneven, uneven, (2, 2))
        stretch[:2, 2] = np.array(out) / 2 - stretch[:2, :2] @ (np.array(out) / 2)
        matrix = stretch @ matrix
    factor = size * scale
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.5 / factor) if factor < 0.9 else sheet
    seen = cv2.warpPerspective(soft, matrix, out, borderValue=255).astype(np.float32)
    paper = rng.uniform(0.88, 1.0)
    seen = cv2.GaussianBlur(seen * np.float32(paper), (0, 0), rng.uniform(0.4, 0.8))
    return Scan(_coded(seen + rng.normal(0, rng.uniform(1, 4), seen.shape), 85), matrix)


def _coded(levels: NDArray[np.floating], quality: int) -> Bytes:
    """Levels as a JPEG file gives them back."""
    whole = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    _, code = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)


WAYS: Final[dict[str, Callable[[Bytes, np.random.Generator], Scan]]] = {
    "flat": _flat,
    "askew": _askew,
    "upside down": _upside_down,
    "printed at 75%": _small,
    "photographed": _photo,
    "black and white": _fax,
}
