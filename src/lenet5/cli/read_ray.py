"""``lenet5 read --ray``: a list of files read by a Ray cluster into a folder of Parquet parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from lenet5.cli.progress import bar
from lenet5.weights import Weights

__all__ = ["read_on_cluster"]


def read_on_cluster(
    weights: Weights, how: Mapping[str, Any], files: Iterable[str], count: int, address: str | None, folder: str,
    resume: bool, jobs: int | None,
) -> int:  # fmt: skip
    """Read ``count`` files into the parts of a folder; the exit status, 1 where a page could not be read."""
    from lenet5.scale import ReadPictures
    from lenet5.scale.parts import begin, missing, part_size
    from lenet5.scale.ray_data import connect, read_parts, require_ray

    require_ray()  # before anything is written
    pictures = ReadPictures(weights, **how)
    parts = begin(folder, files, part_size(count), pictures, resume)
    lacking = missing(folder, parts)
    if parts > len(lacking):
        click.echo(f"{parts - len(lacking):,} of {parts:,} parts stand in {folder}", err=True)
    rows = failed = 0
    if lacking:
        connect(address)
        with bar("{task.completed:,}/{task.total:,} parts") as progress:
            results = read_parts(folder, lacking, pictures, jobs)
            for part in progress.track(results, total=len(lacking), description="reading"):
                rows, failed = rows + part.rows, failed + part.failed
    click.echo(f"{rows:,} pages written to {folder}, {failed:,} of them not read", err=True)
    return 1 if failed else 0
