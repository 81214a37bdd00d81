"""The generated parts of docs/scale.md: what results/ has of it, and what follows from that."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PICTURES, CORES = 10_000_000, 100
PRICE = 0.04  # of a core-hour, as an example

NAMES = {"digits": "images of one digit, 28×28, layout digit", "lines": "lines of four digits, 160×48",
         "A4 pages": "A4 pages of 300 digits, 300 dpi"}  # fmt: skip


def _results(name: str) -> Any:
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def _core_seconds(pile: Any) -> float:
    """Processor seconds a picture, read by two processes."""
    return statistics.median(pile["processor_seconds"]["2"]) / float(pile["files"])


def jobs() -> str:
    """Two processes against one."""
    results = _results("jobs")
    here = results["machine"]
    lines = [
        f"Two processes against one, in turn (`python -m benchmarks.speed.jobs`; {here['processor']}, {here['cores']} "
        "cores). Where other programs used the cores, which the last column says, times say little; by processor seconds "
        "is what two idle cores would gain at most. Both count the start of the processes, about a second of each, which "
        "weighs much where the files are few.",
        "",
        "| pictures | files, rounds | times as fast | by processor seconds | tables equal "
        "| memory of all processes early / late | cores used by others |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for pile in results["runs"]:
        early, late, _ = pile["megabytes_early_late_most"]
        lines.append(
            f"| {NAMES[pile['kind']]} | {pile['files']:,}, {pile['rounds']} | {pile['times_as_fast']:.2f} "
            f"| {pile['times_as_fast_by_processor_seconds']:.2f} | {'yes' if pile['tables_equal'] else 'no'} "
            f"| {early} MB / {late} MB | {max(0.0, pile['cores_used_by_other_programs']):.1f} |"
        )
    return "\n".join(lines)


def soak() -> str:
    """Threads and processes over many reads."""
    results = _results("soak")
    lines = ["| way | reads | answers that differ | memory when warm / at the end / at most |", "| --- | ---: | ---: | ---: |"]
    for name in ("threads", "processes"):
        way = results[name]
        lines.append(
            f"| {way['workers']} {name} | {way['reads']:,} | {way['answers_that_differ']} "
            f"| {way['megabytes_when_warm']:.0f} MB / {way['megabytes_at_the_end']:.0f} MB / {way['megabytes_at_most']:.0f} MB |"
        )
    return "\n".join(lines)


def sizing() -> str:
    """What ten million pictures take."""
    piles = _results("jobs")["runs"]
    lines = [
        f"What {PICTURES // 1_000_000} million pictures take, by the processor seconds of the table above, starts included; the cost is "
        f"that of the core-hours at a price of {PRICE:.2f} each, to be replaced by yours:",
        "",
        f"| pictures | core-seconds each | core-hours | on {CORES} cores | cost |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for pile in piles:
        hours = _core_seconds(pile) * PICTURES / 3600
        lines.append(
            f"| {NAMES[pile['kind']]} | {_core_seconds(pile):.3g} | {hours:,.0f} | {hours / CORES:,.1f} h | {PRICE * hours:,.0f} |"
        )
    return "\n".join(lines)


def resume() -> str:
    """What the names of a table take that a run goes on with."""
    lines = [
        "| pages in the table | memory / at most | to take them in | to find a file |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for size in _results("resume")["sizes"]:
        lines.append(
            f"| {size['names']:,} | {size['megabytes']:,.0f} MB / {size['megabytes_at_most']:,.0f} MB "
            f"| {size['seconds_to_take']:,.0f} s | {size['microseconds_to_find']:.0f} µs |"
        )
    return "\n".join(lines)


BLOCKS = {"jobs": jobs, "resume": resume, "soak": soak, "sizing": sizing}
