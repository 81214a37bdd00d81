"""Measures the bundled weights on MNIST and every set in LENET5_DATA; writes results/evaluation.json.

python benchmarks/evaluation.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.progress import track

from lenet5 import weights
from lenet5.evaluate import evaluate
from lenet5.learning.data import load
from lenet5.reading.reader import Reader
from lenet5.weights import write_beside

RESULTS = Path(__file__).resolve().parent.parent / "results" / "evaluation.json"

SETS = (  # folder or file below LENET5_DATA, and whether nothing in it is a digit
    ("other_hands/usps_test.npz", False),
    ("other_hands/semeion.npz", False),
    ("other_hands/optdigits32_test.npz", False),
    ("other_hands/pens_one_writer.npz", False),
    ("other_hands/boxed_cells.npz", False),
    ("drawn_and_photographed", False),
    ("not_digits/letters_a_to_h.npz", True),
)


def main() -> None:
    folder = Path(os.environ["LENET5_DATA"])
    wanted = [("mnist", False), *((str(folder / name), nothing) for name, nothing in SETS)]
    runs = []
    for name, (data, nothing) in track([(n, s) for n in weights.BUNDLED for s in wanted], "measuring"):
        found = evaluate(load(data, "test", nothing), Reader(name), "digit").to_json()
        runs.append({key: value for key, value in found.items() if key != "confusion"})
    RESULTS.parent.mkdir(exist_ok=True)
    write_beside(RESULTS, (json.dumps({"layout": "digit", "runs": runs}, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
