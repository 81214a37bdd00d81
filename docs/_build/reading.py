"""The tables of docs/reading.md, from results/reading.json and results/displacement.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["BLOCKS"]

RESULTS = Path(__file__).resolve().parents[2] / "results"

Row = dict[str, Any]


def _rows(name: str) -> list[Row]:
    return json.loads((RESULTS / name).read_text())["rows"]


def _grouped(rows: list[Row]) -> dict[tuple[str, str], dict[str, Row]]:
    """(case, reader) → figure → row, in the order of the file."""
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault((row["case"], row["reader"]), {})[row["figure"]] = row
    return groups


def _goal(row: Row) -> str:
    """A goal and whether it is reached; nothing without one."""
    if row["reached"] is None:
        return ""
    sign, value = ("≥", row["least"]) if row["least"] is not None else ("≤", row["most"])
    return f"{sign} {value:,g} {row['unit']}".replace(" %", "%").rstrip() + ("" if row["reached"] else " **missed**")


def _percent(row: Row | None, with_interval: bool = True) -> str:
    if row is None:
        return ""
    interval = "" if row["interval"] is None or not with_interval else " ({:.1f}–{:.1f})".format(*row["interval"])
    return f"{row['value']:.1f}%{interval}"


def accuracy(names: tuple[str, ...]) -> str:
    """Every case whose name begins with one of ``names``: whole texts and digits right, of ours and the peer."""
    lines = [
        "| pictures | read by | n | wholly right (95% interval) | goal | digits right | goal | median |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    rows = _rows("reading.json") + _rows("displacement.json")
    for (case, reader), figures in _grouped(sorted(rows, key=lambda row: row["case"])).items():
        whole, digits = figures.get("whole texts right"), figures.get("digits right")
        if whole is None or not case.startswith(names):
            continue
        lines.append(
            f"| {case} | {reader} | {whole['n']:,} | {_percent(whole)} | {_goal(whole)} | {_percent(digits)} "
            f"| {_goal(digits) if digits else ''} | {figures['median time']['value']:,.0f} ms |"
        )
    return "\n".join(lines)


def nothing() -> str:
    """The pictures without digits."""
    lines = [
        "| pictures | read by | n | without a false digit | goal | false digits | median |",
        "| --- | --- |" + " ---: |" * 5,
    ]
    for (case, reader), figures in _grouped(_rows("reading.json")).items():
        row = figures.get("without a false digit")
        if row:
            lines.append(
                f"| {case} | {reader} | {row['n']} | {_percent(row)} | {_goal(row)} "
                f"| {figures['false digits']['value']:.0f} | {figures['median time']['value']:,.0f} ms |"
            )
    return "\n".join(lines)


def cost() -> str:
    """Seconds, pictures a second, memory, and the machine."""
    results = json.loads((RESULTS / "reading.json").read_text())
    here = results["machine"]
    lines = [f"{here['processor']}, {here['cores']} cores.", "", "| what | measured | goal |", "| --- | ---: | ---: |"]
    costs = ("A4 page of", "small pictures", "photo of 50", "a million")
    for row in results["rows"]:
        if row["case"].startswith(costs):
            value = f"{row['value']:,.2f}" if row["value"] < 100 and row["unit"] != "" else f"{row['value']:,.0f}"
            if row["figure"].startswith("times as fast"):
                value = f"{row['value']:.1f}"
            who = "" if row["reader"] == "lenet5" else f", {row['reader']}"
            lines.append(f"| {row['case']}: {row['figure']}{who} | {value} {row['unit']} | {_goal(row)} |")
    return "\n".join(lines)


def left_out() -> str:
    """What the page score loses on kinds that it has not seen: the means, and the ten kinds that lose most."""
    rows = json.loads((RESULTS / "left_out.json").read_text())
    kinds, means = len(rows), [100 * sum(row[key] for row in rows) / len(rows) for key in ("in_the_fit", "left_out")]
    lines = [
        f"Mean of {kinds} kinds: {means[0]:.1f}% with the kind in the fit, {means[1]:.1f}% without.",
        "The ten that lose most:",
        "",
        "| drawn pages, read wholly right | n | kind in the fit | kind left out |",
        "| --- | ---: | ---: | ---: |",
    ]
    for row in sorted(rows, key=lambda row: row["left_out"] - row["in_the_fit"])[:10]:
        lines.append(f"| {row['kind']} | {row['pages']} | {row['in_the_fit']:.0%} | {row['left_out']:.0%} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {
    "read-strings": lambda: accuracy(("strings",)),
    "read-pages": lambda: accuracy(("A4 page,", "words", "two rows", "form")),
    "read-sets": lambda: accuracy(("cheque", "drawn", "boxed", "empty")),
    "read-photos": lambda: accuracy(("photo of one digit",)),
    "read-field": lambda: accuracy(("field: a", "field: the", "field: one", "field: numbers")),
    "read-nothing": nothing,
    "read-left-out": left_out,
    "read-not-foreseen": lambda: accuracy(("not foreseen",)),
    "read-cost": cost,
}
