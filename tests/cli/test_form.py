"""``lenet5 form``: a blank sheet becomes a form file, a stack of sheets becomes a table."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Outcome
from tests.forms.sheets import TOML, blank, filled, write_form

Command = Callable[..., Outcome]

EXAM = Path(__file__).parents[2] / "examples" / "exam"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with two sheets, the second without a number, and a broken picture."""
    folder = tmp_path / "scans"
    folder.mkdir()
    filled("20731", "465").save(folder / "a.png")
    filled("     ", "22").save(folder / "b.png")
    (folder / "c.png").write_bytes(b"no picture")
    return folder


def table_of(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out)))


def test_a_stack_becomes_a_table_and_failures_are_told(command: Command, tmp_path: Path, scans: Path) -> None:
    outcome = command("form", "read", write_form(tmp_path), scans)
    first, second, third = table_of(outcome.out)
    assert (first["number"], first["amount"], first["form"], first["review"]) == ("20731", "465", "meters", "")
    assert float(first["number_confidence"]) > 0.9
    assert (second["number"], second["amount"], second["review"]) == ("", "22", "number")
    assert "not a picture" in third["error"]
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == "3 sheets: 1 to look at, 1 not read"
    assert len(outcome.err.splitlines()) == 2


def test_json_has_the_reasons(command: Command, tmp_path: Path, scans: Path) -> None:
    outcome = command("form", "read", write_form(tmp_path), scans / "b.png", "--json")
    row = json.loads(outcome.out)
    assert row["review"] == ["number"]
    assert row["reasons"] == {"number": ["empty"]}
    assert outcome.status == 0


def test_a_stopped_table_is_gone_on_with(command: Command, tmp_path: Path, scans: Path) -> None:
    form, whole, cut = write_form(tmp_path), tmp_path / "whole.csv", tmp_path / "cut.csv"
    assert command("form", "read", form, scans, "--output", whole).status == 1
    lines = whole.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:2]) + lines[2][:9])
    outcome = command("form", "read", form, scans, "--output", cut, "--resume")
    assert cut.read_text() == whole.read_text()
    assert outcome.out == ""
    assert "2 sheets" in outcome.err
    refused = command("form", "read", form, scans, "--output", cut)
    assert "--resume" in refused.complaint


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_two_sheets_with_one_number_are_both_looked_at(suffix: str, command: Command, tmp_path: Path) -> None:
    form = write_form(tmp_path, TOML.replace("required = true", "unique = true"))
    for name, number, amount in (("a", "20731", "465"), ("b", "48605", "22"), ("c", "20731", "71")):
        filled(number, amount).save(tmp_path / f"{name}.png")
    sheets = [tmp_path / f"{name}.png" for name in "abc"]
    output, review = tmp_path / f"table{suffix}", tmp_path / "review"
    command("form", "read", form, *sheets, "--output", output, "--review", review)
    printed = table_of(command("form", "read", form, *sheets).out)
    assert [row["review"] for row in printed] == ["number", "", "number"]
    if suffix == ".csv":
        assert [row["review"] for row in table_of(output.read_text())] == ["number", "", "number"]
    elif suffix == ".jsonl":
        rows = [json.loads(line) for line in output.read_text().splitlines()]
        assert [row["review"] for row in rows] == [["number"], [], ["number"]]
        assert rows[0]["reasons"]["number"] == [f"also on page 1 of {sheets[2]}"]
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        assert [row["review"] for row in parquet.read_table(output).to_pylist()] == [["number"], [], ["number"]]
    items = [json.loads(path.read_text()) for path in review.glob("*.json")]
    assert sorted(item["file"] for item in items) == [str(sheets[0]), str(sheets[2])]


def test_two_runs_on_one_output_or_review_folder_the_second_is_refused(
    command: Command, tmp_path: Path, scans: Path
) -> None:
    from lenet5.forms.review import ReviewFolder
    from lenet5.row_files import Column
    from lenet5.tables import Table

    form, output, review = write_form(tmp_path), tmp_path / "table.csv", tmp_path / "review"
    with Table(output, [Column("file")]):
        refused = command("form", "read", form, scans, "--output", output, "--resume")
        assert refused.complaint.startswith(f"lenet5: another run is writing {output}")
    (review / "unique").mkdir(parents=True)
    (review / "unique" / "kept aside").write_text("")
    lock, other = ReviewFolder(review).lock(), tmp_path / "other.csv"
    refused = command("form", "read", form, scans, "--review", review, "--output", other)
    lock.release()
    assert refused.complaint.startswith(f"lenet5: another run is writing {review}:")
    assert not other.exists()
    assert (review / "unique" / "kept aside").exists()
    Table(other, [Column("file")]).finish()
    assert "exists" in command("form", "read", form, scans, "--review", review, "--output", other).complaint
    assert (review / "unique" / "kept aside").exists()
    assert "exists" in command("form", "read", form, scans, "--review", tmp_path / "new", "--output", other).complaint
    assert not (tmp_path / "new").exists()


def test_a_review_folder_is_gone_on_with_and_no_correction_is_lost(
    command: Command, tmp_path: Path, scans: Path
) -> None:
    from lenet5.forms.decisions import decide, decision_of

    form, review = (
        write_form(tmp_path, TOML.replace("required = true", "unique = true\nmin_confidence = 1")),
        tmp_path / "r",
    )
    first = command("form", "read", form, scans / "a.png", "--review", review)
    (item,) = [path.stem for path in review.glob("*.json")]
    decide(review, item, "20732", 0)
    filled("20731", "7").save(scans / "d.png")
    second = command("form", "read", form, scans, "--review", review, "--resume")
    assert [row["file"] for row in table_of(first.out)] == [str(scans / "a.png")]
    assert [Path(row["file"]).name for row in table_of(second.out)] == ["b.png", "c.png", "d.png"]
    assert "3 sheets" in second.err
    assert decision_of(review, item).text == "20732"
    rows = table_of(command("form", "table", review).out)
    corrected = tmp_path / "corrected.csv"
    assert command("form", "table", review, "--output", corrected).status == 0
    assert table_of(corrected.read_text()) == rows
    corrected.write_text("mine")
    refused = command("form", "table", review, "--output", corrected)
    assert refused.complaint == f"lenet5: {corrected} exists: remove it, or name another file"
    assert corrected.read_text() == "mine"
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png", "c.png", "d.png"]
    assert [rows[0][key] for key in ("number", "number_read", "decided")] == ["20732", "20731", "number"]
    assert "number" in rows[3]["review"].split()
    assert "not a picture" in rows[2]["error"]
    again = command("form", "read", form, scans, "--review", review, "--resume")
    assert (again.out.count("\n"), again.err) == (1, "0 sheets: 0 to look at, 0 not read\n")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_sheets_that_were_read_without_the_review_folder_are_in_its_table(
    suffix: str, command: Command, tmp_path: Path, scans: Path
) -> None:
    form, output, review = write_form(tmp_path), tmp_path / f"table{suffix}", tmp_path / "review"
    command("form", "read", form, scans / "a.png", "--output", output)
    command("form", "read", form, scans, "--output", output, "--resume", "--review", review)
    rows = table_of(command("form", "table", review).out)
    assert [(Path(row["file"]).name, row["number"]) for row in rows] == [
        ("a.png", "20731"),
        ("b.png", ""),
        ("c.png", ""),
    ]


def test_sheets_that_are_read_again_take_the_place_of_the_old_rows(
    command: Command, tmp_path: Path, scans: Path
) -> None:
    form, review = write_form(tmp_path), tmp_path / "review"
    for _ in range(2):
        command("form", "read", form, scans, "--review", review)
    assert len(table_of(command("form", "table", review).out)) == 3


def test_a_sheet_whose_name_is_no_utf8_is_a_row_and_is_not_read_again(command: Command, tmp_path: Path) -> None:
    form, review, odd = write_form(tmp_path), tmp_path / "review", os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png")
    try:
        filled("     ", "22").save(os.fsencode(odd), "PNG")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    escaped = f"{tmp_path}/a\\xff.png"
    for suffix in (".csv", ".jsonl"):
        arguments = ("form", "read", form, odd, "--output", tmp_path / f"table{suffix}", "--review", review)
        assert command(*arguments).status == 0
        assert command(*arguments, "--resume").err == "0 sheets: 0 to look at, 0 not read\n"
    assert table_of((tmp_path / "table.csv").read_text())[0]["file"] == escaped
    assert json.loads((tmp_path / "table.jsonl").read_text())["file"] == escaped
    assert table_of(command("form", "read", form, odd).out)[0]["file"] == escaped
    (item,) = [json.loads(path.read_text()) for path in review.glob("*.json")]
    assert item["file"] == escaped


def test_a_mistake_in_the_form_file_is_one_line(command: Command, tmp_path: Path, scans: Path) -> None:
    form = write_form(tmp_path, TOML.replace("0.6046, 0.2652", "1.3, 0.2652"))
    outcome = command("form", "read", form, scans)
    assert outcome.complaint == f"lenet5: {form} line 5: box: 1.3 is outside 0..1"


@pytest.mark.parametrize("arguments", [["a.png"], ["form.toml"], ["form.toml", "a.png", "--resume"]])
def test_wrong_usage_ends_with_status_2(arguments: list[str], command: Command) -> None:
    assert command("form", "read", *arguments).status == 2


def test_new_drafts_a_form_that_reads(command: Command, tmp_path: Path) -> None:
    blank().save(tmp_path / "blank.png")
    drafted, drawn = tmp_path / "drafted.toml", tmp_path / "drawn.png"
    outcome = command("form", "new", tmp_path / "blank.png", "--output", drafted, "--annotate", drawn)
    assert outcome.status == 0
    assert "2 fields" in outcome.err
    with Image.open(drawn) as picture:
        assert picture.size[1] > 2000
    filled().save(tmp_path / "a.png")
    (row,) = table_of(command("form", "read", drafted, tmp_path / "a.png").out)
    assert (row["field1"], row["field2"]) == ("20731", "465")
    assert "exists" in command("form", "new", tmp_path / "blank.png", "--output", drafted).complaint
    printed = command("form", "new", tmp_path / "blank.png")
    assert printed.out.count("[[field]]") == 2


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, str]]:
    """The table of the exam that docs/forms.md tells of, by page."""
    output = tmp_path_factory.mktemp("exam") / "table.csv"
    arguments = ["form", "read", EXAM / "exam.toml", EXAM / "scans.pdf", "--output", output]
    done = subprocess.run([sys.executable, "-m", "lenet5", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {int(row["page"]): row for row in table_of(output.read_text())}


@pytest.mark.slow
def test_no_field_is_quietly_wrong_and_few_are_doubtful(rows: dict[int, dict[str, str]]) -> None:
    truths = table_of((EXAM / "truth.csv").read_text())
    right = 0
    for truth in truths:
        row = rows[int(truth["page"])]
        for field in ("student", "room", "points"):
            right += row[field] == truth[field]
            assert row[field] == truth[field] or field in row["review"].split(), (truth, row)
    assert len(rows) == 12
    assert right >= 33


@pytest.mark.slow
@pytest.mark.parametrize("page", [1, 8, 10, 12])
def test_what_is_crossed_out_not_listed_or_there_twice_is_looked_at(page: int, rows: dict[int, dict[str, str]]) -> None:
    assert "student" in rows[page]["review"].split()


@pytest.mark.parametrize("page", [3, 5, 7])
def test_the_sheets_upside_down_at_75_percent_and_photographed_are_read(
    page: int, rows: dict[int, dict[str, str]]
) -> None:
    assert rows[page]["review"] == ""


def test_the_script_draws_what_is_there(tmp_path: Path) -> None:
    subprocess.run([sys.executable, EXAM / "draw.py", tmp_path], check=True)
    for name in ("class.csv", "truth.csv"):
        assert (tmp_path / name).read_text() == (EXAM / name).read_text()
    assert (tmp_path / "scans.pdf").stat().st_size > 100_000
