"""What reading costs: seconds beside Tesseract, pictures a second, and the memory of the largest pictures."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.reading import tesseract
from lenet5 import Reader

__all__ = ["alternating", "large_photo", "page_seconds", "pictures_a_second", "specks"]

_CHILD: Final = """
import json, resource, sys, time
from lenet5 import Reader
reader = Reader()
start = time.perf_counter()
reading = reader.read(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 ** 2)
print(json.dumps([seconds, peak, sum(digit.label != "?" for digit in reading.digits)]))
"""


def alternating(works: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of each work, ``rounds`` times in turn after one warm-up: a list of seconds for each."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, times in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            if number:
                times.append(time.perf_counter() - start)
    return seconds


def page_seconds(page: NDArray[np.uint8], layout: str, rounds: int = 5) -> tuple[float, float | None]:
    """Median seconds to read the page from a PNG file: ours on all cores, and Tesseract's if it is installed.

    Tesseract's are those of a process that ends, which is how it is mostly used; its start takes a
    tenth of a second.
    """
    reader = Reader()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.png"
        Image.fromarray(page).save(file)
        works: list[Callable[[], object]] = [lambda: reader.read(file, layout)]
        if tesseract.version():
            works.append(lambda: tesseract.read(file, "page"))
        medians = [statistics.median(seconds) for seconds in alternating(works, rounds)]
    return medians[0], medians[1] if len(medians) > 1 else None


def pictures_a_second(pictures: list[NDArray[np.uint8]], layout: str, threads: int, rounds: int = 5) -> float:
    """Pictures read a second, one ``read`` for each, by ``threads`` threads of this process with one reader."""
    reader = Reader(threads=1)

    def all_of_them() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda picture: reader.read(picture, layout), pictures))

    return len(pictures) / statistics.median(alternating([all_of_them], rounds)[0])


def large_photo(page: NDArray[np.uint8], megapixels: float) -> tuple[float, float, int]:
    """Seconds, megabytes of the process, and digits read, for the page as a colour JPEG photo of so many megapixels."""
    scale = (megapixels * 1e6 / page.size) ** 0.5
    size = (round(page.shape[1] * scale), round(page.shape[0] * scale))
    enlarged = cv2.resize(page, size, interpolation=cv2.INTER_CUBIC)
    return _in_a_process(Image.merge("RGB", [Image.fromarray(enlarged)] * 3), "photo.jpg")


def specks(count: int, side: int, rng: np.random.Generator) -> tuple[float, float, int]:
    """The same for a white square with ``count`` black pixels strewn over it."""
    grey = np.full((side, side), 255, np.uint8)
    grey.ravel()[rng.choice(side * side, count, replace=False)] = 0
    return _in_a_process(Image.fromarray(grey), "specks.png")


def _in_a_process(image: Image.Image, name: str) -> tuple[float, float, int]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        image.save(file, quality=92)
        done = subprocess.run([sys.executable, "-c", _CHILD, file], capture_output=True, text=True, check=True)
    seconds, megabytes, digits = json.loads(done.stdout)
    return seconds, megabytes, digits
