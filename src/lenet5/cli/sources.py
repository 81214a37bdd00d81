"""Which files a command's arguments stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lenet5.result import PICTURE_SUFFIXES

__all__ = ["files_in"]


def files_in(arguments: Iterable[str]) -> Iterator[str]:
    """The arguments, folders replaced by the pictures in them; a folder without any stays.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = [(Path(folder) / name).write_bytes(b"") for name in ("b.png", "a.jpg", "notes.txt")]
    ...     [Path(file).name for file in files_in([folder, "c.png"])]
    ['a.jpg', 'b.png', 'c.png']
    """
    for argument in arguments:
        path = Path(argument)
        if argument == "-" or not os.path.isdir(argument):  # noqa: PTH112 (it survives names that are too long)
            yield argument
            continue
        pictures = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
        yield from map(str, pictures or [path])
