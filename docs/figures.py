"""Draws the pictures of docs/accuracy.md from results/accuracy.json: the paper's Fig. 5, 6 and 8, measured here.

python docs/figures.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt
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


FIGURES = {"passes": passes, "sizes": sizes, "misread": misread}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        part = FOLDER / f".{name}.part"
        draw().savefig(part, format="png", dpi=144, metadata={"Software": None})  # the same bytes each time
        part.replace(FOLDER / f"{name}.png")
        plt.close("all")
        print(f"drew docs/accuracy/{name}.png")


if __name__ == "__main__":
    main()
