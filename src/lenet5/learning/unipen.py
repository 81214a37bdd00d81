"""UNIPEN: pen strokes of several hundred writers, read from a folder or an archive.

The format is that of Guyon, Schomaker, Plamondon, Liberman and Janet, "UNIPEN project of on-line data exchange and
recognizer benchmarks", ICPR 1994. A *segment file* (``data/1a/…/name.dat``) names a *trajectory file* below
``include/`` by ``.INCLUDE`` and says which of its components are which text. A trajectory file is a list of components:
``.PEN_DOWN`` and ``.PEN_UP`` blocks of rows of numbers, counted from 0; empty blocks do not count.
"""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import DataError
from lenet5.learning.download import cache_folder, download

__all__ = [
    "ARCHIVE",
    "LICENCE",
    "Writing",
    "held_out_writers",
    "is_number",
    "is_unipen",
    "load_unipen",
    "read_unipen",
    "segment_files",
]

Floats = NDArray[np.float32]
Report = Callable[[str], None]
"""Called with one line about a file that could not be used."""

LICENCE: Final = "CC BY 4.0, doi:10.5281/zenodo.1195803"
"""Under what the consortium released UNIPEN, and where; the CD-ROM of 1999 in the archive says research only."""

ARCHIVE: Final = "https://zenodo.org/records/1195803/files/train_r01_v07.tgz?download=1"
"""The public archive. Not verified: the name of the file in this record, and its digest, are still to be confirmed."""

_SUFFIXES: Final = (".tgz", ".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2")
_MOST_BYTES: Final = 2 << 30  # of an unpacked archive
_DEEPEST: Final = 4  # nested includes
_FARTHEST: Final = 1e9  # no coordinate and no resolution of a tablet is as large
_SPLIT_SEED: Final = 1998
_HELD_OUT: Final = 0.2  # of the writers

_BLOCK: Final = re.compile(rb"^\.", re.MULTILINE)
_SEGMENT: Final = re.compile(rb'^SEGMENT\s+(\S+)\s+(\S+)\s+\S+\s+"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PLACE: Final = r"(\d{1,9})(?::(\d{1,9}))?"  # a component, and perhaps a point of it
_PART: Final = re.compile(f"{_PLACE}(?:-{_PLACE})?", re.ASCII)
_NUMBER: Final = re.compile(r"(?=(?:.*\d){2})[\d/:\-.,%() ]+", re.ASCII)


@dataclass(frozen=True)
class Writing:
    """A character, word or text by one writer, as pen strokes.

    ``strokes`` are (n, 2) float32: x to the right and y downwards, both in one unit of the tablet. ``level`` is
    "CHARACTER", "WORD" or "TEXT"; ``source`` the segment file, such as "1a/pri/pri0/159.3.dat".

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> one = Writing("1", "CHARACTER", "a writer", "1a/pri/pri0/159.3.dat", (stroke,))
    >>> one.label, np.ptp(np.concatenate(one.strokes), axis=0).tolist()  # its width and height
    ('1', [0.0, 10.0])
    """

    label: str
    level: str
    writer: str
    source: str
    strokes: tuple[Floats, ...]


def is_number(writing: Writing) -> bool:
    """Whether a writing is a number of two or more digits, with or without separators and spaces.

    >>> texts = ["12", "1", "3.50", "12 Oct"]
    >>> [is_number(Writing(text, "WORD", "a writer", "a file", ())) for text in texts]
    [True, False, True, False]
    """
    return writing.level != "CHARACTER" and _NUMBER.fullmatch(writing.label) is not None


@cache
def segment_files() -> tuple[str, ...]:
    """The segment files that training takes, sorted: the public archive holds more than these.

    >>> len(segment_files()), segment_files()[0]
    (1661, '1a/aga/amywldrp.dat')
    """
    listed = (resources.files("lenet5") / "learning" / "unipen_segments.txt").read_text(encoding="ascii")
    return tuple(line for line in listed.splitlines() if line and not line.startswith("#"))


def held_out_writers(writings: Iterable[Writing]) -> frozenset[str]:
    """A fixed fifth of the writers: they validate and calibrate weights and are never trained on.

    >>> writings = [Writing("7", "CHARACTER", f"writer {k}", "a file", ()) for k in range(10)]
    >>> sorted(held_out_writers(writings))
    ['writer 8', 'writer 9']
    """
    writers = sorted({writing.writer for writing in writings})
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(writers))
    return frozenset(writers[k] for k in order[: round(_HELD_OUT * len(writers))])


def load_unipen(
    path: Path | None = None,
    url: str = ARCHIVE,
    progress: Any = None,
    report: Report | None = None,
    advance: Callable[[], None] | None = None,
) -> tuple[Writing, ...]:
    """The writings that training takes: from a folder or archive at ``path``, ``unipen/`` in the folder that
    LENET5_DATA names, or else the user's cache, into which the public archive is fetched.

    ``progress`` is a pooch progress bar of the download; ``report`` takes a line about each file that cannot be used,
    ``advance`` is called after each segment file. Raises DataError.
    """
    folder = os.environ.get("LENET5_DATA")
    place = path or (_archive_in(Path(folder) / "unipen") if folder else _fetched(url, progress))
    return read_unipen(place, segment_files(), report, advance)


def is_unipen(path: Path) -> bool:
    """Whether a path is a folder that holds ``data/1a``, or an archive by its name.

    >>> is_unipen(Path("no such folder"))
    False
    """
    return (path / "data" / "1a").is_dir() or (path.is_file() and path.name.endswith(_SUFFIXES))


def _archive_in(folder: Path) -> Path:
    """The folder itself where UNIPEN lies in it unpacked, else the first archive in it."""
    if (folder / "data").is_dir():
        return folder
    archives = sorted(p for p in folder.iterdir() if p.name.endswith(_SUFFIXES)) if folder.is_dir() else []
    if not archives:
        raise DataError(
            f"LENET5_DATA is {folder.parent}, but {folder} holds no UNIPEN archive: give its path as --data"
        )
    return archives[0]


def _fetched(url: str, progress: Any) -> Path:
    """The public archive in the cache folder, fetched if it is not there."""
    target = cache_folder() / "unipen" / "train_r01_v07.tgz"
    if target.exists():
        return target
    try:
        return download([url], target, _files, progress)
    except DataError as error:
        raise DataError(
            f"cannot fetch UNIPEN ({error}): get the archive of doi:10.5281/zenodo.1195803 and give its path as --data"
        ) from None


def read_unipen(
    path: Path,
    listed: Iterable[str] | None = None,
    report: Report | None = None,
    advance: Callable[[], None] | None = None,
) -> tuple[Writing, ...]:
    """All writings of the ``listed`` segment files (default: all) below a folder or in a tar or zip archive.

    A file or segment that is malformed gives one line to ``report`` and no writing; ``advance`` is called after each
    segment file. Raises DataError where there is no UNIPEN data.
    """
    files = _files(path)
    wanted = (
        sorted(name for name in files if name.startswith("data/")) if listed is None else [f"data/{n}" for n in listed]
    )

    def say(line: str) -> None:
        if report:
            report(" ".join(line.split()))  # names and labels may hold anything

    writings: list[Writing] = []
    for name in wanted:
        try:
            if name not in files:
                raise _MalformedError("is not in this archive")
            writings += _segments(name.removeprefix("data/"), files, say)
        except (_MalformedError, OSError) as error:
            say(f"{name}: {error}")
        if advance:
            advance()
    if not writings:
        raise DataError(f"{path} holds no UNIPEN data: it needs folders data and include, or an archive of them")
    return tuple(writings)


class _MalformedError(Exception):
    """Why a file or segment cannot be used."""


def _files(path: Path) -> Mapping[str, Callable[[], bytes]]:
    """The files below data/ and include/, wherever these folders are: name → content."""
    try:
        if path.is_dir():
            files = {
                str(PurePosixPath(p.relative_to(path))): p.read_bytes for p in sorted(path.rglob("*")) if p.is_file()
            }
        elif zipfile.is_zipfile(path):
            files = _in_memory(_zipped(path))
        elif path.is_file():
            files = _in_memory(_tarred(path))
        else:
            raise DataError(f"no UNIPEN data at {path}: give a folder or an archive")
    except DataError:
        raise
    except Exception as error:  # tarfile, zipfile and the decompressors raise a dozen kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a whole tar or zip archive: {reason}") from None
    root = min(
        (name[: name.index("data/")] for name in files if re.search(r"(^|/)data/1a/", name)), key=len, default=""
    )
    return {name.removeprefix(root): content for name, content in files.items() if name.startswith(root)}


def _in_memory(members: Iterator[tuple[str, int, Callable[[], bytes]]]) -> dict[str, Callable[[], bytes]]:
    """The contents of an archive's files, held in memory: a compressed tar can only be read from its start."""
    contents: dict[str, Callable[[], bytes]] = {}
    total = 0
    for name, size, read in members:
        total += size
        if total > _MOST_BYTES:
            raise ValueError(f"it unpacks to more than {_MOST_BYTES >> 30} GB")
        if re.search(r"(^|/)(data|include)/", name):
            contents[name] = partial(bytes, read())
    return contents


def _tarred(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                yield member.name.removeprefix("./"), member.size, file.read


def _zipped(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield info.filename, info.file_size, partial(archive.read, info)


def _segments(name: str, files: Mapping[str, Callable[[], bytes]], say: Report) -> list[Writing]:
    """The writings of one segment file."""
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
        raise _MalformedError("includes no file that holds points")
    writings = []
    for block in segments:
        matched = _SEGMENT.match(block)
        if matched is None:
            say(f"data/{name}: no segment: {block[:60].decode('latin-1').strip()!r}")
            continue
        level, delineation, label = (group.decode("latin-1") for group in matched.groups())
        try:
            strokes = trajectory.strokes(delineation)
        except _MalformedError as error:
            say(f"data/{name}: segment {label!r} {error}")
            continue
        label = re.sub(r"\\(.)", r"\1", label)
        writings.append(Writing(label, level, trajectory.writer or f"file {name}", name, strokes))
    return writings


@dataclass(frozen=True)
class _Trajectory:
    """The components of a trajectory file, each (is the pen down?, its rows as text); columns; size of a unit."""

    components: tuple[tuple[bool, bytes], ...]
    columns: tuple[str, ...]
    aspect: float
    writer: str

    def strokes(self, delineation: str) -> tuple[Floats, ...]:
        """The strokes of a delineation such as "73", "169-170", "3:5-7:10" (component:point) or a list of these."""
        strokes = []
        for part in delineation.split(","):
            matched = _PART.fullmatch(part)
            if matched is None:
                raise _MalformedError(f"has a delineation {delineation!r} that is none")
            first, start, last, stop = (int(g) if g else None for g in matched.groups())
            first = first or 0
            if last is None:
                last, stop = first, start
            if not first <= last < len(self.components):
                raise _MalformedError(f"goes beyond the {len(self.components)} components of its trajectory")
            for k in range(first, last + 1):
                down, rows = self.components[k]
                if not down:
                    continue
                points = self._points(rows)
                begin = start if k == first and start is not None else 0
                end = stop if k == last and stop is not None else len(points) - 1
                if not begin <= end < len(points):
                    raise _MalformedError(f"takes points {begin} to {end} of a component of {len(points)}")
                strokes.append(points[begin : end + 1])
        if not strokes:
            raise _MalformedError("has no stroke")
        return tuple(strokes)

    def _points(self, rows: bytes) -> Floats:
        """The points (n, 2) of a component, a row of text each."""
        lines = [line for row in rows.split(b"\n") if (line := row.split())]
        if b"_" in rows or any(len(line) != len(self.columns) for line in lines):  # Python's numbers may have _
            raise _MalformedError(f"has a component that is no table of {len(self.columns)} columns")
        try:
            table = np.array(lines, np.float64)
        except ValueError:
            raise _MalformedError("has a component that is not all numbers") from None
        x, y = (table[:, self.columns.index(axis)] for axis in "XY")
        far = not (np.abs(np.concatenate([x, y])) < _FARTHEST).all()  # NaN, too
        points = np.empty((0, 2), np.float32)
        if not far:
            points = np.stack([x.astype(np.float32) * np.float32(self.aspect), -y.astype(np.float32)], axis=1)
        if far or not (np.abs(points) < _FARTHEST).all():
            raise _MalformedError("has a component with points that no tablet gives")
        return points


class _Includes:
    """The files that a segment file includes, each parsed once however often and deep it is included."""

    def __init__(self, files: Mapping[str, Callable[[], bytes]]) -> None:
        self._files = files
        self._parsed: dict[str, _Trajectory | None] = {}

    def trajectory(self, include: bytes, depth: int = 0) -> _Trajectory | None:
        """What an .INCLUDE block leads to, perhaps without components; None where the file is missing."""
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
        """A trajectory file: its own components, or those of the last file that it includes and that has some."""
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
                other = self.trajectory(keyword, depth + 1)
                if other is not None and other.components:
                    nested = other
                elif other is not None:
                    columns = other.columns
                    points_a_unit = {b"X": 1.0, b"Y": other.aspect}
        if nested is not None and not components:
            return nested
        if not {"X", "Y"} <= set(columns):
            raise _MalformedError("includes a file without columns X and Y")
        return _Trajectory(tuple(components), columns, points_a_unit[b"Y"] / points_a_unit[b"X"], writer)


def _resolution(word: bytes) -> float:
    """Points per unit of length: a positive number."""
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < _FARTHEST:
        raise _MalformedError("includes a file whose points per unit are no positive number")
    return value


def _text(content: bytes) -> bytes:
    """A file's content with "\\n" at the end of each line."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
