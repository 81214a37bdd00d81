"""Long thin straight things: rules, squares, the sides of cells and boxes, edges of pages. One finder, one remover.

A segment is ink in a thin run along a row or a column, or nearly. It is a printed line if it is far longer than
writing is tall and far longer than thick, if it runs along the border, if it is one of several alike side by side, or
if it belongs to a box: ink leads from both of its ends to segments across it, or two of those end at it, and all belong
to boxes themselves. A digit's curves end before they would meet as a box's sides do. What crosses a line is thicker
there than the line and stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import components

__all__ = ["without_lines"]

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SHORTEST: Final = 16  # pixels of a segment
_SLOPE: Final = 0.07  # rows for each column: a page lies no more askew, or it is turned first
_THICKEST: Final = 1 / 30  # of the shorter side of the picture
_MOST: Final = 2000  # pieces of segments looked at, the longest first
_BAND: Final = 16  # rows
_HIDDEN: Final = 80  # pixels of a line that may lie in a stroke
_FILLED: Final = 0.8  # of a segment's columns hold ink
_STRAIGHT: Final = 1.0  # pixels of most of it from its middle line
_BENT: Final = 0.015  # of its length, and as much as _STRAIGHT: so far is the middle of a line from its ends' line
_THINNEST: Final = 4  # pixels: lines no thicker are looked for first, then those three times as thick, and so on
_SEEDS: Final = 0.8  # of a line's pixels: where it is no thicker; the rest of it may be a little
_SLENDER: Final = 6  # times as long as thick is every line
_FINE: Final = 20  # times as long as thick are long lines; strokes are not
_LONG: Final = 5.0  # heights of writing: no stroke is so long
_BORDER: Final = 0.03  # of the picture's sides: a segment so near to the border and
_ALONG: Final = 0.5  # so long is the edge of a page or frame
_CORNERS: Final = 2  # segments that end at a side of a box, at least
_RULING: Final = 0.35  # of a picture's side: several segments so long are ruling
_TALLER: Final = 1.5  # heights of writing: strokes side by side, as of 111, are no longer
_PART: Final = 0.08  # where there is ruling, pieces so long of lines as thick are its
_SAMPLES: Final = 8  # pixels between the end of a segment and one across it
_CORNER: Final = 3  # pixels: the sides of a box begin and end alike
_WIDEST: Final = 12  # times as wide as high, or as high as wide, is a box at most
_REACH: Final = 12  # pixels outwards are looked at for a side's edge
_LEVEL: Final = 0.6  # of which lies on one line, where nothing crosses it
_SEEN: Final = 0.6  # of the side of a cell: writing may hide the rest
_ALL_ALONG: Final = 48  # samples between the ends of two sides
_LEADS: Final = 0.95  # of them are ink
_REGULAR: Final = 0.1  # of their pitch: teeth stand no farther from where they should
_TEETH: Final = 3  # segments of one length on one line are a comb


@dataclass(frozen=True)
class _Segments:
    """Segments along rows: ``labels`` (H, W), k + 1 in segment k; first and last column, row at both, thickness.

    ``gaps`` (G, 5) are the ends of what lies between the pieces of a segment, two points (x, y), after its number.
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


def without_lines(mask: Mask, height: float) -> Mask | None:
    """The mask (H, W) of ink without printed lines, writing on it being about so tall; None where there are none."""
    if min(mask.shape) < _SHORTEST:
        return None
    side = min(mask.shape)
    thickest = 2 * round(max(2, min(side / 30, max(_THINNEST + 2, _THICKEST * side / 2))))
    level = _segments(mask, thickest)
    turned = np.ascontiguousarray(mask.T)
    upright = _segments(turned, thickest)
    if not len(level.left) and not len(upright.left):
        return None
    boxes = np.zeros(len(level.left), np.bool_), np.zeros(len(upright.left), np.bool_)
    for _ in range(2):  # the sides of its neighbours, which begin or end as a box's own do, complete further boxes
        (boxed, uprights), (stood, levels) = _boxes(level, mask), _boxes(upright, turned)
        if not len(uprights) and not len(levels):
            break
        level, boxed = _alike(*_completed(level, boxes[0] | boxed, levels), mask)
        upright, stood = _alike(*_completed(upright, boxes[1] | stood, uprights), turned)
        boxes = boxed, stood
    are_lines, are_sides = _printed(level, upright, boxes, mask, height)
    if not are_lines.any() and not are_sides.any():
        return None
    (gone, rows), (sides, columns) = _ink_of(mask, level, are_lines), _ink_of(turned, upright, are_sides)
    gone |= sides.T | (rows & columns.T & mask)  # where two lines cross both are thick
    pen = int(np.ceil(np.median(np.concatenate([level.thickness[are_lines], upright.thickness[are_sides]]))))
    kept = mask & ~gone
    return np.asarray(kept | (gone & _crossed(kept, gone, pen)))


def _segments(mask: Mask, thickest: int) -> _Segments:
    """Thin runs along the rows of a mask, straight but for a slope, those that follow each other as one.

    The thinnest are taken first, so that what crosses or touches a line is told from it by its thickness.
    """
    ink = mask.view(np.uint8)
    pieces: list[_Piece] = []
    labels, left, thickness = np.zeros(mask.shape, np.int32), ink.copy(), _THINNEST
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
    runs = np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, _SHORTEST + 5), np.uint8)), np.uint8)
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
    long = ((width >= _SHORTEST) & (seeds >= _SEEDS * np.bincount(own, minlength=n)))[own]
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
    long = runs.width >= _SHORTEST
    area = np.bincount(own, minlength=n)
    inked = np.bincount(np.unique(own * (wide := int(columns.max(initial=0)) + 1) + columns) // wide, minlength=n)
    thickness = area / np.maximum(inked, 1)
    long &= (runs.width >= _SLENDER * thickness) & (thickness <= thickest) & (inked >= _FILLED * runs.width)
    long &= runs.height <= thickness + 3 + _SLOPE * runs.width
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
    straight = spread - thickness[which] ** 2 / 12 <= _STRAIGHT**2
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


def _joined(pieces: list[_Piece], labels: NDArray[np.int32], mask: Mask, thickest: int) -> _Segments:
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
    return _Segments(named[labels], edges[:, 0], edges[:, 1], edges[:, 2], edges[:, 3], table[:, 4], between)


def _boxes(segments: _Segments, mask: Mask) -> tuple[Mask, NDArray[np.float64]]:
    """Which segments are opposite sides of a box, and the two others of each: (N, 5), two points (x, y), thickness.

    Two opposite sides begin and end alike, and ink leads straight from end to end at both: writing may hide parts of
    the other two.
    """
    apart = np.subtract.outer(segments.start, segments.start).T
    slack = _CORNER + _SLOPE * apart
    alike = (apart >= _SHORTEST) & (apart <= _WIDEST * np.maximum(segments.length, 1)[:, None])
    for ends in (segments.left, segments.right):
        alike &= np.abs(np.subtract.outer(ends, ends)) <= slack
    first, second = np.nonzero(alike)
    rows = np.rint(np.linspace(segments.start[first], segments.start[second], _ALL_ALONG)).astype(np.int64)
    others = np.rint(np.linspace(segments.end[first], segments.end[second], _ALL_ALONG)).astype(np.int64)
    leads = np.ones(len(first), np.bool_)
    for ends, along, inwards in ((segments.left, rows, 1), (segments.right - 1, others, -1)):
        columns = np.rint(np.linspace(ends[first], ends[second], _ALL_ALONG)).astype(np.int64)
        y = np.clip(along, 0, mask.shape[0] - 1)
        inked = [mask[y, np.clip(columns + inwards * k, 0, mask.shape[1] - 1)] for k in (-1, 0, 1)]
        leads &= np.any(inked, axis=0).mean(axis=0) >= _LEADS
        outwards = columns[None] - inwards * np.arange(_REACH, -2, -1)[:, None, None]
        beyond = mask[y[None], np.clip(outwards, 0, mask.shape[1] - 1)].argmax(axis=0)
        leads &= _is_level(columns + inwards * beyond)  # the edge of a curve is not
    first, second = first[leads], second[leads]
    nearest = np.unique(first, return_index=True)[1] if len(first) else np.zeros(0, np.int64)
    first, second = first[nearest], second[nearest]
    sides = np.zeros(len(segments.left), np.bool_)
    sides[first] = sides[second] = True
    pen = (segments.thickness[first] + segments.thickness[second]) / 2
    return sides, np.concatenate(
        [
            np.stack(
                [segments.start[first], segments.left[first], segments.start[second], segments.left[second], pen],
                axis=1,
            ),
            np.stack(
                [segments.end[first], segments.right[first] - 1, segments.end[second], segments.right[second] - 1, pen],
                axis=1,
            ),
        ]
    )


def _is_level(edge: Ints) -> Mask:
    """(N,): whether most of an edge (S, N) lies on one line, through the middles of its halves."""
    half = len(edge) // 2
    first, last = np.median(edge[:half], axis=0), np.median(edge[half:], axis=0)
    along = (np.arange(len(edge)) - (half - 1) / 2)[:, None] / half
    return np.asarray((np.abs(edge - first - along * (last - first)) <= 1).mean(axis=0) >= _LEVEL)


def _completed(segments: _Segments, boxed: Mask, sides: NDArray[np.float64]) -> tuple[_Segments, Mask]:
    """Segments with those ``sides`` of boxes that are not among them, hidden all along; which are of boxes."""
    x0, y0, x1, y1, pen = sides.T
    there = np.zeros(len(sides), np.bool_)
    if len(segments.left):
        slack = _CORNER + pen[:, None]
        same = (np.abs(segments.start - y0[:, None]) <= slack) & (np.abs(segments.end - y1[:, None]) <= slack)
        same &= (segments.left <= x0[:, None] + slack) & (segments.right >= x1[:, None] - slack)
        there, boxed = same.any(axis=1), boxed | same.any(axis=0)
    own = sides[~there]
    edges = np.rint(own[:, :4]).astype(np.int64)
    numbers = len(segments.left) + np.arange(len(own))
    completed = _Segments(
        segments.labels,
        np.concatenate([segments.left, edges[:, 0]]),
        np.concatenate([segments.right, edges[:, 2] + 1]),
        np.concatenate([segments.start, edges[:, 1]]),
        np.concatenate([segments.end, edges[:, 3]]),
        np.concatenate([segments.thickness, own[:, 4]]),
        np.concatenate([segments.gaps, np.column_stack([numbers, edges])]),
    )
    return completed, np.concatenate([boxed, np.ones(len(own), np.bool_)])


def _alike(segments: _Segments, boxed: Mask, mask: Mask) -> tuple[_Segments, Mask]:
    """Sides of cells beside a box: they begin or end as its nearest side does, as thick, and most of each is seen.

    A box's width away there is another such side. Where ink hides the rest of one, it is made as long as the nearest.
    Gives the segments, and which of them are sides of boxes or cells.
    """
    known, others = np.flatnonzero(boxed), np.flatnonzero(~boxed)
    if len(known) < 2 or len(others) == 0:
        return segments, boxed
    middle = (segments.start + segments.end) / 2
    apart = np.abs(np.subtract.outer(middle[others], middle[known]))
    own = known[np.argmin(apart, axis=1)]
    apart, length = apart.min(axis=1), segments.length[own]
    slack = _CORNER + _SLOPE * apart
    before, after = segments.left[others] - segments.left[own], segments.right[own] - segments.right[others]
    like = (np.minimum(np.abs(before), np.abs(after)) <= slack) & (np.minimum(before, after) >= -slack)
    like &= (segments.length[others] >= _SEEN * length) & (apart <= _WIDEST * length)
    like &= np.abs(segments.thickness[others] - segments.thickness[own]) <= 1 + 0.3 * segments.thickness[own]
    like &= _has_partner(middle, known, others, like & (np.maximum(np.abs(before), np.abs(after)) <= slack))
    left, right = segments.left.copy(), segments.right.copy()
    starts = np.abs(before) <= np.abs(after)
    longer = np.minimum(left[others] + length, mask.shape[1]), np.maximum(right[others] - length, 0)
    right[others] = np.where(like & starts, np.maximum(right[others], longer[0]), right[others])
    left[others] = np.where(like & ~starts, np.minimum(left[others], longer[1]), left[others])
    gaps = []
    for k in others[like].tolist():
        x = np.arange(max(left[k], 0), min(right[k], mask.shape[1]))
        x = x[(x < segments.left[k]) | (x >= segments.right[k])]
        slope = (segments.end[k] - segments.start[k]) / max(segments.length[k] - 1, 1)
        y = np.clip(np.rint(segments.start[k] + slope * (x - segments.left[k])), 0, mask.shape[0] - 1).astype(np.int64)
        if len(x) and mask[y, x].mean() >= _LEADS:
            gaps.append((k, x[0], y[0], x[-1], y[-1]))
        else:
            left[k], right[k] = segments.left[k], segments.right[k]
    boxed = boxed.copy()
    boxed[others[like]] = True
    between = np.concatenate([segments.gaps, np.array(gaps, np.int64).reshape(-1, 5)])
    return _Segments(segments.labels, left, right, segments.start, segments.end, segments.thickness, between), boxed


def _has_partner(middle: NDArray[np.float64], known: Ints, others: Ints, sure: Mask) -> Mask:
    """Which of the other segments have a known or ``sure`` one as far from them as two known ones are usually apart."""
    steps = np.diff(np.sort(middle[known]))
    wide = steps[steps >= _SHORTEST]
    if len(wide) == 0:
        return np.zeros(len(others), np.bool_)
    width = float(np.median(wide))
    partners = np.concatenate([middle[known], middle[others[sure]]])
    apart = np.abs(np.abs(np.subtract.outer(middle[others], partners)) - width)
    return np.asarray((apart <= _CORNER + _REGULAR / 2 * width).any(axis=1))


def _printed(
    level: _Segments, upright: _Segments, boxes: tuple[Mask, Mask], mask: Mask, height: float
) -> tuple[Mask, Mask]:
    """Which level and which upright segments of a mask are printed lines, those of ``boxes`` for sure."""
    shape = mask.shape
    squared = all(
        (segments.length >= _RULING * shape[1 - way]).sum() >= _TEETH for way, segments in enumerate((level, upright))
    )
    tall = 0.0 if squared else height  # of squares and what is written over them, the squares may be the marks
    sure: list[Mask] = [
        ((segments.length >= _LONG * height) & (segments.length >= _FINE * segments.thickness))
        | _on_border(segments, shape[way], shape[1 - way])
        | _parallel(segments, shape[1 - way], tall)
        | boxes[way]
        for way, segments in enumerate((level, upright))
    ]
    meets = [_meeting(level, upright, mask), _meeting(upright, level, mask.T)]
    cut_off = [_cut_off(segments, shape[1 - way]) for way, segments in enumerate((level, upright))]
    whole = [
        first & last & (segments.length >= _FINE / 2 * segments.thickness)
        for segments, (first, last) in ((level, cut_off[0]), (upright, cut_off[1]))
    ]
    crossing = _crossing(level, upright) & np.logical_and.outer(*whole)
    sure = [segments | crossing.any(axis=1 - way) for way, segments in enumerate(sure)]  # of squares around a crop
    held = [np.ones(len(segments.left), np.bool_) for segments in (level, upright)]
    for _ in range(8):  # a side of a box ends at held segments, or two held ones end at it
        before = sum(int(h.sum()) for h in held)
        for way in (0, 1):
            met = [(ends & held[1 - way]).any(axis=1) for ends in meets[way]]
            ended = [segments | beyond for segments, beyond in zip(met, cut_off[way], strict=True)]
            corners = sum((ends[held[1 - way]]).sum(axis=0) for ends in meets[1 - way])
            held[way] = (ended[0] & ended[1] & (met[0] | met[1])) | (corners >= _CORNERS) | sure[way]
        if sum(int(h.sum()) for h in held) == before:
            break
    lines = held
    for way, segments in enumerate((level, upright)):
        lines[way] |= _teeth(segments, meets[way], sure[1 - way])
    return lines[0], lines[1]


def _parallel(segments: _Segments, wide: int, tall: float) -> Mask:
    """Which segments are ruling: several side by side, long and longer than strokes of writing so ``tall``.

    Where there is ruling, a segment as thick is part of it that goes from the picture's border to a digit, or goes on
    on the other side of one.
    """
    long = segments.length >= max(_RULING * wide, _TALLER * tall)
    if long.sum() < _TEETH:
        return np.zeros_like(long)
    usual = float(np.median(segments.thickness[long]))
    alike = (segments.length >= _PART * wide) & (np.abs(segments.thickness - usual) <= 1 + 0.3 * usual)
    first, last = _cut_off(segments, wide)
    ruling = long | (alike & (first | last))
    left, right, start, end = (
        values[ruling] for values in (segments.left, segments.right, segments.start, segments.end)
    )
    slope = (end - start) / (right - left)
    ahead = np.subtract.outer(segments.left, right) * slope + end - segments.start[:, None]
    behind = np.subtract.outer(segments.right, left) * slope + start - segments.end[:, None]
    in_line = (np.minimum(np.abs(ahead), np.abs(behind)) <= 2).any(axis=1)
    return np.asarray(ruling | (alike & in_line))


def _crossing(level: _Segments, upright: _Segments) -> Mask:
    """(N, M): which level segments cross which upright ones."""
    row, column = (level.start + level.end) / 2, (upright.start + upright.end) / 2
    within = (column >= level.left[:, None]) & (column < level.right[:, None])
    return np.asarray(within & (row[:, None] >= upright.left) & (row[:, None] < upright.right))


def _cut_off(segments: _Segments, wide: int) -> tuple[Mask, Mask]:
    """Whether the first end, and the last, of each segment is the picture's border, where a frame may be cut off."""
    return np.asarray(segments.left <= 2), np.asarray(segments.right >= wide - 2)


def _on_border(segments: _Segments, high: int, wide: int) -> Mask:
    """Which segments lie along the border of a picture, in which they run along the rows."""
    near = max(2, round(_BORDER * high))
    beside = (np.maximum(segments.start, segments.end) < near) | (
        np.minimum(segments.start, segments.end) >= high - near
    )
    return np.asarray(beside & (segments.length >= _ALONG * wide))


def _meeting(own: _Segments, across: _Segments, mask: Mask) -> tuple[Mask, Mask]:
    """(N, M): whether the first end, and the last, of each own segment meets each segment across it.

    There is ink all the way between them. ``across`` is in turned coordinates: its rows are
    the columns of ``own`` and of the mask (H, W).
    """
    slack = 3 + np.add.outer(own.thickness, across.thickness) / 2
    middle = (across.start + across.end) / 2
    lean = np.abs(across.start - across.end) / 2
    result = []
    for ends, rows in ((own.left, own.start), (own.right - 1, own.end)):
        beside = np.abs(ends[:, None] - middle[None]) <= slack + lean
        along = (rows[:, None] >= across.left[None] - slack) & (rows[:, None] <= across.right[None] + slack)
        meets = np.asarray(beside & along)
        k, m = np.nonzero(meets)
        part = np.clip((rows[k] - across.left[m]) / np.maximum(across.length[m], 1), 0, 1)
        goal = across.start[m] + part * (across.end[m] - across.start[m])
        steps = np.linspace(0, 1, _SAMPLES)[:, None]
        x = np.clip(np.rint(ends[k] + steps * (goal - ends[k])), 0, mask.shape[1] - 1).astype(np.int64)
        y = np.clip(rows[k] + np.array([-1, 0, 1])[:, None, None], 0, mask.shape[0] - 1).astype(np.int64)
        meets[k, m] = mask[y, x[None]].any(axis=0).all(axis=0)
        result.append(meets)
    return result[0], result[1]


def _teeth(own: _Segments, meets: tuple[Mask, Mask], sure: Mask) -> Mask:
    """Which segments are teeth of a comb: several of one length that start on one printed line at regular places."""
    result = np.zeros(len(own.left), np.bool_)
    for ends in meets:
        for line in np.flatnonzero(sure):
            on = np.flatnonzero(ends[:, line])
            if len(on) < _TEETH:
                continue
            usual = np.median(own.length[on])
            alike = on[np.abs(own.length[on] - usual) <= 0.2 * usual]
            steps = np.diff(np.sort((own.start[alike] + own.end[alike]) / 2))
            if len(steps) < _TEETH - 1:
                continue
            pitches = steps / max(float(np.median(steps)), 1)
            if (np.abs(pitches - np.rint(pitches)) <= _REGULAR).all():
                result[alike] = True
    return result


def _ink_of(mask: Mask, segments: _Segments, which: Mask) -> tuple[Mask, Mask]:
    """The ink of these segments, what is thicker than its segment only crosses it, and where the segments lie."""
    if not which.any():
        return np.zeros_like(mask), np.zeros_like(mask)
    named = np.concatenate([[False], which])
    own = named[segments.labels]
    pen = int(np.ceil(np.median(segments.thickness[which])))
    lines, course = own.astype(np.uint8), own.astype(np.uint8)
    for k, x0, y0, x1, y1 in segments.gaps.tolist():
        if which[k]:
            thickness = max(1, round(segments.thickness[k]))
            cv2.line(lines, (x0, y0), (x1, y1), 1, thickness)
            if x1 - x0 <= 2 * thickness + 3:  # a line across it, no stroke
                cv2.line(course, (x0, y0), (x1, y1), 1, thickness)
    band = cv2.dilate(lines, np.ones((3 + pen // 2 * 2, 5), np.uint8)).view(np.bool_)
    thick = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones(((pen + 3) | 1, 1), np.uint8)).view(np.bool_)
    for k in np.flatnonzero(which):
        left, right = int(segments.left[k]), int(segments.right[k])
        start, end = int(segments.start[k]), int(segments.end[k])
        thickness = max(1, round(segments.thickness[k]))
        for x, y, way in ((left, start, -1), (right - 1, end, 1)):
            cv2.line(course, (x, y), (x + way * (pen + 1), y), 1, thickness)  # a corner: as far as the other is thick
            cv2.line(lines, (x, y), (_last_ink(mask, x, y, way), y), 1, thickness)
    course = np.asarray(cv2.dilate(course, np.ones((3, 3), np.uint8)), np.uint8)
    return np.asarray(mask & band & ~thick), course.view(np.bool_)


def _last_ink(mask: Mask, column: int, row: int, way: int) -> int:
    """The column to which ink goes on in a row from the end of a segment, one way: beyond a crossing, shorter ones."""
    stop = column + way * 2 * _SHORTEST
    ahead = np.arange(column, min(max(stop, 0), mask.shape[1] - 1) + way, way)
    rows = np.clip([row - 1, row, row + 1], 0, mask.shape[0] - 1)
    inked = mask[rows[:, None], ahead].any(axis=0)
    return int(ahead[int(np.argmin(inked)) - 1 if not inked.all() else -1]) if inked[0] else column


def _crossed(kept: Mask, gone: Mask, pen: int) -> Mask:
    """Where a removed line has ink close by on both sides: a stroke goes on there."""
    ink, reach = kept.view(np.uint8), (pen + 3) | 1
    windows = np.ones((reach, 1), np.uint8), np.ones((1, reach), np.uint8)
    level, upright = (np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, w)) > 0 for w in windows)
    return np.asarray((level | upright) & gone)
