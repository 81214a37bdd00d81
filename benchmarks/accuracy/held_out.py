"""Measures the weights that read on UNIPEN's held-out writers: results/held_out.json.

Single digits by source, numbers as texts and as transcripts, how far confidences are from being right, and how many
printed letters are refused at the confidence that refuses 1% of the held-out digits. These writers also fit the
temperature, j and the inverse temperature of the weights; no parameter was trained on them.

python -m benchmarks.accuracy.held_out
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import record
from lenet5.evaluation.evaluate import calibration_error, wilson_interval
from lenet5.files import write_beside
from lenet5.learning.data import PictureSet, load
from lenet5.learning.unipen import held_out_writers, load_unipen
from lenet5.learning.unipen_pictures import digit_images
from lenet5.reading.reader import Reader

RESULTS = record.RESULTS / "held_out.json"
REFUSED = 0.01  # of the held-out digits, at the threshold
COVERED = 0.99  # of the digits are answered where the error at that coverage is given
BINS = 10


def share(name: str, right: NDArray[np.bool_]) -> dict[str, Any]:
    """How many of something are right, with the 95% interval in percent."""
    n, wrong = len(right), int((~right).sum())
    low, high = wilson_interval(wrong, n)
    interval = [round(100 * (1 - high), 2), round(100 * (1 - low), 2)]
    return {"what": name, "n": n, "right_percent": round(100 * float(right.mean()), 2), "interval_percent": interval}


def reliability(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Mean confidence and share right in bins of equal numbers of answers."""
    order = np.argsort(confidences)
    bins = [b for b in np.array_split(order, BINS) if len(b)]
    return [
        {"confidence": round(float(confidences[b].mean()), 4), "right": round(float(right[b].mean()), 4)} for b in bins
    ]


def digits(reader: Reader) -> dict[str, Any]:
    """Single digits of held-out writers, drawn with an ordinary pen."""
    writings = load_unipen()
    apart = held_out_writers(writings)
    images, labels, shown = digit_images(w for w in writings if w.writer in apart)
    sources = np.array([w.source.split("/")[1] for w in shown])
    answers, confidences = reader.classify(images)
    right = answers == labels
    rows = [share("digits", right)] + [share(f"digits, source {s}", right[sources == s]) for s in np.unique(sources)]
    p = np.where(right, confidences, 1 - confidences)  # of the answer being what it is
    answered = np.argsort(-confidences)[: round(COVERED * len(right))]
    letters = load(str(Path(os.environ["LENET5_DATA"]) / "not_digits" / "letters_a_to_h.npz"), not_digits=True)
    assert isinstance(letters, PictureSet)
    rejected = reader.rejections(images)
    least = float(np.quantile(rejected, 1 - REFUSED))
    seen = np.stack([reader.image(picture) for picture in track(letters.pictures, "letters")])
    return {
        "rows": rows,
        "refused": int((answers < 0).sum()),
        "calibration_error_percent": round(100 * calibration_error(confidences, right), 2),
        "log_loss": round(float(-np.log(np.maximum(p, 1e-6)).mean()), 4),
        "error_at_99_percent_coverage": round(100 * float(1 - right[answered].mean()), 2),
        "letters_refused_percent": round(100 * float((reader.rejections(seen) > least).mean()), 2),
        "letters": len(seen),
        "reliability": reliability(confidences, right),
    }


def numbers(reader: Reader) -> dict[str, Any]:
    """Numbers of held-out writers as texts and as transcripts, gaps aside."""
    loaded = load("unipen-numbers")
    assert isinstance(loaded, PictureSet)
    readings = [reader.read(picture, "line") for picture in track(loaded.pictures, "numbers")]
    text = np.array([r.text == t for r, t in zip(readings, loaded.truths, strict=True)])
    whole = [r.transcript.replace(" ", "") for r in readings]
    transcript = np.array([w == t for w, t in zip(whole, loaded.transcripts, strict=True)])
    confidences = np.array([r.confidence for r in readings])
    return {
        "rows": [share("numbers, digits", text), share("numbers, transcript", transcript)],
        "calibration_error_percent": round(100 * calibration_error(confidences, transcript), 2),
        "reliability": reliability(confidences, transcript),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.held_out", description=__doc__)
    parser.add_argument("--weights", default="lenet5")
    name = parser.parse_args().weights
    reader = Reader(name)
    results = {record.KEY: record.record(name), "weights": name, "digits": digits(reader), "numbers": numbers(reader)}
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
