"""Long thin straight things: rules, squares, the sides of cells and boxes, edges of pages. One finder, one remover.

A segment is ink in a thin run along a row or a column, or nearly. It is a printed line if it is far longer than
writing is tall and far longer than thick, if it runs along the border, if it is one of several alike side by side, or
if it belongs to a box: ink leads from both of its ends to segments across it, or two of those end at it, and all belong
to boxes themselves. A digit's curves end before they would meet as a box's sides do. What crosses a line is thicker
there than the line and stays.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.boxes import REGULAR, with_boxes
from lenet5.reading.segments import SHORTEST, THINNEST, Segments, segments_of

__all__ = ["without_lines"]

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_THICKEST: Final = 1 / 30  # of the shorter side of the picture
_FINE: Final = 20  # times as long as thick are long lines; strokes are not
_LONG: Final = 5.0  # heights of writing: no stroke is so long
_BORDER: Final = 0.03  # of the picture's sides: a segment so near to the border and
_ALONG: Final = 0.5  # so long is the edge of a page or frame
_CORNERS: Final = 2  # segments that end at a side of a box, at least
_RULING: Final = 0.35  # of a picture's side: several segments so long are ruling
_TALLER: Final = 1.5  # heights of writing: strokes side by side, as of 111, are no longer
_PART: Final = 0.08  # where there is ruling, pieces so long of lines as thick are its
_SAMPLES: Final = 8  # pixels between the end of a segment and one across it
_TEETH: Final = 3  # segments of one length on one line are a comb


def without_lines(mask: Mask, height: float) -> Mask | None:
    """The mask (H, W) of ink without printed lines, writing on it being about so tall; None where there are none.

    >>> mask = np.zeros((60, 200), np.bool_)
    >>> mask[45:47] = mask[20:40, 90:93] = True  # a rule across the picture, and a stroke above it
    >>> bare = without_lines(mask, height=20)
    >>> int(bare[40:].sum()), int(bare.sum())
    (0, 60)
    """
    if min(mask.shape) < SHORTEST:
        return None
    side = min(mask.shape)
    thickest = 2 * round(max(2, min(side / 30, max(THINNEST + 2, _THICKEST * side / 2))))
    level = segments_of(mask, thickest)
    turned = np.ascontiguousarray(mask.T)
    upright = segments_of(turned, thickest)
    if not len(level.left) and not len(upright.left):
        return None
    level, upright, boxes = with_boxes(level, upright, mask)
    are_lines, are_sides = _printed(level, upright, boxes, mask, height)
    if not are_lines.any() and not are_sides.any():
        return None
    (gone, rows), (sides, columns) = _ink_of(mask, level, are_lines), _ink_of(turned, upright, are_sides)
    gone |= sides.T | (rows & columns.T & mask)  # where two lines cross both are thick
    pen = int(np.ceil(np.median(np.concatenate([level.thickness[are_lines], upright.thickness[are_sides]]))))
    kept = mask & ~gone
    return np.asarray(kept | (gone & _crossed(kept, gone, pen)))


def _printed(
    level: Segments, upright: Segments, boxes: tuple[Mask, Mask], mask: Mask, height: float
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
    while True:  # a side of a box ends at held segments, or two held ones end at it; from all on they only grow fewer
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


def _parallel(segments: Segments, wide: int, tall: float) -> Mask:
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


def _crossing(level: Segments, upright: Segments) -> Mask:
    """(N, M): which level segments cross which upright ones."""
    row, column = (level.start + level.end) / 2, (upright.start + upright.end) / 2
    within = (column >= level.left[:, None]) & (column < level.right[:, None])
    return np.asarray(within & (row[:, None] >= upright.left) & (row[:, None] < upright.right))


def _cut_off(segments: Segments, wide: int) -> tuple[Mask, Mask]:
    """Whether the first end, and the last, of each segment is the picture's border, where a frame may be cut off."""
    return np.asarray(segments.left <= 2), np.asarray(segments.right >= wide - 2)


def _on_border(segments: Segments, high: int, wide: int) -> Mask:
    """Which segments lie along the border of a picture, in which they run along the rows."""
    near = max(2, round(_BORDER * high))
    beside = (np.maximum(segments.start, segments.end) < near) | (
        np.minimum(segments.start, segments.end) >= high - near
    )
    return np.asarray(beside & (segments.length >= _ALONG * wide))


def _meeting(own: Segments, across: Segments, mask: Mask) -> tuple[Mask, Mask]:
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


def _teeth(own: Segments, meets: tuple[Mask, Mask], sure: Mask) -> Mask:
    """Which segments are teeth of a comb: several of one length that start on one printed line at regular places."""
    result = np.zeros(len(own.left), np.bool_)
    for ends in meets:
        for line in np.flatnonzero(sure):
            on = np.flatnonzero(ends[:, line])
            if len(on) < _TEETH:
                continue
            usual = np.median(own.length[on])
            alike = on[np.abs(own.length[on] - usual) <= 0.2 * usual]
            steps = np.diff(np.sort(own.start[alike] + own.end[alike]))
            if len(steps) < _TEETH - 1:
                continue
            pitches = steps / max(float(np.median(steps)), 1)
            if (np.abs(pitches - np.rint(pitches)) <= REGULAR).all():
                result[alike] = True
    return result


def _ink_of(mask: Mask, segments: Segments, which: Mask) -> tuple[Mask, Mask]:
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
    course = np.asarray(cv2.dilate(course, np.ones((3, 3), np.uint8)), np.uint8)
    return np.asarray(mask & band & ~thick), course.view(np.bool_)


def _crossed(kept: Mask, gone: Mask, pen: int) -> Mask:
    """Where a removed line has ink close by on both sides: a stroke goes on there."""
    ink, reach = kept.view(np.uint8), (pen + 3) | 1
    windows = np.ones((reach, 1), np.uint8), np.ones((1, reach), np.uint8)
    level, upright = (np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, w)) > 0 for w in windows)
    return np.asarray((level | upright) & gone)
