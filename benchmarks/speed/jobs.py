"""Many files by two processes against one: seconds in turn, equal tables, memory; writes results/jobs.json.

    python -m benchmarks.speed.jobs                            digits, lines and A4 pages, three rounds
    python -m benchmarks.speed.jobs --digits 100000 --lines 0 --pages 0 --rounds 1    the other rows stay as they are

Each run is ``lenet5 read FOLDER --jobs N --output FILE.jsonl`` in a process of its own, its start counted; the two take
turns, and the ratio is that of their medians. Processor seconds do not depend on what else the machine does: were they
equal, two idle cores would be twice as fast as one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks import machine, record
from benchmarks.reading.cases import a4_page
from benchmarks.soak import png
from benchmarks.speed.service import memory, pictures, processes
from lenet5.files import write_beside
from lenet5.learning.data import ImageSet, load

RESULTS = record.RESULTS / "jobs.json"
JOBS = (1, 2)
SAMPLE = 0.5  # seconds between looks at the memory


@dataclass(frozen=True)
class Pile:
    """So many ``files`` of a kind, for ``lenet5 read`` with these ``options``."""

    kind: str
    files: int
    options: tuple[str, ...] = ()

    def contents(self) -> list[bytes]:
        """The different files of this kind; the pile repeats them."""
        if self.kind == "A4 pages":
            return [png(a4_page((10,)).picture)]
        if self.kind == "lines":
            return pictures()
        data = load("digits", "test")
        assert isinstance(data, ImageSet)
        return [png(image) for image in data.images]

    def laid_out(self, folder: Path) -> None:
        """Write the pile into a folder, 1,000 files in each of its folders."""
        for k, content in enumerate(islice(cycle(self.contents()), self.files)):
            place = folder / f"{k // 1000:04d}"
            place.mkdir(exist_ok=True)
            (place / f"{k:07d}.png").write_bytes(content)


@dataclass(frozen=True)
class Run:
    """One run: wall and processor seconds, megabytes of all processes early, in the end and at most, the table."""

    seconds: float
    processor: float
    megabytes: tuple[float, float, float]
    table: str


def run(pile: Pile, folder: Path, jobs: int) -> Run:
    """Read a pile by so many processes."""
    table = folder.parent / "table.jsonl"
    options = ["--jobs", str(jobs), "--threads", "1", "--output", str(table), *pile.options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    began, samples = time.perf_counter(), []
    with subprocess.Popen([sys.executable, "-m", "lenet5", "read", str(folder), *options], env=environment) as started:
        while started.poll() is None:
            with suppress(OSError, AssertionError, ValueError):  # a process ends while it is looked at
                samples.append(memory(processes(started.pid)))
            with suppress(subprocess.TimeoutExpired):
                started.wait(SAMPLE)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    content = table.read_bytes()
    table.unlink()
    assert started.returncode == 0
    assert content.count(b"\n") == pile.files
    early = samples[len(samples) // 5]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, used, (early, samples[-1], max(samples)), hashlib.sha256(content).hexdigest())


def measured(pile: Pile, rounds: int) -> dict[str, Any]:
    """Both numbers of processes in turn."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pile"
        folder.mkdir()
        pile.laid_out(folder)
        began, others = time.monotonic(), machine.others()
        runs = {jobs: [] for jobs in JOBS}  # type: dict[int, list[Run]]
        for _ in range(rounds):
            for jobs in JOBS:
                runs[jobs].append(run(pile, folder, jobs))
                print(pile.kind, jobs, runs[jobs][-1], file=sys.stderr)
        spent = time.monotonic() - began
    own = sum(each.processor for several in runs.values() for each in several)
    one, two = ({name: _median(runs[jobs], name) for name in ("seconds", "processor")} for jobs in JOBS)
    return {
        record.KEY: record.record("lenet5"),
        "kind": pile.kind,
        "files": pile.files,
        "options": list(pile.options),
        "rounds": rounds,
        "seconds": {str(jobs): [round(each.seconds, 2) for each in runs[jobs]] for jobs in JOBS},
        "processor_seconds": {str(jobs): [round(each.processor, 2) for each in runs[jobs]] for jobs in JOBS},
        "times_as_fast": round(one["seconds"] / two["seconds"], 3),
        "times_as_fast_by_processor_seconds": round(JOBS[1] * one["processor"] / two["processor"], 3),
        "tables_equal": len({each.table for several in runs.values() for each in several}) == 1,
        "megabytes_early_late_most": [round(m) for m in runs[JOBS[1]][-1].megabytes],
        "cores_used_by_other_programs": round((machine.others() - others - own) / spent, 2),
    }


def _median(runs: list[Run], name: str) -> float:
    return statistics.median(getattr(each, name) for each in runs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.jobs", description=__doc__.split("\n")[0])
    parser.add_argument("--digits", type=int, default=20_000, help="files of 28×28 in MNIST's form, layout digit")
    parser.add_argument("--lines", type=int, default=1000, help="files of a line of four digits")
    parser.add_argument("--pages", type=int, default=30, help="A4 pages of 300 digits at 300 dpi")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    piles = [
        Pile("digits", given.digits, ("--layout", "digit")),
        Pile("lines", given.lines),
        Pile("A4 pages", given.pages),
    ]
    earlier = {run["kind"]: run for run in json.loads(RESULTS.read_text())["runs"]} if RESULTS.exists() else {}
    runs = [measured(pile, given.rounds) if pile.files else earlier.get(pile.kind) for pile in piles]
    results = {"machine": machine.description(), "runs": [run for run in runs if run]}
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
