"""The space displacement network (section VIII of the paper) beside over-segmentation, on the same lines and weights.

    python -m benchmarks.reading.displacement          strings of MNIST's test images, and cheque_amounts of LENET5_DATA
    python -m benchmarks.reading.displacement --tune   chooses the decoder's two constants on MNIST's training images

The network is swept over a line that is brought to the height of MNIST's digits: C5 is a
convolution, so that one output for every STRIDE pixels is the network's answer to the 32×32 window
there. Lines are found and straightened by the reader's own stages: only cutting differs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.reading.cases import Case, measure, measured_sets, synthetic
from benchmarks.reading.figures import Row
from lenet5 import engine, paper, posterior
from lenet5.codes import DIGITS
from lenet5.files import write_beside
from lenet5.reading.ink import inks_of
from lenet5.reading.line_image import Line
from lenet5.reading.opening import Source, open_picture
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.proposals import proposals_in
from lenet5.result import Box, Digit, Reading
from lenet5.weights import Weights, load

__all__ = ["read", "sweep"]

RESULTS: Final = record.RESULTS / "displacement.json"
STRIDE: Final = 2  # the network's own is 4, the product of its two subsamplings; half of it reads more
ENTERING: Final = 0.25  # what every digit costs, in natural logarithms
SPREAD: Final = 1.0  # what a digit costs that is narrower or wider than USUAL by a factor e
USUAL: Final = 14  # pixels
FAINTEST: Final = 0.15  # ink below this is none


@dataclass(frozen=True)
class Swept:
    """P of the ten digits and rubbish in each window, (T, 11), and whether ink is under its middle, (T,)."""

    p: NDArray[np.float64]
    ink: NDArray[np.bool_]


def sweep(weights: Weights, line: Line, stride: int = STRIDE) -> Swept:
    """The network's answers every ``stride`` pixels along a line."""
    side = weights.network.input_size[0]
    scale = 20 / HEIGHT  # MNIST's digits are 20 pixels high
    size = (max(1, round(line.level.shape[1] * scale)), max(1, round(line.level.shape[0] * scale)))
    level = cv2.resize(line.level, size, interpolation=cv2.INTER_AREA)
    middle = round(float((level.sum(axis=1) * np.arange(size[1])).sum() / max(float(level.sum()), 1e-6)))
    strip = np.zeros((side, size[0] + side), np.float32)
    for row in range(max(0, side // 2 - middle), min(side, side // 2 - middle + size[1])):
        strip[row, side // 2 : side // 2 + size[0]] = level[row - side // 2 + middle]
    windows = sliding_window_view(strip, side, axis=1)[:, ::stride].transpose(1, 0, 2)
    framed = windows * np.float32(paper.FOREGROUND - paper.BACKGROUND) + np.float32(paper.BACKGROUND)
    outputs = engine.forward(weights.parameters, np.ascontiguousarray(framed, np.float32), codes=weights.codes)
    penalty = posterior.penalties(weights.network, outputs)
    p = posterior.of_classes(penalty, weights.classes, DIGITS, weights.j, weights.temperature)
    p[windows.max(axis=(1, 2)) < FAINTEST] = np.eye(posterior.RUBBISH + 1)[posterior.RUBBISH]
    half = side // 2
    return Swept(p, windows[:, :, half - 1 : half + 2].max(axis=(1, 2)) >= FAINTEST)


def decode(swept: Swept, entering: float, spread: float) -> str:
    """The digits on the best path along the line (Viterbi over the windows).

    A path cuts the line into digits of 6–28 pixels, and skips windows without ink under their
    middle. A digit is worth the logarithm of its probability in the window at its middle, smoothed
    over the neighbours, less ``entering``, less ``spread`` times the square of how far its width is
    from the usual one, as a logarithm.
    """
    digits = np.pad(swept.p[:, : posterior.RUBBISH], ((1, 1), (0, 0)))
    gain = np.log(np.maximum((digits[:-2] + 2 * digits[1:-1] + digits[2:]) / 4, 1e-6))
    labels, gain = gain.argmax(axis=1), gain.max(axis=1)
    widths = range(6 // STRIDE, 28 // STRIDE + 1)
    best, came = np.full(len(gain) + 1, -np.inf), [(0, -1)] * (len(gain) + 1)
    best[0] = 0
    for end in range(1, len(best)):
        if not swept.ink[end - 1]:
            best[end], came[end] = best[end - 1], (end - 1, -1)
        for start in (end - width for width in widths if width <= end):
            cost = entering + spread * np.log((end - start) * STRIDE / USUAL) ** 2
            for middle in {(start + end - 1) // 2, (start + end) // 2}:
                if best[start] + gain[middle] - cost > best[end]:
                    best[end], came[end] = best[start] + gain[middle] - cost, (start, int(labels[middle]))
    text, end = "", len(gain)
    while end > 0:
        end, label = came[end]
        text = f"{label}{text}" if label >= 0 else text
    return text


def lines_of(source: Source) -> list[Line]:
    """The lines that the reader proposes of a picture's ink."""
    opened = open_picture(source)
    return [proposal.line() for proposal in proposals_in(inks_of(opened.grey)[:1])]


def read(weights: Weights, source: Source, entering: float = ENTERING, spread: float = SPREAD) -> Reading:
    """The picture's longest line, without boxes or confidences."""
    lines = lines_of(source)
    if not lines:
        return Reading((), 1.0)
    longest = max(lines, key=lambda line: line.level.shape[1])
    text = decode(sweep(weights, longest), entering, spread)
    return Reading((tuple(Digit(label, 1.0, Box(0, 0, 1, 1)) for label in text),), 1.0)


def _tune(weights: Weights) -> None:
    """Whole strings right on training images, for pairs of the two constants."""
    wanted = [case for case in synthetic(development=True) if case.name.startswith("strings") and case.layout == "line"]
    swept: list[tuple[Swept, str]] = []
    for case in wanted[:2]:
        for _, source, text in itertools.islice(case.pictures(), 150):
            lines = lines_of(source)
            if lines:
                swept.append((sweep(weights, max(lines, key=lambda line: line.level.shape[1])), text))
    for entering, spread in itertools.product((0.0, 0.25, 0.5, 1.0, 2.0), (0.0, 0.5, 1.0, 2.0)):
        right = np.mean([decode(line, entering, spread) == text for line, text in swept])
        print(f"entering {entering:4}  spread {spread:4}  whole strings right {right:.1%} of {len(swept)}", flush=True)


def _cases() -> list[Case]:
    cases = [case for case in synthetic(development=False) if case.name.startswith("strings")]
    if "LENET5_DATA" in os.environ:
        cases += [case for case in measured_sets(Path(os.environ["LENET5_DATA"])) if case.name.startswith("cheque")]
    return [replace(case, whole=None, digits=None) for case in cases if case.layout == "line"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading.displacement", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--weights", default="lenet5")
    given = parser.parse_args()
    weights = load(given.weights)
    if given.tune:
        _tune(weights)
        return
    rows: list[Row] = []
    for case in _cases():
        measured, _ = measure(case, lambda source: read(weights, source), "space displacement")
        rows += measured
        print(*measured, sep="\n", flush=True)
    results = {record.KEY: record.record(given.weights), "rows": [row.to_json() for row in rows]}
    write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
