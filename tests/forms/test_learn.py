"""Learning from corrections: what is learnt, what is carried over, and when the weights are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet5 import Reader, weights
from lenet5.errors import WeightsError
from lenet5.forms import learn
from lenet5.forms.corrections import load_corrections
from lenet5.forms.learn import Learning, Learnt, Measured, Replay
from lenet5.global_training.material import Synthesis
from lenet5.learning.data import load
from lenet5.learning.recipe import READING
from lenet5.learning.sets import drawn
from tests.conftest import Outcome
from tests.forms.test_corrections import read_folder  # noqa: F401 (a fixture)

PARENT = weights.load("lenet5")
NOTHING = (0, 10)


@pytest.fixture(scope="module")
def replay() -> Replay:
    """Little to replay, from the embedded digits alone."""
    digits, generator = load("digits", "train"), np.random.default_rng(0)
    some = drawn(digits, 120, generator)
    material = Synthesis((), READING.classes)(some, None, READING.mixture, READING.criterion.j, generator)
    return Replay(digits, load("digits", "test"), load("digits", "test"), material)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three stages of a few steps each."""
    stages = tuple(replace(stage, images=stage.images // 60) for stage in learn._STAGES)
    monkeypatch.setattr(learn, "_STAGES", stages)


def learnt_of(folder: Path, replay: Replay, seed: int = 0) -> Learnt:
    learning = Learning(PARENT, load_corrections(folder, PARENT.classes), {}, replay, seed, threads=1)
    steps = list(learning)
    assert [steps[-1].done, steps[-1].number] == [learning.steps, 3]
    return learning.learnt("lenet5 learn review", "9.9")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_what_the_parent_says_of_reading_is_carried_over_and_the_origin_is_told(
    read_folder: Path,  # noqa: F811
    replay: Replay,
) -> None:
    learnt = learnt_of(read_folder, replay)
    metadata = learnt.weights.metadata
    for key in ("temperature", "j", "classes", "geometry", "inverse_temperature", "score"):
        assert metadata[key] == PARENT.metadata[key], key
    assert metadata["recipe"] == "learn"
    assert metadata["command"] == "lenet5 learn review"
    assert metadata["parent"].startswith("lenet5, sha256 ")
    assert metadata["start"] == PARENT.metadata["command"]
    assert "12 corrected fields, sha256 " in metadata["trained_on"]
    assert metadata["trained_on"].startswith(PARENT.metadata["trained_on"])


@pytest.mark.usefixtures("quick")
def test_the_same_corrections_and_seed_give_the_same_weights_that_can_be_saved_and_read_with(
    read_folder: Path,  # noqa: F811
    replay: Replay,
    tmp_path: Path,
) -> None:
    first, second = (learnt_of(read_folder, replay) for _ in range(2))
    assert np.array_equal(first.weights.parameters, second.weights.parameters)
    assert not np.array_equal(first.weights.parameters, PARENT.parameters)
    first.weights.save(tmp_path / "mine.safetensors")
    assert Reader(tmp_path / "mine.safetensors").read(np.full((40, 40), 255, np.uint8)).text == ""


@pytest.mark.usefixtures("quick")
def test_only_as_much_is_kept_as_forgets_nothing(
    read_folder: Path,  # noqa: F811
    replay: Replay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def errors(self: Learning, changed: weights.Weights, images: Any) -> int:
        all_change, change = (np.abs(p - PARENT.parameters).sum() for p in (self._parameters, changed.parameters))
        return 50 if change > 0.55 * all_change else 0

    monkeypatch.setattr(Learning, "_errors", errors)
    assert learnt_of(read_folder, replay).kept == 0.5


def test_the_docs_say_how_much_may_be_forgotten() -> None:
    text = (Path(__file__).parents[2] / "docs" / "forms.md").read_text(encoding="utf-8")
    assert f"{100 * learn._MNIST_WORSE:g} points more of MNIST's, {100 * learn._UNIPEN_WORSE:g} of UNIPEN's" in text


def test_weights_are_better_if_fewer_held_out_digits_are_wrong() -> None:
    before = Measured((5, 100), (3, 20), NOTHING, NOTHING)
    for digits, fields, better in ((4, 9, True), (5, 3, False), (5, 2, True), (6, 0, False)):
        after = Measured((digits, 100), (fields, 20), NOTHING, NOTHING)
        assert Learnt(PARENT, before, after, 1.0).better is better


def test_weights_that_forget_are_not_better() -> None:
    before = Measured((5, 100), (3, 20), (20, 5000), (20, 1800))
    for mnist, unipen, better in ((22, 23, True), (23, 20, False), (20, 24, False)):
        after = Measured((0, 100), (0, 20), (mnist, 5000), (unipen, 1800))
        assert Learnt(PARENT, before, after, 1.0).better is better


def test_weights_without_separators_cannot_learn_from_fields(read_folder: Path, replay: Replay) -> None:  # noqa: F811
    for name in ("lenet5-mnist", "concise"):
        with pytest.raises(WeightsError, match="start from lenet5"):
            Learning(weights.load(name), load_corrections(read_folder, "0123456789"), {}, replay)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("better", "force", "written"), [(True, False, True), (False, False, False), (False, True, True)]
)
def test_the_command_writes_weights_that_are_better_or_forced(
    better: bool, force: bool, written: bool, read_folder: Path, replay: Replay, tmp_path: Path,  # noqa: F811
    command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("lenet5.cli.learn._data", lambda: ((), ()))
    monkeypatch.setattr(Replay, "of", classmethod(lambda cls, *_: replay))
    monkeypatch.setattr(Learnt, "better", better)
    output = tmp_path / "mine.safetensors"
    outcome = command("learn", read_folder, "--output", output, "--threads", 1, *(["--force"] if force else []))
    assert output.exists() is written
    assert outcome.status == (0 if written else 1)
    lines = outcome.out.splitlines()
    assert lines[0].startswith("12 fields, 0 left out: ")
    assert [line[:28].strip() for line in lines[1:6]] == [
        "held out, wrong", "digits of corrected sheets", "fields of corrected sheets", "MNIST",
        "digits of UNIPEN's writers",
    ]  # fmt: skip
    if not written:
        assert "--force writes it" in outcome.err.splitlines()[-1]
    else:
        assert weights.load(output).metadata["command"].startswith(f"lenet5 learn {read_folder} --start lenet5")
