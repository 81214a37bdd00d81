"""The index of the texts of a review folder: always what a look at every row and decision gives."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from lenet5.errors import OutputError
from lenet5.forms import texts
from lenet5.forms.corrected import JOURNAL, read_rows
from lenet5.forms.decisions import SUFFIX, decision_of
from lenet5.forms.review import item_name, sheet_name, sheet_of
from lenet5.forms.texts import Texts

FORMS, FIELDS, VALUES = ("exam", "exam-b"), ("student", "student_2"), ("1", "2", "", None)


def looked_up(folder: Path, form: str, field: str, text: str, item: str) -> list[dict[str, Any]]:
    """What the index says, by a look at every row and decision."""
    rows = []
    for row in read_rows(folder):
        if row.get("form") != form or field not in row or not row.get("sheet"):
            continue
        name = item_name(row["sheet"], form, field)
        decision = decision_of(folder, name)
        if name != item and (row[field] if decision is None else decision.text) == text:
            rows.append(row)
    return rows


def write(folder: Path, line: dict[str, Any], end: str = "\n") -> None:
    with open(folder / JOURNAL, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + end)


def row(draw: random.Random, number: int) -> dict[str, Any]:
    sheet = sheet_name(f"{number // 3:016x}", 1)  # three files have the same content
    values = {field: draw.choice(VALUES) for field in FIELDS}
    confidences = {f"{field}_confidence": 0.5 for field in FIELDS}
    return {"file": f"{number}.png", "page": 1, "form": draw.choice(FORMS), **values, **confidences, "sheet": sheet}


def decide(folder: Path, item: str, text: str) -> None:
    beside = folder / "decision"
    content = {"format": 1, "text": text, "read": "", "revision": 1, "time": ""}
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(folder / f"{item}{SUFFIX}")


def change(folder: Path, draw: random.Random) -> None:
    """One change as a run or a person makes it."""
    number, form, field = draw.randrange(9), draw.choice(FORMS), draw.choice(FIELDS)
    item = item_name(sheet_name(f"{number // 3:016x}", 1), form, field)
    kind = draw.randrange(6)
    if kind < 2:
        write(folder, row(draw, number))
    elif kind == 2:
        write(folder, {"file": f"{number}.png", "page": 1, "amend": {field: draw.choice(VALUES)}})
    elif kind == 3:
        (folder / f"{item}{SUFFIX}").unlink(missing_ok=True)
    else:
        decide(folder, item, draw.choice(("1", "2", "")))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_changes_the_index_says_what_a_look_at_everything_says(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    index = Texts(tmp_path)
    write(tmp_path, row(draw, 0))
    for _ in range(60):
        change(tmp_path, draw)
        form, field, text = draw.choice(FORMS), draw.choice(FIELDS), draw.choice(("1", "2", ""))
        item = item_name(sheet_name(f"{draw.randrange(4):016x}", 1), form, field)
        assert index.others_with(form, field, text, item) == looked_up(tmp_path, form, field, text, item)


def test_a_question_reads_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, read = random.Random(0), []
    items = [item_name(sheet_name(f"{number:016x}", 1), "exam", "student") for number in range(50)]
    for number, item in enumerate(items):
        write(tmp_path, row(draw, 3 * number) | {"form": "exam"})
        decide(tmp_path, item, str(number))
    count = {"lines": 0}

    def counted(*arguments: Any) -> Any:
        count["lines"] += 1
        return row_after(*arguments)

    row_after = texts.row_after
    monkeypatch.setattr(texts, "row_after", counted)
    monkeypatch.setattr(texts, "decision_of", lambda folder, item: read.append(item) or decision_of(folder, item))
    index = Texts(tmp_path)
    assert [other["file"] for other in index.others_with("exam", "student", "7", items[0])] == ["21.png"]
    assert (sorted(read), count["lines"]) == (sorted(items), 50)
    assert index.others_with("exam", "student", "7", items[7]) == []
    assert (len(read), count["lines"]) == (50, 50)
    decide(tmp_path, items[9], "7")
    write(tmp_path, row(draw, 999) | {"form": "exam", "student": "7"})
    assert len(index.others_with("exam", "student", "7", items[0])) == 3
    assert (read[50:], count["lines"]) == ([items[9]], 51)


def test_a_journal_that_is_replaced_or_cut_is_read_anew(tmp_path: Path) -> None:
    draw, index = random.Random(0), Texts(tmp_path)
    item = item_name(sheet_name("f" * 16, 1), "exam", "student")
    same = {"form": "exam", "student": "1"}
    write(tmp_path, row(draw, 0) | same)
    write(tmp_path, row(draw, 3) | same, end="")  # it is being written
    assert [other["file"] for other in index.others_with("exam", "student", "1", item)] == ["0.png"]
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole.replace(b"0.png", b"5.png") + b"\n")
    assert [other["file"] for other in index.others_with("exam", "student", "1", item)] == ["5.png", "3.png"]
    (tmp_path / JOURNAL).write_bytes(b"")
    assert index.others_with("exam", "student", "1", item) == []
    (tmp_path / JOURNAL).unlink()
    with pytest.raises(OutputError, match="holds no sheets"):
        index.others_with("exam", "student", "1", item)
    assert sheet_of(item) == "f" * 16 + "-p0001"


def test_a_correction_that_is_none_is_told(tmp_path: Path) -> None:
    item = item_name(sheet_name("f" * 16, 1), "exam", "student")
    write(tmp_path, row(random.Random(0), 0))
    (tmp_path / f"{item}{SUFFIX}").write_text("{}")
    with pytest.raises(OutputError, match="mend or remove it"):
        Texts(tmp_path).others_with("exam", "student", "1", item)
    assert Texts(tmp_path).others_with("exam", "points", "1", item) == []
