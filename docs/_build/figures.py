"""Draws the pictures of docs/accuracy.md: the paper's Fig. 5, 6 and 8, measured here, reliability and robustness.

    python -m docs._build.figures [NAME...]      all of them, or only these

Each PNG holds the SHA-256 of the results it was drawn from, so that an outdated one is noticed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt
from benchmarks.accuracy.robustness import Change, picture
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from docs._build import robustness
from docs._build.accuracy import GROUPS, SIZES, mean_and_half, rows
from lenet5.learning.data import ImageSet, load

ROOT = Path(__file__).resolve().parents[2]
FOLDER, RESULTS = ROOT / "docs" / "accuracy", ROOT / "results"
KEY = "results"  # the PNG text chunk with the digest
TEST, TRAINING, PAPER = "#1f5fa8", "#c8651b", "#555555"


def passes() -> Figure:
    """Fig. 5: training and test error after each pass, no distortions."""
    curves = np.array([run["curve"] for run in GROUPS[0].runs(rows())])  # seeds, passes, training and test
    figure, axes = plt.subplots(figsize=(7, 4.2))
    number = np.arange(1, curves.shape[1] + 1)
    for k, (name, colour, published) in enumerate(
        (("training", TRAINING, "0.35% after 19 passes"), ("test", TEST, "0.95% from about pass 10"))
    ):
        axes.fill_between(number, curves[:, :, k].min(axis=0), curves[:, :, k].max(axis=0), color=colour, alpha=0.2)
        axes.plot(number, curves[:, :, k].mean(axis=0), "o-", color=colour, markersize=3.5, label=f"{name} error")
        level = float(published.split("%")[0])
        axes.axhline(level, color=colour, linestyle="--", linewidth=1, label=f"paper, {name} error: {published}")
    axes.set(xlabel="passes over the training images", ylabel="error, %", xlim=(0.5, len(number) + 0.5), ylim=(0, 3))
    axes.set_xticks(range(2, len(number) + 1, 2))
    axes.legend(frameon=False, title=f"mean of {len(curves)} seeds, band: lowest to highest", title_fontsize=9)
    return _finished(figure, axes)


def sizes() -> Figure:
    """Fig. 6: error against the number of training patterns."""
    figure, axes = plt.subplots(figsize=(7, 4.2))
    sizes = [(patterns, group.runs(rows())) for patterns, group in SIZES]
    where = np.log10([patterns for patterns, _ in sizes])
    for key, colour in (("training", TRAINING), ("test", TEST)):
        measured = [mean_and_half([run[f"{key}_error_percent"] for run in runs]) for _, runs in sizes]
        mean, half = np.array(measured).T
        axes.errorbar(where, mean, half, fmt="o-", color=colour, capsize=4, markersize=4, label=f"{key} error")
    axes.plot(where[2:], [0.95, 0.80], "x", color=PAPER, markersize=8, markeredgewidth=2, label="test error, paper")
    axes.set_xticks(where, [f"{p:,}" + ("\n(540,000 distorted)" if p > 60_000 else "") for p, _ in sizes])
    axes.set(xlabel="training patterns", ylabel="error, %", ylim=(0, None))
    axes.set_xlim(where[0] - 0.1, where[-1] + 0.15)
    axes.legend(frameon=False, title="mean over the seeds, 95% intervals", title_fontsize=9)
    return _finished(figure, axes)


def misread() -> Figure:
    """Fig. 8: the misread test images of the median run with distortions, truth → answer."""
    test = load("mnist", "test")
    assert isinstance(test, ImageSet)
    runs = sorted(GROUPS[1].runs(rows()), key=lambda run: len(run["misread"]))
    wrong = runs[len(runs) // 2]["misread"]
    columns = 12
    lines = -(-len(wrong) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(columns * 0.72, lines * 0.9), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, (index, answer) in zip(grid.flat, wrong, strict=False):
        axes.imshow(255 - test.images[index], cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{test.labels[index]} → {answer}", fontsize=9, pad=2)
    figure.tight_layout(pad=0.4)
    return figure


def _finished(figure: Figure, axes: Axes) -> Figure:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    figure.tight_layout()
    return figure


def card() -> Figure:
    """The robustness card: error against the amount of each change, and one image changed so."""
    test = load("mnist", "test")
    assert isinstance(test, ImageSet)
    figure, grid = plt.subplots(2, 4, figsize=(13, 4.4), height_ratios=(1, 3), sharey="row")
    for (kind, (title, form)), (above, axes) in zip(robustness.KINDS.items(), grid.T, strict=True):
        for (name, through), measured in robustness.curves(kind).items():
            where = [row["amount"] for row in measured]
            errors = [row["error_percent"] for row in measured]
            label = f"{name}, {'network alone' if through == 'network' else 'through Reader'}"
            axes.plot(where, errors, "o-" if through == "reader" else "s--", markersize=3.5, label=label)
        strip = [picture(test.images[0], Change(kind, amount), np.random.default_rng(0)) for amount in where[::2]]
        above.imshow(np.concatenate([np.pad(image[30:-30, 30:-30], 4) for image in strip], axis=1), cmap="gray")
        above.axis("off")
        above.set_title(title, fontsize=10)
        axes.set_xticks(where[::2], [form.format(amount) for amount in where[::2]], fontsize=8)
        axes.set(ylim=(0, 30), ylabel="error, %" if kind == "shift" else "")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    grid[1, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure


def reliability() -> Figure:
    """The reliability diagram of held-out writers: the proportion right over the confidence."""
    results = json.loads((RESULTS / "held_out.json").read_text())
    figure, axes = plt.subplots(figsize=(4.5, 4.2))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for key, name in (("digits", "single digits"), ("numbers", "numbers, whole transcript")):
        points = results[key]["reliability"]
        axes.plot([p["confidence"] for p in points], [p["right"] for p in points], "o-", label=name)
    axes.set(xlabel="confidence", ylabel="proportion right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend(loc="upper left", frameon=False)
    figure.tight_layout()
    return figure


@dataclass(frozen=True)
class Drawing:
    """A picture of docs/accuracy and the file of results that it shows."""

    draw: Callable[[], Figure]
    results: str

    @property
    def digest(self) -> str:
        return hashlib.sha256((RESULTS / self.results).read_bytes()).hexdigest()


FIGURES = {
    "passes": Drawing(passes, "accuracy.json"),
    "sizes": Drawing(sizes, "accuracy.json"),
    "misread": Drawing(misread, "accuracy.json"),
    "reliability": Drawing(reliability, "held_out.json"),
    "robustness": Drawing(card, "robustness.json"),
}


def outdated(folder: Path = FOLDER) -> Iterator[str]:
    """The names of the pictures that were drawn from other results than those that are there."""
    for name, drawing in FIGURES.items():
        with Image.open(folder / f"{name}.png") as picture:
            if picture.info.get(KEY) != drawing.digest:
                yield name


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, drawing in FIGURES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        part = FOLDER / f".{name}.part"
        metadata = {"Software": None, KEY: drawing.digest}  # the same bytes each time
        drawing.draw().savefig(part, format="png", dpi=144, metadata=metadata)
        part.replace(FOLDER / f"{name}.png")
        plt.close("all")
        print(f"drew docs/accuracy/{name}.png")


if __name__ == "__main__":
    main()
