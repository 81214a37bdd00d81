"""Worker processes, each at the end of a pipe of its own: a bounded queue, a time limit, replacement.

The standard executors do not fit: one dead process breaks a ProcessPoolExecutor, and it ends no task that hangs. In
pebble's pool the workers share a pipe and its lock, so that a worker killed while it waits for work or takes a large
body breaks the pool. Here a worker takes nothing with it but its own request.
"""

from __future__ import annotations

import asyncio
import logging
import math
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from multiprocessing.context import SpawnProcess
from typing import Final

from lenet5.errors import LeNet5Error
from lenet5.web import work
from lenet5.weights import Weights

__all__ = ["OverdueError", "Pool", "QueueFullError", "UnwantedError", "WorkerLostError"]

_LOADING: Final = 60.0  # seconds that a worker may take to load
_LONGEST_PAUSE: Final = 30.0  # seconds between tries to start a worker that does not load
_RECENT: Final = 0.05  # the weight of the latest task in the mean time of tasks

_log = logging.getLogger("lenet5.service")


class QueueFullError(LeNet5Error):
    """As many requests wait as may; ``retry_after`` seconds are likely to free a place.

    >>> busy = QueueFullError(retry_after=2)
    >>> str(busy), busy.retry_after
    ('the service is busy: try again later', 2)
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("the service is busy: try again later")
        self.retry_after = retry_after


class OverdueError(LeNet5Error):
    """A task took too long; its worker was ended."""


class WorkerLostError(LeNet5Error):
    """A worker died during a task."""


class UnwantedError(LeNet5Error):
    """Nobody waits for a task's answer any more."""


class Pool:
    """``workers`` processes with a reader each; ``queue`` requests more may wait. ``on_loss`` is told why one ended."""

    def __init__(
        self, weights: Weights, workers: int, queue: int, seconds: float, on_loss: Callable[[str], None]
    ) -> None:
        self._weights, self._workers, self._seconds, self._on_loss = weights, workers, seconds, on_loss
        self._places = workers + queue
        self._taken = self._busy = 0
        self._mean = 0.1  # seconds a task, before there was one
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._loading: set[_Worker] = set()
        self._serving: set[_Worker] = set()
        self._starts: set[asyncio.Task[None]] = set()
        self._loaded = False
        self._closed = asyncio.Event()
        self._threads = ThreadPoolExecutor(workers, "worker-pipe")

    @property
    def ready(self) -> bool:
        """Whether all workers have loaded; after some were lost, whether any is left."""
        return self._loaded and bool(self._serving)

    @property
    def waiting(self) -> int:
        """The requests that wait for a worker."""
        return max(0, self._taken - self._busy)

    @property
    def busy(self) -> int:
        """The workers that are at work."""
        return self._busy

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers that have loaded."""
        return tuple(worker.pid for worker in self._serving)

    def start(self) -> None:
        """Start all workers, without waiting until they have loaded."""
        for _ in range(self._workers):
            self._start_one()

    async def close(self) -> None:
        """End all workers. What they are at is lost."""
        self.kill()
        await asyncio.gather(*self._starts)
        self._threads.shutdown(wait=False)

    def kill(self) -> None:
        """End the workers that there are, at once, and replace none."""
        self._closed.set()
        for worker in (*self._loading, *self._serving):
            worker.kill()
        self._serving.clear()

    def check_place(self) -> None:
        """Raise QueueFullError if no request can wait any more."""
        if self._taken >= self._places:
            raise QueueFullError(min(60, max(1, math.ceil(self._taken * self._mean / self._workers))))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places for requests that are read or wait. Raises QueueFullError."""
        self.check_place()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def run(
        self, task: work.Task, content: bytes, *arguments: object, unwanted: Callable[[], Awaitable[bool]]
    ) -> work.Answer:
        """What ``task(reader, content, *arguments)`` returns in the next worker that is free.

        Raises OverdueError, WorkerLostError, and UnwantedError if nobody waits any more once a worker is free.
        """
        worker = await self._next_worker()
        self._busy += 1
        returned = False
        try:
            if await unwanted():
                returned = True
                raise UnwantedError
            answer = await self._answer(worker, task, content, arguments)
            returned = True
            return answer
        finally:
            self._busy -= 1
            if returned:
                self._idle.put_nowait(worker)
            else:
                self._replace(worker)

    async def _next_worker(self) -> _Worker:
        while True:
            worker = await self._idle.get()
            if worker.is_alive():
                return worker
            self._on_loss("died")
            self._replace(worker)

    async def _answer(
        self, worker: _Worker, task: work.Task, content: bytes, arguments: tuple[object, ...]
    ) -> work.Answer:
        began = time.monotonic()
        call = asyncio.get_running_loop().run_in_executor(self._threads, worker.call, task, content, arguments)
        call.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # seen, also if nobody waits
        done, _ = await asyncio.wait([call], timeout=self._seconds)
        if not done:
            self._on_loss("timeout")
            raise OverdueError(f"reading took more than {self._seconds:g} s: send a smaller picture or one page")
        try:
            answer = call.result()
        except (EOFError, OSError):
            self._on_loss("died")
            raise WorkerLostError("the process that read this request ended unexpectedly") from None
        self._mean += _RECENT * (time.monotonic() - began - self._mean)
        return answer

    def _replace(self, worker: _Worker) -> None:
        self._serving.discard(worker)
        worker.kill()
        self._start_one()

    def _start_one(self) -> None:
        if self._closed.is_set():
            return
        start = asyncio.get_running_loop().create_task(self._started())
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)

    async def _started(self) -> None:
        """Start a worker, again and again if it does not load."""
        pause, loop = 1.0, asyncio.get_running_loop()
        while not self._closed.is_set():
            with suppress(EOFError, OSError, asyncio.TimeoutError):
                worker = await loop.run_in_executor(None, _Worker, self._weights)
                self._loading.add(worker)
                if await self._loads(worker):
                    self._serving.add(worker)
                    self._loaded = self._loaded or len(self._serving) == self._workers
                    self._idle.put_nowait(worker)
                    return
            if not self._closed.is_set():
                _log.error("a worker process did not load; it is started again in %g seconds", pause)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _loads(self, worker: _Worker) -> bool:
        """Whether a process that was started loads; it is ended if not."""
        loop, loaded = asyncio.get_running_loop(), False
        try:
            if not self._closed.is_set():
                await asyncio.wait_for(loop.run_in_executor(None, worker.loaded), _LOADING)
                loaded = not self._closed.is_set()
        finally:
            self._loading.discard(worker)
            if not loaded:
                worker.kill()
        return loaded


class _Worker:
    """A process that serves at the end of a pipe. Made in a thread: starting one blocks."""

    def __init__(self, weights: Weights) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process: SpawnProcess = context.Process(target=work.serve, args=(other, weights), daemon=True)
        self._process.start()
        other.close()  # so that the pipe ends with the process
        self.pid = self._process.pid or 0

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def loaded(self) -> None:
        """Wait until the process can work. Raises EOFError if it ends before."""
        self._connection.recv()

    def call(self, task: work.Task, content: bytes, arguments: tuple[object, ...]) -> work.Answer:
        """Run a task there. Raises EOFError or OSError if the process ends."""
        self._connection.send((task, arguments))
        self._connection.send_bytes(content)
        answer: work.Answer = self._connection.recv()
        return answer

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
