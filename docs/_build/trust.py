"""The tables of docs/trust.md, from results/kills.json, results/fuzzing.json and results/mutants.json."""

from __future__ import annotations

import json
from collections import Counter
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


def mutants() -> str:
    """What results/mutants.json found: how many changes the tests notice, by room, and those that survive."""
    path = RESULTS / "mutants.json"
    if not path.exists():
        return "Not measured yet: `make mutants`, then `make docs`."
    results = json.loads(path.read_text(encoding="utf-8"))
    low, high = results["interval_percent"]
    lines = [
        f"Of {results['sample']} changes, drawn with seed {results['seed']} from {results['places']:,} places, the tests "
        f"notice {results['noticed']}: {results['noticed_percent']}% ({low}–{high}%).",
        "",
        "| room | changes | noticed |",
        "| --- | ---: | ---: |",
    ]
    for room, counts in results["rooms"].items():
        lines.append(f"| {room} | {counts['sample']} | {counts['sample'] - counts['survivors']} |")
    reasons = Counter(row["reason"] or "no reason is known" for row in results["survivors"])
    lines += ["", "| what was not noticed | changes |", "| --- | ---: |"]
    lines += [f"| {reason} | {count} |" for reason, count in reasons.most_common()]
    lines += ["", "[results/mutants.json](../results/mutants.json) lists them."]
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {"kills": kills, "fuzzing": fuzzing, "mutants": mutants}
