"""The runs of the accuracy record as tasks of a Ray cluster: a core for each, taught runs after their teachers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet5.scale.ray_data import connect

if TYPE_CHECKING:
    from benchmarks.accuracy.__main__ import Run
    from lenet5.learning.data import ImageSet

__all__ = ["carried_out_on_ray"]

Row = dict[str, Any]
CarryOut = Callable[["Run", "ImageSet", "ImageSet", Path], Row]


def carried_out_on_ray(
    runs: Sequence[Run], carry_out: CarryOut, data: ImageSet, test: ImageSet, keep: Path | None, address: str | None
) -> Iterator[tuple[Run, Row]]:
    """Each run with its row, as they come.

    Weights are kept in folder ``keep``, where those that a run needs are looked for first. A run whose worker is lost
    is done again by another one.
    """
    import ray

    connect(address)
    images = ray.put(data), ray.put(test)
    task = ray.remote(num_cpus=1, num_returns=2, max_retries=-1)(_carried_out)
    tasks: dict[str, tuple[Any, Any]] = {}

    def weights_of(run: Run) -> Any:
        """Where the weights of a run are or will be."""
        if keep is not None and (keep / run.weights).exists() and run not in runs:
            return ray.put((keep / run.weights).read_bytes())
        return started(run)[1]

    def started(run: Run) -> tuple[Any, Any]:
        if run.weights not in tasks:
            row, content = task.remote(carry_out, run, *images, *map(weights_of, run.needs))
            tasks[run.weights] = row, content
        return tasks[run.weights]

    rows = {started(run)[0]: run for run in runs}
    while rows:
        (done, *_), _ = ray.wait(list(rows))
        run = rows.pop(done)
        if keep is not None:
            (keep / run.weights).write_bytes(ray.get(tasks[run.weights][1]))
        yield run, ray.get(done)


def _carried_out(carry_out: CarryOut, run: Run, data: ImageSet, test: ImageSet, *needed: bytes) -> tuple[Row, bytes]:
    """A run's row and weights, from the weights of the runs that it needs; what a worker does."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for before, content in zip(run.needs, needed, strict=True):
            (folder / before.weights).write_bytes(content)
        row = carry_out(run, data, test, folder)
        return row, (folder / run.weights).read_bytes()
