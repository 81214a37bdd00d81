"""Kills trainings at random moments, resumes them, and compares every bit; writes results/kills.json.

    python -m benchmarks.kills [RECIPE …] [--kills N] [--seed S]

Each run is a process of its own that gets SIGKILL at a moment drawn over the length of a whole run, from the first
import to the last file, and is then resumed to its end. Checkpoints are written whenever they can be, so that most
kills fall into the middle of a pass and some into the writing of a checkpoint.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import record
from lenet5.files import write_beside

RESULTS: Final = record.RESULTS / "kills.json"

RUNS: Final = {
    "modern": ("--recipe", "modern", "--passes", "25"),
    "reading": ("--recipe", "reading", "--images", "300", "--passes", "40"),
    "paper": ("--recipe", "paper", "--distortions", "--passes", "6"),
}
"""Small trainings on the embedded digits by recipe: joint images and lines with ``reading``."""

PROGRAM: Final = """
from lenet5.cli import main
from lenet5.global_training import page_examples, page_score
from lenet5.learning import checkpoint
from lenet5.synthesis import pages
checkpoint._INTERVAL = 0.0
page_score.PAGES = 2
page_examples.KINDS = {kind: pages.KINDS[kind] for kind in ("icon", "strings, spaced", "no digits: shapes")}
main()
"""


@dataclass(frozen=True)
class Trial:
    """A run that was killed after ``moment`` seconds; ``step`` says where it went on, "" if from the start."""

    moment: float
    killed: bool
    step: str
    equal: bool


def run(output: Path, arguments: tuple[str, ...], kill_after: float | None = None) -> tuple[int, str]:
    """Train in a process, at most for so many seconds; its status, negative if it was killed, and its notes."""
    command = [sys.executable, "-c", PROGRAM, "train", "--data", "digits", "--seed", "3", "--threads", "1"]
    command += [*arguments, "--output", str(output)]
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONHASHSEED": ""}
    )
    try:
        return child.returncode or 0, child.communicate(timeout=kill_after)[1]
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait(), child.communicate()[1]


def digest(output: Path) -> str:
    return hashlib.sha256(output.read_bytes()).hexdigest()


def trial(arguments: tuple[str, ...], expected: str, moment: float) -> Trial:
    """Kill a run at a moment, resume it, and compare its file with that of a run that was never stopped."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "mine.safetensors"
        status, _ = run(output, arguments, moment)
        _, notes = run(output, (*arguments, "--resume"))
        steps = [line for line in notes.splitlines() if "going on after step" in line]
        whole = output.exists() and digest(output) == expected
        left = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
        return Trial(moment, status != 0, steps[0].split("after ")[1] if steps else "", whole and left == [output.name])


def measured(name: str, kills: int, generator: np.random.Generator) -> dict[str, object]:
    """The row of a recipe: so many kills at random moments of its run."""
    arguments = RUNS[name]
    with tempfile.TemporaryDirectory() as folder:
        output, start = Path(folder) / "whole.safetensors", time.monotonic()
        run(output, arguments)
        length, expected = time.monotonic() - start, digest(output)
    trials = []
    while sum(each.killed for each in trials) < kills:
        trials.append(trial(arguments, expected, float(generator.uniform(0, length))))
        print(f"{name}: {trials[-1]}", flush=True)
    killed = [each for each in trials if each.killed]
    return {
        "recipe": name,
        "kills": len(killed),
        "from_a_checkpoint": sum(bool(each.step) for each in killed),
        "equal": sum(each.equal for each in killed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=list(RUNS), metavar="RECIPE", help=", ".join(RUNS))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    rows = {row["recipe"]: row for row in json.loads(RESULTS.read_text())["runs"]} if RESULTS.exists() else {}
    for name in options.recipes:  # rows of other recipes stay
        rows[name] = measured(name, options.kills, generator) | {record.KEY: record.record()}
        content = {"runs": [rows[recipe] for recipe in RUNS if recipe in rows]}
        write_beside(RESULTS, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
