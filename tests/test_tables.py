"""Tables: written as they go, gone on with after a stop, by one run at a time."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lenet5.errors import OutputError, UnavailableError
from lenet5.row_files import FORMATS, Column
from lenet5.tables import Lock, Table

COLUMNS = (Column("file"), Column("page", int), Column("p", float), Column("review", list))
ROWS: list[dict[str, Any]] = [
    {"file": 'a "quoted"\nname.png', "page": 1, "p": 0.25, "review": ["number", "date"]},
    {"file": "b,c.png", "page": 2, "p": None, "review": []},
]


def read_back(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return rows
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        {**row, "page": int(row["page"]), "p": float(row["p"]) if row["p"] else None, "review": row["review"].split()}
        for row in rows
    ]


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"table{request.param}"


def test_what_is_appended_stands_in_the_table(path: Path) -> None:
    with Table(path, COLUMNS) as table:
        assert [table.append(row) for row in ROWS] == [0, 1]
    assert read_back(path) == ROWS
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_each_row_is_on_disk_before_the_next(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    with Table(path, COLUMNS) as table:
        for count, row in enumerate(ROWS, 1):
            table.append(row)
            assert len(read_back(path)) == count


def test_a_stopped_run_is_gone_on_with(path: Path) -> None:
    with suppress(KeyboardInterrupt), Table(path, COLUMNS) as table:
        table.append(ROWS[0])
        raise KeyboardInterrupt
    with Table(path, COLUMNS, resume=True) as table:
        assert len(table) == 1
        assert [row["file"] for row in table.rows()] == [ROWS[0]["file"]]
        table.append(ROWS[1])
    assert read_back(path) == ROWS


def test_a_run_that_fails_before_its_first_row_leaves_no_file_and_none_that_stood_there_goes(path: Path) -> None:
    with suppress(KeyboardInterrupt), Table(path, COLUMNS):
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []
    Table(path, COLUMNS).finish()
    with suppress(KeyboardInterrupt), Table(path, COLUMNS, resume=True):
        raise KeyboardInterrupt
    assert path.exists()


def test_a_table_whose_header_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lenet5.tables.csv_line", full)
    with pytest.raises(OutputError, match="No space left on device"):
        Table(tmp_path / "rows.csv", COLUMNS)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_table_is_gone_on_with(path: Path) -> None:
    with Table(path, COLUMNS) as table:
        table.append(ROWS[0])
    with Table(path, COLUMNS, resume=True) as table:
        table.append(ROWS[1])
    assert read_back(path) == ROWS


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_row_cut_anywhere_is_dropped_and_no_other(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    with Table(path, COLUMNS) as table:
        table.append(ROWS[1])
        before = path.stat().st_size
        table.append(ROWS[0])
    whole = path.read_bytes()
    for length in range(before, len(whole)):
        path.write_bytes(whole[:length])
        with Table(path, COLUMNS, resume=True) as table:
            assert len(table) == 1, whole[before:length]
            table.append(ROWS[0])
        assert path.read_bytes() == whole


def test_amended_rows_are_changed_in_the_end(path: Path) -> None:
    with Table(path, COLUMNS) as table:
        for row in ROWS:
            table.append(row)
        table.amend(1, {"review": ["date"]})
    assert read_back(path) == [ROWS[0], {**ROWS[1], "review": ["date"]}]


def test_a_second_run_on_one_table_is_refused_in_one_line(path: Path) -> None:
    with Table(path, COLUMNS) as table:
        table.append(ROWS[0])
        program = (
            "from lenet5.tables import *; import sys\n"
            "try: Table(sys.argv[1], [], resume=True)\nexcept Exception as error: print(error)"
        )
        done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"another run is writing {path}")
    assert read_back(path) == ROWS[:1]


def test_a_table_that_exists_is_not_overwritten(path: Path) -> None:
    with Table(path, COLUMNS) as table:
        table.append(ROWS[0])
    with pytest.raises(OutputError, match="--resume"):
        Table(path, COLUMNS)
    assert read_back(path) == ROWS[:1]


def test_a_csv_with_other_columns_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name,age\nx,1\n")
    with pytest.raises(OutputError, match="other columns: name, age"):
        Table(path, COLUMNS, resume=True)
    assert path.read_text() == "name,age\nx,1\n"


@pytest.mark.parametrize("name", ["table.xlsx", "table", "missing/table.csv"])
def test_a_place_that_cannot_be_written_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        Table(tmp_path / name, COLUMNS)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnavailableError, match="pip install"):
        Table(tmp_path / "table.parquet", COLUMNS)


@pytest.mark.parametrize(("name", "content"), [("t.jsonl", b"my notes\nnot json\n"), ("t.csv", b"a,b\n1,2\n3,4"),
                                               ("t.jsonl", b'{"file": "a"}\nbroken\n{"file": "b"}\n'),
                                               ("t.csv", b"notes")])  # fmt: skip
def test_a_file_that_is_not_ours_is_refused_and_kept_as_it_is(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OutputError):
        Table(tmp_path / name, [Column("file"), Column("page", int)], resume=True)
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.slow
def test_no_two_of_many_runs_hold_a_place_at_once_however_quickly_they_end(tmp_path: Path) -> None:
    program = """
import os, sys, time
from pathlib import Path
from lenet5.errors import OutputError
from lenet5.tables import Lock
place, held, end, times = Path(sys.argv[1]) / "rows.csv", Path(sys.argv[1]) / "held", time.monotonic() + 3, 0
while time.monotonic() < end:
    try:
        lock = Lock(place)
    except OutputError as error:
        assert "another run is writing" in str(error), error
        continue
    held.touch(exist_ok=False)
    held.unlink()
    times += 1
    lock.release()
print(times)
"""
    runs = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    times = [int(run.communicate()[0] or 0) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert sum(times) > 100
    assert list(tmp_path.iterdir()) == []


def test_a_place_whose_earlier_run_was_killed_is_free(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from lenet5.tables import Lock; Lock(Path(sys.argv[1])); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "rows.csv"], check=False)
    Lock(tmp_path / "rows.csv").release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_an_amended_table_behind_a_link_stays_where_it_is(path: Path, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    link = tmp_path / f"link{path.suffix}"
    link.symlink_to(tmp_path / "place" / path.name)
    with Table(link, COLUMNS) as table:
        table.append(ROWS[0])
        table.amend(0, {"p": 0.5})
    assert link.is_symlink()
    assert [row["p"] for row in read_back(tmp_path / "place" / path.name)] == [0.5]


def test_names_as_long_as_the_system_allows_are_written_in_any_script(path: Path) -> None:
    for character in "七7":
        left = 255 - len(path.suffix)
        place = path.with_name(character * (left // len(character.encode())) + path.suffix)
        with Table(place, COLUMNS) as table:
            table.append(ROWS[0])
        assert read_back(place) == ROWS[:1]
    assert len(list(path.parent.iterdir())) == 2
