"""Folders of parts: each whole or not there, none read twice, none lost."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lenet5.errors import DataError, OutputError
from lenet5.scale import ReadPictures, parts
from lenet5.scale.pages import columns_of
from lenet5.scale.parts import ReadPart, alone, begin, missing
from tests.conftest import Outcome

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def read() -> Iterator[ReadPictures]:
    pictures = ReadPictures()
    yield pictures
    pictures.close()


@pytest.fixture
def files(write: Callable[..., Image.Image], tmp_path: Path) -> list[str]:
    """Four digits, a broken picture between them."""
    for digit in "0123":
        write(digit).save(tmp_path / f"{digit}.png")
    (tmp_path / "1b.png").write_bytes(b"no picture")
    return sorted(map(str, tmp_path.glob("*.png")))


def rows(folder: str) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = parquet.read_table(folder).to_pylist()
    return table


@pytest.mark.parametrize("as_uri", [False, True])
def test_each_part_holds_its_files_in_order(as_uri: bool, files: list[str], read: ReadPictures, tmp_path: Path) -> None:
    folder = (tmp_path / "new" / "out").as_uri() if as_uri else str(tmp_path / "new" / "out")
    assert begin(folder, files, 2, read, resume=False) == 3
    assert missing(folder, 3) == [0, 1, 2]
    counts = ReadPart(folder, read)({"part": np.array([2, 0])})
    assert {name: column.tolist() for name, column in counts.items()} == {
        "part": [2, 0], "rows": [1, 2], "failed": [0, 0],
    }  # fmt: skip
    assert missing(folder, 3) == [1]
    assert ReadPart(folder, read)({"part": np.array([1])})["failed"].tolist() == [1]
    table = rows(str(tmp_path / "new" / "out"))
    assert [(row["file"], row["text"]) for row in table] == list(zip(files, ["0", "1", None, "2", "3"], strict=True))
    assert [row["error"] is None for row in table] == [True, True, False, True, True]
    assert list(table[0]) == [column.name for column in columns_of(".parquet")]
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == [
        "_listing.parquet", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet",
    ]  # fmt: skip


def test_a_part_that_is_there_is_not_read_again(files: list[str], read: ReadPictures, tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    begin(folder, files, 3, read, resume=False)
    ReadPart(folder, read)({"part": np.array([0])})
    before = (tmp_path / "out" / "part-00000.parquet").stat().st_mtime_ns
    for file in files:
        Path(file).unlink()
    again = ReadPart(folder, read)({"part": np.array([0])})
    assert (again["rows"].tolist(), again["failed"].tolist()) == ([3], [1])
    assert (tmp_path / "out" / "part-00000.parquet").stat().st_mtime_ns == before


def test_a_folder_is_gone_on_with_for_the_same_list_and_options_alone(
    files: list[str], read: ReadPictures, tmp_path: Path
) -> None:
    folder = str(tmp_path / "out")
    assert begin(folder, files, 2, read, resume=True) == 3  # there was nothing to go on with
    with pytest.raises(OutputError, match="--resume goes on"):
        begin(folder, files, 2, read, resume=False)
    assert begin(folder, files, 2, read, resume=True) == 3
    for other, pictures in ((files[:-1], read), (files, ReadPictures(layout="digit"))):
        with pytest.raises(OutputError, match="begun with another list, weights or options"):
            begin(folder, other, 2, pictures, resume=True)


@pytest.mark.parametrize("as_uri", [False, True])
def test_a_second_run_on_one_folder_is_refused_in_one_line(
    as_uri: bool, files: list[str], tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    pytest.importorskip("ray")
    (tmp_path / "list.txt").write_text("\n".join(files))
    folder = (tmp_path / "out").as_uri() if as_uri else str(tmp_path / "out")
    arguments = ("read", "--ray", "--list", tmp_path / "list.txt", "--output", folder)
    with alone(folder):
        for more in ((), ("--resume",)):
            assert command(*arguments, *more).complaint.startswith(f"lenet5: another run is writing {folder}:")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["._listing.parquet.lock"]
    with alone(folder):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_a_list_that_another_run_wrote_at_the_same_time_is_not_taken_for_ones_own(
    files: list[str], read: ReadPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "out")
    with monkeypatch.context() as patched:
        put = parts._put

        def overtaken(system: Any, path: str, content: Any) -> None:
            put(system, path, content)
            put(system, path, parts._listing(files[:2], 2, hashlib.sha256()))

        patched.setattr(parts, "_put", overtaken)
        with pytest.raises(OutputError, match="begun with another list"):
            begin(folder, files, 2, read, resume=False)


def test_a_name_that_is_no_utf8_is_read_and_escaped_in_its_row(
    write: Callable[..., Image.Image], read: ReadPictures, tmp_path: Path
) -> None:
    odd, bad = (os.fsdecode(os.fsencode(tmp_path) + name) for name in (b"/a\xff.png", b"/b\xfe.png"))
    try:
        write("3").save(os.fsencode(odd))
        Path(bad).write_bytes(b"no picture")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    folder = str(tmp_path / "out")
    begin(folder, [odd, bad], 2, read, resume=False)
    ReadPart(folder, read)({"part": np.array([0])})
    good, failed = rows(folder)
    assert (good["file"], good["text"], good["error"]) == (f"{tmp_path}/a\\xff.png", "3", None)
    assert json.loads(good["json"])["file"] == good["file"]
    assert failed["error"].startswith(f"not a picture: {tmp_path}/b\\xfe.png ")


def test_a_name_that_no_file_has_is_one_line(read: ReadPictures, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the list has .*, which no file can be called"):
        begin(str(tmp_path), ["a\ud800.png"], 2, read, resume=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_begun_with_another_kind_of_list_is_refused_in_one_line(
    files: list[str], read: ReadPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lenet5.scale.parts._FORMAT", 1)
    begin(str(tmp_path), files, 2, read, resume=False)
    monkeypatch.undo()
    with pytest.raises(OutputError, match="was begun with another list, weights or options"):
        begin(str(tmp_path), files, 2, read, resume=True)


def test_a_place_that_cannot_be_written_is_told_in_one_line(
    files: list[str], read: ReadPictures, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file" / "out"), "nothing://bucket/out"):
        with pytest.raises(OutputError, match=r"^cannot write [^\n]*$"):
            begin(place, files, 2, read, resume=False)


def test_without_ray_the_command_says_what_to_install_and_writes_nothing(
    files: list[str], tmp_path: Path, command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.txt").write_text("\n".join(files))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = command("read", "--ray", "--list", tmp_path / "list.txt", "--output", tmp_path / "out")
    assert "pip install 'lenet5[scale]'" in outcome.complaint
    assert not (tmp_path / "out").exists()
    assert command("read", "--ray", "--list", tmp_path / "list.txt").status == 2
    assert command("read", files[0], "--ray", "--output", tmp_path / "out").status == 2
