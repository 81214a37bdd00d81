"""Pictures that once crashed the reader: each gives an answer, or a PictureError of one line."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import PictureError, Reader
from lenet5.reading.reader import LAYOUTS

SIDES_AT_THE_BORDER = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAQ0lEQVR4nLXLoQ3AMBBD0X8FZSUZMrNkhg75iVlRaXW0ipH1ZJNolkZdaC0m9wSG8JyUMPiX+vQAVNri6Jc9cHVIkxecQBUw5vEjxAAAAABJRU5ErkJggg=="
)
"""A PNG of 16×16 whose only level side lies in the last column: closed by an even window, nothing is left of it."""


DIAGONAL = 255 - 255 * np.eye(40, dtype=np.uint8)


def hostile() -> list[Path]:
    """The files of the folder hostile in LENET5_DATA that are quick to read."""
    folder = os.environ.get("LENET5_DATA")
    if not folder or not (Path(folder) / "hostile").is_dir():
        return []
    return sorted(path for path in (Path(folder) / "hostile").iterdir() if not path.name.startswith("slow-"))


def assert_answers(reader: Reader, source: str | bytes | NDArray[np.generic], layout: str) -> None:
    try:
        reading = reader.read(source, layout)
    except PictureError as error:
        refused = str(error)
    else:
        assert 0 <= reading.confidence <= 1
        assert all(0 <= digit.confidence <= 1 for digit in reading.digits)
        return
    assert "\n" not in refused


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sides_of_cells_that_lie_on_the_border_alone_are_no_cells(layout: str, reader: Reader) -> None:
    assert_answers(reader, SIDES_AT_THE_BORDER, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 2_000_000), (2_000_000, 1), (2, 1_500_000), (1, 1), (5, 1_200_000)])
def test_strips_are_read_as_nothing(shape: tuple[int, int], layout: str, reader: Reader) -> None:
    grey = np.full(shape, 255, np.uint8)
    grey[:, ::7] = 0
    assert_answers(reader, grey, layout)


@pytest.mark.parametrize("shape", [(1, 100_000_000), (100_000_000, 1), (5, 17_000_000)])
def test_a_strip_too_narrow_for_any_digit_is_refused_before_it_is_copied(shape: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="too narrow"):
        Reader().read(np.broadcast_to(np.uint8(255), shape))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", hostile() or [None], ids=lambda path: path.name if path else "none")
def test_every_hostile_file_gives_an_answer_or_a_line(path: Path | None, layout: str, reader: Reader) -> None:
    if path is None:
        pytest.skip("LENET5_DATA names no folder with hostile/ in it")
    if path.suffix == ".safetensors":
        assert_answers(Reader(path), DIAGONAL, layout)
    elif path.suffix == ".npy":
        assert_answers(reader, np.load(path), layout)
    else:
        assert_answers(reader, str(path), layout)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "auto"])  # which is page
def test_a_mark_whose_ink_falls_between_the_pixels_that_are_measured_is_read(layout: str, reader: Reader) -> None:
    path = Path(os.environ.get("LENET5_DATA", "")) / "field" / "submitty_bicolor_page_p06.png"
    if not path.is_file():
        pytest.skip("LENET5_DATA names no folder with field/ in it")
    assert_answers(reader, str(path), layout)
