"""Resume: the memory and the time that the names in a table of read pages take; results/resume.json.

    python -m benchmarks.resume                     1 and 10 million names
    python -m benchmarks.resume --names 1000000

Each number in a process of its own: how much its resident memory is larger with the names than without them, at most
and in the end, and the time to take the names of the table and to find each of a sample among them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks import machine, record
from lenet5.files import write_beside
from lenet5.scale.listing import Standing

RESULTS: Final = record.RESULTS / "resume.json"
NAMES: Final = (1_000_000, 10_000_000)
SAMPLE: Final = 100_000
NAME: Final = "s3://an-archive-of-scans/2024/{:03d}/sheet-{:09d}.png"
"""Of 50 characters."""


def name(number: int) -> str:
    return NAME.format(number // 1_000_000, number)


def rows(names: int) -> Iterator[dict[str, Any]]:
    """The rows of files of one page."""
    return ({"file": name(number), "page": 1, "error": None} for number in range(names))


def _resident() -> float:
    """The memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measured(names: int) -> dict[str, Any]:
    """The figures of so many names, in this process."""
    before, start = _resident(), time.process_time()
    standing = Standing(rows(names))
    taken = time.process_time()
    sample = range(0, names, max(1, names // SAMPLE))
    assert all(standing.whole(name(number)) for number in sample), "a name is missing"
    seconds = time.process_time() - taken
    assert not any(standing.whole(name(number)) for number in sample), "a name stands there twice"
    return {
        "names": names,
        "megabytes": round(_resident() - before, 1),
        "megabytes_at_most": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6 - before, 1),
        "seconds_to_take": round(taken - start, 2),
        "microseconds_to_find": round(1e6 * seconds / len(sample), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, nargs="+", default=NAMES)
    given = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        runs = pool.map(measured, given.names, chunksize=1)
    results = {record.KEY: record.record(), "machine": machine.description(), "sizes": runs}
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
