"""The robustness card: MNIST's test images shifted, scaled, turned and under noise; writes results/robustness.json.

    python -m benchmarks.accuracy.robustness [--reader-images 500]
    python -m benchmarks.accuracy.robustness --kinds noise      the rows of these kinds; the others stay as they are

"network" is LeNet5 alone on its 32×32 frame, outside of which ink is lost; "reader" reads a picture of 160×160 with
the digit about 40 pixels high in it, dark on white, by ``Reader`` in layout digit. The paper says that its network
stands sizes differing by a factor of 2, shifts up and down by half a character's height, and turns by 30°.
A refused digit counts as an error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import record
from lenet5 import engine, paper, pixels, posterior, weights
from lenet5.codes import DIGITS
from lenet5.evaluation.evaluate import wilson_interval
from lenet5.files import write_beside
from lenet5.learning.data import ImageSet, load
from lenet5.normalise import BOX
from lenet5.reading.reader import Reader

RESULTS = record.RESULTS / "robustness.json"
PICTURE, ENLARGED = 160, 2  # side of a picture, and how much larger than in MNIST the digit is in it

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Change:
    """A change of an image: how much of what.

    ``kind`` is "shift" (of the digit's height, down), "scale" (a factor), "rotation" (degrees, against the
    clock) or "noise" (salt and pepper, of all pixels).
    """

    kind: str
    amount: float

    def matrix(self, old: int, new: int, enlarged: float) -> NDArray[np.float64]:
        """From positions in the old square to positions in the new one, both about their middles: (2, 3)."""
        factor = enlarged * (self.amount if self.kind == "scale" else 1)
        turn = np.radians(self.amount if self.kind == "rotation" else 0)
        down = enlarged * BOX * (self.amount if self.kind == "shift" else 0)
        linear = factor * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        middle = np.array([(new - 1) / 2, (new - 1) / 2 + down]) - linear @ np.full(2, (old - 1) / 2)
        return np.column_stack([linear, middle])

    def noisy(self, image: Floats, low: float, high: float, generator: np.random.Generator) -> Floats:
        """Salt and pepper: the share of all pixels is set to either end, half to each."""
        if self.kind != "noise":
            return image
        drawn = generator.random(image.shape)
        changed = np.where(drawn < self.amount / 2, low, np.where(drawn < self.amount, high, image))
        return np.asarray(changed, np.float32)


CHANGES = (
    *(Change("shift", amount) for amount in (-0.5, -0.375, -0.25, -0.125, 0.0, 0.125, 0.25, 0.375, 0.5)),
    *(Change("scale", amount) for amount in (0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0)),
    *(Change("rotation", amount) for amount in (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)),
    *(Change("noise", amount) for amount in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)),
)


def inputs(images: NDArray[np.uint8], change: Change, generator: np.random.Generator) -> Floats:
    """Images (N, 28, 28), changed, as LeNet5's input (N, 32, 32)."""
    framed = pixels.network_input(paper.LENET5, images)
    side = framed.shape[1]
    matrix = change.matrix(side, side, 1)
    moved = [cv2.warpAffine(image, matrix, (side, side), borderValue=paper.BACKGROUND) for image in framed]
    return change.noisy(np.stack(moved), paper.BACKGROUND, paper.FOREGROUND, generator)


def picture(image: NDArray[np.uint8], change: Change, generator: np.random.Generator) -> NDArray[np.uint8]:
    """One image (28, 28), changed, as a picture with dark ink (160, 160)."""
    matrix = change.matrix(len(image), PICTURE, ENLARGED)
    ink = cv2.warpAffine(image.astype(np.float32), matrix, (PICTURE, PICTURE))
    return np.asarray(255 - change.noisy(ink, 0, 255, generator), np.uint8)


def measured(name: str, test: ImageSet, kinds: list[str], reader_images: int) -> Iterator[dict[str, Any]]:
    """Each change of these kinds through the network alone and through the reader, with one set of weights."""
    reader, loaded = Reader(name, threads=1), weights.load(name)
    for change in CHANGES:
        if change.kind not in kinds:
            continue
        generator = np.random.default_rng(0)
        outputs = engine.forward(
            loaded.parameters, inputs(test.images, change, generator), threads=1, codes=loaded.codes
        )
        p = posterior.of_classes(outputs, loaded.classes, DIGITS, loaded.j, loaded.temperature)
        yield row(name, change, "network", p.argmax(axis=1), test.labels)
        pictures = (picture(image, change, generator) for image in test.images[:reader_images])
        answers = [reader.read(source, "digit").text for source in pictures]
        numbers = np.array([posterior.RUBBISH if text == "?" else int(text) for text in answers])
        yield row(name, change, "reader", numbers, test.labels[:reader_images])


def row(
    name: str, change: Change, through: str, answers: NDArray[np.integer], truth: NDArray[np.uint8]
) -> dict[str, Any]:
    errors = int((answers != truth).sum())
    interval = [round(100 * bound, 2) for bound in wilson_interval(errors, len(truth))]
    return {
        "weights": name, "kind": change.kind, "amount": change.amount, "through": through, "images": len(truth),
        "errors": errors, "refused": int((answers == posterior.RUBBISH).sum()),
        "error_percent": round(100 * errors / len(truth), 2), "interval_percent": interval,
        record.KEY: record.record(name),
    }  # fmt: skip


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    """Which cell of the card a row is."""
    return tuple(row[key] for key in ("weights", "kind", "amount", "through"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reader-images", type=int, default=500)
    every = list(dict.fromkeys(change.kind for change in CHANGES))
    arguments.add_argument("--kinds", nargs="+", choices=every, default=every)
    options = arguments.parse_args()
    test = load("mnist", "test")
    assert isinstance(test, ImageSet)
    names = ["lenet5", "lenet5-mnist"]
    rows = [
        measurement
        for name in track(names, "measuring")
        for measurement in measured(name, test, options.kinds, options.reader_images)
    ]
    if options.kinds != every:
        last = {_place(row): row for row in json.loads(RESULTS.read_text(encoding="utf-8"))}
        rows = list((last | {_place(row): row for row in rows}).values())
    write_beside(RESULTS, ("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n").encode())


if __name__ == "__main__":
    main()
