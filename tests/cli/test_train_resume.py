"""A training survives whatever stops it: resumed, its file is that of a run that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import kills
from lenet5 import engine, weights
from lenet5.cli.stopping import stop_like_ctrl_c
from lenet5.global_training import page_examples, page_score
from lenet5.learning.distort import distort
from lenet5.synthesis import pages
from tests.conftest import Outcome

Command = Callable[..., Outcome]

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="training here needs the compiled engine")

SHORT = ("train", "--data", "digits", "--threads", "1")
FIVE = (*SHORT, "--passes", "5")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "mine.safetensors"


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """From now on the call of ``distort`` with this number is stopped by Ctrl-C; None for never."""

    def arrange(calls: int | None) -> None:
        count = iter(range(100_000))

        def interrupted(*arguments: Any) -> Any:
            if next(count) == calls:
                raise KeyboardInterrupt
            return distort(*arguments)

        monkeypatch.setattr("lenet5.learning.sampler.distort", interrupted)

    return arrange


def test_a_run_stopped_by_ctrl_c_goes_on_to_the_same_file(
    command: Command, output: Path, stop_after: Callable[[int | None], None]
) -> None:
    whole = output.with_name("whole.safetensors")
    assert command(*FIVE, "--output", whole).status == 0
    stop_after(5)  # of two calls a pass
    stopped = command(*FIVE, "--output", output)
    assert stopped.status == 0
    assert "(stopped early)" in stopped.out
    assert "lenet5: the same command with --resume goes on" in stopped.err
    assert output.with_name("mine.safetensors.checkpoint").exists()
    stop_after(None)
    resumed = command(*FIVE, "--output", output, "--resume")
    assert resumed.status == 0
    assert "lenet5: going on after step 30 of 55" in resumed.err  # two passes, and the first 8 batches of the third
    assert output.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in output.parent.iterdir()) == ["mine.safetensors", "whole.safetensors"]


def test_a_run_that_is_finished_is_not_trained_again(command: Command, output: Path) -> None:
    assert command(*SHORT, "--passes", "1", "--output", output).status == 0
    before = output.stat()
    again = command(*SHORT, "--passes", "1", "--output", output, "--resume")
    assert again.status == 0
    assert "finished already" in again.out
    assert output.stat().st_mtime_ns == before.st_mtime_ns
    longer = command(*SHORT, "--passes", "2", "--output", output, "--resume")
    assert f"{output} was made with --passes 1, not 2, and will be replaced" in longer.err
    assert "training from the start" in longer.err
    assert weights.load(output).metadata["passes"] == "2"


@pytest.mark.parametrize("changed", ["images", "labels"])
def test_weights_that_are_finished_are_of_the_same_data_not_just_of_the_same_command(
    changed: str, command: Command, output: Path, mnist_form: np.ndarray[Any, Any]
) -> None:
    data = output.parent / "mine.npz"
    arrays = {"images": np.tile(mnist_form, (10, 1, 1)), "labels": np.tile(np.arange(12, dtype=np.uint8) % 10, 10)}
    np.savez(data, **arrays)
    arguments = ("train", "--data", data, "--passes", "1", "--recipe", "fast", "--output", output, "--resume")
    assert command(*arguments).status == 0
    assert "finished already" in command(*arguments).out
    before = weights.load(output).metadata
    np.savez(data, **{**arrays, changed: arrays[changed][::-1].copy()})
    again = command(*arguments)
    assert f"{output} was made with another content of --data, and will be replaced" in again.err
    after = weights.load(output).metadata
    assert (after["command"], after["options"] == before["options"]) == (before["command"], False)


def test_weights_that_do_not_tell_their_options_are_not_taken_for_finished(command: Command, output: Path) -> None:
    assert command(*SHORT, "--passes", "1", "--output", output).status == 0
    finished = weights.load(output)
    told = {key: value for key, value in finished.metadata.items() if key != "options"}
    replace(finished, metadata=told).save(output)
    assert "options that it does not tell" in command(*SHORT, "--passes", "1", "--output", output, "--resume").err


def test_a_checkpoint_is_not_replaced_by_a_training_that_forgets_to_resume(
    command: Command, output: Path, stop_after: Callable[[int | None], None]
) -> None:
    stop_after(5)
    assert command(*FIVE, "--output", output).status == 0
    stop_after(None)
    checkpoint = output.with_name("mine.safetensors.checkpoint")
    before = checkpoint.read_bytes(), output.read_bytes()
    for more in ((), ("--seed", "4"), ("--checkpoint", checkpoint)):
        refused = command(*FIVE, "--output", output, *more)
        assert refused.complaint == (
            f"lenet5: {checkpoint} exists: --resume goes on with that training; to begin anew, remove it"
        )
    assert (checkpoint.read_bytes(), output.read_bytes()) == before
    assert command(*FIVE, "--output", output, "--resume").status == 0


def test_resuming_where_nothing_was_saved_trains_from_the_start(command: Command, output: Path) -> None:
    outcome = command(*SHORT, "--passes", "1", "--output", output, "--resume")
    assert outcome.status == 0
    assert f"there is no checkpoint {output}.checkpoint yet" in outcome.err


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (("--seed", "4"), "--seed 0, not 4"),
        (("--passes", "6"), "--passes 5, not 6"),
        (("--recipe", "fast"), "--recipe modern, not fast"),
        (("--images", "500"), "--images all, not 500"),
        (("--held-out", "9"), "--held-out 5000, not 9"),
        (("--no-distortions",), "another --distortions"),
        (("--start", "lenet5-mnist"), "another --start"),
        (("--teacher", "lenet5-mnist"), "another --teacher"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_changed_option_is_refused_by_its_name(
    changed: tuple[str, ...], name: str, command: Command, output: Path, stop_after: Callable[[int | None], None]
) -> None:
    stop_after(3)
    assert command(*FIVE, "--output", output).status == 0
    stop_after(None)
    checkpoint = output.with_name("mine.safetensors.checkpoint")
    before, weights_before = checkpoint.read_bytes(), output.read_bytes()
    complaint = command(*FIVE, *changed, "--output", output, "--resume").complaint
    assert name in complaint
    assert (checkpoint.read_bytes(), output.read_bytes()) == (before, weights_before)


def test_changed_images_are_refused(
    command: Command, output: Path, stop_after: Callable[[int | None], None], mnist_form: np.ndarray[Any, Any]
) -> None:
    data = output.parent / "mine.npz"
    images, labels = np.tile(mnist_form, (10, 1, 1)), np.tile(np.arange(12, dtype=np.uint8) % 10, 10)
    np.savez(data, images=images, labels=labels)
    arguments = ("train", "--data", data, "--passes", "9", "--recipe", "fast", "--output", output)
    stop_after(3)
    assert command(*arguments).status == 0
    stop_after(None)
    np.savez(data, images=images[::-1].copy(), labels=labels)
    assert "another content of --data" in command(*arguments, "--resume").complaint


def test_a_damaged_checkpoint_is_one_line_and_stays(command: Command, output: Path) -> None:
    checkpoint = output.with_name("at.checkpoint")
    checkpoint.write_bytes(b"\x80\x04K\x01.")
    arguments = (*SHORT, "--passes", "1", "--output", output, "--checkpoint", checkpoint)
    assert f"{checkpoint} is no whole checkpoint" in command(*arguments, "--resume").complaint
    assert checkpoint.read_bytes() == b"\x80\x04K\x01."
    assert not output.exists()
    assert "to begin anew, remove it" in command(*arguments).complaint
    assert checkpoint.read_bytes() == b"\x80\x04K\x01."


def test_a_checkpoint_that_cannot_be_written_is_told_before_training(command: Command, output: Path) -> None:
    missing = output.parent / "none" / "at.checkpoint"
    complaint = command(*FIVE, "--output", output, "--checkpoint", missing).complaint
    assert str(missing) in complaint


def test_weights_that_cannot_be_written_at_the_end_are_written_elsewhere(
    command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = output.parent.parent / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target).parent == output.parent:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    outcome = command(*SHORT, "--passes", "1", "--output", output)
    assert outcome.status == 1
    rescued = here / "rescued-1-mine.safetensors"
    assert outcome.err.splitlines()[-1] == f"lenet5: {output} could not be written; the weights are in {rescued}"
    assert "No space left on device" in outcome.err
    assert weights.load(rescued).metadata["passes"] == "1"
    assert not output.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_term_and_hup_end_a_training_like_ctrl_c(number: signal.Signals, output: Path) -> None:
    command = [sys.executable, "-m", "lenet5", *SHORT, "--passes", "200", "--output", str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            first = child.stderr.readline()
            child.send_signal(number)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert first.startswith("pass ")
    assert child.returncode == 0, err
    assert "stopped early" in out
    assert "Traceback" not in err
    assert weights.load(output).metadata["command"]
    assert output.with_name("mine.safetensors.checkpoint").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX's")
def test_a_training_whose_terminal_is_closed_still_writes_its_weights(output: Path) -> None:
    import pty

    arguments = [sys.executable, "-m", "lenet5", *SHORT, "--passes", "2000", "--output", str(output)]
    child, terminal = pty.fork()  # a session of its own, whose terminal this is
    if child == 0:
        os.execv(sys.executable, arguments)
    seen = b""
    while b"pass " not in seen:
        seen += os.read(terminal, 1000)
    os.close(terminal)  # SIGHUP, and EIO for whatever is written
    assert os.waitpid(child, 0)[1] == 0
    assert weights.load(output).metadata["command"]
    assert output.with_name("mine.safetensors.checkpoint").exists()


def test_the_checkpoint_is_not_the_output(command: Command, output: Path) -> None:
    assert command(*FIVE, "--output", output, "--checkpoint", output).status == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_signal_that_is_ignored_stays_ignored_and_others_are_put_back() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_like_ctrl_c():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, former)


@pytest.mark.slow
def test_a_page_score_that_was_stopped_is_fitted_when_resumed(
    command: Command, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {kind: pages.KINDS[kind] for kind in ("icon", "strings, spaced", "no digits: shapes")}
    monkeypatch.setattr(page_examples, "KINDS", few)
    monkeypatch.setattr(page_score, "PAGES", 2)
    arguments = (*SHORT, "--images", "300", "--recipe", "reading", "--passes", "1")
    whole = output.with_name("whole.safetensors")
    assert command(*arguments, "--output", whole).status == 0
    with monkeypatch.context() as patched:

        def interrupted(*arguments: object) -> weights.Weights:
            raise KeyboardInterrupt

        patched.setattr(page_score, "with_page_score", interrupted)
        assert "goes on" in command(*arguments, "--output", output).err
    assert "score" not in weights.load(output).metadata
    assert command(*arguments, "--output", output, "--resume").status == 0
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe", ["modern", *(pytest.param(name, marks=pytest.mark.slow) for name in ("paper", "reading"))]
)
def test_a_training_killed_at_random_moments_and_resumed_gives_the_same_file(recipe: str) -> None:
    row = kills.measured(recipe, 3, np.random.default_rng(0))
    assert row["equal"] == row["kills"] == 3
