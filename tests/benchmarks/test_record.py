"""What a file of results was measured with, and when it is out of date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from docs._build import __main__ as build
from docs._build import figures

import lenet5
from benchmarks import record


def results(folder: Path, content: object) -> Path:
    path = folder / "evaluation.json"
    path.write_text(json.dumps(content))
    return path


def test_a_record_holds_version_commit_and_the_digest_of_each_weights_file(tmp_path: Path) -> None:
    own = tmp_path / "w.safetensors"
    own.write_bytes(b"")
    measured_with = record.record("lenet5", str(own))
    assert measured_with["version"] == lenet5.__version__
    assert len(measured_with["weights"]["lenet5"]) == 64
    assert measured_with["weights"][str(own)] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_figures_of_these_weights_and_this_version_are_up_to_date(tmp_path: Path) -> None:
    measured_with = record.record("lenet5", "concise")
    for content in (
        {record.KEY: measured_with, "rows": []},
        [{record.KEY: measured_with}],
        {"runs": [{record.KEY: measured_with}]},
    ):
        path = results(tmp_path, content)
        assert record.outdated(path) == []
        assert not record.unrecorded(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "0.0.9"}, "measured with lenet5 0.0.9"),
        ({"weights": {"lenet5": "0" * 64}}, "other weights lenet5"),
        ({"weights": {"mine.safetensors": "0" * 64}}, "no bundled weights"),
    ],
)
@pytest.mark.parametrize("place", ["top", "row", "run"])
def test_figures_of_another_version_or_of_other_weights_fail_the_check(
    tmp_path: Path, change: dict[str, object], reason: str, place: str
) -> None:
    new, old = ({record.KEY: record.record("lenet5") | changed} for changed in ({}, change))
    path = results(tmp_path, {"top": old, "row": [new, old], "run": {"runs": [new, old]}}[place])
    (found,) = record.outdated(path)
    assert reason in found
    failures, _ = build.outdated(tmp_path)
    (failure,) = (line for line in failures if line.startswith("results/"))
    assert failure.startswith("results/evaluation.json is out of date: ")
    assert failure.endswith("run: python -m benchmarks.accuracy.evaluation")


@pytest.mark.parametrize("content", [{"rows": []}, [{}], {"runs": [{}]}])
def test_figures_without_a_record_are_a_warning(tmp_path: Path, content: object) -> None:
    path = results(tmp_path, content)
    assert record.outdated(path) == []
    failures, notes = build.outdated(tmp_path)
    assert not [line for line in failures if line.startswith("results/")]
    assert "does not say which weights" in notes[0]


def test_every_file_of_results_has_a_command_that_renews_it() -> None:
    assert {path.name for path in record.RESULTS.glob("*.json")} <= record.COMMANDS.keys()


def test_a_picture_of_other_results_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(figures.outdated()) == []
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    for drawing in figures.FIGURES.values():
        (tmp_path / drawing.results).write_text("[]")
    assert list(figures.outdated()) == list(figures.FIGURES)
