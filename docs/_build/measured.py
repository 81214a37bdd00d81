"""The tables of held-out writers, of the measured sets and of speed, from results/."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from docs._build import accuracy
from lenet5 import weights
from lenet5.export.huggingface import digest

__all__ = ["BLOCKS", "measured_for_cards"]

RESULTS = Path(__file__).resolve().parents[2] / "results"


def measured() -> str:
    """The table of results/evaluation.json: each set with each of the bundled weights."""
    runs = json.loads((RESULTS / "evaluation.json").read_text())["runs"]
    rows = ["| set | weights | images | right | 95% interval | refused |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for run in runs:
        low, high = (100 - bound for bound in reversed(run["interval_percent"]))
        rows.append(
            f"| {run['data']} | {run['weights']} | {run['images']:,} | {100 - run['error_percent']:.2f}% "
            f"| {low:.2f}–{high:.2f}% | {run['refused']:,} |"
        )
    return "\n".join(rows)


def held_out() -> str:
    """The table of results/held_out.json."""
    results = json.loads((RESULTS / "held_out.json").read_text())
    single, lines = results["digits"], results["numbers"]
    rows = ["| held-out writers | n | right | 95% interval |", "| --- | ---: | ---: | ---: |"]
    for row in (*single["rows"], *lines["rows"]):
        low, high = row["interval_percent"]
        rows.append(f"| {row['what']} | {row['n']:,} | {row['right_percent']:.2f}% | {low:.1f}–{high:.1f}% |")
    facts = (
        f"Of the digits {single['refused']} are refused. "
        f"Their calibration error is {single['calibration_error_percent']:.2f}%, their log-loss "
        f"{single['log_loss']:.4f}, their error at 99% coverage {single['error_at_99_percent_coverage']:.2f}%. "
        f"At the threshold that refuses 1% of them, {single['letters_refused_percent']:.1f}% of "
        f"{single['letters']:,} printed letters are refused. "
        f"The calibration error of whole numbers is {lines['calibration_error_percent']:.2f}%."
    )
    return "\n".join([*rows, "", facts])


def speed() -> str:
    """The table of results/performance.json."""
    results = json.loads((RESULTS / "performance.json").read_text())
    here, versions = results["machine"], ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    lines = [
        f"{here['processor']}, {here['cores']} cores, engine {here['engine']}; its measured peak is "
        f"{here['peak_gigamac_a_thread']:.1f} billion fused multiply-adds a second and thread. {versions}.",
        "",
        "| case | peer | ours, images/s | theirs | ratio (spread) |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in results["cases"]:
        spread = f"{row['ratio']:.2f} ({row['ratio_min']:.2f}–{row['ratio_max']:.2f})"
        lines.append(f"| {row['case']} | {row['peer']} | {row['ours']:,} | {row['theirs']:,} | {spread} |")
    return "\n".join(lines)


def whole() -> str:
    """What results/whole_training.json found."""
    results = json.loads((RESULTS / "whole_training.json").read_text())
    low, high = results["test_error_percent_interval"]
    seeds = sum(run["objective"] == "engine" for run in results["runs"])
    rows = (
        (
            "mean test error",
            f"{results['test_error_percent_mean']:.2f}% over {seeds} seeds (95% interval {low:.2f}–{high:.2f}%)",
        ),
        ("median time", f"{results['seconds_median']:.1f} s"),
        (
            "median time, PyTorch objective",
            f"{results['seconds_median_torch']:.1f} s, {results['ratio']:.1f} times as long",
        ),
        ("largest memory", f"{results['peak_memory_megabytes']:,} MB"),
    )
    return "\n".join(["| what | measured |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in rows)])


CARD_SETS = ("mnist", "unipen", "usps_test", "semeion", "optdigits32_test")
"""Public sets of digits; those of MNIST's and UNIPEN's test part are of other writers than the training images."""


def measured_for_cards() -> str:
    """The digit sets of results/evaluation.json by the SHA-256 of the parameters that were measured, as JSON."""
    runs = json.loads((RESULTS / "evaluation.json").read_text())["runs"]
    kept = ("data", "images", "refused", "error_percent", "interval_percent")
    by_digest = {
        digest(weights.load(name)): [
            {key: run[key] for key in kept} for run in runs if run["weights"] == name and run["data"] in CARD_SETS
        ]
        for name in weights.BUNDLED
    }
    return json.dumps(by_digest, indent=1) + "\n"


def embedding() -> str:
    """The forms of results/embedding.json: sizes, and answers beside the engine's."""
    rows = ["| weights | form | bytes | scratch | code | errors | the engine's | different | posterior within |"]
    rows.append("| --- | --- " + "| ---: " * 7 + "|")
    for form in json.loads((RESULTS / "embedding.json").read_text())["forms"]:
        size, scratch = form.get("bytes") or form["constants"], form.get("scratch")
        code = f"{form['code']:,}" if form.get("code") else ""
        rows.append(
            f"| {form['weights']} | {form['form']} | {size:,} | {f'{scratch:,}' if scratch else ''} | {code} "
            f"| {form['errors']} | {form['engine_errors']} | {form['labels_different']} "
            f"| {form['posterior_difference']:.1g} |"
        )
    return "\n".join(rows)


def quantised() -> str:
    """Training in 8 and 4 bits: what the exported C errs on over the seeds, and its size."""
    sizes = {size["form"]: size for size in json.loads((RESULTS / "embedding.json").read_text())["sizes"]}
    forms = {8: "int8", 4: "4 bits"}
    lines = ["| trained in | error of the C | single runs | goal | constants | scratch | code | the engine's error |"]
    lines.append("| --- " + "| ---: " * 7 + "|")
    for group in accuracy.QUANTISED:
        runs, size = group.runs(accuracy.rows()), sizes[forms[group.quantise or 8]]
        errors = [run["in_c_error_percent"] for run in runs]
        lines.append(
            f"| {group.title} | **{accuracy.interval(errors)}** | {min(errors):.2f}–{max(errors):.2f}% "
            f"| {group.goal:.2f}% | {size['constants']:,} | {size['scratch']:,} | {size['code']:,} "
            f"| {accuracy.interval([run['test_error_percent'] for run in runs])} |"
        )
    commands = [accuracy.command(group.runs(accuracy.rows())) for group in accuracy.QUANTISED]
    return "\n".join(lines) + "\n\n```console\n" + "\n".join(f"$ {command}" for command in commands) + "\n```"


def instructions() -> str:
    """Instructions of a digit on each emulated core."""
    rows = ["| core | form | `lenet5_read` | `lenet5_prepare` (48×48) |", "| --- | --- | ---: | ---: |"]
    for core in json.loads((RESULTS / "embedding.json").read_text())["cores"]:
        rows.append(f"| {core['core']} | {core['form']} | {core['read']:,} | {core['prepare']:,} |")
    return "\n".join(rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "embedding": embedding,
    "instructions": instructions,
    "quantised": quantised,
    "measured": measured,
    "held-out": held_out,
    "speed": speed,
    "whole": whole,
}
