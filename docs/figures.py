"""Draws the pictures of docs/accuracy.md: the paper's Fig. 5, 6 and 8, measured here, and the robustness card.

python docs/figures.py [NAME...]      all of them, or only these
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for benchmarks

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt
import robustness
from benchmarks.accuracy.robustness import Change, picture
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accuracy import GROUPS, SIZES, mean_and_half, rows
from lenet5.learning.data import ImageSet, load

FOLDER = Path(__file__).resolve().parent / "accuracy"
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
    found = [(patterns, group.runs(rows())) for patterns, group in SIZES]
    where = np.log10([patterns for patterns, _ in found])
    for key, colour in (("training", TRAINING), ("test", TEST)):
        measured = [mean_and_half([run[f"{key}_error_percent"] for run in runs]) for _, runs in found]
        mean, half = np.array(measured).T
        axes.errorbar(where, mean, half, fmt="o-", color=colour, capsize=4, markersize=4, label=f"{key} error")
    axes.plot(where[2:], [0.95, 0.80], "x", color=PAPER, markersize=8, markeredgewidth=2, label="test error, paper")
    axes.set_xticks(where, [f"{p:,}" + ("\n(540,000 distorted)" if p > 60_000 else "") for p, _ in found])
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
        found = robustness.curves(kind)
        for (name, through), measured in found.items():
            where = [row["amount"] for row in measured]
            errors = [row["error_percent"] for row in measured]
            label = f"{name}, {'network alone' if through == 'network' else 'through Reader'}"
            axes.plot(where, errors, "o-" if through == "reader" else "s--", markersize=3.5, label=label)
        strip = [picture(test.images[0], Change(kind, amount), np.random.default_rng(0)) for amount in where[::2]]
        above.imshow(np.concatenate([np.pad(one[30:-30, 30:-30], 4) for one in strip], axis=1), cmap="gray")
        above.axis("off")
        above.set_title(title, fontsize=10)
        axes.set_xticks(where[::2], [form.format(amount) for amount in where[::2]], fontsize=8)
        axes.set(ylim=(0, 30), ylabel="error, %" if kind == "shift" else "")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    grid[1, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure


FIGURES = {"passes": passes, "sizes": sizes, "misread": misread, "robustness": card}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        part = FOLDER / f".{name}.part"
        draw().savefig(part, format="png", dpi=144, metadata={"Software": None})  # the same bytes each time
        part.replace(FOLDER / f"{name}.png")
        plt.close("all")
        print(f"drew docs/accuracy/{name}.png")


if __name__ == "__main__":
    main()
