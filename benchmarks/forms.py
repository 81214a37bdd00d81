"""Forms with known truth: numbers written by hand into the cells of printed fields, one digit a cell."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.material import Bytes, Material, glyph, on_paper

__all__ = ["forms"]


def forms(images: Bytes, labels: Bytes, fields: int, count: int, rng: np.random.Generator) -> Iterator[Material]:
    """``count`` forms of so many fields below one another, each of 3–9 cells side by side or a little apart.

    Cells are 36–80 pixels wide with sides of 1–3 pixels, printed as dark as the pen or fainter; the digits (28×28 with
    their labels) are 60–95% as high as their cells and may cross the sides; the whole is turned by about half a degree.
    """
    for _ in range(count):
        side, cells, pen = int(rng.integers(36, 80)), int(rng.integers(3, 10)), int(rng.integers(1, 4))
        apart = int(rng.integers(2, 14)) if rng.random() < 1 / 3 else 0
        pitch = round(1.8 * side)
        size = fields * pitch + side, cells * (side + apart) + 2 * side
        ink, printed, texts = np.zeros(size, np.float32), np.zeros(size, np.float32), []
        for field in range(fields):
            top, chosen = side // 2 + field * pitch, rng.integers(0, len(images), cells)
            for k, which in enumerate(chosen):
                left = side + k * (side + apart)
                cv2.rectangle(printed, (left, top), (left + side, top + side), 1.0, pen)
                digit = glyph(images[which], rng.uniform(0.6, 0.95) * side / 20)
                middle = np.array([top, left]) + side / 2 + rng.normal(0, 0.07, 2) * side
                corner = np.clip(np.round(middle - np.array(digit.shape) / 2), 0, np.array(size) - digit.shape)
                y, x = corner.astype(int)
                place = ink[y : y + digit.shape[0], x : x + digit.shape[1]]
                np.maximum(place, digit, out=place)
            texts.append("".join(str(labels[which]) for which in chosen))
        level = np.maximum(ink, printed * rng.uniform(0.4, 1))
        turn = cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), rng.normal(0, 0.6), 1)
        level = np.asarray(cv2.warpAffine(level, turn, size[::-1]), np.float32)
        yield Material(on_paper(level, rng), "\n".join(texts), ())
