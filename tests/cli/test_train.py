"""``lenet5 train``: data in, a whole file of weights out, whatever happens on the way."""

from __future__ import annotations

import hashlib
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet5
from lenet5 import Reader, engine, weights
from lenet5.export.c import source
from lenet5.global_training import page_examples, page_score
from lenet5.learning.data import ImageSet, load
from lenet5.learning.distort import distort
from lenet5.learning.recipe import MODERN
from lenet5.synthesis import pages
from lenet5.tables import Lock
from tests.conftest import Outcome
from tests.learning.test_idx import idx

Command = Callable[..., Outcome]

ONE_PASS = ("--data", "digits", "--passes", "1", "--threads", "1")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out" / "mine.safetensors"


@pytest.fixture(autouse=True)
def _output_folder(output: Path) -> None:
    output.parent.mkdir()


def test_a_run_writes_weights_that_say_where_they_came_from(command: Command, output: Path) -> None:
    outcome = command("train", *ONE_PASS, "--seed", "3", "--output", output)
    assert outcome.status == 0
    assert outcome.out.startswith(f"{output}: the weights of pass 1, validation error ")
    assert "validation" in outcome.out
    found = weights.load(output)
    digits = load("digits", "train")
    assert isinstance(digits, ImageSet)
    digest = hashlib.sha256(digits.images.tobytes()).hexdigest()
    assert found.metadata["trained_on"] == f"digits, 1294 of 1437 images, sha256 {digest}"
    for key, value in {
        "network": "lenet5", "format": "1", "recipe": "modern", "seed": "3", "passes": "1",
        "lenet5_version": lenet5.__version__,
    }.items():  # fmt: skip
        assert found.metadata[key] == value
    for key in ("validation_error_percent", "temperature", "j"):
        assert float(found.metadata[key]) > 0
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_the_same_command_writes_the_same_weights(command: Command, output: Path) -> None:
    written = []
    for seed in (1, 1, 2):
        command("train", *ONE_PASS, "--no-distortions", "--seed", seed, "--output", output)
        written.append(weights.load(output))
    first, again, other = written
    assert first.parameters.tobytes() == again.parameters.tobytes()
    assert first.metadata == again.metadata
    assert (first.parameters != other.parameters).any()


def test_a_run_can_go_on_from_weights_and_learn_from_others(command: Command, output: Path) -> None:
    arguments = (*ONE_PASS, "--start", "lenet5-mnist", "--teacher", "lenet5-mnist", "--teacher", "lenet5-mnist")
    outcome = command("train", *arguments, "--output", output)
    assert outcome.status == 0
    found, start = weights.load(output), weights.load("lenet5-mnist")
    given = found.metadata["command"]
    assert "--start lenet5-mnist" in given
    assert given.count("--teacher ") == 2
    assert found.metadata["start"] == start.metadata["command"]
    assert np.abs(found.parameters - start.parameters).mean() < 0.5 * np.abs(start.parameters).mean()


def test_a_run_in_four_bits_says_so_and_is_exported_in_half_a_byte_a_weight(command: Command, output: Path) -> None:
    assert command("train", *ONE_PASS, "--start", "lenet5-mnist", "--quantise", "4", "--output", output).status == 0
    trained = weights.load(output)
    assert trained.bits == 4
    assert "--quantise 4" in trained.metadata["command"]
    for row in weights.arrays(trained.network, trained.parameters)["c5.weight"]:
        level = row / np.abs(row).max() * 7
        assert np.abs(level - level.round()).max() < 1e-4
    exported = source(trained, int8=True)
    assert exported.constant_bytes < 32_500


def test_the_concise_network_is_not_trained_in_few_bits(command: Command, output: Path) -> None:
    outcome = command("train", *ONE_PASS, "--recipe", "concise", "--quantise", "8", "--output", output)
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == ("lenet5: only the paper's network is trained in 8 bits, not a concise one")
    assert not output.exists()


def test_all_images_can_be_trained_on(command: Command, output: Path) -> None:
    assert command("train", *ONE_PASS, "--held-out", "0", "--output", output).status == 0
    found = weights.load(output)
    count = found.metadata["trained_on"].split(", ")[1].split()
    assert count[0] == count[2]
    assert found.metadata["validation_error_percent"] == ""
    assert "--held-out 0" in found.metadata["command"]


@pytest.mark.parametrize("option", ["--start", "--teacher"])
def test_weights_of_another_network_are_refused_in_one_line(option: str, command: Command, output: Path) -> None:
    outcome = command("train", *ONE_PASS, option, "concise", "--output", output)
    assert outcome.status == 1
    assert "concise" in outcome.complaint
    assert not output.exists()


def test_the_concise_recipe_trains_the_concise_network(command: Command, output: Path) -> None:
    assert command("train", *ONE_PASS, "--recipe", "concise", "--output", output).status == 0
    assert weights.load(output).network.name == "concise"


@pytest.mark.skipif(not engine.AVAILABLE, reason="the paper's training needs the compiled engine")
def test_the_papers_recipe_trains_on_so_many_images_with_its_distortions_if_asked(
    command: Command, output: Path
) -> None:
    given = ("--recipe", "paper", "--images", "300", "--passes", "1", "--data", "digits")
    written = []
    for distortions in ((), ("--distortions",), ("--no-distortions",)):
        assert command("train", *given, *distortions, "--output", output).status == 0
        written.append(weights.load(output))
        assert written[-1].metadata["trained_on"].startswith("digits, 300 of 300 images, sha256 ")
        assert written[-1].metadata["recipe"] == "paper"
    plain, distorted, again = (made.parameters for made in written)
    assert (plain == again).all()
    assert (plain != distorted).any()


def test_more_images_than_there_are_cannot_be_drawn(command: Command, output: Path) -> None:
    assert "1,437" in command("train", *ONE_PASS, "--images", "2000", "--output", output).complaint


def test_pictures_in_class_folders_can_be_trained_on(
    command: Command, output: Path, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    for label in "0123456789":
        (tmp_path / "mine" / label).mkdir(parents=True)
        for pen in (10, 16):
            draw(label, pen=pen).save(tmp_path / "mine" / label / f"{pen}.png")
    outcome = command("train", "--data", tmp_path / "mine", "--passes", "1", "--output", output)
    assert outcome.status == 0
    assert weights.load(output).metadata["trained_on"].startswith("mine, 18 of 20 images, sha256 ")


CALLS_A_PASS = math.ceil(math.ceil(1294 / MODERN.batch) / (1024 // MODERN.batch))  # a thousand images at a time


@pytest.mark.parametrize(("after", "passes"), [(0, 0), (2 * CALLS_A_PASS, 2)])
def test_ctrl_c_inside_a_step_still_writes_a_whole_file(
    after: int, passes: int, command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10_000))

    def interrupted(*arguments: object) -> object:
        if next(calls) == after:
            raise KeyboardInterrupt
        return distort(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("lenet5.learning.sampler.distort", interrupted)
    outcome = command("train", "--data", "digits", "--passes", "50", "--threads", "1", "--output", output)
    assert outcome.status == 0
    assert "stopped " in outcome.out
    assert weights.load(output).metadata["passes"] == str(passes)
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_an_interrupt_from_outside_still_writes_a_whole_file(output: Path) -> None:
    arguments = ["train", "--data", "digits", "--passes", "2000", "--threads", "1", "--output", str(output)]
    program = (
        "from lenet5.cli import main\n"
        "from lenet5.learning import sampler\n"
        "distort = sampler.distort\n"
        "def told(*arguments):\n"
        "    print('step', flush=True)\n"
        "    return distort(*arguments)\n"
        "sampler.distort = told\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            steps = [child.stdout.readline() for _ in range(20)]
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert steps == ["step\n"] * 20
    assert child.returncode == 0, err
    assert "Traceback" not in err
    assert f"{output}: " in out
    assert "stopped" in out
    assert np.isfinite(weights.load(output).parameters).all()


# --- what cannot be trained ---


def test_an_output_in_a_missing_folder_is_told_before_training(command: Command, output: Path) -> None:
    target = output.parent / "none" / "w.safetensors"
    complaint = command("train", "--data", "digits", "--passes", "100000", "--output", target).complaint
    assert str(target) in complaint
    assert list(output.parent.iterdir()) == []


def test_a_folder_in_the_outputs_place_is_wrong_usage(command: Command, output: Path) -> None:
    output.mkdir()
    assert command("train", *ONE_PASS, "--output", output).status == 2
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_an_output_that_fails_at_the_end_leaves_the_old_file(
    command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output.write_bytes(b"the old weights")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    outcome = command("train", *ONE_PASS, "--output", output)
    assert outcome.status == 1
    assert f"lenet5: cannot write {output}: No space left on device" in outcome.err
    assert output.read_bytes() == b"the old weights"
    assert [path.name for path in output.parent.iterdir()] == [output.name]


@pytest.mark.parametrize("recipe", ["modern", "concise"])
def test_a_label_outside_the_classes_is_told_in_one_line(recipe: str, command: Command, output: Path) -> None:
    folder = output.parent
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.ones((20, 28, 28), np.uint8)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.full(20, 10, np.uint8)))
    complaint = command("train", "--data", folder, "--recipe", recipe, "--output", output).complaint
    assert "label 10" in complaint
    assert not output.exists()


def test_pictures_that_are_no_digit_need_a_recipe_with_rubbish(command: Command, output: Path) -> None:
    folder = output.parent
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.ones((20, 28, 28), np.uint8)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.array([1, 255] * 10, np.uint8)))
    known = command("train", "--data", folder, "--recipe", "fast", "--passes", "1", "--output", output)
    assert known.status == 0
    refused = command("train", "--data", folder, "--passes", "1", "--output", output)
    assert refused.status == 1
    assert refused.err.splitlines()[-1].startswith("lenet5: cross-entropy takes labels of 0 to 9")


def test_texts_cannot_be_trained_on(command: Command, output: Path) -> None:
    (output.parent / "labels.csv").write_text("file,text\na.png,12\n")
    complaint = command("train", "--data", output.parent, "--output", output).complaint
    assert "single digits" in complaint


def test_pictures_to_train_on_of_which_none_can_be_read_are_refused_in_one_line(command: Command, output: Path) -> None:
    (output.parent / "3").mkdir()
    (output.parent / "3" / "bad.png").write_text("not a picture")
    complaint = command("train", "--data", output.parent, "--output", output).complaint
    assert "no picture with a digit" in complaint


def test_without_torch_and_engine_it_says_what_to_install(
    command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("lenet5.engine.AVAILABLE", False)
    assert ".[torch]" in command("train", *ONE_PASS, "--output", output).complaint


def test_without_a_cuda_device_it_says_so(command: Command, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "--device cpu" in command("train", *ONE_PASS, "--device", "cuda", "--output", output).complaint


@pytest.mark.parametrize(
    "arguments", [("--passes", "0"), ("--seed", "-1"), ("--recipe", "new"), ("--device", "tpu"), ("extra",)]
)
def test_wrong_usage_ends_with_status_2(arguments: tuple[str, ...], command: Command, output: Path) -> None:
    outcome = command("train", *arguments, "--output", output)
    assert outcome.status == 2
    assert not output.exists()


@pytest.mark.slow
def test_ctrl_c_while_the_page_score_is_fitted_leaves_weights_without_one(
    command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> weights.Weights:
        assert "command" in weights.load(output).metadata
        raise KeyboardInterrupt

    monkeypatch.setattr(page_score, "with_page_score", interrupted)
    outcome = command("train", "--data", "digits", "--recipe", "reading", "--passes", 1, "--output", output)
    assert outcome.status == 0
    assert "no page score was fitted" in outcome.err
    assert "Traceback" not in outcome.err
    assert "score" not in weights.load(output).metadata
    assert Reader(output).read(np.full((40, 40), 255, np.uint8)).text == ""


@pytest.mark.slow
def test_the_command_in_the_metadata_makes_the_same_file_again(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {kind: pages.KINDS[kind] for kind in ("icon", "strings, spaced", "no digits: shapes")}
    monkeypatch.setattr(page_examples, "KINDS", few)
    monkeypatch.setattr(page_score, "PAGES", 2)

    def train(output: Path, seed: int) -> weights.Weights:
        few_images = ("--data", "digits", "--images", 400)
        outcome = command(
            "train", *few_images, "--recipe", "reading", "--passes", 1, "--seed", seed, "--output", output
        )
        assert outcome.status == 0, outcome.err
        return weights.load(output)

    first, other = train(tmp_path / "a.safetensors", 0), train(tmp_path / "b.safetensors", 1)
    again = command(*first.metadata["command"].split()[1:], "--output", tmp_path / "c.safetensors")
    assert again.status == 0, again.err
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()
    assert first.metadata != other.metadata
    assert not np.array_equal(first.parameters, other.parameters)
    assert first.classes == "0123456789/:-.,%()"
    assert {"geometry", "inverse_temperature", "temperature", "j", "trained_on", "score"} <= first.metadata.keys()


def test_two_trainings_do_not_write_one_checkpoint(command: Callable[..., Outcome], tmp_path: Path) -> None:
    output = tmp_path / "w.safetensors"
    lock = Lock(Path(f"{output}.checkpoint"))
    try:
        outcome = command("train", "--data", "digits", "--recipe", "fast", "--passes", "1", "--output", output)
    finally:
        lock.release()
    assert outcome.status == 1
    assert "another run is writing" in outcome.err
    assert not output.exists()
