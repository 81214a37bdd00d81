"""``lenet5 evaluate``: any set with truth in, its errors out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet5 import Reader
from tests.conftest import Outcome
from tests.learning.test_idx import idx

Command = Callable[..., Outcome]

KEYS = ["data", "weights", "images", "errors", "refused", "error_percent", "interval_percent", "confusion"]


@pytest.fixture
def folder(draw: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A folder of class folders with drawn digits, all of them in the right place."""
    found = tmp_path / "drawn"
    for label in "01234567":
        (found / label).mkdir(parents=True)
        draw(label).save(found / label / "one.png")
    return found


def labelled(folder: Path, content: str) -> Path:
    (folder / "labels.csv").write_text(content)
    return folder


def test_the_embedded_digits_are_measured(command: Command) -> None:
    outcome = command("evaluate", "--data", "digits", "--json")
    assert outcome.status == 0
    found = json.loads(outcome.out)
    assert list(found) == KEYS
    assert (found["data"], found["weights"], found["images"]) == ("digits", "lenet5", 360)
    assert np.array(found["confusion"]).shape == (11, 11)
    assert np.sum(found["confusion"]) == 360
    assert np.trace(found["confusion"]) == 360 - found["errors"]
    assert found["interval_percent"][0] < found["error_percent"] < found["interval_percent"][1]


def test_class_folders_are_measured(command: Command, folder: Path) -> None:
    found = json.loads(command("evaluate", "--data", folder, "--json").out)
    assert (found["data"], found["images"], found["errors"]) == ("drawn", 8, 0)


def test_a_wrong_truth_is_an_error_in_text_json_and_report_folder(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    labelled(folder, "file,label,writer\n3/one.png,3,x\n4/one.png,9,x\n")
    outcome = command("evaluate", "--data", folder, "--report", tmp_path / "report")
    assert outcome.status == 0
    assert outcome.out.startswith("drawn read with lenet5: 50.00% errors (95% interval 9.45–90.55%), 1 of 2; 0 refused")
    for name in ("report.txt", "report.json", "misread.png"):
        assert (tmp_path / "report" / name).stat().st_size > 0
        assert f"lenet5: wrote {tmp_path / 'report' / name}" in outcome.err
    Image.open(tmp_path / "report" / "misread.png").close()


@pytest.mark.parametrize("column", ["text", "lines"])
def test_texts_are_measured_with_their_digits_errors(column: str, command: Command, folder: Path) -> None:
    labelled(folder, f"file,{column}\n3/one.png,3\n4/one.png,44\n")
    found = json.loads(command("evaluate", "--data", folder, "--json").out)
    assert list(found) == [*KEYS, "digit_error_percent"]
    assert (found["errors"], found["digit_error_percent"], found["confusion"]) == (1, 33.3333, None)


def test_not_digits_counts_every_answer_as_an_error(command: Command, folder: Path, tmp_path: Path) -> None:
    Image.new("L", (40, 40), 255).save(folder / "0" / "blank.png")
    found = json.loads(command("evaluate", "--data", folder, "--not-digits", "--json").out)
    assert (found["images"], found["errors"], found["refused"]) == (9, 8, 1)
    assert np.sum(found["confusion"][10]) == 9


def test_an_npz_with_label_255_is_measured(command: Command, draw: Callable[..., Image.Image], tmp_path: Path) -> None:
    images = np.stack([np.asarray(draw("5")), np.full((200, 200), 255, np.uint8)])
    np.savez(tmp_path / "cells.npz", images=images, labels=np.array([5, 255], np.uint8))
    found = json.loads(command("evaluate", "--data", tmp_path / "cells.npz", "--json").out)
    assert (found["images"], found["errors"], found["refused"]) == (2, 0, 1)
    assert (found["confusion"][5][5], found["confusion"][10][10]) == (1, 1)


def test_a_folder_of_idx_files_goes_straight_to_the_network(
    command: Command, tmp_path: Path, reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    images = np.stack([reader.image(draw(label)) for label in "0123456789"])
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(10, dtype=np.uint8))))
    found = json.loads(command("evaluate", "--data", tmp_path, "--json").out)
    assert (found["images"], found["errors"]) == (10, 0)


def test_an_unreadable_picture_is_told_and_counted(command: Command, folder: Path) -> None:
    (folder / "3" / "one.png").write_text("not a picture")
    outcome = command("evaluate", "--data", folder)
    assert "1 of 8; 1 refused" in outcome.out
    assert "lenet5: not a picture" in outcome.err
    assert outcome.status == 1


# --- what cannot be measured ---


def test_without_network_and_data_the_message_names_the_ways_to_do_without(shell: Command, tmp_path: Path) -> None:
    """The proxies' port is closed, so nothing can be fetched; the cache is empty."""
    closed = "http://127.0.0.1:9"
    program = (
        "import os, sys; os.environ.pop('LENET5_DATA', None)\n"
        "from lenet5.cli import main; sys.argv = ['lenet5', 'evaluate']; main()"
    )
    outcome = shell(
        "-c", program, XDG_CACHE_HOME=str(tmp_path), HTTPS_PROXY=closed, https_proxy=closed, NO_PROXY="", no_proxy=""
    )  # fmt: skip
    assert outcome.out == ""
    assert "--data digits" in outcome.complaint
    assert "LENET5_DATA" in outcome.complaint
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("command_name", ["evaluate", "train"])
def test_lenet5_data_without_mnist_is_told_in_one_line(
    command_name: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENET5_DATA", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    complaint = command(command_name).complaint
    assert "--data digits" in complaint
    assert "LENET5_DATA" in complaint


BAD_DATA: dict[str, Callable[[Path], str]] = {
    "missing": lambda folder: "none",
    "empty folder": lambda folder: ".",
    "bad npz": lambda folder: str((folder / "x.npz").write_text("seven") and "x.npz"),
    "bad csv": lambda folder: str((folder / "labels.csv").write_text("a,b\n1,2\n") and "."),
    "bad label": lambda folder: str((folder / "labels.csv").write_text("file,label\na.png,12\n") and "."),
    "bad idx": lambda folder: str((folder / "t10k-labels-idx1-ubyte").write_text("x") and "."),
    "HTML for gz": lambda folder: str(
        [(folder / f"t10k-{name}-ubyte.gz").write_text("<html>") for name in ("images-idx3", "labels-idx1")] and "."
    ),
    "lengths": lambda folder: str(
        (folder / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 28, 28), np.uint8)))
        and (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
        and "."
    ),
    "no images": lambda folder: str(
        (folder / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
        and (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(0, np.uint8)))
        and "."
    ),
}


@pytest.mark.parametrize("data", BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_is_told_in_one_line(
    data: Callable[[Path], str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command("evaluate", "--data", data(tmp_path))
    assert outcome.out == ""
    assert outcome.complaint


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x07.", b"PK\x03\x04", b"seven" * 9], ids=repr)
@pytest.mark.parametrize("command_name", ["evaluate", "read"])
def test_bad_weights_are_told_in_one_line(
    command_name: str, content: bytes, command: Command, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    what = ["--data", folder] if command_name == "evaluate" else [folder]
    complaint = command(command_name, *what, "--weights", tmp_path / "w.safetensors").complaint
    assert str(tmp_path / "w.safetensors") in complaint


def test_missing_weights_are_told_in_one_line(command: Command) -> None:
    assert "lenet5, lenet5-mnist" in command("evaluate", "--data", "digits", "--weights", "none.safetensors").complaint


def test_a_report_folder_that_cannot_be_made_is_told_in_a_line(command: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = command("evaluate", "--data", folder, "--report", tmp_path / "file" / "report")
    assert outcome.status == 1
    assert f"lenet5: cannot make the folder {tmp_path / 'file' / 'report'}" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("arguments", [("--layout", "word"), ("--threads", "0"), ("extra",), ("--report",)])
def test_wrong_usage_ends_with_status_2(arguments: tuple[str, ...], command: Command) -> None:
    assert command("evaluate", "--data", "digits", *arguments).status == 2
