"""Soak: many reads from four threads, then from four processes: memory flat, answers identical; results/soak.json.

    python -m benchmarks.soak                     20,000 reads each way
    python -m benchmarks.soak --reads 4000        fewer

Of each hundred reads 90 are images in MNIST's form with layout digit, which take a millisecond, 8 are lines of four
digits (benchmarks.speed.service) and 2 bundled pictures. Every answer, probabilities included, must equal the one of a
single thread. Memory is resident memory, sampled every percent.
"""

from __future__ import annotations

import argparse
import io
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

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import machine, record
from benchmarks.speed.service import pictures
from lenet5 import Reader
from lenet5.files import write_beside
from lenet5.learning.data import ImageSet, load
from lenet5.processes import Killed, Processes

RESULTS = record.RESULTS / "soak.json"
WORKERS = 4
SAMPLES = 100
WARM = 0.1  # of the reads: before them the allocator and caches fill
AHEAD = 8  # reads for each worker wait
PAGE = os.sysconf("SC_PAGE_SIZE")
PERCENT = {"digits": 90, "lines": 8, "bundled": 2}

Source = tuple[str, bytes]
"""A layout and the content of a picture's file."""
PAGE = os.sysconf("SC_PAGE_SIZE")
LARGEST = 1_000_000  # bytes: pictures that are read quickly, so that there are many reads


def sources() -> list[Source]:
    """A hundred pictures with the layout that each is read by."""
    folder = resources.files("lenet5") / "bundled" / "pictures"
    files = sorted((path.read_bytes() for path in folder.iterdir() if path.name.endswith(("png", "jpg"))), key=len)
    data = load("digits", "test")
    assert isinstance(data, ImageSet)
    digits = [("digit", png(image)) for image in data.images[: PERCENT["digits"]]]
    lines = [("auto", content) for content in pictures()[: PERCENT["lines"]]]
    return [*digits, *lines, *(("auto", content) for content in files[: PERCENT["bundled"]])]


def png(levels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


def answer(reader: Reader, source: Source) -> str:
    layout, content = source
    return json.dumps(reader.read(content, layout).to_json())


def make_reader() -> Callable[[Source], str]:
    """What a process reads with."""
    return partial(answer, Reader(threads=1))


def resident(pids: tuple[int, ...]) -> float:
    """Megabytes of resident memory of processes together."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids) / 1e6


def by_threads(given: Iterator[Source]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Answers in order, read by threads that share one reader, and whose memory counts."""
    reader, pid = Reader(), (os.getpid(),)
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = [pool.submit(answer, reader, source) for source in islice(given, AHEAD * WORKERS)]
        while waiting:
            yield waiting.pop(0).result(), pid
            waiting += [pool.submit(answer, reader, source) for source in islice(given, 1)]


def by_processes(given: Iterator[Source]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Answers in order, read by processes, and whose memory counts."""
    with Processes(make_reader, WORKERS) as processes:
        for _, result in processes.results(given):
            yield f"killed: {result.exit_code}" if isinstance(result, Killed) else result, processes.pids


def soaked(way: Callable[[Iterator[Source]], Iterator[tuple[str, tuple[int, ...]]]], reads: int) -> dict[str, Any]:
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
