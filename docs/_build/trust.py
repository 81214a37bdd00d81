"""The tables of docs/trust.md, from results/kills.json and results/fuzzing.json."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.record import RESULTS

__all__ = ["BLOCKS"]


def kills() -> str:
    """The table of results/kills.json: of so many killed runs how many gave the same file."""
    rows = ["| recipe | kills | had a checkpoint | the same bits |", "| --- | ---: | ---: | ---: |"]
    for run in json.loads((RESULTS / "kills.json").read_text())["runs"]:
        rows.append(
            f"| `{run['recipe']}` | {run['kills']} | {run['from_a_checkpoint']} | {run['equal']} of {run['kills']} |"
        )
    return "\n".join(rows)


def fuzzing() -> str:
    """The table of results/fuzzing.json."""
    runs = json.loads((RESULTS / "fuzzing.json").read_text())["runs"]
    rows = ["| parser | inputs | findings |", "| --- | ---: | ---: |"]
    rows += [f"| {run['parser']} | {run['inputs']:,} | {run['findings']} |" for run in runs]
    rows.append(f"| all | {sum(run['inputs'] for run in runs):,} | {sum(run['findings'] for run in runs)} |")
    return "\n".join(rows)


BLOCKS: dict[str, Callable[[], str]] = {"kills": kills, "fuzzing": fuzzing}
