"""``lenet5 read`` over many files: processes, tables, lists; nothing is lost or double whatever is killed or full."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Outcome

Command = Callable[..., Outcome]


@pytest.fixture
def pile(write: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A folder of ten files: lines of one or two digits, a broken picture, a TIFF of three pages."""
    folder = tmp_path / "pile"
    folder.mkdir()
    for k in range(8):
        write(str(k)).save(folder / f"{k}.png")
    (folder / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write("5").save(folder / "55.tif", save_all=True, append_images=[write("6"), write("7")])
    write("12", "3").save(folder / "9.png")
    return folder


PAGES = [
    *((f"{k}.png", 1, None if k == 4 else str(k)) for k in range(6)),
    *(("55.tif", page, str(4 + page)) for page in (1, 2, 3)),
    *((f"{k}.png", 1, str(k)) for k in (6, 7)),
    ("9.png", 1, "12\n3"),
]


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        table: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return table
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def summary(path: Path) -> list[tuple[str, int, str | None]]:
    return [(Path(row["file"]).name, int(row["page"]), row.get("text")) for row in rows(path)]


def test_processes_print_what_one_process_prints(command: Command, pile: Path) -> None:
    one, two = command("read", pile, "--jobs", 1), command("read", pile, "--jobs", 2)
    assert one == two
    assert [line.split(": ")[-1] for line in two.out.splitlines()] == [
        text.replace("\n", " ") for _, _, text in PAGES if text
    ]
    assert "4.png" in two.complaint


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_table_has_a_row_for_each_page_in_order(suffix: str, command: Command, pile: Path, tmp_path: Path) -> None:
    path = tmp_path / f"out.{suffix}"
    outcome = command("read", pile, "--output", path)  # more than a handful: all cores
    assert (outcome.status, outcome.out) == (1, "")
    assert "12 pages written" in outcome.err
    expected = [
        (file, page, text.replace("\n", " ") if suffix == "csv" and text else text) for file, page, text in PAGES
    ]
    assert summary(path) == [(file, page, text or ("" if suffix == "csv" else None)) for file, page, text in expected]
    assert "not a picture" in rows(path)[4]["error"]
    if suffix == "jsonl":
        assert list(rows(path)[0]) == ["file", "page", "text", "confidence", "lines"]
    if suffix == "parquet":
        assert json.loads(rows(path)[5]["json"])["lines"][0][0]["label"] == "5"


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.62, 0.9])
def test_a_table_cut_anywhere_is_gone_on_with_to_the_same_end(
    cut: float, command: Command, pile: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    command("read", pile, "--output", path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole))])
    command("read", pile, "--output", path, "--resume", "--jobs", 2)
    assert path.read_bytes() == whole
    outcome = command("read", pile, "--output", path, "--resume")
    assert (outcome.status, path.read_bytes()) == (1, whole)  # one file of the pile is broken
    assert "0 pages written" in outcome.err


def start(pile: Path, path: Path, *more: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "lenet5", "read", pile, "--jobs", "2", "--output", path, *more]
    return subprocess.Popen([*map(str, arguments)], stderr=subprocess.PIPE, text=True)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The reading processes of a run, once there are two."""
    for _ in range(1000):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
        if len(workers) == 2:
            return workers
        time.sleep(0.02)
    raise AssertionError("no two workers were started")


def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@linux
def test_a_killed_worker_costs_at_most_what_it_was_reading(pile: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    process = start(pile, path)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    error = process.communicate(timeout=120)[1]
    assert [(file, page) for file, page, _ in summary(path) if file != "55.tif"] == [
        (file, page) for file, page, _ in PAGES if file != "55.tif"
    ]
    killed = [row for row in rows(path) if "SIGKILL" in row.get("error", "")]
    assert len(killed) == 1
    assert error.count("was killed") == 1
    assert "Traceback" not in error


@linux
def test_a_killed_run_is_gone_on_with_and_nothing_is_lost_or_double(
    pile: Path, tmp_path: Path, command: Command
) -> None:
    path = tmp_path / "out.jsonl"
    process = start(pile, path)
    until(lambda: lines_in(path) >= 3)
    process.kill()
    process.communicate()
    with open(path, "ab") as file:
        file.write(b'{"file": "half')
    assert command("read", pile, "--output", path, "--resume").status in (0, 1)
    assert summary(path) == PAGES


@linux
def test_ctrl_c_keeps_what_was_read_and_says_how_to_go_on(pile: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    process = start(pile, path)
    until(lambda: lines_in(path) >= 1)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "--resume goes on" in error
    assert "Traceback" not in error
    assert summary(path) == PAGES[: lines_in(path)]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_full_disk_is_one_line_and_loses_nothing(suffix: str, pile: Path, tmp_path: Path, command: Command) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"out.{suffix}"
    arguments = [
        "-m",
        "lenet5",
        "read",
        "--jobs",
        "1",
        *sorted(map(str, pile.glob("[0-3].png"))),
        "--output",
        str(path),
    ]
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)),  # bytes of the largest file
    )
    assert done.returncode == 1
    *said, complaint = done.stderr.splitlines()
    assert complaint == f"lenet5: cannot write {path}: File too large"
    assert [line for line in said if "--resume goes on" in line] == said
    journal = path if suffix == "jsonl" else path.with_name(f".{path.name}.jsonl")
    assert 1 <= len(rows(journal)) < 4  # whole lines only
    assert command("read", pile, "--output", path, "--resume").status == 1
    assert summary(path) == PAGES


@pytest.mark.slow
def test_a_list_and_shards_read_each_file_once(command: Command, pile: Path, tmp_path: Path) -> None:
    names = [str(path) for path in sorted(pile.glob("*.png"))]
    (tmp_path / "list.txt").write_text("\n".join(names))
    whole = command("read", "--list", tmp_path / "list.txt").out.splitlines()
    parts = [command("read", "--list", tmp_path / "list.txt", "--shard", f"{k}/3").out.splitlines() for k in (1, 2, 3)]
    assert sorted(line for part in parts for line in part) == sorted(whole)
    assert len(whole) == len(names) - 1
    assert (
        command("read", pile / "0.png", "--list", tmp_path / "list.txt").out.splitlines()[0] == f"{pile / '0.png'}: 0"
    )


def test_a_name_that_is_no_utf8_is_a_row(command: Command, pile: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png")
    try:
        os.link(pile / "3.png", odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    for suffix, jobs in (("csv", 1), ("jsonl", 2), ("parquet", 1)):
        path = tmp_path / f"out.{suffix}"
        assert command("read", odd, "--output", path, "--jobs", jobs).status == 0
        assert command("read", odd, pile / "3.png", "--output", path, "--resume").status == 0
        assert summary(path) == [("a\\xff.png", 1, "3"), ("3.png", 1, "3")]
        if suffix == "parquet":
            assert json.loads(rows(path)[0]["json"])["file"] == f"{tmp_path}/a\\xff.png"
    (tmp_path / "list.txt").write_bytes(os.fsencode(odd) + b"\n" + os.fsencode(odd + "x") + b"\n")
    for jobs in (1, 2):
        listed = command("read", "--list", tmp_path / "list.txt", "--jobs", jobs)
        assert listed.out == f"{tmp_path}/a\\xff.png: 3\n"
        assert listed.complaint == f"lenet5: no such file: {tmp_path}/a\\xff.pngx"
    assert json.loads(command("read", odd, "--json").out)["file"] == f"{tmp_path}/a\\xff.png"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name pictures or folders"),
        (["a.png", "--resume"], "--output"),
        (["a.png", "--output", "a.csv", "--json"], "standard output"),
        (["a.png", "--output", "a.csv", "--annotate", "b.png"], "one process"),
        (["a.png", "--jobs", "2", "--threads", "2"], "one thread"),
        (["a.png", "--shard", "0/2"], "as 2/8"),
        (["a.png", "--shard", "3/2"], "as 2/8"),
        (["-", "--list", "-"], "standard input"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    arguments: list[str], reason: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command("read", *arguments)
    assert outcome.status == 2
    assert reason in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_stands_there_is_not_written_over(command: Command, pile: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    assert "--resume goes on with it" in command("read", pile, "--output", tmp_path / "out.csv").complaint
    assert (tmp_path / "out.csv").read_text() == "mine"


def test_a_page_that_could_not_be_read_before_still_decides_the_exit_status(command: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    table = tmp_path / "t.csv"
    assert command("read", tmp_path / "broken.png", "--output", table).status == 1
    again = command("read", tmp_path / "broken.png", "--output", table, "--resume")
    assert again.status == 1
    assert "1 of all not read" in again.err


def test_a_cluster_does_not_take_its_list_from_standard_input(command: Command, tmp_path: Path) -> None:
    outcome = command("read", "--ray", "local", "--list", "-", "--output", tmp_path / "parts")
    assert outcome.status == 2
    assert "write it to a file" in outcome.err
