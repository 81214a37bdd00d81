"""The service under load: clients that ask without a pause, two workers, small pictures; writes results/service.json.

    python -m benchmarks.speed.service                    200 clients, a minute to warm up and a minute measured
    python -m benchmarks.speed.service --in-process       seconds of processor time a picture, read in this process

Clients wait as Retry-After says after a 503. Processor time is that of the service's processes, from the kernel; the
same pictures are read in as many processes without a service, before and after, for comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import machine, record
from lenet5 import Reader
from lenet5.files import write_beside
from lenet5.learning.data import ImageSet, load

RESULTS = Path(__file__).resolve().parents[2] / "results" / "service.json"
PICTURES, DIGITS = 64, 4  # pictures of lines, digits in each
ALONE = 15.0  # seconds of reading without a service, before and after
TICK = os.sysconf("SC_CLK_TCK")


def pictures() -> list[bytes]:
    """PNG files of lines of the embedded test digits, black on white, 160×48."""
    data = load("digits", "test")
    assert isinstance(data, ImageSet)
    files = []
    for k in range(PICTURES):
        sheet = np.full((48, 160), 255, np.uint8)
        for place, image in enumerate(data.images[DIGITS * k : DIGITS * (k + 1)]):
            left = 10 + 36 * place
            sheet[10:38, left : left + 28] = 255 - image
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "PNG")
        files.append(file.getvalue())
    return files


def in_process(seconds: float) -> float:
    """Seconds of processor time a picture, read one after the other in this process with one thread."""
    reader, files = Reader(threads=1), pictures()
    for content in files:
        reader.read(content)
    read, end, began = 0, time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end:
        reader.read(files[read % len(files)])
        read += 1
    return (time.process_time() - began) / read


def alone(workers: int) -> list[float]:
    """``in_process`` in as many processes at once, as a service has."""
    command = [sys.executable, "-m", "benchmarks.speed.service", "--in-process"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(workers)]
    return [float(process.communicate()[0]) for process in started]


@dataclass
class Load:
    """What clients saw: seconds of each answered request, refusals, and everything else."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    errors: list[str] = field(default_factory=list)


async def client(number: int, port: int, files: list[bytes], end: float, load: Load) -> None:
    """One client, until ``end``; it keeps its connection as long as the service does."""
    while time.monotonic() < end:
        try:
            await on_a_connection(number, port, files, end, load)
        except (OSError, asyncio.IncompleteReadError) as error:
            load.errors.append(type(error).__name__)


async def on_a_connection(number: int, port: int, files: list[bytes], end: float, load: Load) -> None:
    """Requests one after the other until ``end``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    try:
        while (began := time.monotonic()) < end:
            content = files[number % len(files)]
            number += 1
            writer.write(head % len(content) + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer)
            assert length
            await reader.readexactly(int(length[1]))
            status = answer.split(b" ", 2)[1]
            if status == b"200":
                load.seconds.append(time.monotonic() - began)
            elif status == b"503" and (again := re.search(rb"retry-after: (\d+)", answer)):
                load.refused += 1
                await asyncio.sleep(int(again[1]))
            else:
                load.errors.append(answer.split(b"\r\n")[0].decode())
    finally:
        writer.close()


async def loaded(clients: int, port: int, seconds: float) -> Load:
    load, files = Load(), pictures()
    end = time.monotonic() + seconds
    await asyncio.gather(*(client(k, port, files, end, load) for k in range(clients)))
    return load


def processes(parent: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    found = [parent]
    for thread in Path(f"/proc/{parent}/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    assert children.exists()
    return found


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pids: list[int]) -> float:
    """Megabytes of all, what they share counted once (proportional set size)."""
    total = 0
    for pid in pids:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found
        total += int(found[1])
    return total / 1024


def measured(clients: int, workers: int, seconds: float) -> dict[str, object]:
    """A service under load, after as long a time to warm up."""
    command = [sys.executable, "-m", "lenet5", "serve", "--port", "0", "--workers", str(workers), "--no-access-log"]
    service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert service.stderr
        address = re.search(r"http://127\.0\.0\.1:(\d+)", service.stderr.readline())
        assert address
        port = int(address[1])
        asyncio.run(loaded(clients, port, seconds))
        pids = processes(service.pid)
        minute, before, others = memory(pids), [processor_seconds(pid) for pid in pids], machine.others()
        load = asyncio.run(loaded(clients, port, seconds))
        used = [processor_seconds(pid) - start for pid, start in zip(pids, before, strict=True)]
        others = machine.others() - others - sum(used)
        end = memory(pids)
        replaced = pids != processes(service.pid)
    finally:
        service.send_signal(signal.SIGTERM)
        status = service.wait(30)
    n, ordered = len(load.seconds), sorted(load.seconds)
    return {
        "clients": clients,
        "workers": workers,
        "seconds": seconds,
        "pictures": n,
        "pictures_a_second": round(n / seconds, 1),
        "refused_with_503": load.refused,
        "errors": len(load.errors),
        "kinds_of_errors": sorted(set(load.errors)),
        "workers_replaced": replaced,
        "exit_status": status,
        "p50_seconds": round(ordered[n // 2], 3),
        "p99_seconds": round(ordered[int(0.99 * n)], 3),
        "processor_ms_a_picture": round(1000 * sum(used) / n, 2),
        "processor_ms_of_the_server": round(1000 * used[0] / n, 2),
        "megabytes_after_a_minute": round(minute),
        "megabytes_at_the_end": round(end),
        "cores_used_by_other_programs": round(others / seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.service", description=__doc__.split("\n")[0])
    parser.add_argument("--in-process", action="store_true", help="processor seconds a picture, in this process")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="to warm up, and again to measure")
    given = parser.parse_args()
    if given.in_process:
        print(in_process(ALONE))
        return
    without = alone(given.workers)
    found = measured(given.clients, given.workers, given.seconds)
    without += alone(given.workers)
    milliseconds = 1000 * statistics.mean(without)
    found["processor_ms_in_process"] = round(milliseconds, 2)
    found["processor_ratio"] = round(float(str(found["processor_ms_a_picture"])) / milliseconds, 3)
    versions = {name: version(name) for name in ("starlette", "uvicorn", "h11")}
    results = {
        record.KEY: record.record("lenet5"),
        "machine": machine.description(),
        "versions": versions,
        "load": found,
    }
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
