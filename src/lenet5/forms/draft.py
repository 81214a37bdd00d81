"""A blank sheet → a draft of its form file: rows of cells, combs, boxes and lines to write on, in reading order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.errors import FormError
from lenet5.forms.paper import flattened
from lenet5.forms.registration import FRAME
from lenet5.forms.scans import grey_of
from lenet5.reading.opening import open_picture

__all__ = ["Draft", "DraftField", "annotated", "draft", "form_file"]

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Lengths are pixels of the frame, about 200 to an inch of an A4 sheet: 8 are a millimetre.
_PRINT: Final = 220  # of 255: print is darker, that of pale cells, too
_CELL_HEIGHTS: Final = (34, 200)
_NARROWEST: Final = 18
_FILLED: Final = 0.9  # of a blank cell's bounding box that it covers, at least
_DIGIT_CELL: Final = 1.6  # width of a cell for one digit, in heights, at most
_ALIKE: Final = 0.15  # difference of the cells of a row, in heights, at most
_GAP: Final = 0.6  # between the cells of a row, in heights, at most
_BLANK: Final = 0.002  # of a cell's paper: with more print it holds a heading
_INSET: Final = 4  # from the sides of a cell
_BESIDE: Final = 14  # from a row of cells: a line that is nearer is its side
_LONE: Final = 48  # height of a single square cell at least: smaller ones are for a cross
_RULE: Final = 80  # length of a line to write on or a comb's base, at least
_THICK: Final = 14  # its thickness, at most
_TICKS: Final = (5, 90)  # heights of a comb's teeth
_PITCH: Final = (22, 120)  # between them
_TALL: Final = 1.3  # height of a comb's cell, in pitches
_ROOM: Final = (44, 90)  # blank paper above a line to write on
_UPRIGHT: Final = 0.8  # of the paper above or below a line's end: with more print it is a side of a box
_WHOLE: Final = 0.8  # of the sheet's width: longer lines divide the sheet


@dataclass(frozen=True)
class DraftField:
    """A place to write: ``box`` left, top, right, bottom in pixels of the frame; ``cells``, None for a free field.

    >>> comb = DraftField(box=(100, 200, 500, 240), cells=8)
    >>> (comb.box[2] - comb.box[0]) / comb.cells  # pixels of a cell
    50.0
    """

    box: tuple[int, int, int, int]
    cells: int | None


@dataclass(frozen=True, eq=False)
class Draft:
    """A blank sheet's grey levels (H, W) uint8 in the frame, and its fields in reading order.

    >>> blank = np.full((500, 400), 255, np.uint8)
    >>> Draft(blank, (DraftField((100, 200, 300, 240), 4),)).fields[0].cells
    4
    """

    levels: Bytes
    fields: tuple[DraftField, ...]


def draft(blank: str | os.PathLike[str]) -> Draft:
    """The fields of a blank sheet: a picture, or a PDF's first page. Raises PictureError, FormError if it is blank.

    >>> import tempfile
    >>> blank = np.full((400, 300), 255, np.uint8)
    >>> _ = [cv2.rectangle(blank, (x, 100), (x + 20, 125), 0, 1) for x in (60, 80, 100, 120)]  # four cells
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = cv2.imwrite(f"{folder}/blank.png", blank)
    ...     [field.cells for field in draft(f"{folder}/blank.png").fields]
    [4]
    """
    grey = grey_of(open_picture(os.fspath(blank)))
    scale = FRAME / max(grey.shape)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    levels = flattened(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8))
    marks = levels < _PRINT
    if not marks.any():
        raise FormError(f"{blank} is blank: there is nothing to lay scans onto")
    cells = list(_blank_cells(marks))
    fields = list(_rows_of_cells(cells))
    fields += _on_lines(marks, fields)
    return Draft(levels, tuple(_in_reading_order(fields)))


def form_file(sheet: Draft, blank: Path, folder: Path) -> str:
    """The form file, with notes on what to edit; the blank sheet's path is relative to the form file's folder.

    >>> blank = np.full((500, 400), 255, np.uint8)
    >>> text = form_file(Draft(blank, (DraftField((100, 200, 300, 250), 4),)), Path("blank.png"), Path())
    >>> text.splitlines()[-3:]
    ['box = [0.2500, 0.4000, 0.7500, 0.5000]', 'cells = 4', "pattern = '\\\\d{4}'"]
    """
    height, width = sheet.levels.shape
    reference = Path(os.path.relpath(blank, folder)).as_posix().replace("\\", "/").replace('"', '\\"')
    lines = [
        f'reference = "{reference}"  # the sheet without writing; boxes are fractions of it',
        "",
        "# Give the fields names, and delete those that are not to be read. Each may also have:",
        '#   choices = "class.csv:id"   a column of a table, or ["12", "13"]: one of these stands here',
        '#   check = "luhn"             it ends in a check digit',
        "#   required = true            empty is for a person to look at",
        "#   unique = true              two sheets with the same are for a person to look at",
        "#   min_confidence = 0.95      below it a person should look",
    ]
    if not sheet.fields:
        lines += ["#", "# No cells, boxes or lines to write on were found: add a [[field]] with name and box."]
    for number, field in enumerate(sheet.fields, 1):
        left, top, right, bottom = field.box
        fractions = (left / width, top / height, right / width, bottom / height)
        lines += ["", "[[field]]", f'name = "field{number}"', f"box = [{', '.join(f'{f:.4f}' for f in fractions)}]"]
        if field.cells is None:
            lines += ["pattern = '\\d+'            # digits, as many as there are"]
        else:
            lines += [f"cells = {field.cells}", f"pattern = '\\d{{{field.cells}}}'"]
    return "\n".join(lines) + "\n"


def annotated(sheet: Draft) -> bytes:
    """The blank sheet as PNG with the numbered fields drawn on it.

    >>> blank = np.full((500, 400), 255, np.uint8)
    >>> annotated(Draft(blank, (DraftField((100, 200, 300, 240), 4),)))[1:4]
    b'PNG'
    """
    picture = cv2.cvtColor(sheet.levels, cv2.COLOR_GRAY2RGB)
    for number, field in enumerate(sheet.fields, 1):
        left, top, right, bottom = field.box
        cv2.rectangle(picture, (left, top), (right, bottom), (220, 60, 30)[::-1], 4)
        for k in range(1, field.cells or 1):
            x = round(left + k * (right - left) / (field.cells or 1))
            cv2.line(picture, (x, top), (x, bottom), (220, 60, 30)[::-1], 1)
        name = f"field{number}"
        (width, height), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
        cv2.rectangle(picture, (left, top - height - 12), (left + width + 8, top), (220, 60, 30)[::-1], -1)
        cv2.putText(picture, name, (left + 4, top - 8), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2, cv2.LINE_AA)
    _, code = cv2.imencode(".png", picture)
    return code.tobytes()


def _blank_cells(marks: Mask) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of blank paper enclosed by print."""
    closed = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    height, width = marks.shape
    for left, top, w, h, area in stats[1:count].tolist():
        inside = left > 0 and top > 0 and left + w < width and top + h < height
        if not (inside and _CELL_HEIGHTS[0] <= h <= _CELL_HEIGHTS[1] and w >= _NARROWEST):
            continue
        paper = marks[top + _INSET : top + h - _INSET, left + _INSET : left + w - _INSET]
        if area >= _FILLED * w * h and paper.mean() <= _BLANK:
            yield left, top, left + w, top + h


def _rows_of_cells(cells: list[tuple[int, int, int, int]]) -> Iterator[DraftField]:
    """Fields: each row of cells for one digit, and each wide cell."""
    rows: list[list[tuple[int, int, int, int]]] = []
    for cell in sorted(cells, key=lambda cell: (cell[0], cell[1])):
        height, width = cell[3] - cell[1], cell[2] - cell[0]
        if width > _DIGIT_CELL * height:
            yield DraftField(cell, None)
            continue
        for row in rows:
            last = row[-1]
            near = 0 <= cell[0] - last[2] <= _GAP * height
            alike = max(abs(cell[k] - last[k]) for k in (1, 3)) <= _ALIKE * height
            if near and alike and abs(width - (last[2] - last[0])) <= _ALIKE * height:
                row.append(cell)
                break
        else:
            rows.append([cell])
    for row in rows:
        if len(row) > 1 or row[0][3] - row[0][1] >= _LONE:
            box = (row[0][0], min(c[1] for c in row), row[-1][2], max(c[3] for c in row))
            yield DraftField(box, len(row))


def _on_lines(marks: Mask, fields: list[DraftField]) -> list[DraftField]:
    """Fields of combs and of lines to write on, apart from the other fields."""
    level = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, _RULE // 2), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(level, np.ones((1, 5), np.uint8)), connectivity=8)
    on_lines: list[DraftField] = []
    for left, top, width, height, _ in stats[1:count].tolist():
        if width < _RULE or height > _THICK or width > _WHOLE * marks.shape[1]:
            continue
        line = (left, top, left + width, top + height)
        field = _comb_on(marks, line) or _above(marks, line)
        if field is not None and not any(_overlap(field.box, other.box) for other in (*fields, *on_lines)):
            on_lines.append(field)
    return on_lines


def _comb_on(marks: Mask, line: tuple[int, int, int, int]) -> DraftField | None:
    """The comb on a line, if it has three or more teeth at one pitch."""
    left, top, right, _ = line
    strip = marks[max(0, top - _TICKS[1]) : top, left:right][::-1]
    if len(strip) < _TICKS[0]:
        return None
    heights = np.where(strip.all(axis=0), len(strip), np.argmin(strip, axis=0))
    teeth = np.flatnonzero((heights >= _TICKS[0]) & (heights < len(strip)))
    if len(teeth) == 0:
        return None
    groups = np.split(teeth, np.flatnonzero(np.diff(teeth) > 2) + 1)
    middles = np.array([group.mean() for group in groups if len(group) <= _THICK])
    if len(middles) < 3:
        return None
    pitches = np.diff(middles)
    pitch = float(np.median(pitches))
    if not _PITCH[0] <= pitch <= _PITCH[1] or np.abs(pitches - pitch).max() > _ALIKE * pitch:
        return None
    height = round(max(_TALL * pitch, float(heights[teeth].max())))
    first, last = left + round(float(middles[0])), left + round(float(middles[-1]))
    return DraftField((first, max(0, top - height), last, top), len(middles) - 1)


def _above(marks: Mask, line: tuple[int, int, int, int]) -> DraftField | None:
    """The blank paper above a line to write on; None for the side of a box, and below print."""
    left, top, right, bottom = line
    inset = max(4, (right - left) // 40)
    above = marks[max(0, top - _ROOM[1]) : max(0, top - 3), left + inset : right - inset]
    printed = np.flatnonzero(above.any(axis=1))
    room = len(above) - (int(printed[-1]) + 1 if len(printed) else 0)
    if room < _ROOM[0] or any(_is_upright(marks, x, top, bottom) for x in (left, right)):
        return None
    return DraftField((left, top - room, right, top), None)


def _is_upright(marks: Mask, x: int, top: int, bottom: int) -> bool:
    """Whether an upright line starts at the end of a level one: the side of a box."""
    near = np.asarray(marks[:, max(0, x - 6) : x + 6].any(axis=1))
    sides = [near[max(0, top - _ROOM[0]) : top], near[bottom : bottom + _ROOM[0]]]
    return any(len(side) > 0 and float(side.mean()) > _UPRIGHT for side in sides)


def _overlap(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two boxes overlap, or are so close that one line belongs to both."""
    overlap_in_x = box[0] < other[2] and other[0] < box[2]
    return overlap_in_x and box[1] < other[3] + _BESIDE and other[1] < box[3] + _BESIDE


def _in_reading_order(fields: list[DraftField]) -> list[DraftField]:
    """Row by row from the top, each from the left. A row's fields have their middles within its first field."""
    rows: list[list[DraftField]] = []
    for field in sorted(fields, key=lambda field: field.box[1] + field.box[3]):
        middle = (field.box[1] + field.box[3]) / 2
        if rows and rows[-1][0].box[1] <= middle <= rows[-1][0].box[3]:
            rows[-1].append(field)
        else:
            rows.append([field])
    return [field for row in rows for field in sorted(row, key=lambda field: field.box[0])]
