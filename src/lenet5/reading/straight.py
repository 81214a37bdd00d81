"""Long thin straight things: rules, squares, the sides of cells and boxes, edges of pages. One finder, one remover.

A segment is ink in a thin run along a row or a column, or nearly. A segment is a printed line if it is far longer than
writing is tall, if it runs along the border, or if it belongs to a box: both of its ends meet segments across it, or
two of those end at it, which belong to it themselves. Ink that crosses a line is thicker there than the line and stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import Components, components

__all__ = ["without_lines"]

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SHORTEST: Final = 16  # pixels of a segment
_SLOPE: Final = 0.07  # rows for each column: a page lies no more askew, or it is turned first
_THICKEST: Final = 1 / 30  # of the shorter side of the picture
_MOST: Final = 2000  # pieces of segments looked at, the longest first
_FILLED: Final = 0.8  # of a segment's columns hold ink
_STRAIGHT: Final = 1.0  # pixels of most of it from its middle line
_LONG: Final = 5.0  # heights of writing: no stroke is so long
_BORDER: Final = 0.03  # of the picture's sides: a segment so near to the border and
_ALONG: Final = 0.5  # so long is the edge of a page or frame
_CORNERS: Final = 2  # segments that end at a side of a box, at least
_RULING: Final = 0.35  # of a picture's side: several segments so long are ruling
_TALLER: Final = 1.5  # heights of writing: strokes side by side, as of 111, are no longer
_PART: Final = 0.08  # where there is ruling, pieces so long of lines as thick are its
_TEETH: Final = 3  # segments of one length on one line are a comb


@dataclass(frozen=True)
class _Segments:
    """Segments along rows: ``labels`` (H, W), k + 1 in segment k; first and last column, row at both, thickness."""

    labels: NDArray[np.int32]
    left: Ints
    right: Ints
    start: Ints
    end: Ints
    thickness: NDArray[np.float64]

    @property
    def length(self) -> Ints:
        return np.asarray(self.right - self.left)


def without_lines(mask: Mask, height: float) -> Mask | None:
    """The mask (H, W) of ink without printed lines, writing on it being about so tall; None where there are none."""
    if min(mask.shape) < _SHORTEST:
        return None
    side = min(mask.shape)
    thickest = round(max(4, min(side / 15, max(6, _THICKEST * side))))
    level = _segments(mask, thickest)
    turned = np.ascontiguousarray(mask.T)
    upright = _segments(turned, thickest)
    if not len(level.left) and not len(upright.left):
        return None
    are_lines, are_sides = _printed(level, upright, mask.shape, height)
    if not are_lines.any() and not are_sides.any():
        return None
    (gone, rows), (sides, columns) = _ink_of(mask, level, are_lines), _ink_of(turned, upright, are_sides)
    gone |= sides.T | (rows & columns.T & mask)  # where two lines cross both are thick
    pen = int(np.ceil(np.median(np.concatenate([level.thickness[are_lines], upright.thickness[are_sides]]))))
    kept = mask & ~gone
    return np.asarray(kept | (gone & _crossed(kept, gone, pen)))


def _segments(mask: Mask, thickest: int) -> _Segments:
    """Thin runs along the rows of a mask, straight but for a slope, those that follow each other as one."""
    ink = mask.view(np.uint8)
    thick = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((thickest + 1, 1), np.uint8)), np.uint8)
    thin = ink & ~thick
    joined = cv2.dilate(thin, np.ones((3, 5), np.uint8))
    runs = np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, _SHORTEST + 4), np.uint8)), np.uint8)
    told = thin & runs
    near = np.asarray(cv2.morphologyEx(told, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8)), np.uint8)
    found = components(near.view(np.bool_))
    labels = np.where(told > 0, found.labels, np.int32(0))
    return _joined(_pieces(labels, found, thickest), labels, len(found), thickest)


class _Piece(NamedTuple):
    """A straight component: its ``number``, first and last column, rows there, thickness, columns that it inks."""

    number: int
    left: int
    right: int
    start: float
    end: float
    thickness: float
    inked: int


def _pieces(labels: NDArray[np.int32], found: Components, thickest: int) -> list[_Piece]:
    """The components whose ink is close to one gently bent line, nearly all along; the feet of letters are not."""
    rows, columns = np.nonzero(labels)
    own = labels[rows, columns] - 1
    long = found.width >= _SHORTEST
    rows, columns, own = rows[long[own]], columns[long[own]], own[long[own]]
    n = len(found)
    area = np.bincount(own, minlength=n)
    inked = np.bincount(np.unique(own.astype(np.int64) * labels.shape[1] + columns) // labels.shape[1], minlength=n)
    thickness = area / np.maximum(inked, 1)
    long &= (found.width >= 4 * thickness) & (thickness <= thickest) & (inked >= _FILLED * found.width)
    long &= found.height <= thickness + 3 + _SLOPE * found.width
    which = np.flatnonzero(long)
    if len(which) == 0:
        return []
    place = np.full(n, -1)
    place[which] = np.arange(len(which))
    rows, columns, own = rows[long[own]], columns[long[own]], place[own[long[own]]]
    t = 2 * (columns - found.left[which][own]) / found.width[which][own] - 1
    y = rows - found.top[which][own].astype(np.float64)
    powers = [np.bincount(own, t**k, len(which)) for k in range(5)]
    right = np.stack([np.bincount(own, y * t**k, len(which)) for k in range(3)], axis=1)
    left = np.stack([[powers[i + j] for j in range(3)] for i in range(3)]).transpose(2, 0, 1) + 1e-6 * np.eye(3)
    bent = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    spread = (np.bincount(own, y * y, len(which)) - (bent * right).sum(axis=1)) / powers[0]
    straight = spread - thickness[which] ** 2 / 12 <= _STRAIGHT**2
    start, end = bent[:, 0] - bent[:, 1] + bent[:, 2], bent.sum(axis=1)
    return [
        _Piece(
            int(k),
            int(found.left[k]),
            int(found.right[k]),
            float(found.top[k] + start[i]),
            float(found.top[k] + end[i]),
            float(thickness[k]),
            int(inked[k]),
        )
        for i, k in enumerate(which)
        if straight[i]
    ]


def _joined(pieces: list[_Piece], labels: NDArray[np.int32], count: int, thickest: int) -> _Segments:
    """Pieces that go on where others end as one segment, mostly inked."""
    if len(pieces) > _MOST:
        pieces = sorted(pieces, key=lambda piece: piece.left - piece.right)[:_MOST]
    pieces.sort(key=lambda piece: piece.left)
    segments: list[list[_Piece]] = []
    going_on: list[tuple[list[_Piece], int]] = []  # segments that may go on, and how many columns they ink
    gap = 2 * thickest + 5
    for piece in pieces:
        going_on = [item for item in going_on if piece.left - item[0][-1].right <= gap]
        for k in range(len(going_on) - 1, -1, -1):
            segment, inked = going_on[k]
            last = segment[-1]
            slope = (last.end - last.start) / (last.right - last.left)
            apart = abs(piece.start - last.end - slope * (piece.left - last.right))
            full = inked + piece.inked >= _FILLED * (piece.right - segment[0].left)
            if piece.left - last.right >= -2 and apart <= 2 + 0.5 * last.thickness and full:
                segment.append(piece)
                going_on[k] = segment, inked + piece.inked
                break
        else:
            segments.append([piece])
            going_on.append((segments[-1], piece.inked))
    named = np.zeros(count + 1, np.int32)
    table = np.zeros((len(segments), 5))
    for k, segment in enumerate(segments):
        first, last, pen = segment[0], segment[-1], np.mean([one.thickness for one in segment])
        table[k] = first.left, last.right, first.start, last.end, pen
        named[[piece.number + 1 for piece in segment]] = k + 1
    ends = np.round(table[:, :4]).astype(np.int64)
    return _Segments(named[labels], ends[:, 0], ends[:, 1], ends[:, 2], ends[:, 3], table[:, 4])


def _printed(level: _Segments, upright: _Segments, shape: tuple[int, ...], height: float) -> tuple[Mask, Mask]:
    """Which level and which upright segments are printed lines."""
    squared = all((one.length >= _RULING * shape[1 - way]).sum() >= _TEETH for way, one in enumerate((level, upright)))
    tall = 0.0 if squared else height  # of squares and what is written over them, the squares may be the marks
    sure = [
        (one.length >= _LONG * height)
        | _on_border(one, shape[way], shape[1 - way])
        | _parallel(one, shape[1 - way], tall)
        for way, one in enumerate((level, upright))
    ]
    meets = [_meeting(level, upright), _meeting(upright, level)]
    cut_off = [_cut_off(one, shape[1 - way]) for way, one in enumerate((level, upright))]
    held = [np.ones(len(one.left), np.bool_) for one in (level, upright)]
    for _ in range(8):  # a side of a box ends at held segments, or two held ones end at it
        before = sum(int(h.sum()) for h in held)
        for way in (0, 1):
            met = [(ends & held[1 - way]).any(axis=1) for ends in meets[way]]
            ended = [one | beyond for one, beyond in zip(met, cut_off[way], strict=True)]
            corners = sum((ends[held[1 - way]]).sum(axis=0) for ends in meets[1 - way])
            held[way] = (ended[0] & ended[1] & (met[0] | met[1])) | (corners >= _CORNERS) | sure[way]
        if sum(int(h.sum()) for h in held) == before:
            break
    lines = held
    for way, one in enumerate((level, upright)):
        lines[way] |= _teeth(one, meets[way], sure[1 - way])
    return lines[0], lines[1]


def _parallel(one: _Segments, wide: int, tall: float) -> Mask:
    """Which segments are ruling: several side by side, long and longer than strokes of writing so ``tall``.

    Where there is ruling, a segment as thick is part of it that goes from the picture's border to a digit, or goes on
    on the other side of one.
    """
    long = one.length >= max(_RULING * wide, _TALLER * tall)
    if long.sum() < _TEETH:
        return np.zeros_like(long)
    usual = float(np.median(one.thickness[long]))
    alike = (one.length >= _PART * wide) & (np.abs(one.thickness - usual) <= 1 + 0.3 * usual)
    first, last = _cut_off(one, wide)
    ruling = long | (alike & (first | last))
    left, right, start, end = (values[ruling] for values in (one.left, one.right, one.start, one.end))
    slope = (end - start) / (right - left)
    ahead = np.subtract.outer(one.left, right) * slope + end - one.start[:, None]
    behind = np.subtract.outer(one.right, left) * slope + start - one.end[:, None]
    in_line = (np.minimum(np.abs(ahead), np.abs(behind)) <= 2).any(axis=1)
    return np.asarray(ruling | (alike & in_line))


def _cut_off(one: _Segments, wide: int) -> tuple[Mask, Mask]:
    """Whether the first end, and the last, of each segment is the picture's border, where a frame may be cut off."""
    return np.asarray(one.left <= 2), np.asarray(one.right >= wide - 2)


def _on_border(one: _Segments, high: int, wide: int) -> Mask:
    """Which segments lie along the border of a picture, in which they run along the rows."""
    near = max(2, round(_BORDER * high))
    beside = (np.maximum(one.start, one.end) < near) | (np.minimum(one.start, one.end) >= high - near)
    return np.asarray(beside & (one.length >= _ALONG * wide))


def _meeting(own: _Segments, across: _Segments) -> tuple[Mask, Mask]:
    """(N, M): whether the first end, and the last, of each own segment meets each segment across it.

    ``across`` is in turned coordinates: its rows are the columns of ``own``.
    """
    slack = 3 + np.add.outer(own.thickness, across.thickness) / 2
    middle = (across.start + across.end) / 2
    lean = np.abs(across.start - across.end) / 2
    result = []
    for ends, rows in ((own.left, own.start), (own.right, own.end)):
        beside = np.abs(ends[:, None] - middle[None]) <= slack + lean
        along = (rows[:, None] >= across.left[None] - slack) & (rows[:, None] <= across.right[None] + slack)
        result.append(np.asarray(beside & along))
    return result[0], result[1]


def _teeth(own: _Segments, meets: tuple[Mask, Mask], sure: Mask) -> Mask:
    """Which segments are teeth of a comb: several of one length that start on one printed line."""
    result = np.zeros(len(own.left), np.bool_)
    for ends in meets:
        for line in np.flatnonzero(sure):
            on = np.flatnonzero(ends[:, line])
            if len(on) < _TEETH:
                continue
            usual = np.median(own.length[on])
            alike = on[np.abs(own.length[on] - usual) <= 0.2 * usual]
            if len(alike) >= _TEETH:
                result[alike] = True
    return result


def _ink_of(mask: Mask, segments: _Segments, which: Mask) -> tuple[Mask, Mask]:
    """The ink of these segments, and the bands that they lie in: what is thicker than its segment only crosses it."""
    if not which.any():
        return np.zeros_like(mask), np.zeros_like(mask)
    named = np.concatenate([[False], which])
    own = named[segments.labels]
    pen = int(np.ceil(np.median(segments.thickness[which])))
    band = cv2.dilate(own.view(np.uint8), np.ones((3 + pen // 2 * 2, 5), np.uint8)).view(np.bool_)
    thick = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((pen + 3, 1), np.uint8)).view(np.bool_)
    return np.asarray(mask & band & ~thick), np.asarray(band)


def _crossed(kept: Mask, gone: Mask, pen: int) -> Mask:
    """Where a removed line has ink close by on both sides: a stroke goes on there."""
    ink, reach = kept.view(np.uint8), pen + 3
    windows = np.ones((reach, 1), np.uint8), np.ones((1, reach), np.uint8)
    level, upright = (np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, w)) > 0 for w in windows)
    return np.asarray((level | upright) & gone)
