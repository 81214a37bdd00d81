"""The page score with each kind of drawn pages left out of its fit in turn: pages of the kind that are read rightly.

    python -m benchmarks.reading.left_out      needs UNIPEN and MNIST; writes results/left_out.json

The pages are those that the bundled score was fitted to, seed 0, with digits of held-out images and writers.
"""

from __future__ import annotations

import argparse
import json
from typing import Final

import numpy as np

from benchmarks import record
from lenet5 import weights
from lenet5.files import write_beside
from lenet5.global_training.material import by_writer
from lenet5.global_training.page_examples import Example, PageMaker, examples_of
from lenet5.global_training.page_score import PAGES, judges_of, outcome
from lenet5.learning.data import ImageSet, load
from lenet5.learning.recipe import RECIPES
from lenet5.learning.sets import part_of, split
from lenet5.learning.unipen import load_unipen
from lenet5.synthesis.pages import KINDS

RESULTS: Final = record.RESULTS / "left_out.json"
_PARTS: Final = 3  # of the pages: where the kind is in the fit, the others of these are


def examples() -> list[Example]:
    """What the bundled weights see in the pages that their score was fitted to."""
    data, recipe = load("mnist", "train"), RECIPES["reading"]
    assert isinstance(data, ImageSet)
    held_out, _ = split(data, recipe.validation)
    make = PageMaker(part_of(data, held_out), by_writer(load_unipen())[1], 0)
    return examples_of(weights.load("lenet5"), make, PAGES)


def measured(pages: list[Example]) -> list[dict[str, object]]:
    """For each kind the share of its pages read rightly with the kind in the fit, its pages left out, and without."""
    part = np.arange(len(pages)) // len(KINDS) % _PARTS
    kind = np.array([page.kind for page in pages])
    right = np.zeros(len(pages))
    for k in range(_PARTS):
        score = judges_of([page for page, p in zip(pages, part, strict=True) if p != k], np.random.default_rng(0))
        right[part == k] = [outcome(score, page)[2] for page, p in zip(pages, part, strict=True) if p == k]
    rows: list[dict[str, object]] = []
    for name in KINDS:
        score = judges_of([page for page in pages if page.kind != name], np.random.default_rng(0))
        without = [outcome(score, page)[2] for page in pages if page.kind == name]
        rows.append(
            {
                "kind": name,
                "pages": len(without),
                "in_the_fit": round(float(right[kind == name].mean()), 4),
                "left_out": round(float(np.mean(without)), 4),
                record.KEY: record.record("lenet5"),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    write_beside(RESULTS, ("[\n" + ",\n".join(map(json.dumps, measured(examples()))) + "\n]\n").encode())


if __name__ == "__main__":
    main()
