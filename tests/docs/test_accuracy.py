"""The accuracy record: its statistics, its tables, and that a row is what the command beside it gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy import __main__ as program
from docs._build import accuracy as tables

from lenet5 import engine, weights
from lenet5.learning.data import load
from lenet5.learning.objective import EngineObjective
from lenet5.learning.recipe import RECIPES
from lenet5.learning.sets import ImageSet, drawn
from tests.conftest import Outcome

ROOT = Path(__file__).parents[2]
KEYS = {
    "network", "recipe", "seed", "passes", "distortions", "training_images", "test_error_percent",
    "validation_error_percent", "seconds",
}  # fmt: skip


def row(seed: int, error: float, **changes: object) -> dict[str, object]:
    made = {
        "command": f"lenet5 train --recipe paper --seed {seed}",
        "network": "lenet5",
        "recipe": "paper",
        "seed": seed,
        "passes": 20,
        "distortions": False,
        "training_images": 60_000,
        "test_error_percent": error,
        "validation_error_percent": None,
        "seconds": 90.0,
        "refused": 0,
        "training_error_percent": 0.3,
        "rejected_percent": 1.5,
    }
    return made | changes


def test_the_interval_is_students() -> None:
    mean, half = tables.mean_and_half([0.9, 1.0, 1.1, 0.8, 1.2])
    assert mean == pytest.approx(1.0)
    assert half == pytest.approx(2.776 * 0.158114 / 5**0.5, rel=1e-4)
    assert tables.interval([0.5]) == "0.50%"


def test_the_tables_give_means_intervals_goals_and_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distorted, small = (program.Run("paper", 0, distortions=True), program.Run("paper", 0, images=15_000))
    rows = [
        row(0, 0.9),
        row(1, 1.0),
        row(0, 0.7, distortions=True, command=distorted.command),
        row(0, 1.7, training_images=15_000, command=small.command),
    ]
    monkeypatch.setattr(tables, "rows", lambda: rows)
    summary = tables.summary().splitlines()
    assert len(summary) == 4
    assert "**0.95% ± 0.64**" in summary[2]
    assert "`lenet5 train --recipe paper --seed S`" in summary[2]
    assert "`lenet5 train --recipe paper --distortions --seed S`" in summary[3]
    sizes = tables.sizes().splitlines()
    assert [line.split(" | ")[0] for line in sizes[2:]] == ["| 15,000", "| 60,000", "| 600,000"]
    assert "--images 15000" in sizes[2]
    assert tables.every_run().count("--seed 0`") == 3


def test_a_runs_row_comes_in_the_place_of_its_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "RESULTS", tmp_path / "accuracy.json")
    runs = [program.Run("paper", 1), program.Run("paper", 0), program.Run("paper", 0, distortions=True)]
    for run in runs:
        program.add(run, row(run.seed, 1.0, distortions=run.distortions, command=run.command))
    program.add(runs[1], row(0, 0.5))
    found = json.loads((tmp_path / "accuracy.json").read_text())
    assert [(r["seed"], r["distortions"], r["test_error_percent"]) for r in found] == [
        (0, False, 0.5), (1, False, 1.0), (0, True, 1.0),
    ]  # fmt: skip
    assert [run.describes(found[0]) for run in runs] == [False, True, False]


@pytest.mark.skipif(not engine.AVAILABLE, reason="training needs the compiled engine")
def test_a_taught_run_is_what_its_command_gives_and_needs_its_teachers_weights(
    command: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "modern", replace(RECIPES["modern"], passes=1))
    data, test = load("digits", "train"), load("digits", "test")
    assert isinstance(data, ImageSet)
    assert isinstance(test, ImageSet)
    teacher = program.Run("modern", 0, held_out=0)
    run = program.Run("modern", 1, held_out=0, passes=2, teachers=(teacher,))
    with pytest.raises(SystemExit, match="--keep"):
        program.carried_out(run, data, test)
    found = program.carried_out(run, data, test, tmp_path)
    by_itself = program.carried_out(teacher, data, test, tmp_path)
    assert [group["training_images"] for group in (by_itself, found)] == [len(data.images)] * 2
    assert tables.Group("", "modern", True, len(data.images)).runs([by_itself, found]) == [by_itself]
    assert tables.Group("", "modern", True, len(data.images), teachers=1).runs([by_itself, found]) == [found]
    monkeypatch.chdir(tmp_path)
    given = run.command.split()[1:]
    assert command(*given, "--data", "digits", "--threads", "1", "--output", "w.safetensors").status == 0
    assert (weights.load(run.weights).parameters == weights.load("w.safetensors").parameters).all()


@pytest.mark.skipif(not engine.AVAILABLE, reason="the paper's training needs the compiled engine")
def test_a_row_is_what_the_command_beside_it_gives(
    command: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "paper", replace(RECIPES["paper"], passes=1))
    data, test = load("digits", "train"), load("digits", "test")
    assert isinstance(data, ImageSet)
    assert isinstance(test, ImageSet)
    found = program.carried_out(program.Run("paper", 2, images=700), data, test)
    assert found.keys() >= KEYS
    assert (found["training_images"], found["distortions"], "curve" in found) == (700, False, False)
    whole = program.carried_out(program.Run("paper", 2), data, test)
    assert len(whole["curve"]) == 1
    assert whole["curve"][0][1] == pytest.approx(100 * len(whole["misread"]) / len(test.images), abs=1e-3)
    output = tmp_path / "w.safetensors"
    given = found["command"].split()[1:]
    assert command(*given, "--data", "digits", "--threads", "1", "--output", output).status == 0
    report = json.loads(command("evaluate", "--data", "digits", "--weights", output, "--json").out)
    assert (report["error_percent"], report["refused"]) == (
        pytest.approx(found["test_error_percent"]),
        found["refused"],
    )
    assert weights.load(output).metadata["command"].endswith(" --recipe paper --images 700 --passes 1 --seed 2")


def test_rejecting_the_least_sure_first_reaches_half_a_percent() -> None:
    recipe = RECIPES["paper"]
    data = load("digits", "test")
    assert isinstance(data, ImageSet)
    data = drawn(data, 200, np.random.default_rng(0))

    class Known(EngineObjective):
        """Sure of all but twenty answers, of which two are wrong."""

        def penalties(self, parameters: object, images: object) -> np.ndarray:  # type: ignore[override,type-arg]
            found = np.full((200, 10), 30, np.float32)
            answers = data.labels.astype(int)
            answers[:2] = (answers[:2] + 1) % 10
            found[np.arange(200), answers] = 0
            found[np.arange(20), (answers[:20] + 1) % 10] = 0.1 + 0.01 * np.arange(20)
            return found

    made = weights.Weights(recipe.network, np.zeros(60_000, np.float32), {"j": "40", "temperature": "1"})
    # the twenty doubtful ones come last, the two wrong ones last of all: with one of them in, 1 of 199 is wrong
    assert program.rejected_percent(made, Known(recipe.network, recipe.criterion), data) == pytest.approx(1.0)
