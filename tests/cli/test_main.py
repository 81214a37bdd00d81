"""The command as a whole: help, version, light start, wrong usage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lenet5
from tests.conftest import Outcome

Command = Callable[..., Outcome]


def test_help_lists_every_command_with_what_it_does(command: Command) -> None:
    outcome = command("--help")
    assert (outcome.status, outcome.err) == (0, "")
    for name in ("read", "train", "evaluate", "describe", "export", "demo"):
        assert f"\n  {name} " in outcome.out


@pytest.mark.parametrize("name", ["read", "train", "evaluate", "describe", "export", "demo"])
def test_each_command_has_help(name: str, command: Command) -> None:
    outcome = command(name, "-h")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("Usage: ")
    assert f" {name} [OPTIONS]" in outcome.out


def test_version_is_the_packages(command: Command) -> None:
    outcome = command("--version")
    assert outcome.status == 0
    assert lenet5.__version__ in outcome.out


def test_the_package_and_the_help_import_neither_torch_nor_opencv(shell: Command) -> None:
    package = shell("-c", "import lenet5, sys; print({'torch', 'cv2'} & set(sys.modules))")
    assert package == Outcome(0, "set()\n", "")
    program = (
        "import sys; from lenet5.cli import main; sys.argv = ['lenet5', '--help']\n"
        "try: main()\n"
        "finally: print('heavy:', {'torch', 'cv2'} & set(sys.modules))"
    )
    outcome = shell("-c", program)
    assert outcome.status == 0
    assert outcome.out.endswith("heavy: set()\n")


def test_the_module_is_the_command(shell: Command, command: Command) -> None:
    outcome = shell("-m", "lenet5", "--version")
    assert outcome.status == 0
    assert lenet5.__version__ in outcome.out


@pytest.mark.parametrize("arguments", [("write",), ("--none",), ("describe", "extra")])
def test_wrong_usage_ends_with_status_2_and_no_traceback(arguments: tuple[str, ...], shell: Command) -> None:
    outcome = shell("-m", "lenet5", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert "Error: " in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, lenet5.DataError("two words")])
def test_a_stop_and_a_failure_have_a_line_and_a_status(
    stop: BaseException, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(name: str) -> None:
        raise stop

    monkeypatch.setattr("lenet5.weights.load", stopped)
    outcome = command("describe")
    expected = (1, "lenet5: two words") if isinstance(stop, lenet5.DataError) else (130, "lenet5: stopped")
    assert (outcome.status, outcome.err.strip()) == expected
