"""The tables of docs/forms.md, from results/forms.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["BLOCKS"]

RESULTS = Path(__file__).resolve().parents[2] / "results"

Row = dict[str, Any]

_FIGURES = {
    "fields right": "fields right",
    "wrong, not in review": "wrong and not in review",
    "in review": "in review",
    "corners of cells, 95% of sheets": "corners, 95% of sheets",
    "lowest quality": "lowest quality",
}


def _rows() -> list[Row]:
    rows: list[Row] = json.loads((RESULTS / "forms.json").read_text())["rows"]
    return rows


def _value(row: Row) -> str:
    digits = {"%": 1, "mm": 2, "s": 2, "points": 2, "": 2}.get(row["unit"], 0)
    text = f"{row['value']:.{digits}f}" + (row["unit"] if row["unit"] == "%" else f" {row['unit']}".rstrip())
    if row["interval"]:
        text += f" ({row['interval'][0]:.1f}–{row['interval'][1]:.1f})"
    return text


def _goal(row: Row) -> str:
    if row["reached"] is None:
        return ""
    sign, value = ("≥", row["least"]) if row["least"] is not None else ("≤", row["most"])
    return f"{sign} {value:g}" + ("" if row["reached"] else " **missed**")


def drawn() -> str:
    """The drawn sheets by the way of scanning."""
    rows = [row for row in _rows() if row["case"].startswith("drawn forms")]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lines = [f"| scanned | {' | '.join(_FIGURES.values())} |", "| --- " + "| ---: " * len(_FIGURES) + "|"]
    for case in cases:
        cells = [_value(row) for name in _FIGURES for row in rows if (row["case"], row["figure"]) == (case, name)]
        lines.append(f"| {case.removeprefix('drawn forms, ') if ',' in case else '**all**'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def others() -> str:
    """What has a goal, and the other figures of real pages and other sheets."""
    lines = ["| what | measured | n | goal |", "| --- | ---: | ---: | ---: |"]
    for row in _rows():
        if row["case"].startswith("drawn forms,") or row["figure"] == "lowest quality":
            continue
        lines.append(f"| {row['case']}: {row['figure']} | {_value(row)} | {row['n']} | {_goal(row)} |")
    return "\n".join(lines)


_LEARNT = {
    "held-out digits wrong, before": "digits wrong, before",
    "held-out digits wrong, after": "after",
    "fields of further sheets wrong, before": "fields wrong, before",
    "fields of further sheets wrong, after": "after",
    "MNIST's test error, change": "MNIST's test error",
}


def learning() -> str:
    """What learning from corrections gains, of all hands and of each, and the goals."""
    rows: list[Row] = json.loads((RESULTS / "forms_learning.json").read_text())["rows"]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    lines = [f"| hand | {' | '.join(_LEARNT.values())} |", "| --- " + "| ---: " * len(_LEARNT) + "|"]
    for case in cases:
        cells = [_value(row) for name in _LEARNT for row in rows if (row["case"], row["figure"]) == (case, name)]
        lines.append(f"| {case if case != cases[0] else f'**{case}**'} | {' | '.join(cells)} |")
    counts = {row["figure"]: row["n"] for row in rows if row["case"] != cases[0]}
    goals = "; ".join(
        f"{row['figure']}: {_value(row)}, goal {_goal(row)}" for row in rows if row["reached"] is not None
    )
    n = " and ".join(f"{counts[name]:,} {what}" for name, what in zip(list(_LEARNT)[1::2], ("digits", "fields"), strict=True))
    return "\n".join([*lines, "", f"Of each hand {n} were measured. Of all hands together: {goals}."])


BLOCKS: dict[str, Callable[[], str]] = {"forms-drawn": drawn, "forms-others": others, "forms-learning": learning}
