"""The model folder: its weights are the same, its card says what was measured of them, nothing in it is code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet5 import Reader, weights
from lenet5.export.huggingface import card, folder_of

RESULTS = Path(__file__).parents[2] / "results" / "evaluation.json"


@pytest.mark.parametrize("name", weights.BUNDLED)
def test_the_weights_of_the_folder_are_the_given_ones(name: str, tmp_path: Path) -> None:
    loaded = weights.load(name)
    for file, content in folder_of(loaded).items():
        (tmp_path / file).write_bytes(content)
    again = weights.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.parameters, loaded.parameters)
    assert dict(again.metadata) == {**loaded.metadata, "network": loaded.network.name, "format": "1"}
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["network"], config["classes"]) == (loaded.network.name, loaded.classes)


@pytest.mark.parametrize("name", weights.BUNDLED)
def test_the_cards_errors_are_those_of_results(name: str) -> None:
    runs = {run["data"]: run for run in json.loads(RESULTS.read_text())["runs"] if run["weights"] == name}
    rows = re.findall(r"^\| (\w+) \| ([\d,]+) \| ([\d.]+)% \|", card(weights.load(name)), re.MULTILINE)
    assert "mnist" in dict.fromkeys(row[0] for row in rows)
    for data, images, error in rows:
        assert (f"{runs[data]['images']:,}", f"{runs[data]['error_percent']:.2f}") == (images, error)


def test_other_weights_get_no_figures() -> None:
    loaded = weights.load("lenet5")
    other = replace(loaded, parameters=loaded.parameters + np.float32(0.01))
    assert "Nothing has been measured" in card(other)
    assert "model-index" not in card(other)


def test_a_card_is_whole_whatever_the_weights_record() -> None:
    bare = replace(weights.load("lenet5"), metadata={})
    for given in (bare, *map(weights.load, weights.BUNDLED)):
        text = card(given)
        assert not re.search(r"%[A-Z_]+%", text)
        front = text.split("---\n")[1]
        assert re.search(r"^license: mit$", front, re.MULTILINE)
        assert re.search(r"^metrics:\n  - accuracy$", front, re.MULTILINE)


def test_the_three_lines_of_the_card_read_a_picture(
    command: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hub" / "lenet5"
    assert command("export", "--format", "huggingface", "--output", folder).status == 0  # type: ignore[attr-defined]
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    bundled = Path(weights.__file__).parent / "bundled" / "pictures" / "7-small-on-a-large-page.jpg"
    (folder / "photo.jpg").write_bytes(bundled.read_bytes())
    (block,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(folder)
    capsys.readouterr()
    exec(block, {})
    assert capsys.readouterr().out == "7\n"
    assert Reader(folder / "model.safetensors").weights.classes == Reader().weights.classes


def test_int8_is_refused(command: Callable[..., object], tmp_path: Path) -> None:
    outcome = command("export", "--format", "huggingface", "--int8", "--output", tmp_path / "folder")
    assert outcome.status == 2  # type: ignore[attr-defined]
