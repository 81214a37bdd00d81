"""Runs every case, ours and a peer's in alternation, and writes results/performance.json (docs: make docs)."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from benchmarks import machine, record
from benchmarks.speed import contenders
from lenet5 import engine, paper, weights
from lenet5.files import write_beside
from lenet5.learning.distort import NONE
from lenet5.learning.recipe import MODERN
from lenet5.pixels import network_input

RESULTS = record.RESULTS / "performance.json"
MULTIPLY_ADDS = {"lenet5": 326_520, "concise": 416_520}  # those that the network needs; squashing not counted
SECONDS, ROUNDS, REST = 0.05, 9, 0.05  # a run's length; alternations; a pause in which spinning threads go to sleep
QUIET, TRIES = 0.025, 30  # processor seconds of other programs that a round may see; rounds tried for ROUNDS good ones


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without torch.compile, which compiles for minutes")
    arguments = parser.parse_args()
    results = _all(arguments.quick)
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())


def _all(quick: bool) -> dict[str, object]:
    peers = [p for p in contenders.INFERENCE if not (quick and p == "torch.compile")]
    cases: list[dict[str, object]] = []
    peak = machine.peak()
    for network in paper.NETWORKS.values():
        for threads in (1, 2):
            for batch in (1, 64, 1024):
                parameters, images = _inputs(network, batch)
                case = f"{network.name}, inference, batch {batch:,}, {threads} thread{'s' * (threads > 1)}"
                ours = contenders.our_inference(network, parameters, images, threads)
                for peer in peers:
                    if peer == "torch.compile" and batch == 64:
                        continue
                    theirs = contenders.INFERENCE[peer](network, parameters, images, threads)
                    cases.append(_compare(case, peer, ours, theirs, batch))
                if batch == 1024:
                    cases.append(_share(case, ours, batch, MULTIPLY_ADDS[network.name], peak * threads))
            cases += _training(network, threads, quick)
    packages = [name for name in ("numpy", "torch", "onnxruntime", "openvino") if find_spec(name)]
    described = machine.description() | {"engine": engine.NAME, "peak_gigamac_a_thread": peak}
    return {
        record.KEY: record.record(),
        "machine": described,
        "versions": {p: version(p) for p in packages},
        "cases": cases,
    }


def _training(network: paper.Network, threads: int, quick: bool) -> list[dict[str, object]]:
    cases = []
    for batch in (1, 64, 256):
        parameters, images = _inputs(network, batch)
        case = f"{network.name}, training step, batch {batch}, {threads} thread{'s' * (threads > 1)}"
        ours = contenders.our_training(network, parameters, images, threads)
        for peer, make in contenders.TRAINING.items():
            if peer != "torch.compile" or (batch == 256 and not quick):
                cases.append(_compare(case, peer, ours, make(network, parameters, images, threads), batch))
    distorted, undistorted = (
        contenders.our_training_from_digits(network, parameters, batch, threads, distortion)
        for distortion in (MODERN.distortion, NONE)
    )
    cases.append(_compare(f"{case}, distorted", "ours, undistorted", distorted, undistorted, batch))
    return cases


def _inputs(network: paper.Network, batch: int) -> tuple[contenders.Floats, contenders.Floats]:
    generator = np.random.default_rng(0)
    ink = generator.uniform(0, 255, (batch, 28, 28)) * (generator.uniform(size=(batch, 28, 28)) < 0.2)
    return weights.initial(network, generator), network_input(network, ink)


def _rate(work: contenders.Work, repeats: int, images: int) -> float:
    """Images a second over ``repeats`` calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return images * repeats / (time.perf_counter() - start)


def _repeats(work: contenders.Work) -> int:
    """How many calls fill SECONDS, after a warm-up."""
    for _ in range(3):
        work()
    start = time.perf_counter()
    work()
    return max(1, int(SECONDS / (time.perf_counter() - start)))


def _compare(case: str, peer: str, ours: contenders.Work, theirs: contenders.Work, images: int) -> dict[str, object]:
    repeats = [_repeats(work) for work in (ours, theirs)]

    def one_round() -> list[float]:
        rates = []
        for work, count in zip((ours, theirs), repeats, strict=True):
            time.sleep(REST)
            work()
            rates.append(_rate(work, count, images))
        return rates

    return _row(case, peer, _undisturbed(one_round))


def _undisturbed(one_round: Callable[[], list[float]]) -> list[list[float]]:
    """ROUNDS rounds in which other programs had little of the machine; after many tries, the least disturbed."""
    rounds: list[tuple[float, list[float]]] = []
    for _ in range(TRIES):
        start = machine.others()
        rates = one_round()
        rounds.append((machine.others() - start, rates))
        if sum(other <= QUIET for other, _ in rounds) == ROUNDS:
            break
    rounds.sort(key=lambda pair: pair[0])
    return [rates for _, rates in rounds[:ROUNDS]]


def _share(case: str, ours: contenders.Work, images: int, multiply_adds: int, peak: float) -> dict[str, object]:
    """Our images a second beside those that the machine's peak of multiply-adds would allow."""
    repeats = _repeats(ours)
    limit = peak * 1e9 / multiply_adds
    return _row(case, "the machine's peak", _undisturbed(lambda: [_rate(ours, repeats, images), limit]))


def _row(case: str, peer: str, rates: list[list[float]]) -> dict[str, object]:
    ratios = [ours / theirs for ours, theirs in rates]
    row = {
        "case": case,
        "peer": peer,
        "ours": round(statistics.median(ours for ours, _ in rates)),
        "theirs": round(statistics.median(theirs for _, theirs in rates)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
        "unit": "images a second",
    }
    spread = f"{row['ratio']:6.2f}x ({row['ratio_min']:.2f} to {row['ratio_max']:.2f})"
    print(f"{case:56} {peer:20} {row['ours']:>9,} {row['theirs']:>9,}  {spread}", flush=True)
    return row


if __name__ == "__main__":
    main()
