"""Whole trainings with recipe ``fast``, from process start to trained weights: time, memory and test error.

    python -m benchmarks.speed.whole                    10 seeds with the engine, 3 with PyTorch: whole_training.json
    python -m benchmarks.speed.whole --one engine SEED   one of them, in this process

Each runs in a process of its own, so that its time has everything in it: the interpreter, imports,
reading MNIST, training, writing the weights. The test set is read afterwards, outside of that time.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import record
from lenet5.files import write_beside

RESULTS = record.RESULTS / "whole_training.json"
SEEDS, PEER_SEEDS = 10, 3


def one(objective: str, seed: int, output: str) -> None:
    """Train and save, as ``lenet5 train --recipe fast`` does, with this objective."""
    from lenet5.learning.data import ImageSet, load
    from lenet5.learning.objective import EngineObjective, TorchObjective
    from lenet5.learning.recipe import FAST
    from lenet5.learning.train import Training

    data = load("mnist", "train")
    assert isinstance(data, ImageSet)
    make = EngineObjective if objective == "engine" else TorchObjective
    training = Training(data, FAST, make(FAST.network, FAST.criterion), seed)
    for _ in training:
        pass
    training.weights().save(output)


def measured(objective: str, seed: int) -> dict[str, object]:
    """One training in a new process: seconds of wall clock, and the error on MNIST's test set."""
    from lenet5.evaluation.evaluate import evaluate
    from lenet5.learning.data import load
    from lenet5.reading.reader import Reader

    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/fast.safetensors"
        command = [sys.executable, "-m", "benchmarks.speed.whole", "--one", objective, str(seed), output]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - start
        report = evaluate(load("mnist"), Reader(output))
    row = {
        "objective": objective,
        "seed": seed,
        "seconds": round(seconds, 2),
        "test_error_percent": report.error_percent,
    }
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--one", nargs=3, metavar=("OBJECTIVE", "SEED", "OUTPUT"), help="one of them, in this process")
    given = parser.parse_args()
    if given.one:
        objective, seed, output = given.one
        one(objective, int(seed), output)
        return
    ours, theirs = [], []
    for number in range(SEEDS):
        ours.append(measured("engine", number))
        if number == 0:
            megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        if number < PEER_SEEDS:  # alternating, so that another program's load meets both
            theirs.append(measured("torch", number))
    errors = [float(str(run["test_error_percent"])) for run in ours]
    half = 2.262 * statistics.stdev(errors) / math.sqrt(SEEDS)  # Student's t, 9 degrees of freedom, 95%
    seconds, slower = (statistics.median(float(str(run["seconds"])) for run in runs) for runs in (ours, theirs))
    results = {
        record.KEY: record.record(),
        "recipe": "fast",
        "runs": ours + theirs,
        "test_error_percent_mean": round(statistics.mean(errors), 3),
        "test_error_percent_interval": [round(statistics.mean(errors) + sign * half, 3) for sign in (-1, 1)],
        "seconds_median": seconds,
        "seconds_median_torch": slower,
        "ratio": round(slower / seconds, 2),
        "peak_memory_megabytes": megabytes,
    }
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps({key: value for key, value in results.items() if key != "runs"}, indent=1))


if __name__ == "__main__":
    main()
