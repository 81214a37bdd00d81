"""What a service is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lenet5.reading.limits import MOST_BYTES
from lenet5.weights import Weights

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The weights, the worker processes and the limits of a service.

    ``workers`` processes read; ``queue`` further requests wait for one. A file that takes longer than ``seconds`` ends
    its worker. A body has at most ``most_bytes`` and ``most_files`` parts, a file ``most_pages`` pages; a body of JSON
    has ``most_json_bytes``, as numbers take twenty times their text in memory. All bodies together take at most
    ``most_held_bytes``. At most ``most_connections`` are open at a time. A body may take ``grace`` seconds and one more
    for each ``slowest`` bytes, the head of a request ``grace`` seconds. ``hosts`` are names that the service is called
    by beside localhost and any IP address, ``"*"`` for any name; pages of ``origins`` may use it from a browser. Fields
    of the folder ``review`` are shown for people to decide on.

    >>> from lenet5.weights import load
    >>> settings = Settings(load("lenet5"), workers=2, seconds=10.0)
    >>> settings.queue, settings.most_files
    (64, 100)
    """

    weights: Weights
    workers: int
    queue: int = 64
    seconds: float = 60.0
    most_bytes: int = MOST_BYTES
    most_json_bytes: int = 16_000_000
    most_files: int = 100
    most_pages: int = 100
    most_held_bytes: int = 2 * MOST_BYTES
    most_connections: int = 1000
    grace: float = 10.0
    slowest: float = 50_000.0
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    review: Path | None = None
