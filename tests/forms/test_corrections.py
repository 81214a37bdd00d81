"""Corrections become characters: of cells by their places, of lines by the way through the graph that spells them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lenet5 import Reader
from lenet5.errors import DataError
from lenet5.forms.corrections import characters_of, load_corrections
from lenet5.forms.decisions import decide
from lenet5.forms.form import Form
from lenet5.forms.review import ReviewFolder, item_name
from lenet5.forms.sheet import FormReader
from tests.conftest import Outcome
from tests.forms.folder import SHEETS_OF_FIVE, item, write_folder
from tests.forms.sheets import filled, form

NUMBERS = ("20731", "48605", "19283", "75046", "31897", "60524")


@pytest.fixture(scope="module")
def read_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six real sheets, all of whose fields are doubtful."""
    meters = form()
    every = Form(
        "meters", meters.blank, tuple(type(own)(**{**own.__dict__, "min_confidence": 2.0}) for own in meters.fields)
    )
    folder, reader = tmp_path_factory.mktemp("review"), FormReader([every], Reader(threads=1))
    review = ReviewFolder(folder)
    with_lock = review.lock()
    for page, number in enumerate(NUMBERS, 1):
        sheet = reader.read(filled(number, number[:3]))
        name = f"{page:016x}-p0001"
        review.keep(name, {"file": f"{page}.png", "page": 1}, every, sheet.fields, sheet.straight)
        for field, text in (("number", number), ("amount", number[:3])):
            decide(folder, item_name(name, "meters", field), text, 0)
    with_lock.release()
    return folder


def test_every_character_of_cells_and_of_lines_gets_its_label(read_folder: Path) -> None:
    reader = Reader(threads=1)
    corrections = load_corrections(read_folder, reader.weights.classes)
    assert (corrections.fields, corrections.left_out) == (12, 0)
    both = (*corrections.learnt, *corrections.held_out)
    images = characters_of(both, reader.line_model)
    by_field = {number: images.labels[images.groups == number].tolist() for number in range(len(both))}
    assert by_field == {number: [int(c) for c in field.text] for number, field in enumerate(both)}
    assert (reader.classify(images.images)[0] == images.labels).mean() > 0.9  # so the images show what they are called


def test_a_line_is_cut_as_the_correction_has_it_whatever_was_read(read_folder: Path) -> None:
    reader = Reader(threads=1)
    (line, *_) = [f for f in load_corrections(read_folder, reader.weights.classes).learnt if f.cells is None]
    images = characters_of([type(line)(line.item, "888", line.cut, None)], reader.line_model)
    assert images.labels.tolist() == [8, 8, 8]


def test_sheets_are_held_out_whole_and_always_the_same(read_folder: Path) -> None:
    first, second = (load_corrections(read_folder, Reader().weights.classes) for _ in range(2))
    assert [field.item.name for field in first.held_out] == [field.item.name for field in second.held_out]
    assert {field.sheet for field in first.held_out} & {field.sheet for field in first.learnt} == set()
    assert first.held_out
    assert first.learnt
    assert first.digest == second.digest


def test_sheets_that_come_in_later_move_no_held_out_sheet_to_those_that_are_learnt_from(tmp_path: Path) -> None:
    folder, held_out = write_folder(tmp_path / "review", [("1234", "7")] * 30), []
    for page in range(1, 31):
        decide(folder, item(page, "points"), "7", 0)
        if page in (15, 30):
            held_out.append({field.sheet for field in load_corrections(folder, "0123456789").held_out})
    assert held_out[0] < held_out[1]
    assert 2 <= len(held_out[1]) <= 12


def test_the_digest_tells_another_text(read_folder: Path, tmp_path: Path) -> None:
    def digest(text: str) -> str:
        folder = write_folder(tmp_path / text, SHEETS_OF_FIVE)
        for page in range(1, 6):
            decide(folder, item(page, "points"), "7" if page > 1 else text, 0)
        return load_corrections(folder, "0123456789").digest

    assert digest("1") != digest("2")


def test_what_cannot_be_learnt_from_is_left_out(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "review", [*SHEETS_OF_FIVE, ("1", "1"), ("2", "2")])
    for page in range(1, 6):
        decide(folder, item(page, "points"), "7", 0)
    decide(folder, item(6, "points"), "", 0)  # empty
    decide(folder, item(7, "points"), "seven", 0)  # no digits
    decide(folder, item(7, "student"), "7", 0)
    (folder / f"{item(7, 'student')}.ink.png").write_bytes(b"no picture")
    corrections = load_corrections(folder, "0123456789")
    assert (corrections.fields, corrections.left_out) == (5, 3)


def test_fields_without_characters_give_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "review", SHEETS_OF_FIVE)
    for page in range(1, 6):
        decide(folder, item(page, "points"), "123456789", 0)  # more characters than there is ink
    corrections = load_corrections(folder, "0123456789")
    assert characters_of(corrections.learnt, Reader(threads=1).line_model) is None


def test_too_few_sheets_and_missing_data_are_one_line(
    tmp_path: Path, command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="corrections of 0 sheets"):
        load_corrections(write_folder(tmp_path / "review", SHEETS_OF_FIVE), "0123456789")
    assert "learning needs 5" in command("learn", tmp_path / "review").complaint
    for page in range(1, 6):
        decide(tmp_path / "review", item(page, "points"), "7", 0)
    monkeypatch.setenv("LENET5_DATA", str(tmp_path))
    complaint = command("learn", tmp_path / "review", "--output", tmp_path / "w.safetensors").complaint
    assert complaint.startswith(
        "lenet5: learning replays MNIST and UNIPEN, so that nothing is forgotten: set LENET5_DATA"
    )
    assert not (tmp_path / "w.safetensors").exists()
    assert "cannot read" in command("learn", tmp_path / "nothing").complaint
