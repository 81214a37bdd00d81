"""One change tried: the tests of its line run on a copy of the package that has it.

Each trial is a process of its own, forked from one that has imported NumPy, OpenCV, PyTorch and pytest but nothing of
lenet5, so that a trial imports the changed package and the tests it needs, and nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

import pytest

from benchmarks.mutants.changes import PACKAGE, ROOT, Mutant

__all__ = ["Outcome", "started", "tried"]

PRELOADED: Final = [
    "cv2", "numpy", "PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "pytest", "_pytest.assertion.rewrite",
    "torch", "safetensors.numpy", "automata.fa.nfa", "pypdfium2", "rich.progress", "click",
]  # fmt: skip

LEAST_SECONDS: Final = 120  # of processor time that a trial may take, and more if its tests do: a loop may not end
SLOWER: Final = 5  # a trial that takes its tests this many times as long is ended
WAIT: Final = 1800  # seconds: a trial that sleeps is ended, too
MEMORY: Final = 12 << 30  # bytes


@dataclass(frozen=True)
class Outcome:
    """What noticed a change: a test's id, or a word for how the trial ended; None if nothing did."""

    noticed_by: str | None


def started() -> ForkServerContext:
    """What forks the trials."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def tried(context: ForkServerContext, mutant: Mutant | None, tests: Sequence[str], seconds: float) -> Outcome:
    """Runs tests, which take so many seconds without a change, in this order on the changed package.

    Without a change: on a plain copy. Raises RuntimeError if the tests cannot be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        _copied(Path(folder), mutant)
        most = round(max(LEAST_SECONDS, SLOWER * seconds))
        process = context.Process(target=_trial, args=(folder, list(tests), most))
        process.start()
        process.join(WAIT)
        if process.exitcode is None:
            process.kill()
            process.join()
        status = process.exitcode
        report = Path(folder, "noticed")
        if report.exists():
            return Outcome(report.read_text(encoding="utf-8"))
        if status == 0:
            return Outcome(None)
        if status is None or status < 0:  # killed: it took too long or too much, or crashed
            return Outcome(f"killed by signal {-(status or 0)}")
        if status == 2:
            return Outcome("an error at import")
        output = Path(folder, "output").read_text(encoding="utf-8")
        raise RuntimeError(f"the tests could not run: {output[-1000:]}")


def _copied(folder: Path, mutant: Mutant | None) -> None:
    """The package as links to its files, but for the one that is changed."""
    copy = folder / "lenet5"
    if mutant is None:
        copy.symlink_to(PACKAGE)
        return
    copy.mkdir()
    source, rest = PACKAGE, Path(mutant.file)
    for part in rest.parts:
        for entry in source.iterdir():
            if entry.name != part:
                (copy / entry.name).symlink_to(entry)
        source, copy = source / part, copy / part
        if part != rest.name:
            copy.mkdir()
    copy.write_text(mutant.applied(source.read_text(encoding="utf-8")), encoding="utf-8")


class _Order:
    """A pytest plugin: these tests, in this order; the first that fails is written to a file."""

    def __init__(self, tests: Sequence[str], report: Path) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._report = report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(kept, key=lambda item: self._places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._report.exists():
            self._report.write_text(report.nodeid, encoding="utf-8")


def _trial(folder: str, tests: list[str], most: int) -> None:
    """In the trial's process: ends it with the status of pytest."""
    assert "lenet5" not in sys.modules  # or the tests would run on what is imported already, not on the copy
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ.update(PYTHONPATH=folder, HYPOTHESIS_STORAGE_DIRECTORY=str(Path(folder, "hypothesis")))
    os.chdir(ROOT)
    sys.path[:0] = [folder, str(ROOT)]
    sys.path_importer_cache.clear()
    with open(Path(folder, "output"), "wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow"]
    status = int(pytest.main([*options, *files], plugins=[_Order(tests, Path(folder, "noticed"))]))
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(status)
