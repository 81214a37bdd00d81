"""Figures that the docs publish still hold: each is measured again, on a part of its images or with one of its seeds.

A figure fails when it is worse than published by more than three standard errors of the part that is measured here.
Everything reads results/, from which the tables of the docs are made, and needs LENET5_DATA.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.accuracy.__main__ import Run, carried_out
from benchmarks.accuracy.evaluation import SETS
from benchmarks.accuracy.robustness import Change, picture
from benchmarks.reading.cases import Case, measure, measured_sets, synthetic

from lenet5 import Reader, engine
from lenet5.evaluation.evaluate import evaluate
from lenet5.learning.data import ImageSet, PictureSet, load

RESULTS = Path(__file__).parents[2] / "results"
PICTURES = 100  # of a set, at even steps
CHANGED = 40  # of MNIST's test images, its first ones
READ = 50  # of a case of reading, its first ones
FOLDER = Path(os.environ.get("LENET5_DATA", "."))

pytestmark = pytest.mark.usefixtures("real_data")


def recorded(name: str) -> Any:
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def lowest(percent: float, n: int) -> float:
    """The lowest percentage right that ``n`` images may show of a published percentage."""
    p = percent / 100
    return percent - 300 * math.sqrt(p * (1 - p) / n) - 100 / n


def paths() -> dict[str, tuple[str, bool]]:
    """Data set's name in the results → what loads it, and whether nothing in it is a digit."""
    files = {Path(name).stem: (str(FOLDER / name), nothing) for name, nothing in SETS}
    return {"mnist": ("mnist", False), **files}


def runs() -> Iterator[object]:
    for run in recorded("evaluation.json")["runs"]:
        if run["data"] in paths():
            claim = [] if run["weights"] == "lenet5" or run["data"] == "mnist" else [pytest.mark.claim]
            yield pytest.param(run, id=f"{run['weights']} on {run['data']}", marks=claim)


@pytest.mark.slow
@pytest.mark.parametrize("run", list(runs()))
def test_the_bundled_weights_read_each_set_as_well_as_the_docs_say(run: dict[str, Any]) -> None:
    path, nothing = paths()[run["data"]]
    data = load(path, "test", nothing)
    if isinstance(data, PictureSet):
        step = max(1, len(data.pictures) // PICTURES)
        data = replace(data, pictures=data.pictures[::step], truths=data.truths[::step])
    report = evaluate(data, Reader(run["weights"]))
    assert 100 - report.error_percent >= lowest(100 - run["error_percent"], report.images)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [Change("shift", 0.5), Change("scale", 0.5), Change("scale", 2.0), Change("noise", 0.2)],
    ids=lambda change: f"{change.kind} {change.amount:g}",
)
def test_the_reader_stands_each_end_of_the_robustness_card_as_well_as_the_docs_say(
    change: Change, reader: Reader
) -> None:
    (row,) = [
        row
        for row in recorded("robustness.json")
        if (row["weights"], row["kind"], row["amount"], row["through"])
        == ("lenet5", change.kind, change.amount, "reader")
    ]
    test, generator = load("mnist", "test"), np.random.default_rng(0)
    assert isinstance(test, ImageSet)
    right = [
        reader.read(picture(image, change, generator), "digit").text == str(label)
        for image, label in zip(test.images[:CHANGED], test.labels, strict=False)
    ]
    assert 100 * np.mean(right) >= lowest(100 - row["error_percent"], CHANGED)


def cases() -> Iterator[object]:
    """Each case of reading that the results have a percentage of, with the row."""
    rows = {
        row["case"]: row
        for row in recorded("reading.json")["rows"]
        if row["reader"] == "lenet5" and row["figure"] in ("whole texts right", "without a false digit")
    }
    for case in (*synthetic(development=False), *measured_sets(FOLDER)):
        if case.name in rows:
            yield pytest.param(case, rows[case.name], id=case.name)


@pytest.mark.claim
@pytest.mark.parametrize(("case", "row"), list(cases()))
def test_each_case_of_reading_is_read_as_well_as_the_docs_say(case: Case, row: dict[str, Any], reader: Reader) -> None:
    part = replace(case, pictures=lambda: itertools.islice(case.pictures(), READ))
    (figure, *_), _ = measure(part, lambda source: reader.read(source, case.layout, pattern=case.pattern))
    assert figure.value >= lowest(row["value"], figure.n)


@pytest.mark.claim
@pytest.mark.skipif(not engine.AVAILABLE, reason="training needs the compiled engine")
@pytest.mark.parametrize("run", [Run("fast", 0), Run("paper", 0)], ids=lambda run: run.recipe)
def test_a_training_errs_no_more_than_the_worst_of_its_published_runs(run: Run) -> None:
    errors = [
        row["test_error_percent"]
        for row in recorded("accuracy.json")
        if row["recipe"] == run.recipe and row["command"].split(" --seed ")[0] == run.command.split(" --seed ")[0]
    ]
    data, test = load("mnist", "train"), load("mnist", "test")
    assert isinstance(data, ImageSet)
    assert isinstance(test, ImageSet)
    margin = 2 * float(np.std(errors))
    assert carried_out(run, data, test)["test_error_percent"] <= max(errors) + margin
