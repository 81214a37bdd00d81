"""What cameras see where no digit is: hands before any background, cloth, wood, bricks, clouds."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from lenet5.synthesis.pages.papers import smooth_noise
from lenet5.synthesis.pages.prints import finished, photo_of
from lenet5.synthesis.pages.sheet import Sheet
from lenet5.synthesis.pages.truth import Digits, Draw, Page

__all__ = ["KINDS"]

_SKINS: Final = ((236, 188, 158), (224, 172, 138), (198, 134, 96), (141, 85, 58), (95, 60, 45))


def _hands(digits: Digits, rng: np.random.Generator) -> Page:
    """A hand with some fingers stretched before any background, as a camera sees it."""
    side = int(rng.integers(64, 700))
    wide, scale = round(side * rng.uniform(0.7, 1.4)), side * rng.uniform(0.28, 0.42)
    back = np.array([rng.uniform(20, 250)] * 3) + rng.normal(0, 25, 3)
    scene = back + smooth_noise((side, wide), side / 3, rng)[..., None] * rng.uniform(0, 30)
    if rng.random() < 0.4:
        corners = (rng.uniform(-0.2, 1.2, (4, 2)) * (wide, side)).astype(np.int32)
        cv2.fillConvexPoly(scene, cv2.convexHull(corners), rng.uniform(20, 240, 3).tolist())
    skin = np.array(_SKINS[rng.integers(len(_SKINS))]) + rng.normal(0, 8, 3)
    x, y, mirror = wide * rng.uniform(0.4, 0.6), side * rng.uniform(0.55, 0.7), rng.choice([-1, 1])
    mask = np.zeros((side, wide), np.uint8)
    lean = rng.uniform(-0.25, 0.25)
    cv2.line(mask, (int(x), int(y)), (int(x - lean * side), side + 9), 255, max(2, int(0.62 * scale)), cv2.LINE_AA)
    cv2.ellipse(mask, (int(x), int(y)), (int(0.42 * scale), int(0.5 * scale)), 0, 0, 360, 255, -1, cv2.LINE_AA)
    spread, creases = rng.uniform(0.6, 1.3), np.zeros((side, wide), np.uint8)
    for angle, length in ((-1.25, 0.75), (-0.42, 0.9), (-0.12, 1.0), (0.16, 0.92), (0.46, 0.75)):
        turn = lean + mirror * (angle * spread if abs(angle) < 1 else angle)
        stretched = rng.random() < 0.6
        reach = scale * (length if stretched else 0.25)
        start = np.array([x + 0.3 * scale * np.sin(turn), y - 0.35 * scale * np.cos(turn)])
        middle = start + 0.5 * reach * np.array([np.sin(turn), -np.cos(turn)])
        end = middle + 0.5 * reach * np.array([np.sin(turn + 0.1 * mirror), -np.cos(turn + 0.1 * mirror)])
        points = np.array([start, middle, end]).astype(np.int32)
        cv2.polylines(mask, [points], False, 255, max(2, int(0.2 * scale)), cv2.LINE_AA)
        if not stretched:
            across, up = int(0.11 * scale), int(0.16 * scale)
            cv2.ellipse(creases, points[2].tolist(), (across, up), np.degrees(turn), 190, 350, 255, max(1, side // 200))
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.012 * scale)).astype(np.float32)[..., None] / 255
    relief = cv2.GaussianBlur(mask, (0, 0), 0.12 * scale).astype(np.float32)[..., None] / 255
    lines = cv2.GaussianBlur(creases, (0, 0), max(0.6, side / 300)).astype(np.float32)[..., None] / 255
    shaded = skin * (0.6 + 0.4 * relief) * (1 - 0.35 * lines)
    sheet = Sheet(side, wide)
    sheet.canvas = np.clip(np.rint(scene * (1 - soft) + shaded * soft), 0, 255).astype(np.uint8)
    return photo_of(sheet, rng, shadow=0.3)


def _textures(digits: Digits, rng: np.random.Generator) -> Page:
    """Cloth, wood, brick, clouds or a gradient in colour."""
    size = int(rng.integers(28, 900)), int(rng.integers(28, 900))
    y, x = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in size), indexing="ij")
    pitch, kind = rng.uniform(3, 40), int(rng.integers(5))
    if kind == 0:
        level = np.sin(x * 2 * np.pi / pitch) * np.sin(y * 2 * np.pi / pitch)
    elif kind == 1:
        level = np.sin((y + 4 * pitch * smooth_noise(size, 120, rng)) * 2 * np.pi / (2 * pitch) + 0.01 * x)
    elif kind == 2:
        tall, long = 2 * pitch + 8, 4 * pitch + 16
        offset = (y // tall % 2) * long / 2
        level = np.where((y % tall < 3) | ((x + offset) % long < 3), -1.0, 0.6)
    elif kind == 3:
        level = smooth_noise(size, max(size) / 4, rng) + 0.5 * smooth_noise(size, max(size) / 12, rng)
    else:
        turn = rng.uniform(0, 2 * np.pi)
        level = (x / size[1] - 0.5) * np.cos(turn) + (y / size[0] - 0.5) * np.sin(turn)
    level = level + rng.uniform(0, 0.4) * smooth_noise(size, 2, rng)
    colour, swing = rng.uniform(60, 220, 3), rng.uniform(10, 60) * rng.uniform(0.6, 1.2, 3)
    sheet = Sheet(*size)
    sheet.canvas = np.clip(np.rint(colour + level[..., None] * swing), 0, 255).astype(np.uint8)
    return finished(sheet, rng, photo=0.5)


KINDS: Final[dict[str, Draw]] = {
    "no digits: hands": _hands,
    "no digits: textures": _textures,
}
