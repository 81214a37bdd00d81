"""Polylines and arcs → the ink of a pen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS

__all__ = ["Lines", "arc", "drawn"]

Floats = NDArray[np.float32]
Lines = list[NDArray[np.float64]]
"""Polylines, (n, 2) each: rows and columns, about 1 high."""


def arc(start: NDArray[np.floating], stop: NDArray[np.floating], bend: float) -> NDArray[np.float64]:
    """Points (n, 2) from start to stop, straight or bowed sideways by ``bend`` of the distance.

    >>> points = arc(np.zeros(2), np.array([0.0, 1.0]), bend=0.5)
    >>> points[[0, 3, 6]].round(3).tolist()  # start, the middle of the bow, stop
    [[0.0, 0.0], [-0.5, 0.5], [-0.0, 1.0]]
    """
    if not bend:
        return np.array([start, stop], np.float64)
    t = np.linspace(0, 1, 7)[:, None]
    along = np.asarray(stop) - start
    return np.asarray(start + along * t + bend * np.sin(math.pi * t) * np.array([-along[1], along[0]]))


def drawn(lines: Lines, generator: np.random.Generator, pens: NDArray[np.float64] | None = None) -> Floats:
    """Polylines (row, column), about 1 high, drawn CANVAS high by a pen that may be broader in one direction.

    ``pens`` are the lines' radii in pixels; without them, all lines have one at random.

    >>> stem = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> fine, broad = (drawn([stem], np.random.default_rng(0), np.array([radius])) for radius in (1.0, 3.0))
    >>> [int((ink > 0.5).any(axis=1).sum()) for ink in (fine, broad)]  # CANVAS rows and the round ends
    [41, 45]
    >>> [int((ink > 0.5).any(axis=0).sum()) for ink in (fine, broad)]
    [1, 5]
    """
    starts = np.concatenate([line[:-1] for line in lines]) * CANVAS
    stops = np.concatenate([line[1:] for line in lines]) * CANVAS
    points = np.concatenate([starts, stops])
    low = points.min(axis=0) - 6
    shape = np.minimum(points.max(axis=0) - low + 8, 3 * CANVAS).astype(int)
    angle = generator.uniform(0, math.pi)
    nib = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    # the nib is narrower in one direction: distances count for more there
    nib[0] /= generator.uniform(0.5 if pens is None else 0.8, 1.0)
    starts, stops = (starts - low) @ nib.T, (stops - low) @ nib.T
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    u, v = ((rows * a + columns * b).astype(np.float32) for a, b in nib)
    nearest = np.full(shape, np.inf, np.float32)
    if pens is None:
        pens = np.full(len(lines), generator.uniform(1.2, 4.5))
    radii = np.repeat(pens, [len(line) - 1 for line in lines]).astype(np.float32)
    for start, along, radius in zip(starts.astype(np.float32), (stops - starts).astype(np.float32), radii, strict=True):
        place = np.clip(((u - start[0]) * along[0] + (v - start[1]) * along[1]) / max(along @ along, 1e-6), 0, 1)
        squared_distance = np.square(u - start[0] - place * along[0]) + np.square(v - start[1] - place * along[1])
        np.minimum(nearest, np.sqrt(squared_distance) - radius, out=nearest)
    return np.asarray(np.clip(np.float32(0.5) - nearest, 0, 1))
