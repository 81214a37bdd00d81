"""UNIPEN's format: segment files and trajectory files → writings.

The format is that of Guyon, Schomaker, Plamondon, Liberman and Janet, "UNIPEN project of on-line data exchange and
recognizer benchmarks", ICPR 1994. A *segment file* (``data/1a/…/name.dat``) names a *trajectory file* below
``include/`` by ``.INCLUDE`` and says which of its components are which text. A trajectory file is a list of components:
``.PEN_DOWN`` and ``.PEN_UP`` blocks of rows of numbers, counted from 0; empty blocks do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Files", "MalformedError", "Report", "Writing", "writings_in"]

Floats = NDArray[np.float32]
Files = Mapping[str, Callable[[], bytes]]
"""The files below data/ and include/: name → content."""

Report = Callable[[str], None]
"""Called with one line about a file or segment that cannot be used."""

_DEEPEST: Final = 4  # nested includes
_FARTHEST: Final = 1e9  # coordinates and resolutions of tablets are smaller

_BLOCK: Final = re.compile(rb"^\.", re.MULTILINE)
_SEGMENT: Final = re.compile(rb'^SEGMENT\s+(\S+)\s+(\S+)\s+\S+\s+"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLACE: Final = r"(\d{1,9})(?::(\d{1,9}))?"  # a component, and perhaps a point of it
_PART: Final = re.compile(f"{_PLACE}(?:-{_PLACE})?", re.ASCII)


@dataclass(frozen=True)
class Writing:
    """A character, word or text by one writer, as pen strokes.

    ``strokes`` are (n, 2) float32: x to the right and y downwards, both in one unit of the tablet. ``level`` is
    "CHARACTER", "WORD" or "TEXT"; ``source`` the segment file, such as "1a/pri/pri0/159.3.dat".

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> digit = Writing("1", "CHARACTER", "a writer", "1a/pri/pri0/159.3.dat", (stroke,))
    >>> digit.label, np.ptp(np.concatenate(digit.strokes), axis=0).tolist()  # its width and height
    ('1', [0.0, 10.0])
    """

    label: str
    level: str
    writer: str
    source: str
    strokes: tuple[Floats, ...]


class MalformedError(Exception):
    """The reason why a file or segment cannot be used.

    >>> try:
    ...     writings_in("1a/one.dat", {"data/1a/one.dat": lambda: b'.SEGMENT CHARACTER 0 OK "1"\\n'}, print)
    ... except MalformedError as error:
    ...     print(error)
    includes no file that holds points
    """


def writings_in(name: str, files: Files, report: Report) -> list[Writing]:
    """The writings of one segment file. A segment that is malformed gives a line to ``report``.

    Raises MalformedError for a file without points.

    >>> files = {
    ...     "data/1a/one.dat": lambda: b'.INCLUDE ann.dat\\n.SEGMENT CHARACTER 0 OK "1"\\n',
    ...     "include/ann.dat": lambda: b".COORD X Y\\n.PEN_DOWN\\n5 90\\n5 10\\n",
    ... }
    >>> [(writing.label, writing.strokes[0].tolist()) for writing in writings_in("1a/one.dat", files, print)]
    [('1', [[5.0, -90.0], [5.0, -10.0]])]
    """
    blocks = _BLOCK.split(_text(files[f"data/{name}"]()))
    includes = _Includes(files)
    trajectory = None
    for block in blocks:
        if block.startswith(b"INCLUDE"):
            included = includes.trajectory(block)
            trajectory = included if included is not None and included.components else trajectory
    segments = [block for block in blocks if block.startswith(b"SEGMENT")]
    if not segments:
        return []
    if trajectory is None:
        raise MalformedError("includes no file that holds points")
    writings = []
    for block in segments:
        match = _SEGMENT.match(block)
        if match is None:
            report(f"data/{name}: no segment: {block[:60].decode('latin-1').strip()!r}")
            continue
        level, delineation, label = (group.decode("latin-1") for group in match.groups())
        try:
            strokes = trajectory.strokes(delineation)
        except MalformedError as error:
            report(f"data/{name}: segment {label!r} {error}")
            continue
        label = re.sub(r"\\(.)", r"\1", label)
        writings.append(Writing(label, level, trajectory.writer or f"file {name}", name, strokes))
    return writings


@dataclass(frozen=True)
class _Trajectory:
    """A trajectory file: its components, each with whether the pen is down and its rows as text; columns; aspect."""

    components: tuple[tuple[bool, bytes], ...]
    columns: tuple[str, ...]
    aspect: float
    writer: str

    def strokes(self, delineation: str) -> tuple[Floats, ...]:
        """The strokes of a delineation such as "73", "169-170", "3:5-7:10" (component:point) or a list of these."""
        strokes = []
        for part in delineation.split(","):
            match = _PART.fullmatch(part)
            if match is None:
                raise MalformedError(f"has a delineation {delineation!r} that is none")
            first, start, last, stop = (int(g) if g else None for g in match.groups())
            first = first or 0
            if last is None:
                last, stop = first, start
            if not first <= last < len(self.components):
                raise MalformedError(f"goes beyond the {len(self.components)} components of its trajectory")
            for k in range(first, last + 1):
                down, rows = self.components[k]
                if not down:
                    continue
                points = self._points(rows)
                begin = start if k == first and start is not None else 0
                end = stop if k == last and stop is not None else len(points) - 1
                if not begin <= end < len(points):
                    raise MalformedError(f"takes points {begin} to {end} of a component of {len(points)}")
                strokes.append(points[begin : end + 1])
        if not strokes:
            raise MalformedError("has no stroke")
        return tuple(strokes)

    def _points(self, rows: bytes) -> Floats:
        """The points (n, 2) of a component, a row of text each."""
        lines = [line for row in rows.split(b"\n") if (line := row.split())]
        if b"_" in rows or any(len(line) != len(self.columns) for line in lines):  # Python's numbers may have _
            raise MalformedError(f"has a component that is no table of {len(self.columns)} columns")
        try:
            table = np.array(lines, np.float64)
        except ValueError:
            raise MalformedError("has a component that is not all numbers") from None
        x, y = (table[:, self.columns.index(axis)] for axis in "XY")
        if (np.abs(np.concatenate([x, y])) < _FARTHEST).all():  # false for NaN, too
            points = np.stack([x.astype(np.float32) * np.float32(self.aspect), -y.astype(np.float32)], axis=1)
            if (np.abs(points) < _FARTHEST).all():
                return points
        raise MalformedError("has a component with points that no tablet gives")


class _Includes:
    """The files that a segment file includes, each parsed once."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._parsed: dict[str, _Trajectory | None] = {}

    def trajectory(self, include: bytes, depth: int = 0) -> _Trajectory | None:
        """The trajectory of an .INCLUDE block, perhaps without components; None where the file is missing."""
        words = include.split()
        name = words[1].decode("latin-1") if len(words) > 1 else ""
        content = self._files.get(f"include/{name}")
        if content is None or depth > _DEEPEST:
            return None
        if name not in self._parsed:
            self._parsed[name] = None  # while it is being parsed: a file that includes itself
            self._parsed[name] = self._parse(_text(content()), depth)
        return self._parsed[name]

    def _parse(self, text: bytes, depth: int) -> _Trajectory:
        """A trajectory file: its components; without any, those of the last included file that has some."""
        components: list[tuple[bool, bytes]] = []
        columns: tuple[str, ...] = ("X", "Y")
        writer, nested = "", None
        points_a_unit = {b"X": 1.0, b"Y": 1.0}
        for block in _BLOCK.split(text):
            keyword, _, rest = block.partition(b"\n") if block[:3] == b"PEN" else (block, b"", b"")
            words = keyword.split(None, 2)
            if not words:
                continue
            if words[0] in (b"PEN_DOWN", b"PEN_UP"):
                rows = b"\n".join([b" ".join(keyword.split()[1:]), rest])
                if rows.strip():
                    components.append((words[0] == b"PEN_DOWN", rows))
            elif words[0] == b"COORD":
                columns = tuple(word.decode("latin-1") for word in keyword.split()[1:])
            elif words[0] == b"WRITER_ID" and len(words) > 1 and not writer:
                writer = b" ".join(keyword.splitlines()[0].split()[1:]).decode("latin-1").casefold()
            elif words[0][1:] in (b"_POINTS_PER_MM", b"_POINTS_PER_INCH") and len(words) > 1:
                points_a_unit[words[0][:1]] = _resolution(words[1])
            elif words[0] == b"INCLUDE":
                included = self.trajectory(keyword, depth + 1)
                if included is not None and included.components:
                    nested = included
                elif included is not None:
                    columns = included.columns
                    points_a_unit = {b"X": 1.0, b"Y": included.aspect}
        if nested is not None and not components:
            return nested
        if not {"X", "Y"} <= set(columns):
            raise MalformedError("includes a file without columns X and Y")
        return _Trajectory(tuple(components), columns, points_a_unit[b"Y"] / points_a_unit[b"X"], writer)


def _resolution(word: bytes) -> float:
    """Points per unit of length: a positive number."""
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < _FARTHEST:
        raise MalformedError("includes a file whose points per unit are no positive number")
    return value


def _text(content: bytes) -> bytes:
    """A file's content with "\\n" at the end of each line."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
