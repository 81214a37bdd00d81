"""Measures the bundled weights on MNIST and every set in LENET5_DATA; writes results/evaluation.json.

Beside right and wrong: how far confidences are from being right, and how much is refused at the confidence that
refuses 1% of the held-out training digits.

python -m benchmarks.accuracy.evaluation [WEIGHTS…]      all bundled weights, or only these: the others keep their rows
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks import record
from lenet5 import weights
from lenet5.evaluation.evaluate import evaluate
from lenet5.files import write_beside
from lenet5.learning.data import load
from lenet5.learning.sets import NO_DIGIT, ImageSet, PictureSet, part_of, split
from lenet5.reading.reader import Reader

HELD_OUT = 5_000  # of the training images, by every recipe whose weights are bundled
REFUSED = 0.01  # of them, at the threshold

RESULTS = record.RESULTS / "evaluation.json"

SETS = (  # folder or file below LENET5_DATA, and whether nothing in it is a digit
    ("other_hands/usps_test.npz", False),
    ("other_hands/semeion.npz", False),
    ("other_hands/optdigits32_test.npz", False),
    ("other_hands/pens_one_writer.npz", False),
    ("other_hands/boxed_cells.npz", False),
    ("field/pencil_on_exams.npz", False),
    ("drawn_and_photographed", False),
    ("not_digits/letters_a_to_h.npz", True),
)


def threshold(reader: Reader) -> float:
    """The confidence that refuses 1% of the MNIST digits held out of the training, read as pictures."""
    training = load("mnist", "train")
    assert isinstance(training, ImageSet)
    held_out = part_of(training, split(training, HELD_OUT)[0])
    digits = [reader.read(image, "digit").digits[0] for image in held_out.images]
    return float(np.quantile([0 if digit.label == NO_DIGIT else digit.confidence for digit in digits], REFUSED))


def refused_percent(data: ImageSet | PictureSet, reader: Reader, least: float) -> float:
    """How much of a set is refused when a digit has to be so sure."""
    if isinstance(data, ImageSet):
        labels, confidences = reader.classify(data.images)
        refused = (labels < 0) | (confidences < least)
    else:
        refused = np.array([reader.read(p, "digit", least).text == NO_DIGIT for p in data.pictures])
    return 100 * float(refused.mean())


def main() -> None:
    folder = Path(os.environ["LENET5_DATA"])
    wanted = [("mnist", False), ("unipen", False), *((str(folder / name), nothing) for name, nothing in SETS)]
    names = sys.argv[1:] or list(weights.BUNDLED)
    runs = []
    for name in names:
        reader = Reader(name)
        least = threshold(reader)
        for data, nothing in track(wanted, f"measuring {name}"):
            loaded = load(data, "test", nothing)
            report = evaluate(loaded, reader, "digit")
            run = {key: value for key, value in report.to_json().items() if key != "confusion"}
            run["calibration_error_percent"] = round(report.calibration_error_percent or 0.0, 2)
            run["threshold"] = round(least, 4)
            run["refused_at_threshold_percent"] = round(refused_percent(loaded, reader, least), 2)
            runs.append(run | {record.KEY: record.record(name)})
    kept = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    runs += [run for run in kept if run["weights"] in weights.BUNDLED and run["weights"] not in names]
    runs.sort(key=lambda run: weights.BUNDLED.index(run["weights"]))
    RESULTS.parent.mkdir(exist_ok=True)
    write_beside(RESULTS, (json.dumps({"layout": "digit", "runs": runs}, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
