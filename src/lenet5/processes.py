"""Work shared by processes: results in the order of the work, and a process that is killed costs what it had in hand.

Each process has a pipe of its own and a batch of work at a time, so that it is known what a killed one had. Pieces that
take long are batches of one. A batch of several whose process was killed is done again piece by piece, which finds
the one that kills.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, Generic, TypeVar

__all__ = ["Killed", "Processes", "cores", "limit_threads", "shared"]

Work = TypeVar("Work")
Result = TypeVar("Result")

_AHEAD: Final = 16  # pieces of work, or two batches, for each process may be done before one that takes long
_MOST_AT_ONCE: Final = 32  # pieces of work in a batch
_QUICK: Final = (
    0.02  # seconds: where a batch takes less, which is hardly more than to hand it over, the next are larger
)


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
        self._make, self._jobs = pickle.dumps(make), jobs
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker[Work, Result]] = []
        self._at_once = 1

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

        No more work is taken than keeps the processes busy. What ``works`` raises is raised after the results of what
        it gave before.
        """
        source = _Source(works)
        taken: dict[int, Work] = {}
        results: dict[int, Result | Killed] = {}
        again: deque[int] = deque()
        after = 0
        try:
            while True:
                while (again or self._may_take(taken)) and (idle := self._idle()):
                    batch = [again.popleft()] if again else []
                    if not batch:
                        new = source.batch(self._at_once)
                        taken |= new
                        batch = list(new)
                    if not batch:
                        break
                    idle.give(batch, [taken[number] for number in batch])
                if after in results:
                    while after in results:
                        yield taken.pop(after), results.pop(after)
                        after += 1
                    continue
                busy = [worker for worker in self._workers if worker.batch]
                if not busy:
                    if source.error:
                        raise source.error
                    return
                if self._may_take(taken):
                    source.prepare(self._at_once)
                for worker in _ready(busy):
                    results |= self._taken(worker, again)
        finally:
            for worker in [worker for worker in self._workers if worker.batch]:
                self._drop(worker)

    def _may_take(self, taken: dict[int, Work]) -> bool:
        """Whether another batch may be taken, with what is taken and not yet yielded."""
        return len(taken) + self._at_once <= max(_AHEAD, 2 * self._at_once) * self._jobs

    def _taken(self, worker: _Worker[Work, Result], again: deque[int]) -> dict[int, Result | Killed]:
        """The results of a worker by number; where it was killed, several pieces of work are to be done ``again``."""
        if worker.is_loading:
            worker.loaded()
            return {}
        batch, outcome = worker.take()
        if not isinstance(outcome, Killed):
            outcomes, seconds = outcome
            self._at_once = _next_size(len(batch), self._at_once, seconds)
            return dict(zip(batch, outcomes, strict=True))
        self._drop(worker)
        if len(batch) == 1:
            return {batch[0]: outcome}
        again.extend(batch)
        return {}

    def _idle(self) -> _Worker[Work, Result] | None:
        """A process that has nothing to do, started if need be; None where all are busy."""
        for worker in [worker for worker in self._workers if not worker.batch and not worker.is_alive()]:
            self._drop(worker)
        idle = next((worker for worker in self._workers if not worker.batch), None)
        if idle is None and len(self._workers) < self._jobs:
            self._workers.append(idle := _Worker(self._context, self._make))
        return idle

    def _drop(self, worker: _Worker[Work, Result]) -> None:
        worker.end()
        self._workers.remove(worker)


class _Source(Generic[Work]):
    """Numbered pieces of work, as they come."""

    def __init__(self, works: Iterable[Work]) -> None:
        self._pending, self._ended = enumerate(works), False
        self._prepared: dict[int, Work] = {}
        self._is_quick = False
        self.error: Exception | None = None

    def batch(self, most: int) -> dict[int, Work]:
        """At most so many pieces, fewer where they come slowly; none after the last one or an ``error``."""
        if self._prepared:
            batch, self._prepared = self._prepared, {}
            return batch
        batch, began = {}, time.perf_counter()
        while len(batch) < most and not self._ended and time.perf_counter() - began < _QUICK:
            try:
                number, work = next(self._pending)
            except StopIteration:
                self._ended = True
            except Exception as error:
                self.error, self._ended = error, True
            else:
                batch[number] = work
        self._is_quick = time.perf_counter() - began < _QUICK
        return batch

    def prepare(self, most: int) -> None:
        """Have the next batch at hand while the processes work, if the last one came quickly."""
        if self._is_quick and most > 1:
            self._prepared = self.batch(most)


def _next_size(batch: int, at_once: int, seconds: float) -> int:
    """How many pieces the next batches have, after one that took so long."""
    if seconds < _QUICK and batch == at_once:
        return min(2 * at_once, _MOST_AT_ONCE)
    if seconds > 4 * _QUICK:
        return max(min(batch, at_once) // 2, 1)
    return at_once


class _Worker(Generic[Work, Result]):
    """A process that was started, and the numbers of the work that it has in hand, which waits here while it loads."""

    def __init__(self, context: Any, make: bytes) -> None:
        self._pipe, there = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(there,), daemon=True)
        with _interrupts_ignored():
            self._process.start()
        there.close()
        self.pid = self._process.pid or 0
        self.batch: list[int] = []
        self.is_loading = True
        self._waiting = b""
        # The weights are larger than a pipe's buffer: sending them waits until the process has started.
        self._sending = threading.Thread(target=self._send, args=(make,), daemon=True)
        self._sending.start()

    @property
    def signs(self) -> tuple[Any, int]:
        """One of them is ready where there is a result, or the process has ended.

        The pipe of a process that ended has an end, but not on Windows where it ended before it took its side.
        """
        return self._pipe, self._process.sentinel

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def give(self, batch: list[int], works: list[Work]) -> None:
        """Have an idle process do a batch of work; one that was killed meanwhile says so when the results are taken."""
        self.batch, self._waiting = batch, pickle.dumps(works)
        if not self.is_loading:
            self._send_waiting()

    def loaded(self) -> None:
        """Note what a process says when it has loaded, or that it ended before: it is given the work that waits."""
        self.is_loading = False
        with suppress(EOFError, OSError):  # take() finds it ended
            if self._pipe.poll():
                self._pipe.recv_bytes()
                self._sending.join()
                self._send_waiting()

    def take(self) -> tuple[list[int], tuple[list[Result], float] | Killed]:
        """The numbers of the work in hand, its results, and the seconds that it took."""
        outcome: tuple[list[Result], float] | None = None
        with suppress(EOFError, OSError):
            if self._pipe.poll():
                outcome = self._pipe.recv()
        if outcome is None:
            self._process.join()
        batch, self.batch = self.batch, []  # not before: interrupted at the pipe, it still has them in hand
        return batch, outcome or Killed(self._process.exitcode)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join()
        self._sending.join(1)  # at once, but on Windows where the process ended before it took its side of the pipe
        self._pipe.close()
        self._process.close()

    def _send_waiting(self) -> None:
        content, self._waiting = self._waiting, b""
        self._send(content)

    def _send(self, content: bytes) -> None:
        with suppress(OSError):  # take() finds the pipe closed
            self._pipe.send_bytes(content)


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
    """The workers with a result, or that have ended; waits for one."""
    ready = wait([sign for worker in workers for sign in worker.signs])
    return [worker for worker in workers if not set(worker.signs).isdisjoint(ready)]


def _work(pipe: Connection[Any, Any]) -> None:
    """What a started process does: it loads, says so, and does one batch of work after another until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the process that gives out the work
    with suppress(EOFError, ConnectionError):  # the process that gives out the work has ended
        loaded = _loaded(pipe.recv_bytes())
        pipe.send_bytes(b"")
        while True:
            works, began = pipe.recv(), time.perf_counter()
            results = list(map(loaded, works))
            pipe.send((results, time.perf_counter() - began))


def _loaded(make: bytes) -> Callable[[Any], Any]:
    """What does a piece of work, of one thread; whatever making it raises ends the process with its traceback."""
    try:
        made = pickle.loads(make)
        limit_threads(1)  # processes share the cores, not threads; of the libraries that are loaded by now
        work: Callable[[Any], Any] = made()
    except (EOFError, ConnectionError) as error:
        raise RuntimeError("cannot load") from error
    return work
