"""ReadPictures: a row a page in the order of the batch, whatever a picture holds or does."""

from __future__ import annotations

import json
import math
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet5 import Reader
from lenet5.errors import ArrayError, PatternError
from lenet5.scale import ReadPictures
from lenet5.scale.jobs import read_units
from lenet5.scale.listing import Unit


@pytest.fixture(scope="module")
def read() -> Iterator[ReadPictures]:
    pictures = ReadPictures()
    yield pictures
    pictures.close()


@pytest.fixture
def files(write: Callable[..., Image.Image], tmp_path: Path) -> list[str]:
    """A 3, a TIFF of 4 and 5, what is broken, a 6."""
    write("3").save(tmp_path / "3.png")
    write("4").save(tmp_path / "45.tif", save_all=True, append_images=[write("5")])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write("6").save(tmp_path / "six & ü.png")
    return [str(tmp_path / name) for name in ("3.png", "45.tif", "broken.png", "six & ü.png")]


def test_paths_become_a_row_a_page_beside_the_other_columns(read: ReadPictures, files: list[str]) -> None:
    rows = read({"path": np.array(files), "sheet": np.arange(4)})
    assert list(rows) == ["path", "sheet", "page", "text", "confidence", "json", "error"]
    assert rows["path"].tolist() == [files[0], files[1], files[1], files[2], files[3]]
    assert rows["sheet"].tolist() == [0, 1, 1, 2, 3]
    assert rows["page"].tolist() == [1, 1, 2, 1, 1]
    assert rows["text"].tolist() == ["3", "4", "5", "", "6"]
    assert [bool(error) for error in rows["error"]] == [False, False, False, True, False]
    assert [math.isnan(p) for p in rows["confidence"]] == [False, False, False, True, False]
    assert json.loads(rows["json"][2])["page"] == 2
    assert {column.dtype.kind for column in rows.values()} <= set("UOif")


def test_the_answers_are_those_of_the_reader(read: ReadPictures, files: list[str], reader: Reader) -> None:
    rows = read({"path": np.array(files[:1])})
    assert json.loads(rows["json"][0]) == {"file": files[0], **reader.read(files[0]).to_json()}


def test_bytes_are_read_as_files_are(read: ReadPictures, files: list[str]) -> None:
    contents = np.array([Path(file).read_bytes() for file in files], object)
    rows = read({"bytes": contents, "path": np.array(["a", "b", "c", "d"])})
    assert list(zip(rows["path"], rows["text"], strict=True)) == [
        ("a", "3"), ("b", "4"), ("b", "5"), ("c", ""), ("d", "6"),
    ]  # fmt: skip
    assert read({"bytes": contents[:1]})["text"].tolist() == ["3"]


def test_a_picture_without_content_is_a_row_with_its_error(read: ReadPictures, files: list[str]) -> None:
    contents = np.array([None, Path(files[0]).read_bytes()], object)
    rows = read({"bytes": contents, "path": np.array(["none.png", "3.png"])})
    assert rows["text"].tolist() == ["", "3"]
    assert [bool(error) for error in rows["error"]] == [True, False]


def test_uris_are_read_through_file_systems(read: ReadPictures, files: list[str]) -> None:
    pytest.importorskip("pyarrow")
    uris = [Path(file).as_uri() for file in files]
    assert "%20" in uris[3]
    rows = read({"path": np.array([*uris, "file:///none.png", "nothing://a/b.png"])})
    assert rows["text"].tolist() == ["3", "4", "5", "", "6", "", ""]
    assert rows["error"][5] == "no such file: file:///none.png"
    assert rows["error"][6].startswith("cannot read nothing://a/b.png: ")
    assert all("\n" not in error for error in rows["error"])


def test_an_empty_batch_gives_no_rows(read: ReadPictures) -> None:
    rows = read({"path": np.array([], object)})
    assert [len(column) for column in rows.values()] == [0] * 6


def test_a_batch_without_pictures_and_wrong_arguments_are_told_at_once(read: ReadPictures) -> None:
    with pytest.raises(ArrayError, match="a column path or bytes, not just name"):
        read({"name": np.array(["a"])})
    with pytest.raises(ArrayError, match="layout"):
        ReadPictures(layout="book")
    with pytest.raises(PatternError):
        ReadPictures(pattern="[0-9")


def test_it_is_pickled_with_all_that_it_was_given(files: list[str]) -> None:
    first = ReadPictures(layout="line", pattern=r"\d")
    assert first({"path": np.array(files[:1])})["text"].tolist() == ["3"]
    second = pickle.loads(pickle.dumps(first))
    assert second({"path": np.array(files[:1])})["text"].tolist() == ["3"]
    assert (second.options, second.weights.name) == (first.options, first.weights.name)
    first.close()
    second.close()


def deadly(text: str) -> bool:
    """A check that kills its process where it sees a 4."""
    if text == "4":
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def test_a_picture_that_kills_its_process_is_a_row_and_the_rest_is_read(files: list[str]) -> None:
    read = ReadPictures(layout="line", check=deadly)
    rows = read({"path": np.array(files)})
    assert rows["text"].tolist() == ["3", "", "", "6"]
    assert "was killed (SIGKILL)" in rows["error"][1]
    assert read({"path": np.array(files[:1])})["text"].tolist() == ["3"]
    read.close()


def test_a_picture_that_kills_one_of_several_processes_costs_its_result(files: list[str], reader: Reader) -> None:
    units = [Unit(file) for file in files] * 3
    results = list(read_units(reader, units, {"layout": "line", "check": deadly}, jobs=2))
    assert [(result.file, result.text) for result in results] == [
        (files[0], "3"), (files[1], None), (files[2], None), (files[3], "6"),
    ] * 3  # fmt: skip
    assert ["was killed" in (result.error or "") for result in results] == [False, True, False, False] * 3
