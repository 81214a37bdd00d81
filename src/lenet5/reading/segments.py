"""Segments: thin straight runs of ink along the rows of a mask, the thinnest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import components

__all__ = ["SHORTEST", "SLOPE", "THINNEST", "Segments", "segments_of"]

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

SHORTEST: Final = 16  # pixels of a segment
SLOPE: Final = 0.07  # rows for each column: a page lies no more askew, or it is turned first
_MOST: Final = 2000  # pieces of segments looked at, the longest first
_BAND: Final = 16  # rows
_HIDDEN: Final = 80  # pixels of a line that may lie in a stroke
_FILLED: Final = 0.8  # of a segment's columns hold ink
_STRAIGHT: Final = 1.0  # pixels of most of it from its middle line: the standard deviation
_BENT: Final = 0.015  # of its length, and as much as _STRAIGHT: so far is the middle of a line from its ends' line
THINNEST: Final = 4  # pixels: lines no thicker are looked for first, then those three times as thick, and so on
_SEEDS: Final = 0.8  # of a line's pixels: where it is no thicker; the rest of it may be a little
_SLENDER: Final = 6  # times as long as thick is every line


@dataclass(frozen=True)
class Segments:
    """Segments along rows: ``labels`` (H, W), k + 1 in segment k; first and last column, row at both, thickness.

    ``gaps`` (G, 5) are the ends of what lies between the pieces of a segment, two points (x, y), after its number.

    >>> mask = np.zeros((40, 100), np.bool_)
    >>> mask[20:22, 10:90] = mask[5:15, 40:50] = True  # a rule and a blot
    >>> segments = segments_of(mask, thickest=4)
    >>> segments.length.tolist(), segments.thickness.tolist()
    ([80], [2.0])
    """

    labels: NDArray[np.int32]
    left: Ints
    right: Ints
    start: Ints
    end: Ints
    thickness: NDArray[np.float64]
    gaps: Ints

    @property
    def length(self) -> Ints:
        return np.asarray(self.right - self.left)


def segments_of(mask: Mask, thickest: int) -> Segments:
    """Thin runs along the rows of a mask, straight but for a slope, those that follow each other as one.

    The thinnest are taken first, so that what crosses or touches a line is told from it by its thickness.

    >>> mask = np.zeros((40, 100), np.bool_)
    >>> mask[20:22, 10:90] = mask[5:15, 40:50] = True  # a rule and a blot
    >>> segments = segments_of(mask, thickest=4)
    >>> segments.left.tolist(), segments.right.tolist()
    ([10], [90])
    """
    ink = mask.view(np.uint8)
    pieces: list[_Piece] = []
    labels, left, thickness = np.zeros(mask.shape, np.int32), ink.copy(), THINNEST
    while True:
        thickness = min(thickness, thickest)
        runs = _runs(ink, left, thickness)
        if runs is not None:
            accepted = _pieces(runs, thickness)
            named = np.zeros(len(runs.left), np.int32)
            named[[piece.number for piece in accepted]] = len(pieces) + 1 + np.arange(len(accepted), dtype=np.int32)
            new = named[runs.own]
            is_new = new > 0
            labels[runs.rows[is_new], runs.columns[is_new]] = new[is_new]
            left[runs.rows[is_new], runs.columns[is_new]] = 0
            pieces += [piece._replace(number=len(pieces) + k) for k, piece in enumerate(accepted)]
        if thickness == thickest:
            return _joined(pieces, labels, mask, thickest)
        thickness *= 3


class _Runs(NamedTuple):
    """Pixels in long runs along the rows, (N,) each, the connected part that each is ``own`` to; the parts' boxes."""

    rows: Ints
    columns: Ints
    own: Ints
    left: Ints
    top: Ints
    width: Ints
    height: Ints


def _runs(ink: NDArray[np.uint8], left: NDArray[np.uint8], thickness: int) -> _Runs | None:
    """What of the ink that is ``left`` lies in long runs along the rows, no thicker than that; None if nothing does."""
    looser = thickness + max(2, thickness // 4)
    thick, thicker = (cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((t + 1, 1), np.uint8)) for t in (thickness, looser))
    thin = left & ~np.asarray(thicker, np.uint8)
    joined = cv2.dilate(thin, np.ones((3, 5), np.uint8))
    runs = np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, SHORTEST + 5), np.uint8)), np.uint8)
    selected = thin & runs
    places = cv2.findNonZero(selected)
    if places is None:
        return None
    columns, rows = places.reshape(-1, 2).astype(np.int64).T
    # four columns as one are labelled in a quarter of the time
    fours = np.pad(selected, ((0, 0), (0, -selected.shape[1] % 4))).view(np.uint32) > 0
    near = cv2.dilate(fours.view(np.uint8), np.ones((1, 3), np.uint8)).view(np.bool_)
    own = components(near).labels[rows, columns // 4].astype(np.int64) - 1
    first, last = np.full((2, n := int(own.max()) + 1), max(selected.shape)), np.zeros((2, n), np.int64)
    for k, places in enumerate((columns, rows)):
        np.minimum.at(first[k], own, places)
        np.maximum.at(last[k], own, places)
    width, height = last - first + 1
    seeds = np.bincount(own, np.asarray(thick)[rows, columns] == 0, n)
    long = ((width >= SHORTEST) & (seeds >= _SEEDS * np.bincount(own, minlength=n)))[own]
    return _Runs(rows[long], columns[long], own[long], first[0], first[1], width, height)


class _Piece(NamedTuple):
    """A straight component: its ``number``, first and last column, rows there, thickness, columns that it inks."""

    number: int
    left: int
    right: int
    start: float
    end: float
    thickness: float
    inked: int


def _pieces(runs: _Runs, thickest: int) -> list[_Piece]:
    """The parts whose ink is close to one gently bent line, nearly all along; the feet of letters are not."""
    rows, columns, own, n = runs.rows, runs.columns, runs.own, len(runs.left)
    area = np.bincount(own, minlength=n)
    inked = np.bincount(np.unique(own * (wide := int(columns.max(initial=0)) + 1) + columns) // wide, minlength=n)
    thickness = area / np.maximum(inked, 1)
    long = (runs.width >= _SLENDER * thickness) & (thickness <= thickest) & (inked >= _FILLED * runs.width)
    long &= runs.height <= thickness + 3 + SLOPE * runs.width
    which = np.flatnonzero(long)
    if len(which) == 0:
        return []
    place = np.full(n, -1)
    place[which] = np.arange(len(which))
    rows, columns, own = rows[long[own]], columns[long[own]], place[own[long[own]]]
    t = 2 * (columns - runs.left[which][own]) / runs.width[which][own] - 1
    y = rows - runs.top[which][own].astype(np.float64)
    powers = [np.bincount(own, t**k, len(which)) for k in range(5)]
    right = np.stack([np.bincount(own, y * t**k, len(which)) for k in range(3)], axis=1)
    left = np.stack([[powers[i + j] for j in range(3)] for i in range(3)]).transpose(2, 0, 1) + 1e-6 * np.eye(3)
    bent = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    spread = (np.bincount(own, y * y, len(which)) - (bent * right).sum(axis=1)) / powers[0]
    straight = spread - thickness[which] ** 2 / 12 <= _STRAIGHT * _STRAIGHT
    straight &= np.abs(bent[:, 2]) <= _STRAIGHT + _BENT * runs.width[which]
    start, end = bent[:, 0] - bent[:, 1] + bent[:, 2], bent.sum(axis=1)
    return [
        _Piece(
            int(k),
            int(runs.left[k]),
            int(runs.left[k] + runs.width[k]),
            float(runs.top[k] + start[i]),
            float(runs.top[k] + end[i]),
            float(thickness[k]),
            int(inked[k]),
        )
        for i, k in enumerate(which)
        if straight[i]
    ]


def _is_ink(mask: Mask, one: _Piece, other: _Piece) -> bool:
    """Whether there is ink all the way from the end of a piece to the start of another."""
    x = np.arange(one.right, max(other.left, one.right + 1))
    y = np.rint(np.interp(x, [one.right, other.left], [one.end, other.start])).astype(np.int64)
    return bool(mask[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)].all())


def _joined(pieces: list[_Piece], labels: NDArray[np.int32], mask: Mask, thickest: int) -> Segments:
    """Pieces that go on where others end as one segment, mostly inked; writing may hide a part."""
    count = len(pieces)
    if len(pieces) > _MOST:
        pieces = sorted(pieces, key=lambda piece: piece.left - piece.right)[:_MOST]
    pieces.sort(key=lambda piece: piece.left)
    segments: list[list[_Piece]] = []
    inked: list[int] = []  # columns of each segment
    ends: dict[int, list[int]] = {}  # segments by the band of rows in which they end
    gap = 2 * thickest + 5
    for piece in pieces:
        band = round(piece.start) // _BAND
        for k in sorted(
            (k for near in (band - 1, band, band + 1) for k in ends.get(near, ())), key=lambda k: -segments[k][-1].right
        ):
            last, apart = segments[k][-1], piece.left - segments[k][-1].right
            slope = (last.end - last.start) / (last.right - last.left)
            aside = abs(piece.start - last.end - slope * apart)
            if apart < -2 or apart > gap + _HIDDEN or aside > 2 + 0.5 * last.thickness:
                continue
            hidden = apart if _is_ink(mask, last, piece) else 0
            full = inked[k] + hidden + piece.inked >= _FILLED * (piece.right - segments[k][0].left)
            if full and (apart <= gap or hidden):
                ends[round(last.end) // _BAND].remove(k)
                segments[k].append(piece)
                inked[k] += hidden + piece.inked
                break
        else:
            k = len(segments)
            segments.append([piece])
            inked.append(piece.inked)
        ends.setdefault(round(piece.end) // _BAND, []).append(k)
    named = np.zeros(count + 1, np.int32)
    table = np.zeros((len(segments), 5))
    for k, segment in enumerate(segments):
        first, last, pen = segment[0], segment[-1], np.mean([one.thickness for one in segment])
        table[k] = first.left, last.right, first.start, last.end, pen
        named[[piece.number + 1 for piece in segment]] = k + 1
    edges = np.round(table[:, :4]).astype(np.int64)
    gaps = [
        (k, one.right, round(one.end), other.left, round(other.start))
        for k, segment in enumerate(segments)
        for one, other in pairwise(segment)
    ]
    between = np.array(gaps, np.int64).reshape(-1, 5)
    return Segments(named[labels], edges[:, 0], edges[:, 1], edges[:, 2], edges[:, 3], table[:, 4], between)
