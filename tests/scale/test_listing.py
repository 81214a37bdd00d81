"""Lists of files, shards, and what a table that is gone on with already holds."""

from __future__ import annotations

import io
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet5.errors import DataError, UnavailableError
from lenet5.scale.listing import Standing, Unit, count, listed, sharded, units_of


def test_a_text_lists_a_path_a_line_whatever_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeffa b.png\r\n\nö/ü.png\n s p .png\nno end".encode() + b"\xff")
    assert list(listed(str(path))) == ["a b.png", "ö/ü.png", " s p .png", "no end\udcff"]
    assert count(str(path)) == 4


def test_standard_input_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.png\nb.png\n")))
    assert list(listed("-")) == ["a.png", "b.png"]
    assert count("-") is None


@pytest.mark.parametrize("columns", [{"other": "text", "path": "p"}, {"uri": "p"}, {"name": "p"}])
def test_parquet_lists_its_column_of_paths(columns: dict[str, str], tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = str(tmp_path / "list.parquet")
    rows = {"n": [1, 2], **{name: [f"{value}1", f"{value}2"] for name, value in columns.items()}}
    parquet.write_table(pyarrow.table(rows), path)
    assert list(listed(path)) == ["p1", "p2"]
    assert count(path) == 2


def test_a_list_that_cannot_be_read_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none\.txt: No such file"):
        list(listed(str(tmp_path / "none.txt")))
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "text.parquet").write_text("a.png\n")
    with pytest.raises(DataError, match=r"^cannot read .*text\.parquet: [^\n]*$"):
        list(listed(str(tmp_path / "text.parquet")))
    parquet.write_table(pyarrow.table({"a": ["1"], "b": ["2"]}), tmp_path / "two.parquet")
    with pytest.raises(DataError, match="name it path"):
        list(listed(str(tmp_path / "two.parquet")))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnavailableError, match="pip install"):
        list(listed(str(tmp_path / "two.parquet")))


@given(st.lists(st.text()), st.integers(1, 7))
def test_the_shards_together_hold_each_file_once(files: list[str], shards: int) -> None:
    parts = [list(sharded(files, (k, shards))) for k in range(1, shards + 1)]
    assert sorted(name for part in parts for name in part) == sorted(files)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def rows_of(files: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """The rows of files of so many pages each."""
    return [{"file": file, "page": page, "error": None} for file, pages in files for page in range(1, pages + 1)]


FILES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), min_size=1, max_size=6).map(
    lambda given: [(file, {"a": 1, "b": 2, "c": 3}[file]) for file, _ in given]
)


@given(FILES, st.data())
def test_wherever_a_run_stops_the_next_one_reads_just_the_pages_that_lack(
    files: list[tuple[str, int]], data: st.DataObject
) -> None:
    rows, pages = rows_of(files), dict(files)
    stop = data.draw(st.integers(0, len(rows)))
    units = units_of([file for file, _ in files], Standing(rows[:stop]))
    read = [
        {"file": unit.file, "page": page, "error": None}
        for unit in units
        for page in range(unit.after + 1, pages[unit.file] + 1)
    ]
    assert rows[:stop] + read == rows


def test_what_stands_in_a_table_takes_less_than_twenty_bytes_a_name_however_long_it_is() -> None:
    names = 50_000
    rows = ({"file": "a long name " * 20 + str(k), "page": 1, "error": None} for k in range(names))
    tracemalloc.start()
    try:
        standing = Standing(rows)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20 * names
    assert [standing.whole("a long name " * 20 + str(k)) for k in (0, 0, names - 2, names - 1, names)] == [
        True, False, True, False, False,
    ]  # fmt: skip


def test_a_file_that_ended_in_an_error_is_not_gone_on_with() -> None:
    rows = [{"file": "a.tif", "page": 1, "error": None}, {"file": "a.tif", "page": 2, "error": "cut short"}]
    assert list(units_of(["a.tif", "b.tif"], Standing(rows))) == [Unit("b.tif")]


def test_the_pages_of_a_pdf_are_units_and_a_damaged_one_does_not_end_it(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    for _ in range(3):
        document.new_page(100, 100)
    path = str(tmp_path / "three.pdf")
    document.save(path)
    document.close()
    assert list(units_of([path])) == [Unit(path, 1), Unit(path, 2), Unit(path, 3)]
    rows = [{"file": path, "page": "1", "error": ""}, {"file": path, "page": "2", "error": "damaged"}]
    assert list(units_of([path], Standing(rows))) == [Unit(path, 3)]
