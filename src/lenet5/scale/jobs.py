"""Many files on one machine: read in this process or by several, results in the order of the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, Final, TypeVar

from lenet5.errors import PictureError
from lenet5.processes import Killed, cores, shared
from lenet5.reading.reader import Reader
from lenet5.scale.listing import Unit
from lenet5.scale.pages import PageResult, Seen, read_pages
from lenet5.weights import Weights

__all__ = ["MANY", "jobs_for", "peeked", "read_units"]

Item = TypeVar("Item")

MANY: Final = 8
"""Units beyond which processes are started: starting them takes about as long as reading so many small pictures."""


def read_units(
    reader: Reader, units: Iterable[Unit], options: Mapping[str, Any], jobs: int = 1, seen: Seen | None = None
) -> Iterator[PageResult]:
    """The pages of units, in order, read by ``jobs`` processes; with one job, by this one.

    ``options`` are keywords of ``Reader.read``. Where a process is killed, its unit has a result with the reason. Each
    page is shown to ``seen``, which needs one job.

    >>> from lenet5.scale.listing import Unit
    >>> [result.error for result in read_units(Reader(threads=1), [Unit("no such file.png")], {})]
    ['no such file: no such file.png']
    """
    if jobs < 2:
        for unit in units:
            yield from _results(reader, options, unit, seen)
        return
    for unit, results in shared(Maker(reader.weights, options), units, jobs):
        if isinstance(results, Killed):
            yield killed(unit, results)
        else:
            yield from results


def jobs_for(units: Iterator[Unit], threads: int | None = None) -> tuple[int, Iterator[Unit]]:
    """How many processes should read units, and the units: all cores, or ``threads``, for more than MANY.

    >>> jobs, units = jobs_for(iter([Unit("a.png"), Unit("b.png")]))
    >>> jobs, [unit.file for unit in units]  # too few to start processes for
    (1, ['a.png', 'b.png'])
    """
    first, units = peeked(units, MANY + 1)
    return (min(cores(), threads or cores()) if len(first) > MANY else 1), units


def peeked(items: Iterator[Item], number: int) -> tuple[list[Item], Iterator[Item]]:
    """The first items, and all of them.

    >>> first, letters = peeked(iter("abcd"), 2)
    >>> first, list(letters)
    (['a', 'b'], ['a', 'b', 'c', 'd'])
    """
    first = list(islice(items, number))
    return first, chain(first, items)


@dataclass(frozen=True)
class Maker:
    """Makes the function that reads units in another process.

    >>> from lenet5.weights import load
    >>> read = Maker(load("lenet5"), {"layout": "line"})()
    >>> read(Unit("no such file.png"))[0].error
    'no such file: no such file.png'
    """

    weights: Weights
    options: Mapping[str, Any]

    def __call__(self) -> Callable[[Unit], list[PageResult]]:
        return partial(_all_results, Reader(self.weights, threads=1), self.options)


def killed(unit: Unit, by: Killed) -> PageResult:
    """The result of a unit whose process was killed.

    >>> killed(Unit("bomb.png"), Killed(-9)).error
    'cannot read bomb.png: the process that read it was killed (SIGKILL): is there too little memory?'
    """
    return PageResult.failed(unit.file, f"cannot read {unit.file}: {by.reason}", unit.page or unit.after + 1)


def _all_results(reader: Reader, options: Mapping[str, Any], unit: Unit) -> list[PageResult]:
    return list(_results(reader, options, unit))


def _results(reader: Reader, options: Mapping[str, Any], unit: Unit, seen: Seen | None = None) -> Iterator[PageResult]:
    source = unit.file if unit.content is None else unit.content
    if unit.content is None and os.path.isdir(unit.file):  # noqa: PTH112 (it survives names that are too long)
        return iter([PageResult.failed(unit.file, PictureError(f"no pictures in the folder {unit.file}"))])
    return read_pages(reader, unit.file, source, options, unit.page, unit.after, seen)
