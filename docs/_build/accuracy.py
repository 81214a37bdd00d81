"""The tables of docs/accuracy.md, from results/accuracy.json and results/choices.json."""

from __future__ import annotations

import json
import math
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""The two-sided 95% quantile of Student's t for n runs, n − 1 degrees of freedom."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seeds; ``paper`` is its figure for them in percent, if it has one."""

    title: str
    recipe: str
    distortions: bool
    training_images: int
    goal: float | None = None
    paper: float | None = None
    teachers: int = 0
    quantise: int | None = None

    def runs(self, rows: list[Row]) -> list[Row]:
        keys, wanted = (
            ("recipe", "distortions", "training_images"),
            (self.recipe, self.distortions, self.training_images),
        )
        same = [row for row in rows if tuple(row[key] for key in keys) == wanted]
        return [row for row in same if (row.get("teachers", 0), row.get("quantise")) == (self.teachers, self.quantise)]


GROUPS = (
    Group("the paper's training", "paper", False, 60_000, goal=0.95, paper=0.95),
    Group("the paper's training, 540,000 distorted patterns added", "paper", True, 60_000, goal=0.80, paper=0.80),
    Group("today's training, `modern`", "modern", True, 55_000, goal=0.40),
    Group("the same, nothing held out", "modern", True, 60_000, goal=0.40),
    Group("the same, taught by those five", "modern", True, 60_000, goal=0.40, teachers=5),
    Group("the concise network, `concise`", "concise", True, 55_000, goal=0.60),
    Group("in seconds, `fast`", "fast", True, 60_000, goal=1.0),
)

QUANTISED = tuple(
    Group(f"{bits} bits", "modern", True, 60_000, goal=goal, teachers=5, quantise=bits)
    for bits, goal in ((8, 0.40), (4, 0.45))
)
"""The runs of ``--quantise`` that docs/embedding.md shows."""

SIZES = (
    (15_000, Group("", "paper", False, 15_000)),
    (30_000, Group("", "paper", False, 30_000)),
    (60_000, GROUPS[0]),
    (600_000, GROUPS[1]),
)
"""The paper's Fig. 6: how many patterns, and the runs that learnt from them."""


def _seconds(runs: list[dict[str, Any]]) -> str:
    """The median processor time of runs, of some of which it may not have been taken."""
    taken = [run["seconds"] for run in runs if run["seconds"] is not None]
    return f"{statistics.median(taken):.0f} s" if taken else ""


def rows() -> list[Row]:
    record: list[Row] = json.loads((ROOT / "results" / "accuracy.json").read_text())
    return record


def mean_and_half(values: list[float]) -> tuple[float, float]:
    """The mean over runs, and half of its 95% interval by Student's t; infinite for a single run."""
    if len(values) < 2:
        return values[0], math.inf
    return statistics.mean(values), STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values))


def interval(values: list[float]) -> str:
    """A mean with its 95% interval as text."""
    mean, half = mean_and_half(values)
    return f"{mean:.2f}% ± {half:.2f}" if math.isfinite(half) else f"{mean:.2f}%"


def command(runs: list[Row]) -> str:
    """What repeats each of these runs, S standing for its seed."""
    given, seed = runs[0]["command"], runs[0]["seed"]
    given = re.sub(rf"(--start \S+-){seed}(?=\.safetensors)", r"\1S", given)
    return braced(given.removesuffix(f" {seed}") + " S")


def braced(given: str) -> str:
    """A command with its teachers in the braces that a shell expands, as they differ in their seeds alone."""
    teachers = re.findall(r"--teacher (\S+)", given)
    if not teachers:
        return given
    first, last = teachers[0], teachers[-1]
    where = next(k for k in range(len(first)) if first[k] != last[k])
    name = f"{first[:where]}{{{first[where]}..{last[where]}}}{first[where + 1 :]}"
    return re.sub(r"(--teacher \S+ )+", f"--teacher={name} ", given)


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}%"


def summary() -> str:
    """Each kind of training beside its goal and the paper."""
    lines = ["| what | test error | single runs | goal | paper | seeds | processor time a run | command |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for group in GROUPS:
        runs = group.runs(rows())
        if runs:
            errors = [run["test_error_percent"] for run in runs]
            lines.append(
                f"| {group.title} | **{interval(errors)}** | {min(errors):.2f}–{max(errors):.2f}% "
                f"| {percent(group.goal)} | {percent(group.paper)} | {len(runs)} "
                f"| {_seconds(runs)} | `{command(runs)}` |"
            )
    return "\n".join(lines)


def sizes() -> str:
    """The paper's Fig. 6 as a table."""
    lines = ["| patterns | test error | training error | command |", "| ---: | ---: | ---: | --- |"]
    for patterns, group in SIZES:
        runs = group.runs(rows())
        if runs:
            test, training = (interval([run[f"{k}_error_percent"] for run in runs]) for k in ("test", "training"))
            lines.append(f"| {patterns:,} | {test} | {training} | `{command(runs)}` |")
    return "\n".join(lines)


def rejected() -> str:
    """How much must be rejected for 0.5% error on the rest."""
    lines = ["| what | rejected for 0.5% error on the rest |", "| --- | ---: |"]
    for group in GROUPS:
        runs = group.runs(rows())
        if runs:
            lines.append(f"| {group.title} | {interval([run['rejected_percent'] for run in runs])} |")
    return "\n".join(lines)


def every_run() -> str:
    """Each run of the record with the command that repeats it."""
    lines = ["| command | test error | refused | validation error | passes |", "| --- | ---: | ---: | ---: | ---: |"]
    for group in dict.fromkeys([*GROUPS, *(group for _, group in SIZES), *QUANTISED]):
        for run in group.runs(rows()):
            lines.append(
                f"| `{braced(run['command'])}` | {run['test_error_percent']:.2f}% | {run['refused']} "
                f"| {percent(run['validation_error_percent'])} | {run['passes']} |"
            )
    return "\n".join(lines)


def choices() -> str:
    """What the paper leaves open: each choice tried, on held-out training images."""
    tried: list[Row] = json.loads((ROOT / "results" / "choices.json").read_text())
    lines = ["| what | tried | error on the held-out images |", "| --- | --- | ---: |"]
    for what, name in dict.fromkeys((row["what"], row["choice"]) for row in tried):
        runs = [row for row in tried if (row["what"], row["choice"]) == (what, name)]
        lines.append(f"| {what} | {name} | {interval([run['validation_error_percent'] for run in runs])} |")
    return "\n".join(lines)


BLOCKS = {
    "accuracy": summary,
    "accuracy-sizes": sizes,
    "accuracy-rejected": rejected,
    "accuracy-choices": choices,
    "accuracy-runs": every_run,
}
