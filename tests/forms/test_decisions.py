"""Decisions, the queue, and the table with them: nothing that a person decided is lost or undone unseen."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lenet5.errors import OutputError
from lenet5.forms.corrected import JOURNAL, corrected, read_rows
from lenet5.forms.decisions import ConflictError, MissingItemError, decide, decision_of
from lenet5.forms.form import Field
from lenet5.forms.queue import Queue
from lenet5.forms.rules import broken, keep_rules, load_rules
from lenet5.forms.texts import Texts
from tests.conftest import Outcome
from tests.forms.folder import FORM, item, write_folder

SHEETS = [("1234", "7"), ("5678", "12"), ("1284", "99")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "review", SHEETS)


def test_a_decision_keeps_what_was_read_and_what_was_decided_before(folder: Path) -> None:
    name = item(3, "student")
    assert decision_of(folder, name) is None
    first = decide(folder, name, "1234", 0)
    second = decide(folder, name, "9012", first.revision)
    kept = decision_of(folder, name)
    assert kept == second
    assert (kept.text, kept.read, kept.revision, kept.accepted) == ("9012", "1284", 2, False)
    assert [earlier["text"] for earlier in kept.earlier] == ["1234"]
    assert json.loads((folder / f"{name}.json").read_text())["text"] == "1284"


def test_of_two_people_who_saw_the_same_the_second_is_told_what_the_first_decided(folder: Path) -> None:
    name = item(1, "points")
    decide(folder, name, "7", 0)
    with pytest.raises(ConflictError) as told:
        decide(folder, name, "1", 0)
    assert told.value.current.text == "7"
    assert decision_of(folder, name).text == "7"


def test_saying_the_same_again_is_no_conflict(folder: Path) -> None:
    name = item(1, "points")
    assert decide(folder, name, "7", 0) == decide(folder, name, "7", 0)


def test_of_many_decisions_at_once_exactly_one_is_kept(folder: Path) -> None:
    outcomes: list[str] = []

    def person(text: str) -> None:
        try:
            outcomes.append(decide(folder, item(2, "points"), text, 0).text)
        except ConflictError:
            outcomes.append("conflict")

    people = [threading.Thread(target=person, args=(str(k),)) for k in range(8)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert outcomes.count("conflict") == 7
    assert decision_of(folder, item(2, "points")).text in outcomes


def test_no_run_removes_what_a_person_decided(folder: Path) -> None:
    decide(folder, item(1, "student"), "9012", 0)
    write_folder(folder, SHEETS, reasons=())  # read again: nothing is doubtful any more
    assert decision_of(folder, item(1, "student")).text == "9012"
    assert {path.name for path in folder.glob("*-p*.json")} == {
        f"{item(1, 'student')}.json", f"{item(1, 'student')}.correction.json",
    }  # fmt: skip
    row = corrected(folder).rows[0]
    assert (row["student"], row["student_read"], row["review"], row["decided"]) == ("9012", "1234", [], ["student"])


def test_a_field_that_was_read_again_and_is_sure_cannot_be_decided(folder: Path) -> None:
    write_folder(folder, SHEETS, reasons=())
    with pytest.raises(MissingItemError):
        decide(folder, item(1, "student"), "9012", 0)


def test_a_file_that_is_no_correction_is_told(folder: Path) -> None:
    (folder / f"{item(1, 'student')}.correction.json").write_text('{"text": 5}')
    with pytest.raises(OutputError, match="no correction that this version wrote"):
        corrected(folder)


def test_fields_of_one_kind_come_together_and_people_get_different_ones(folder: Path) -> None:
    queue = Queue(folder)
    first, second = queue.next("", "ann"), queue.next("", "ben")
    assert [first.name, second.name] == [item(1, "student"), item(2, "student")]
    order = [first.name]
    while (follower := queue.next(order[-1], "ann").name) not in order:
        order.append(follower)
        decide(folder, follower, "1", 0)
    assert order == [item(1, "student"), item(3, "student"), *(item(page, "points") for page in (1, 2, 3))]
    assert queue.before(item(1, "points")).name == item(3, "student")
    assert queue.before(item(1, "student")) is None


def test_what_somebody_left_is_given_to_others_later(folder: Path) -> None:
    now = [0.0]
    queue = Queue(folder, lambda: now[0])
    assert queue.next("", "ann").name == item(1, "student")
    now[0] = 200.0
    assert queue.next("", "ben").name == item(1, "student")


def test_the_state_counts_by_kind_and_files_that_cannot_be_read(folder: Path) -> None:
    decide(folder, item(2, "points"), "12", 0)
    (folder / f"{item(3, 'points')}.json").write_text("{")
    state = Queue(folder).state()
    assert [(kind.field, kind.items, kind.decided) for kind in state.kinds] == [("student", 3, 0), ("points", 2, 1)]
    assert (state.items, state.decided, state.unreadable) == (5, 1, 1)


@pytest.mark.parametrize("name", ["../secrets", "", "rows", "a" * 3000, "0-p0001-exam-student-00000g"])
def test_names_that_are_none_of_an_item_are_not_looked_for(name: str, folder: Path) -> None:
    with pytest.raises(MissingItemError):
        Queue(folder).item(name)


@pytest.mark.parametrize(
    ("field", "text", "rules"),
    [
        (Field("a", (0, 0, 1, 1), cells=4), "1234", []),
        (Field("a", (0, 0, 1, 1), cells=4), "123", ["pattern"]),
        (Field("a", (0, 0, 1, 1), pattern=r"\d\d/\d\d"), "12/1", ["pattern"]),
        (Field("a", (0, 0, 1, 1), choices=("12", "13")), "14", ["choices"]),
        (Field("a", (0, 0, 1, 1), check="luhn"), "79927398713", []),
        (Field("a", (0, 0, 1, 1), check="luhn"), "79927398714", ["check"]),
        (Field("a", (0, 0, 1, 1), pattern=r"\d+"), "letters", ["pattern"]),
        (Field("a", (0, 0, 1, 1), required=True), "", ["required"]),
        (Field("a", (0, 0, 1, 1), cells=4), "", []),
    ],
)
def test_a_text_that_breaks_a_rule_of_its_field_is_told_which(field: Field, text: str, rules: list[str]) -> None:
    assert broken(field, text) == rules


def test_rules_come_back_as_they_were_kept(tmp_path: Path) -> None:
    keep_rules(tmp_path, FORM)
    (tmp_path / "forms" / "other.json").write_text("[]")
    assert load_rules(tmp_path) == {"exam": FORM.fields}


def test_the_same_text_on_another_sheet_is_found_as_it_was_decided(folder: Path) -> None:
    decide(folder, item(3, "student"), "5678", 0)
    pages = [row["page"] for row in Texts(folder).others_with("exam", "student", "5678", item(1, "student"))]
    assert pages == [2, 3]
    assert Texts(folder).others_with("exam", "student", "1234", item(1, "student")) == []


def test_a_row_that_was_cut_short_is_left_out_and_a_later_one_takes_its_place(folder: Path) -> None:
    with open(folder / JOURNAL, "a", encoding="utf-8") as journal:
        journal.write('{"file": "scans.pdf", "page": 1, "amend": {"review": []}}\n{"file": "scans.pdf", "pa')
    assert [(row["page"], row["review"]) for row in read_rows(folder)] == [
        (1, []), (2, ["student", "points"]), (3, ["student", "points"]),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_table_is_written_again_as_corrections_come(
    suffix: str, folder: Path, command: Callable[..., Outcome], tmp_path: Path
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    output = tmp_path / f"table{suffix}"
    assert "6 fields wait" in command("form", "table", folder, "--output", output).err
    before = output.read_bytes()
    decide(folder, item(3, "student"), "9012", 0)
    assert "5 fields wait" in command("form", "table", folder, "--output", output).err
    assert output.read_bytes() != before
    assert list(tmp_path.glob(".table*")) == []


def test_the_table_is_printed_as_csv_or_json(folder: Path, command: Callable[..., Outcome]) -> None:
    decide(folder, item(3, "student"), "9012", 0)
    header, *_, last = command("form", "table", folder).out.splitlines()
    assert header == (
        "file,page,form,student,student_read,student_confidence,points,points_read,points_confidence,review,decided,error"
    )
    assert last == "scans.pdf,3,exam,9012,1284,0.53,99,99,0.53,points,student,"
    rows = [json.loads(line) for line in command("form", "table", folder, "--json").out.splitlines()]
    assert [row["student"] for row in rows] == ["1234", "5678", "9012"]


def test_a_folder_without_sheets_is_one_line(command: Callable[..., Outcome], tmp_path: Path) -> None:
    assert "--review" in command("form", "table", tmp_path).complaint
    assert (
        "cannot write"
        in command("form", "table", write_folder(tmp_path / "r", SHEETS), "--output", "no/t.csv").complaint
    )
