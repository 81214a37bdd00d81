"""What docs/accuracy.md says of the weights that read the world, from results/robustness.json and evaluation.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "results" / "robustness.json"
EVALUATION = RESULTS.with_name("evaluation.json")

KINDS = {
    "shift": ("shift, of the digit's height", "{:+.0%}"),
    "scale": ("size", "×{:g}"),
    "rotation": ("turn", "{:+.0f}°"),
    "noise": ("salt and pepper, of all pixels", "{:.0%}"),
}
"""Each kind of change: what it is called, and how an amount is written."""

Row = dict[str, Any]


def rows() -> list[Row]:
    measurements: list[Row] = json.loads(RESULTS.read_text())
    return measurements


def curves(kind: str) -> dict[tuple[str, str], list[Row]]:
    """The rows of one kind of change, by weights and what they went through."""
    by_weights: dict[tuple[str, str], list[Row]] = {}
    for row in rows():
        if row["kind"] == kind:
            by_weights.setdefault((row["weights"], row["through"]), []).append(row)
    return by_weights


def card() -> str:
    """Error in percent for each amount of each change, for each of the weights alone and through the reader."""
    tables = []
    for kind, (title, form) in KINDS.items():
        by_weights = curves(kind)
        amounts = [row["amount"] for row in next(iter(by_weights.values()))]
        lines = [
            f"| {title} | images | {' | '.join(form.format(amount) for amount in amounts)} |",
            "| --- " * 2 + "| ---: " * len(amounts) + "|",
        ]
        for (weights, through), measured in by_weights.items():
            name = f"`{weights}`, {'network alone' if through == 'network' else 'through `Reader`'}"
            errors = " | ".join(f"{row['error_percent']:.1f}" for row in measured)
            lines.append(f"| {name} | {measured[0]['images']:,} | {errors} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def sets() -> str:
    """Each measured set: right, refused at the threshold, and the calibration error, with the weights that read."""
    runs = [run for run in json.loads(EVALUATION.read_text())["runs"] if run["weights"] == "lenet5"]
    lines = [
        f"The threshold is {runs[0]['threshold']:.3f}.",
        "",
        "| set | images | right | calibration error | refused at the threshold |",
        "| --- " + "| ---: " * 4 + "|",
    ]
    lines += [
        f"| {run['data']} | {run['images']:,} | {100 - run['error_percent']:.2f}% "
        f"| {run['calibration_error_percent']:.2f}% | {run['refused_at_threshold_percent']:.1f}% |"
        for run in runs
    ]
    return "\n".join(lines)


BLOCKS = {"reading-sets": sets, "robustness": card}
