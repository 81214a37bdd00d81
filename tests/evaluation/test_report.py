"""A report as text, as a gallery, and as a folder."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from lenet5 import OutputError
from lenet5.evaluation import report
from lenet5.evaluation.evaluate import Misread, Report

IMAGE = np.full((28, 28), 200, np.uint8)


def made(*misread: Misread, images: int = 10_000, confused: bool = True) -> Report:
    confusion = np.zeros((11, 11), np.int64)
    for wrong in misread:
        confusion[tuple("0123456789?".index(mark[0]) for mark in (wrong.truth, wrong.answer))] += 1
    confusion[1, 1] = images - len(misread)
    refused = sum(wrong.answer == "?" for wrong in misread)
    return Report("mine", "lenet5", images, len(misread), refused, confusion if confused else None, misread)


WRONG = (Misread(IMAGE, None, "4", "9"), Misread(IMAGE, None, "4", "?"), Misread(IMAGE, None, "?", "7"))


def test_the_text_answers_in_its_first_line() -> None:
    first, *_ = report.as_text(made(*WRONG)).splitlines()
    assert first == "mine read with lenet5: 0.03% errors (95% interval 0.01–0.09%), 3 of 10,000; 1 refused"


def test_the_text_has_errors_a_class_and_the_confusions() -> None:
    lines = [line.split() for line in report.as_text(made(*WRONG)).splitlines()]
    assert ["4", "2", "2", "100.00"] in lines
    assert ["1", "0", "9,997", "0.00"] in lines
    assert ["4", "·", "·", "·", "·", "·", "·", "·", "·", "·", "1", "1"] in lines


def test_the_text_tells_of_wrong_digits() -> None:
    found = Report("mine", "w", 1, 1, 0, None, (), ("not a picture: x.png",), digit_error_percent=12.5)
    assert "digits wrong: 12.50%" in report.as_text(found)


def test_where_all_is_right_there_is_no_gallery() -> None:
    assert report.gallery(made()) is None


@pytest.mark.parametrize("count", [1, 2, 40, 500])
def test_the_gallery_has_a_tile_for_each_misread_picture(count: int) -> None:
    one, many = report.gallery(made(WRONG[0])), report.gallery(made(*WRONG[:1] * count))
    assert one is not None
    assert many is not None
    tile = (one.width - 8) * (one.height - 8)
    assert (many.width - 8) * (many.height - 8) >= min(count, 400) * tile
    assert many.width <= 1400
    darkest = np.asarray(many.convert("L")) < 100
    assert darkest.any()


@pytest.mark.parametrize("source", ["picture", "missing", "array"])
def test_beside_a_picture_stands_what_the_network_saw(
    source: str, draw: Callable[..., Image.Image], tmp_path: Path
) -> None:
    sources = {"picture": draw("4"), "missing": tmp_path / "none.png", "array": np.zeros((3, 900), np.uint8)}
    plain = report.gallery(made(WRONG[0]))
    found = report.gallery(made(Misread(IMAGE, sources[source], "4", "9")))
    assert plain is not None
    assert found is not None
    assert found.width > plain.width


def test_a_text_of_several_lines_has_a_caption_of_one() -> None:
    plain = report.gallery(made(WRONG[0]))
    found = report.gallery(made(Misread(IMAGE, None, "41973\n2208", "41973\n2203"), confused=False))
    assert plain is not None
    assert found is not None
    assert found.height == plain.height


def test_the_folder_holds_text_json_and_pictures(tmp_path: Path) -> None:
    found = made(*WRONG)
    paths = report.write_folder(found, tmp_path / "new" / "report")
    assert {path.name for path in paths} >= {"report.txt", "report.json", "misread.png"}
    assert sorted(paths) == sorted((tmp_path / "new" / "report").iterdir())
    assert (tmp_path / "new" / "report" / "report.txt").read_text(encoding="utf-8") == report.as_text(found) + "\n"
    assert json.loads((tmp_path / "new" / "report" / "report.json").read_text()) == found.to_json()
    for path in paths:
        if path.suffix == ".png":
            Image.open(io.BytesIO(path.read_bytes())).load()


def test_the_confusion_picture_comes_with_matplotlib_and_is_left_out_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    names = [path.name for path in report.write_folder(made(*WRONG), tmp_path)]
    assert names == ["report.txt", "report.json", "misread.png"]
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    (drawn,) = (path for path in report.write_folder(made(*WRONG), tmp_path) if path.name == "confusion.png")
    Image.open(io.BytesIO(drawn.read_bytes())).load()


def test_a_report_without_errors_and_of_texts_is_written_too(tmp_path: Path) -> None:
    assert {path.name for path in report.write_folder(made(), tmp_path)} >= {"report.txt", "report.json"}
    texts = Report("mine", "w", 3, 0, 0, None, (), digit_error_percent=0.0)
    assert {path.name for path in report.write_folder(texts, tmp_path / "t")} == {"report.txt", "report.json"}


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "report"):
        with pytest.raises(OutputError, match="cannot make the folder"):
            report.write_folder(made(), place)


def test_a_folder_in_a_files_place_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "report.txt").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*report\.txt"):
        report.write_folder(made(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.txt"]


def test_every_character_of_a_caption_is_in_the_built_in_font() -> None:
    font = ImageFont.load_default(size=14)
    missing = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(character)) != missing for character in "0123456789? read-/")
