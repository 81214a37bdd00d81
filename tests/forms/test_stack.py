"""Stacks: a row a sheet in the order of the files, whatever happens to a sheet or to the process that reads it."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lenet5 import Reader
from lenet5.forms.review import ReviewFolder
from lenet5.forms.sheet import FormReader
from lenet5.forms.stack import Duplicates, Unit, columns_of, count_units, read_stack, units_of
from tests.forms.deadly import SMALL, DeadlyReader
from tests.forms.sheets import SIZE, filled, form
from tests.reading.test_pdf import encrypted


@pytest.fixture(scope="module")
def forms_reader() -> FormReader:
    return FormReader([form()], Reader(threads=1))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A picture, a PDF of two sheets, a broken picture, a sheet of no form, a TIFF of two sheets, what is missing."""
    folder = tmp_path_factory.mktemp("scans")
    filled("20731", "465").save(folder / "a.png")
    filled("11111", "1").save(
        folder / "b.pdf", save_all=True, append_images=[filled("48605", "22")], resolution=100, quality=95
    )
    (folder / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("L", SIZE, 255).save(folder / "d.png")
    filled("38250", "7").save(folder / "e.tif", save_all=True, append_images=[filled("90174", "5")])
    return [str(folder / name) for name in ("a.png", "b.pdf", "c.png", "d.png", "e.tif", "f.png")]


EXPECTED = [
    ("a.png", 1, "20731"),
    ("b.pdf", 1, "11111"),
    ("b.pdf", 2, "48605"),
    ("c.png", 1, None),
    ("d.png", 1, None),
    ("e.tif", 1, "38250"),
    ("e.tif", 2, "90174"),
    ("f.png", 1, None),
]


def flat(batches: Iterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch]


def summary(rows: list[dict[str, Any]]) -> list[tuple[str, int, str | None]]:
    return [(Path(row["file"]).name, row["page"], row.get("number")) for row in rows]


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_sheet_is_a_row_in_order_and_failures_have_their_reason(
    jobs: int, files: list[str], forms_reader: FormReader
) -> None:
    rows = flat(read_stack(forms_reader, units_of(files), jobs))
    assert summary(rows) == EXPECTED
    errors = {Path(row["file"]).name: row["error"] for row in rows if row["error"]}
    assert set(errors) == {"c.png", "d.png", "f.png"}
    assert "not a picture" in errors["c.png"]
    assert "no sheet of form meters" in errors["d.png"]
    assert "no such file" in errors["f.png"]


def test_rows_have_the_columns_of_the_table(files: list[str], forms_reader: FormReader) -> None:
    (row,) = flat(read_stack(forms_reader, units_of(files[:1])))
    names = [column.name for column in columns_of(forms_reader.forms)]
    assert names == [
        "file", "page", "form", "number", "number_confidence", "amount", "amount_confidence", "review", "error",
    ]  # fmt: skip
    assert set(names) <= set(row)


def test_sheets_that_are_done_are_not_read_again(files: list[str], forms_reader: FormReader) -> None:
    done = {(files[0], 1), (files[1], 1), (files[4], 1)}
    rows = flat(read_stack(forms_reader, units_of(files), done=lambda file, page: (file, page) in done))
    assert summary(rows) == [row for k, row in enumerate(EXPECTED) if k not in (0, 1, 5)]


def test_a_killed_process_costs_its_sheet_a_row_and_no_other(files: list[str]) -> None:
    small = Path(files[0]).with_name("small.png")
    filled().resize((SMALL // 2, SMALL - 1)).save(small)
    reader = DeadlyReader([form()], Reader(threads=1))
    rows = flat(read_stack(reader, units_of([files[0], str(small), *files[1:3]]), 2))
    assert [row["page"] for row in rows] == [1, 1, 1, 2, 1]
    assert [bool(row["error"]) for row in rows] == [False, True, False, False, True]
    assert "was killed" in rows[1]["error"]


def test_a_pdf_with_a_password_or_a_broken_one_is_one_row(tmp_path: Path, forms_reader: FormReader) -> None:
    (tmp_path / "locked.pdf").write_bytes(encrypted("1998"))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    rows = flat(read_stack(forms_reader, units_of([str(tmp_path / "locked.pdf"), str(tmp_path / "broken.pdf")])))
    assert "without a password" in rows[0]["error"]
    assert "damaged PDF" in rows[1]["error"]


def test_a_pdf_of_2000_pages_takes_no_more_memory_than_one_of_a_few(tmp_path: Path) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for _ in range(2000):
        document.new_page(595, 842)
    path = tmp_path / "long.pdf"
    document.save(path)
    document.close()
    assert count_units([str(path)]) == 2000
    units = units_of([str(path)])
    for _ in range(20):
        next(units)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    last = None
    for last in units:  # noqa: B007
        pass
    assert isinstance(last, Unit)
    assert (last.page, bool(last.content)) == (2000, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_two_sheets_with_one_unique_text_are_both_looked_at() -> None:
    duplicates = Duplicates([form(unique=True)])
    rows = [
        {"file": "x.pdf", "page": k, "form": "meters", "number": number, "review": [], "reasons": {}}
        for k, number in enumerate(("20731", "", "48605", "", "20731"), 1)
    ]
    changes = [duplicates.see(k, row) for k, row in enumerate(rows)]
    assert changes[:4] == [[], [], [], []]
    assert [(at, field, reason) for at, _, field, reason in changes[4]] == [
        (0, "number", "also on page 5 of x.pdf"),
        (4, "number", "also on page 1 of x.pdf"),
    ]
    assert rows[4]["review"] == ["number"]


class TestReviewFolder:
    def items(self, folder: Path) -> dict[str, Any]:
        return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

    def run(self, folder: Path, files: list[str], reader: FormReader) -> list[dict[str, Any]]:
        review = ReviewFolder(folder)
        lock = review.lock()
        rows = flat(read_stack(reader, units_of(files), review=review))
        review.finish()
        lock.release()
        return rows

    def test_doubtful_fields_are_kept_with_crop_and_sheet(self, tmp_path: Path, files: list[str]) -> None:
        reader = FormReader([form(min_confidence=1.0)], Reader(threads=1))
        rows = self.run(tmp_path / "review", files[:2], reader)
        items = self.items(tmp_path / "review")
        assert [item["page"] for item in sorted(items.values(), key=lambda item: (item["file"], item["page"]))] == [
            1,
            1,
            2,
        ]
        for item in items.values():
            assert item["field"] == "number"
            assert item["reasons"] == ["less sure than 1"]
            crop = np.asarray(Image.open(tmp_path / "review" / item["crop"]))
            assert crop.shape == np.asarray(Image.open(tmp_path / "review" / item["ink"])).shape
            assert max(np.asarray(Image.open(tmp_path / "review" / item["sheet"])).shape) == 1000
        assert all(row["review"] == ["number"] for row in rows)

    def test_a_second_run_doubles_nothing_and_leaves_corrections(self, tmp_path: Path, files: list[str]) -> None:
        reader = FormReader([form(min_confidence=1.0)], Reader(threads=1))
        self.run(tmp_path / "review", files[:1], reader)
        before = sorted(path.name for path in (tmp_path / "review").rglob("*") if path.is_file())
        (item,) = self.items(tmp_path / "review")
        correction = tmp_path / "review" / f"{item}.correction.json"
        correction.write_text('{"text": "20732"}')
        self.run(tmp_path / "review", files[:1], reader)
        after = sorted(path.name for path in (tmp_path / "review").rglob("*") if path.is_file())
        assert after == sorted([*before, correction.name])
        assert correction.read_text() == '{"text": "20732"}'

    def test_what_is_no_longer_doubtful_goes_unless_it_was_corrected(self, tmp_path: Path, files: list[str]) -> None:
        doubtful = FormReader([form(min_confidence=1.0)], Reader(threads=1))
        self.run(tmp_path / "review", files[:2], doubtful)
        corrected = sorted(self.items(tmp_path / "review"))[0]
        (tmp_path / "review" / f"{corrected}.correction.json").write_text("{}")
        self.run(tmp_path / "review", files[:2], FormReader([form(min_confidence=0.0)], doubtful.reader))
        assert sorted(self.items(tmp_path / "review")) == [corrected, f"{corrected}.correction"]
        assert len(list((tmp_path / "review" / "sheets").iterdir())) == 1
        assert not (tmp_path / "review" / "unique").exists()
