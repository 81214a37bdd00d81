"""Strings written with training digits, and what a reader that cuts too often would cut out of them.

The paper's reader of strings cuts its picture wherever digits might part and lets the network judge
every run of pieces (section VI). So the network must know a digit that brings a scrap of its
neighbour along, and must refuse two digits, one and a half, and a part of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.render import CANVAS
from lenet5.normalise import resize

__all__ = ["Line", "Window", "windows", "written"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A written string: the ink of each digit on its own layer (digits, H, W), labels, and each one's left and right."""

    layers: Floats
    labels: NDArray[np.uint8]
    edges: NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Ink (H, W) cut out of a line, and what it shows: a label 0–9, or NOT_A_DIGIT."""

    ink: Floats
    label: int


def written(digits: list[Floats], labels: NDArray[np.uint8], generator: np.random.Generator) -> Line:
    """Digits (H, W), each cropped to its ink, beside each other: from 15% overlap to gaps of 30%, sizes and lines jittered."""
    sizes = CANVAS * generator.uniform(0.75, 1.25) * generator.uniform(0.85, 1.15, len(digits))
    scaled = [
        resize(digit, max(3, round(digit.shape[0] * size / 20)), max(3, round(digit.shape[1] * size / 20)))
        for digit, size in zip(digits, sizes, strict=True)
    ]
    height = max(digit.shape[0] for digit in scaled) + CANVAS // 2
    left, edges = 0, []
    for digit in scaled:
        edges.append((left, left + digit.shape[1]))
        left = max(left + 1, edges[-1][1] + round(generator.uniform(-0.15, 0.3) * sizes.mean() * 0.7))
    layers = np.zeros((len(digits), height, max(right for _, right in edges)), np.float32)
    for layer, digit, (start, stop) in zip(layers, scaled, edges, strict=True):
        middle = (height - digit.shape[0]) / 2 + generator.normal(0, 0.06) * CANVAS
        top = min(max(round(middle), 0), height - digit.shape[0])
        layer[top : top + digit.shape[0], start:stop] = digit
    return Line(layers, labels, np.array(edges))


def windows(line: Line, generator: np.random.Generator) -> list[Window]:
    """What cuts between and inside the digits leave, where it is clear what that is."""
    count = len(line.labels)
    between = (line.edges[:-1, 1] + line.edges[1:, 0]) / 2
    width = np.diff(line.edges, axis=1)[:, 0]
    jitter = generator.normal(0, 0.06, count + 1) * CANVAS
    outer = np.concatenate([[-99.0], between + jitter[1:-1], [line.layers.shape[2] + 99.0]])
    inner = line.edges[:, 0] + generator.uniform(0.2, 0.8, count) * width
    spans = [(outer[i], outer[i + 1]) for i in range(count)]
    spans += [(outer[i], outer[i + 2]) for i in range(count - 1)]
    spans += [(outer[i], inner[i]) for i in range(count)] + [(inner[i], outer[i + 1]) for i in range(count)]
    spans += [(outer[i], inner[i + 1]) for i in range(count - 1)] + [(inner[i], outer[i + 2]) for i in range(count - 1)]
    spans += [(inner[i], inner[i + 1]) for i in range(count - 1)]
    rows, columns = np.mgrid[: line.layers.shape[1], : line.layers.shape[2]]
    slanted = columns + generator.normal(0, 0.25) * (rows - line.layers.shape[1] / 2)
    found = []
    for start, stop in spans:
        inside = (slanted >= start) & (slanted < stop)
        if generator.random() < 0.15:  # a stroke's upper or lower part, as broken digits and drop-fall give
            level = generator.uniform(0.35, 0.65) * line.layers.shape[1]
            inside &= (rows < level) if generator.random() < 0.5 else (rows >= level)
        seen = line.layers * inside
        label = judged(line, seen)
        if label is not None:
            found.append(Window(seen.max(axis=0), label))
    return found


def judged(line: Line, seen: Floats) -> int | None:
    """What a cut-out with the ink ``seen`` (digits, H, W) shows: a label, NOT_A_DIGIT, or None where that is open."""
    ink, whole = seen.sum(axis=(1, 2)), line.layers.sum(axis=(1, 2))
    share = ink / np.maximum(whole, 1e-6)
    main = int(ink.argmax())
    scraps = np.delete(ink, main)
    if share[main] > 0.93 and scraps.sum() < 0.1 * ink[main]:
        return int(line.labels[main])
    if share[main] > 0.6 and (scraps > 0.35 * ink[main]).any():
        return paper.NOT_A_DIGIT  # two digits, or one and a half
    part_of_1 = line.labels[main] == 1 and scraps.sum() < 0.1 * ink[main]  # which is a 1 again
    if 0.2 < share[main] < 0.65 and ink.sum() > 0.25 * whole.mean() and not part_of_1:
        return paper.NOT_A_DIGIT  # a part, or parts of two
    return None
