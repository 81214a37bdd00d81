"""Work shared by processes: results in the order of the work, and a process that is killed costs what it had in hand.

Each process has a pipe of its own and one piece of work at a time, so that it is known what a killed one had.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, Generic, TypeVar

__all__ = ["Killed", "shared"]

Work = TypeVar("Work")
Result = TypeVar("Result")

_AHEAD: Final = 16  # pieces of work for each process may be done before one that takes long


@dataclass(frozen=True)
class Killed:
    """What stands for the result of a piece of work whose process was killed."""

    exit_code: int | None


def shared(
    make: Callable[[], Callable[[Work], Result]], works: Iterable[Work], jobs: int
) -> Iterator[tuple[Work, Result | Killed]]:
    """Each piece of work with its result, in order, as they come, by so many started processes.

    ``make`` is called once in each process and gives what does a piece of work there, which must not raise; both, the
    work and the results are picklable. No more work is taken than keeps the processes busy.
    """
    context, numbers, pending = multiprocessing.get_context("spawn"), count(), iter(works)
    workers: list[_Worker[Work, Result]] = []
    taken: dict[int, Work] = {}
    results: dict[int, Result | Killed] = {}
    after = 0
    try:
        exhausted = False
        while True:
            while not exhausted and len(taken) < _AHEAD * jobs:
                idle = next((worker for worker in workers if worker.number is None), None)
                if idle is None and len(workers) == jobs:
                    break
                work = next(pending, _END)
                if work is _END:
                    exhausted = True
                    break
                if idle is None:
                    workers.append(idle := _Worker(context, make))
                number = next(numbers)
                taken[number] = work
                idle.give(number, work)
            busy = [worker for worker in workers if worker.number is not None]
            if after not in results:
                if not busy:
                    return
                for worker in _ready(busy):
                    number, result = worker.take()
                    results[number] = result
                    if isinstance(result, Killed):
                        worker.end()
                        workers.remove(worker)
            while after in results:
                yield taken.pop(after), results.pop(after)
                after += 1
    finally:
        for worker in workers:
            worker.end()


_END: Final[Any] = object()


class _Worker(Generic[Work, Result]):
    """A started process, and the number of the work that it has in hand."""

    def __init__(self, context: Any, make: Callable[[], Callable[[Work], Result]]) -> None:
        self._pipe, there = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(there, make), daemon=True)
        self._process.start()
        there.close()
        self.number: int | None = None

    @property
    def pipe(self) -> Any:
        """Ready where there is a result, or the process has ended."""
        return self._pipe

    def give(self, number: int, work: Work) -> None:
        """Have an idle process do a piece of work; one that was killed meanwhile says so when the result is taken."""
        self.number = number
        with suppress(OSError):  # take() finds the pipe closed
            self._pipe.send(work)

    def take(self) -> tuple[int, Result | Killed]:
        """The number of the work in hand and its result."""
        number, self.number = self.number, None
        assert number is not None
        try:
            return number, self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return number, Killed(self._process.exitcode)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join()
        self._pipe.close()
        self._process.close()


def _ready(workers: list[_Worker[Any, Any]]) -> list[_Worker[Any, Any]]:
    """The workers with a result; waits for one."""
    pipes = wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in pipes]


def _work(pipe: Connection[Any, Any], make: Callable[[], Callable[[Any], Any]]) -> None:
    """What a started process does: one piece of work after another, until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the process that gives out the work
    work = make()
    while True:
        try:
            pipe.send(work(pipe.recv()))
        except (EOFError, BrokenPipeError):
            return
