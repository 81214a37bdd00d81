"""``lenet5 read --ray``: a list of files read by a Ray cluster into a folder of Parquet parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lenet5.cli.progress import bar
from lenet5.weights import Weights

if TYPE_CHECKING:
    from lenet5.scale import ReadPictures

__all__ = ["read_on_cluster"]


def read_on_cluster(
    weights: Weights, options: Mapping[str, Any], files: Iterable[str], count: int, address: str | None, folder: str,
    resume: bool, jobs: int | None,
) -> int:  # fmt: skip
    """Read ``count`` files into the parts of a folder; the exit status, 1 where a page could not be read."""
    from lenet5.scale import ReadPictures
    from lenet5.scale.parts import alone, begin, missing, part_size
    from lenet5.scale.ray_data import require_ray

    require_ray()  # before anything is written
    pictures = ReadPictures(weights, **options)
    with alone(folder):
        parts = begin(folder, files, part_size(count), pictures, resume)
        lacking = missing(folder, parts)
        if parts > len(lacking):
            click.echo(f"{parts - len(lacking):,} of {parts:,} parts stand in {folder}", err=True)
        rows, failed = _read(folder, lacking, pictures, address, jobs) if lacking else (0, 0)
    click.echo(f"{rows:,} pages written to {folder}, {failed:,} of them not read", err=True)
    return 1 if failed else 0


def _read(
    folder: str, parts: Sequence[int], pictures: ReadPictures, address: str | None, jobs: int | None
) -> tuple[int, int]:
    """Read parts by a cluster; how many rows were written, and how many of them failed."""
    from lenet5.scale.ray_data import connect, read_parts

    connect(address)
    rows = failed = 0
    with bar("{task.completed:,}/{task.total:,} parts") as progress:
        results = read_parts(folder, parts, pictures, jobs)
        for part in progress.track(results, total=len(parts), description="reading"):
            rows, failed = rows + part.rows, failed + part.failed
    return rows, failed
