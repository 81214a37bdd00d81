"""Work shared by processes: results in the order of the work, and a process that is killed costs what it had in hand.

Each process has a pipe of its own and one piece of work at a time, so that it is known what a killed one had.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, Generic, TypeVar

__all__ = ["Killed", "Processes", "cores", "limit_threads", "shared"]

Work = TypeVar("Work")
Result = TypeVar("Result")

_AHEAD: Final = 16  # pieces of work for each process may be done before one that takes long


@dataclass(frozen=True)
class Killed:
    """What stands for the result of a piece of work whose process was killed.

    >>> Killed(-9).reason
    'the process that read it was killed (SIGKILL): is there too little memory?'
    """

    exit_code: int | None

    @property
    def reason(self) -> str:
        """One line for the user."""
        code = self.exit_code
        if code is None or code >= 0:
            return f"the process that read it ended with status {code} (this is a defect, please report it)"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            return f"the process that read it was killed ({name}): is there too little memory?"
        return f"the process that read it crashed ({name}; this is a defect, please report it)"


def cores() -> int:
    """The processor cores that this process may use.

    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_threads(threads: int) -> None:
    """Have OpenCV and BLAS use at most so many threads in this process from now on.

    >>> import cv2
    >>> before = cv2.getNumThreads()
    >>> limit_threads(1)
    >>> cv2.getNumThreads()
    1
    >>> limit_threads(before)
    """
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(threads)
    threadpool_limits(threads)


def shared(
    make: Callable[[], Callable[[Work], Result]], works: Iterable[Work], jobs: int
) -> Iterator[tuple[Work, Result | Killed]]:
    """Each piece of work with its result, in order, as they come, by so many started processes (see ``Processes``)."""
    with Processes(make, jobs) as processes:
        yield from processes.results(works)


class Processes(Generic[Work, Result]):
    """At most ``jobs`` processes, started when there is work for them, of one thread each; a context manager.

    ``make`` is called once in each process and gives what does a piece of work there, which must not raise; both, the
    work and the results are picklable. A process that was killed is replaced.
    """

    def __init__(self, make: Callable[[], Callable[[Work], Result]], jobs: int) -> None:
        self._make, self._jobs = make, jobs
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker[Work, Result]] = []

    def __enter__(self) -> Processes[Work, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that were started."""
        return tuple(worker.pid for worker in self._workers)

    def close(self) -> None:
        """End the processes, whatever they do."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def results(self, works: Iterable[Work]) -> Iterator[tuple[Work, Result | Killed]]:
        """Each piece of work with its result, in order, as they come.

        No more work is taken than keeps the processes busy.
        """
        numbers, pending = count(), iter(works)
        taken: dict[int, Work] = {}
        results: dict[int, Result | Killed] = {}
        after, exhausted = 0, False
        try:
            while True:
                while not exhausted and len(taken) < _AHEAD * self._jobs and (idle := self._idle()):
                    work = next(pending, _END)
                    if work is _END:
                        exhausted = True
                        break
                    number = next(numbers)
                    taken[number] = work
                    idle.give(number, work)
                busy = [worker for worker in self._workers if worker.number is not None]
                if after not in results:
                    if not busy:
                        return
                    for worker in _ready(busy):
                        number, result = worker.take()
                        results[number] = result
                        if isinstance(result, Killed):
                            self._drop(worker)
                while after in results:
                    yield taken.pop(after), results.pop(after)
                    after += 1
        finally:
            for worker in [worker for worker in self._workers if worker.number is not None]:
                self._drop(worker)

    def _idle(self) -> _Worker[Work, Result] | None:
        """A process that has nothing to do, started if need be; None where all are busy."""
        for worker in [worker for worker in self._workers if worker.number is None and not worker.is_alive()]:
            self._drop(worker)
        idle = next((worker for worker in self._workers if worker.number is None), None)
        if idle is None and len(self._workers) < self._jobs:
            self._workers.append(idle := _Worker(self._context, self._make))
        return idle

    def _drop(self, worker: _Worker[Work, Result]) -> None:
        worker.end()
        self._workers.remove(worker)


_END: Final[Any] = object()


class _Worker(Generic[Work, Result]):
    """A started process, and the number of the work that it has in hand."""

    def __init__(self, context: Any, make: Callable[[], Callable[[Work], Result]]) -> None:
        self._pipe, there = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(there, make), daemon=True)
        with _interrupts_ignored():
            self._process.start()
        there.close()
        self.pid = self._process.pid or 0
        self.number: int | None = None

    @property
    def pipe(self) -> Any:
        """Ready where there is a result, or the process has ended."""
        return self._pipe

    def is_alive(self) -> bool:
        return self._process.is_alive()

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


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C from their first instant; so does this one, for as long."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ready(workers: list[_Worker[Any, Any]]) -> list[_Worker[Any, Any]]:
    """The workers with a result; waits for one."""
    pipes = wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in pipes]


def _work(pipe: Connection[Any, Any], make: Callable[[], Callable[[Any], Any]]) -> None:
    """What a started process does: one piece of work after another, until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the process that gives out the work
    limit_threads(1)  # processes share the cores, not threads
    work = make()
    while True:
        try:
            pipe.send(work(pipe.recv()))
        except (EOFError, BrokenPipeError):
            return
