"""Which files a command's arguments stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lenet5.result import PICTURE_SUFFIXES

__all__ = ["files_in"]


def files_in(arguments: Iterable[str]) -> Iterator[str]:
    """The arguments, folders replaced by the pictures in them; a folder without any stays."""
    for argument in arguments:
        path = Path(argument)
        if argument == "-" or not os.path.isdir(argument):  # noqa: PTH112 (it survives names that are too long)
            yield argument
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
        yield from map(str, inside or [path])
