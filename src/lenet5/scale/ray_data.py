"""A list of files read by a Ray cluster into a folder of Parquet parts."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lenet5.errors import LeNet5Error, OutputError, UnavailableError
from lenet5.scale.parts import ReadPart
from lenet5.scale.pictures import ReadPictures

__all__ = ["PartResult", "connect", "read_parts", "require_ray"]


class PartResult(NamedTuple):
    """A ``part`` that was written: how many ``rows`` it has, and how many of them ``failed``.

    >>> PartResult(part=4, rows=1000, failed=2).failed
    2
    """

    part: int
    rows: int
    failed: int


def require_ray() -> None:
    """Raise UnavailableError where Ray Data is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise UnavailableError("--ray needs Ray Data: pip install 'lenet5[scale]'")


def connect(address: str | None = None) -> None:
    """Connect to a Ray cluster, unless this process is connected already.

    Without an ``address`` that is the cluster that RAY_ADDRESS names or that runs on this machine, and else one that
    is started here for as long as the process runs. Raises UnavailableError without Ray or where none answers.
    """
    require_ray()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its makers
    import ray
    import ray.data

    if not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise UnavailableError(f"no Ray cluster at {address}: {' '.join(str(error).split())[:200]}") from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def read_parts(
    folder: str, parts: Sequence[int], pictures: ReadPictures, workers: int | None = None
) -> Iterator[PartResult]:
    """Read parts of a folder that was begun (``parts.begin``), as they come, by the connected cluster.

    At most so many ``workers`` of one core read at once, or as many as the cluster has cores. What a lost worker or
    machine had in hand is read again by another one. Raises OutputError where a part cannot be written.
    """
    import ray

    if not parts:
        return
    tasks = ray.data.from_items([{"part": part} for part in parts], override_num_blocks=len(parts))
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cores = max(1, int(resources.get("CPU", 1)))
    written = tasks.map_batches(
        ReadPart,
        fn_constructor_args=(folder, pictures),
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(workers or cores, len(parts))),
    )
    try:
        for row in written.iter_rows():
            yield PartResult(int(row["part"]), int(row["rows"]), int(row["failed"]))
    except ray.exceptions.RayError as error:
        raise _cause(error) from None


def _cause(error: Any) -> LeNet5Error:
    """The expected failure in an error of Ray's, in one line."""
    while error is not None and not isinstance(error, LeNet5Error):
        cause = getattr(error, "cause", None) or error.__cause__
        if cause is None:
            return OutputError(f"Ray ended the run: {str(error).strip().splitlines()[-1][:300]}")
        error = cause
    return OutputError(str(error))
