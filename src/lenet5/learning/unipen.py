"""UNIPEN: pen strokes of several hundred writers, read from a folder or an archive."""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from lenet5.errors import DataError
from lenet5.learning.download import cache_folder, download
from lenet5.learning.unipen_format import Files, MalformedError, Report, Writing, writings_in

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

LICENCE: Final = "CC BY 4.0, doi:10.5281/zenodo.1195803"
"""The licence of the consortium's release; the CD-ROM of 1999 in the archive says "research only"."""

ARCHIVE: Final = "https://zenodo.org/records/1195803/files/train_r01_v07.tgz?download=1"
"""The public archive. Not verified: the name and the digest of the file in this record."""

_SUFFIXES: Final = (".tgz", ".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2")
_MOST_BYTES: Final = 2 << 30  # of an unpacked archive
_SPLIT_SEED: Final = 1998
_HELD_OUT: Final = 0.2  # of the writers
_NUMBER: Final = re.compile(r"(?=(?:.*\d){2})[\d/:\-.,%() ]+", re.ASCII)


def is_number(writing: Writing) -> bool:
    """Whether a writing is a number of two or more digits, with or without separators and spaces.

    >>> texts = ["12", "1", "3.50", "12 Oct"]
    >>> [is_number(Writing(text, "WORD", "a writer", "a file", ())) for text in texts]
    [True, False, True, False]
    """
    return writing.level != "CHARACTER" and _NUMBER.fullmatch(writing.label) is not None


@cache
def segment_files() -> tuple[str, ...]:
    """The segment files that training uses, sorted: some of those in the public archive.

    >>> len(segment_files()), segment_files()[0]
    (1661, '1a/aga/amywldrp.dat')
    """
    text = (resources.files("lenet5") / "learning" / "unipen_segments.txt").read_text(encoding="ascii")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


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
    """The writings that training uses: from a folder or archive at ``path``, ``unipen/`` in the folder that
    LENET5_DATA names, or else the user's cache, into which the public archive is fetched.

    ``progress`` is a pooch progress bar of the download; ``report`` takes a line about each file that cannot be used,
    ``advance`` is called after each segment file. Raises DataError.
    """
    folder = os.environ.get("LENET5_DATA")
    source = path or (_archive_in(Path(folder) / "unipen") if folder else _downloaded(url, progress))
    return read_unipen(source, segment_files(), report, advance)


def is_unipen(path: Path) -> bool:
    """Whether a path is a folder with ``data/1a`` in it, or has the name of an archive.

    >>> is_unipen(Path("no such folder"))
    False
    """
    return (path / "data" / "1a").is_dir() or (path.is_file() and path.name.endswith(_SUFFIXES))


def _archive_in(folder: Path) -> Path:
    """The folder itself if it holds UNIPEN unpacked, else the first archive in it."""
    if (folder / "data").is_dir():
        return folder
    archives = sorted(p for p in folder.iterdir() if p.name.endswith(_SUFFIXES)) if folder.is_dir() else []
    if not archives:
        raise DataError(
            f"LENET5_DATA is {folder.parent}, but {folder} holds no UNIPEN archive: give its path as --data"
        )
    return archives[0]


def _downloaded(url: str, progress: Any) -> Path:
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
    names = sorted(n for n in files if n.startswith("data/")) if listed is None else [f"data/{n}" for n in listed]

    def report_line(line: str) -> None:
        if report:
            report(" ".join(line.split()))  # names and labels may hold anything

    writings: list[Writing] = []
    for name in names:
        try:
            if name not in files:
                raise MalformedError("is not in this archive")
            writings += writings_in(name.removeprefix("data/"), files, report_line)
        except (MalformedError, OSError) as error:
            report_line(f"{name}: {error}")
        if advance:
            advance()
    if not writings:
        raise DataError(f"{path} holds no UNIPEN data: it needs folders data and include, or an archive of them")
    return tuple(writings)


def _files(path: Path) -> Files:
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
