"""Parsers, each as a function of bytes: they take them or refuse them in one line; anything else is a finding."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final
from unittest.mock import patch

import numpy as np
from PIL import Image

from lenet5 import weights
from lenet5.errors import LeNet5Error
from lenet5.forms.form import load_form
from lenet5.learning import checkpoint, data
from lenet5.learning.idx import read_idx
from lenet5.learning.unipen import read_unipen
from lenet5.reading import pdf
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.opening import open_pages
from tests.fuzz.corpus import CHECKPOINT_OPTIONS, CORPORA

__all__ = ["TARGETS", "checked"]

_PAGES: Final = 3
_PICTURES: Final = ("png", "jpeg", "gif", "bmp", "tiff", "webp", "avif", "heic", "netpbm")
_CLASSES: Final = "0123456789/:-.,%()"

Parser = Callable[[bytes, Path], object]
"""A parser of bytes, with a folder of its own for those that take a file."""


def checked(parser: Parser, content: bytes, folder: Path) -> None:
    """Parse; raises AssertionError for a refusal of several lines, and whatever is no refusal as it is."""
    try:
        parser(content, folder)
    except LeNet5Error as refusal:
        if len(str(refusal).splitlines()) != 1:
            raise AssertionError(f"a refusal of several lines: {refusal}") from refusal


def _picture(content: bytes, folder: Path) -> None:
    with closing(open_pages(content)) as pages:
        for page in islice(pages, _PAGES):
            assert page.grey.dtype == np.float32
            assert 0 <= float(page.grey.min()) <= float(page.grey.max()) <= 1, "levels outside 0..1"


def _pdf(content: bytes, folder: Path) -> None:
    """Pages of 65,536 pixels at most, to save time; the rendering of large ones is not fuzzed."""
    with patch.object(pdf, "SCALE_ABOVE", 1 << 16):
        _picture(content, folder)


def _file(name: str, load: Callable[[Path], object], content: bytes, folder: Path) -> object:
    (folder / name).write_bytes(content)
    return load(folder / name)


def _unipen(name: str, content: bytes, folder: Path) -> None:
    for path, corpus in (("data/1a/a", "unipen segments"), ("include/1a/a.dat", "unipen points")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if corpus == name else CORPORA[corpus]()[0])
    lines: list[str] = []
    try:
        read_unipen(folder, report=lines.append)
    finally:
        assert all("\n" not in line for line in lines)


def _form(content: bytes, folder: Path) -> None:
    if not (folder / "blank.png").exists():
        Image.new("L", (60, 80), 255).save(folder / "blank.png")
        (folder / "class.csv").write_text("id\n123\n456\n")
    _file("form.toml", load_form, content, folder)


def _classify(content: bytes, folder: Path) -> None:
    from lenet5.web.work import _images

    images = _images(content)
    assert images.shape[1:] == (28, 28)


def _multipart(content: bytes, folder: Path) -> None:
    from lenet5.web.form import Form
    from lenet5.web.refused import RefusedError

    try:
        form = Form("multipart/form-data; boundary=b", 5)
        for start in range(0, len(content), 37):
            form.write(content[start : start + 37])
        form.files()
    except RefusedError:
        pass


def _query(content: bytes, folder: Path) -> None:
    from starlette.datastructures import QueryParams

    from lenet5.web.parameters import parameters
    from lenet5.web.refused import RefusedError

    with suppress(RefusedError):
        parameters(QueryParams(content.decode("latin-1")))


def _pattern(content: bytes, folder: Path) -> None:
    compile_constraint(_CLASSES, content.decode("latin-1"), None, None)


TARGETS: Final[dict[str, Parser]] = {
    **{kind: _picture for kind in _PICTURES if kind in CORPORA},
    "pdf": _pdf,
    "weights": partial(_file, "w.safetensors", weights.load),
    "checkpoint": partial(_file, "c", lambda path: checkpoint.load(path, CHECKPOINT_OPTIONS)),
    "idx": partial(_file, "i", lambda path: read_idx(path, 3)),
    "npz": partial(_file, "a.npz", lambda path: data.load(str(path))),
    "labels.csv": partial(_file, "labels.csv", lambda path: data.load(str(path.parent))),
    "unipen segments": partial(_unipen, "unipen segments"),
    "unipen points": partial(_unipen, "unipen points"),
    "form toml": _form,
    "pattern": _pattern,
    "classify json": _classify,
    "multipart": _multipart,
    "query": _query,
}
"""Each parser by the name of its corpus."""

assert TARGETS.keys() == CORPORA.keys()


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for one parser, in memory where the system has such."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="lenet5-fuzz-", dir=memory if memory.is_dir() else None)
