"""Where ``lenet5 read`` keeps the drawings of --annotate and --debug."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lenet5.errors import OutputError

if TYPE_CHECKING:
    from lenet5.reading.picture import Picture
    from lenet5.reading.reader import Reader
    from lenet5.result import Reading

__all__ = ["Drawings", "safe_stem"]

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f/\\:\ud800-\udfff]")
_LONGEST: Final = 100  # bytes: with a page, a number and an ending a file system still takes the name


class Drawings:
    """Draws readings where the user asked for it, each under a name of its own.

    ``annotate`` is the PNG file of --annotate, ``debug`` the folder of --debug, either None where
    not asked for; ``files`` are all files to be read. Wrong usage where ``annotate`` is no PNG.
    Raises OutputError where it cannot be written, or is one of the files.

    >>> Drawings("drawn.jpg", None, ["a.png"])
    Traceback (most recent call last):
        ...
    click.exceptions.BadParameter: give a file name that ends in .png
    """

    def __init__(self, annotate: str | None, debug: str | None, files: list[str]) -> None:
        self._annotate, self._debug = annotate, debug
        self._several = len(files) > 1
        self._taken: set[str] = set()
        self._files = {os.path.realpath(file) for file in files}
        if debug == "":
            raise click.BadParameter("give the name of a folder", param_hint="--debug")
        if annotate is None:
            return
        from lenet5.files import require_writable

        if Path(annotate).suffix.lower() != ".png":
            raise click.BadParameter("give a file name that ends in .png", param_hint="--annotate")
        require_writable(annotate)
        if os.path.realpath(annotate) in self._files:
            raise OutputError(f"cannot write {annotate}: it is a picture to be read")

    def keep(self, name: str, picture: Picture, reading: Reading, reader: Reader) -> None:
        """Draw one page's reading, as far as asked for. Raises OutputError."""
        if self._annotate is None and self._debug is None:
            return
        from lenet5.evaluation.annotate import annotated, as_png, write_debug
        from lenet5.files import write_beside

        stem = self._own_name(name, picture)
        if self._annotate is not None:
            path = Path(self._annotate)
            if self._several or picture.pages > 1:
                path = path.with_name(f"{path.stem}-{stem}{path.suffix}")
            if os.path.realpath(path) in self._files:
                raise OutputError(f"cannot write {path}: it is a picture to be read")
            write_beside(path, as_png(annotated(picture, reading)))
        if self._debug is not None:
            write_debug(picture, reading, reader.pieces(picture), Path(self._debug) / stem)

    def _own_name(self, name: str, picture: Picture) -> str:
        """The file's safe stem, with the page where there are several; numbered where it is taken."""
        stem = "stdin" if name == "-" else safe_stem(name)
        if picture.pages > 1:
            stem += f"-page{picture.page}"
        number, first = 1, stem
        while stem.casefold() in self._taken:  # some file systems do not tell A from a
            number += 1
            stem = f"{first}-{number}"
        self._taken.add(stem.casefold())
        return stem


def safe_stem(name: str) -> str:
    """A file's name without its ending, as one that names a file inside a folder whatever it is.

    It has no separators, drives, control characters or undecodable bytes, no dots or spaces at its ends, and at most
    100 bytes; "picture" where nothing is left.

    >>> safe_stem("scans/form 7.png"), safe_stem("...png"), safe_stem(".hidden")
    ('form 7', 'picture', 'hidden')
    """
    stem = _UNSAFE.sub("_", Path(name).stem)
    return stem.encode()[:_LONGEST].decode(errors="ignore").strip(". ") or "picture"
