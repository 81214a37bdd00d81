"""Soak: many reads from four threads, then from four processes: memory flat, answers identical; results/soak.json.

    python -m benchmarks.soak                     20,000 reads each way
    python -m benchmarks.soak --reads 4000        fewer

The same lines of digits (benchmarks.speed.service) and the bundled pictures are read over and over; every answer,
probabilities included, must equal the first one of a single thread. Memory is resident memory, sampled every percent.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import machine, record
from benchmarks.speed.service import pictures
from lenet5 import Reader
from lenet5.files import write_beside
from lenet5.processes import Killed, Processes

RESULTS = record.RESULTS / "soak.json"
WORKERS = 4
SAMPLES = 100
WARM = 0.1  # of the reads: before them the allocator and caches fill
AHEAD = 8  # reads for each worker wait
PAGE = os.sysconf("SC_PAGE_SIZE")
LARGEST = 1_000_000  # bytes: pictures that are read quickly, so that there are many reads


def sources() -> list[bytes]:
    """Lines of digits, and the smaller bundled pictures now and then."""
    folder = resources.files("lenet5") / "bundled" / "pictures"
    bundled = [path.read_bytes() for path in sorted(folder.iterdir(), key=str) if path.name.endswith(("png", "jpg"))]
    small = sorted(bundled, key=len)[:4]
    return [*pictures(), *small]


def answer(reader: Reader, source: bytes) -> str:
    return json.dumps(reader.read(source).to_json())


def make_reader() -> Callable[[bytes], str]:
    """What a process reads with."""
    return partial(answer, Reader(threads=1))


def resident(pids: tuple[int, ...]) -> float:
    """Megabytes of resident memory of processes together."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids) / 1e6


def by_threads(given: Iterator[bytes]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Answers in order, read by threads that share one reader, and whose memory counts."""
    reader, pid = Reader(), (os.getpid(),)
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = [pool.submit(answer, reader, source) for source in islice(given, AHEAD * WORKERS)]
        while waiting:
            yield waiting.pop(0).result(), pid
            waiting += [pool.submit(answer, reader, source) for source in islice(given, 1)]


def by_processes(given: Iterator[bytes]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Answers in order, read by processes, and whose memory counts."""
    with Processes(make_reader, WORKERS) as processes:
        for _, result in processes.results(given):
            yield f"killed: {result.exit_code}" if isinstance(result, Killed) else result, processes.pids


def soaked(way: Callable[[Iterator[bytes]], Iterator[tuple[str, tuple[int, ...]]]], reads: int) -> dict[str, Any]:
    """One way of reading: how many answers differ from a single thread's, and how memory went."""
    files = sources()
    alone = Reader(threads=1)
    expected = [answer(alone, source) for source in files]
    wrong, samples, began, others = 0, [], time.monotonic(), machine.others()
    for number, (result, pids) in enumerate(way(files[k % len(files)] for k in range(reads))):
        wrong += result != expected[number % len(files)]
        if number % max(1, reads // SAMPLES) == 0:
            samples.append(resident(pids))
    warm = samples[int(WARM * len(samples)) :]
    seconds = time.monotonic() - began
    return {
        "reads": reads,
        "workers": WORKERS,
        "answers_that_differ": wrong,
        "megabytes_when_warm": round(warm[0], 1),
        "megabytes_at_the_end": round(warm[-1], 1),
        "megabytes_at_most": round(max(warm), 1),
        "seconds": round(seconds, 1),
        "cores_used_by_other_programs": round((machine.others() - others) / seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--reads", type=int, default=20_000, help="each way")
    given = parser.parse_args()
    results = {
        record.KEY: record.record("lenet5"),
        "machine": machine.description(),
        "threads": soaked(by_threads, given.reads),
        "processes": soaked(by_processes, given.reads),
    }
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
