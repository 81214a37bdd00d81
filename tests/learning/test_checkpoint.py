"""A stopped run goes on to the last bit, and nothing but its own checkpoint serves it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet5 import engine
from lenet5.errors import CheckpointError, OutputError
from lenet5.global_training.material import Synthesis
from lenet5.learning.checkpoint import Autosave, State, load
from lenet5.learning.data import ImageSet
from lenet5.learning.data import load as load_data
from lenet5.learning.objective import objective
from lenet5.learning.recipe import CONCISE, FAST, MODERN, PAPER, PAPER_DISTORTED, READING, Recipe
from lenet5.learning.train import Training

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="training here needs the compiled engine")

OPTIONS = {"--seed": "3", "--passes": "2", "content of --data": "a" * 80}


@pytest.fixture(scope="module")
def few() -> ImageSet:
    digits = load_data("digits", "train")
    assert isinstance(digits, ImageSet)
    return replace(digits, images=digits.images[:300], labels=digits.labels[:300])


def training(data: ImageSet, recipe: Recipe) -> Training:
    synthesis = Synthesis((), recipe.classes) if recipe.mixture else None
    to_minimise = objective(recipe.network, recipe.criterion, threads=1, classes=recipe.classes)
    return Training(data, recipe, to_minimise, 3, synthesis, threads=1)


def checkpoints(run: Training) -> Iterator[State]:
    """Every state from which this run, which is carried out, could be resumed."""
    seen = run.checkpoint
    yield seen
    for _ in run:
        if run.checkpoint is not seen:
            seen = run.checkpoint
            yield seen


@pytest.mark.parametrize(
    "recipe",
    [
        replace(MODERN, passes=3, batch=16),
        replace(MODERN, passes=2, batch=16, bits=4),
        replace(FAST, passes=2, batch=16),
        replace(CONCISE, passes=2),
        replace(PAPER, passes=2),
        replace(PAPER_DISTORTED, passes=3),
        pytest.param(replace(READING, passes=3, batch=16), marks=pytest.mark.slow),
    ],
    ids=["modern", "modern in 4 bits", "fast", "concise", "paper", "paper, distorted", "reading"],
)
def test_a_run_resumed_from_any_checkpoint_ends_with_the_same_bits(
    recipe: Recipe, few: ImageSet, tmp_path: Path
) -> None:
    paths = []
    whole = training(few, recipe)
    for state in checkpoints(whole):
        paths.append(tmp_path / f"{state.step}.checkpoint")
        state.save(paths[-1], OPTIONS)
    assert len(paths) > recipe.passes
    for path in paths[:: max(1, len(paths) // 4)]:
        state = load(path, OPTIONS)
        assert state is not None
        resumed = training(few, recipe)
        resumed.resume(state)
        steps = [now.step for now in resumed]
        assert steps == list(range(state.step + 1, whole.steps + 1))
        assert resumed.weights().parameters.tobytes() == whole.weights().parameters.tobytes()
        assert resumed.weights().metadata == whole.weights().metadata


def test_a_state_survives_the_file_whole(few: ImageSet, tmp_path: Path) -> None:
    state = list(checkpoints(training(few, replace(MODERN, passes=2))))[-1]
    state.save(tmp_path / "a", OPTIONS)
    again = load(tmp_path / "a", OPTIONS)
    assert again is not None
    again.save(tmp_path / "b", OPTIONS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (again.step, again.loss, again.best_error) == (state.step, state.loss, state.best_error)


def test_steps_after_it_do_not_change_a_checkpoint(few: ImageSet, tmp_path: Path) -> None:
    run = training(few, replace(READING, passes=3))
    next(iter(run))
    first = run.checkpoint
    first.save(tmp_path / "before", OPTIONS)
    for _ in run:
        pass
    assert run.checkpoint is not first
    first.save(tmp_path / "after", OPTIONS)
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_a_checkpoint_of_another_recipe_is_refused(few: ImageSet) -> None:
    state = training(few, replace(MODERN, passes=2)).checkpoint
    for recipe in (replace(FAST, passes=2), replace(CONCISE, passes=2), replace(READING, passes=2)):
        with pytest.raises(CheckpointError, match="of another training"):
            training(few, recipe).resume(state)
    longer = replace(state, step=1000)
    with pytest.raises(CheckpointError, match="of another training"):
        training(few, replace(MODERN, passes=2)).resume(longer)


# --- the file ---


@pytest.fixture(scope="module")
def saved(few: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "mine.checkpoint"
    training(few, replace(FAST, passes=1)).checkpoint.save(path, OPTIONS)
    return path


def test_a_missing_checkpoint_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / "none", OPTIONS) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--seed": "4"}, "with --seed 3, not 4"),
        ({"--passes": "3"}, "with --passes 2, not 3"),
        ({"content of --data": "b" * 80}, "with another content of --data"),
        ({"--images": "5"}, "with --images not set, not 5"),
    ],
)
def test_a_changed_option_is_refused_by_its_name(changed: dict[str, str], message: str, saved: Path) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        load(saved, OPTIONS | changed)
    assert "\n" not in str(error.value)
    assert str(saved) in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04K\x01.", b"PK\x03\x04", b"\xff" * 100, struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 1 << 60)],
    ids=["empty", "pickle", "zip", "noise", "no arrays", "a huge header"],
)
def test_a_foreign_file_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CheckpointError, match="no whole checkpoint") as error:
        load(tmp_path / "a", OPTIONS)
    assert "\n" not in str(error.value)


def test_weights_and_folders_are_no_checkpoints(few: ImageSet, tmp_path: Path) -> None:
    training(few, replace(FAST, passes=1)).weights().save(tmp_path / "w.safetensors")
    for path in (tmp_path / "w.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match="no whole checkpoint"):
            load(path, OPTIONS)


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_noticed(place: float, bit: int, saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    damaged = saved.with_name("damaged")
    damaged.write_bytes(content)
    with pytest.raises(CheckpointError):
        load(damaged, OPTIONS)


def test_every_cut_short_file_is_noticed(saved: Path) -> None:
    content, cut = saved.read_bytes(), saved.with_name("cut")
    for length in (1, 7, 8, 100, len(content) // 2, len(content) - 1):
        cut.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="no whole checkpoint"):
            load(cut, OPTIONS)


def test_nothing_in_the_file_can_run_code(saved: Path) -> None:
    content = saved.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert json.loads(header["__metadata__"]["options"]) == OPTIONS
    assert {entry["dtype"] for name, entry in header.items() if name != "__metadata__"} <= {"F32", "I64"}


# --- when it is written ---


def state_after(passes: int) -> State:
    zeros = np.zeros(3, np.float32)
    return State(zeros, zeros, zeros, step=10 * passes, passes=passes)


def test_a_checkpoint_is_written_after_each_pass_and_each_minute(tmp_path: Path) -> None:
    now, path = [0.0], tmp_path / "a"
    autosave = Autosave(path, OPTIONS, pytest.fail, lambda: now[0])
    for time, passes, written in ((1, 0, False), (59, 0, False), (60, 0, True), (61, 0, False), (62, 1, True)):
        now[0] = time
        path.unlink(missing_ok=True)
        autosave(state_after(passes))
        assert path.exists() == written, time


def test_the_same_state_is_written_once(tmp_path: Path) -> None:
    autosave, state = Autosave(tmp_path / "a", OPTIONS, pytest.fail), state_after(1)
    autosave.write(state)
    (tmp_path / "a").unlink()
    autosave.write(state)
    assert not (tmp_path / "a").exists()


def test_a_checkpoint_that_cannot_be_written_is_said_once_and_ends_nothing(tmp_path: Path) -> None:
    notes: list[str] = []
    autosave = Autosave(tmp_path / "none" / "a", OPTIONS, notes.append)
    for passes in (1, 2, 3):
        autosave(state_after(passes))
    assert len(notes) == 1
    assert "training goes on" in notes[0]
    (tmp_path / "none").mkdir()
    autosave(state_after(4))
    assert (tmp_path / "none" / "a").exists()
    with pytest.raises(OutputError):
        state_after(1).save(tmp_path / "nowhere" / "a", OPTIONS)
